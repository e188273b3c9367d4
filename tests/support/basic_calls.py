"""Calls of carriers with Basic credentials, good and wrong."""

import base64
import json
from typing import Any

from carriers.cases import Call
from support.credentials import BASIC

WRONG = {
    "none": {},
    "another user": {"Authorization": "Basic b3RoZXI6czNjcmV0OndpdGg6Y29sb25z"},
    "another password": {"Authorization": "Basic Y2Fycmllcjpvb3Bz"},
    "a prefix": {"Authorization": "Basic Y2Fycmllcjo="},
    "no base64": {"Authorization": "Basic !!!"},
    "another scheme": {"Authorization": "Bearer Y2FycmllcjpzM2NyZXQ6d2l0aDpjb2xvbnM="},
    "an empty one": {"Authorization": "Basic"},
}


def basic_call(payload: Any) -> Call:
    credential = base64.b64encode(":".join(BASIC).encode()).decode()
    headers = {"Content-Type": "application/json; charset=utf-8", "Authorization": f"Basic {credential}"}
    return Call(json.dumps(payload).encode(), headers)


def basic_forged(payload: Any) -> dict[str, Call]:
    return {name: Call(json.dumps(payload).encode(), headers) for name, headers in WRONG.items()}
