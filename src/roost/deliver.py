"""Calling a Roost over HTTP, for `roost simulate` and the demo: as a carrier that delivers, and as whoever has a key."""

import base64
import http.client
import json
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class DeliveryFailed(Exception):
    """No server took the delivery; the message says why."""


class Answer(NamedTuple):
    """What the server answered, whatever the status."""

    status: int
    body: dict[str, Any]


def deliver(webhook_url: str, user: str, password: str, payload: Any) -> dict[str, Any]:
    """POST `payload` as JSON with Basic credentials to an intake, and return its answer. Raises DeliveryFailed."""
    credential = base64.b64encode(f"{user}:{password}".encode()).decode()
    answer = call("POST", webhook_url, {"Authorization": f"Basic {credential}"}, payload)
    if answer.status != 200:
        raise DeliveryFailed(f"the server answered {answer.status}")
    return answer.body


def call(method: str, url: str, headers: dict[str, str], payload: Any = None) -> Answer:
    """The JSON answer to one request. Raises DeliveryFailed when no server gives one."""
    parts = urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=30)
    body = None if payload is None else json.dumps(payload)
    try:
        connection.request(method, parts.path, body, {**headers, "Content-Type": "application/json"})
        response = connection.getresponse()
        return Answer(response.status, json.loads(response.read()))
    except (OSError, http.client.HTTPException, ValueError) as error:
        where = f"{parts.scheme}://{parts.netloc}"
        raise DeliveryFailed(f"no server answers at {where} ({error}); start one with: roost serve") from None
    finally:
        connection.close()
