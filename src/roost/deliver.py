"""Delivering a text as a carrier does, for `roost simulate` and the demo."""

import base64
import http.client
import json
from typing import Any
from urllib.parse import urlsplit


class DeliveryFailed(Exception):
    """No server took the delivery; the message says why."""


def deliver(webhook_url: str, user: str, password: str, payload: Any) -> dict[str, Any]:
    """POST `payload` as JSON with Basic credentials to an intake, and return its answer. Raises DeliveryFailed."""
    parts = urlsplit(webhook_url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=30)
    credential = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {credential}", "Content-Type": "application/json"}
    try:
        connection.request("POST", parts.path, json.dumps(payload), headers)
        response = connection.getresponse()
        answer = response.read()
    except (OSError, http.client.HTTPException) as error:
        where = f"{parts.scheme}://{parts.netloc}"
        raise DeliveryFailed(f"no server answers at {where} ({error}); start one with: roost serve") from None
    finally:
        connection.close()
    if response.status != 200:
        raise DeliveryFailed(f"the server answered {response.status}")
    taken: dict[str, Any] = json.loads(answer)
    return taken
