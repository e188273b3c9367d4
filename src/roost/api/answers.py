"""What the routes of an organization's self-service answer with, as the document describes it."""

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from roost.api.inbound import AgentMessageError, OneShotError
from roost.api.routes import Answer
from roost.core.times import rfc3339

_encode = msgspec.json.Encoder().encode

TEXTS = {
    400: "The id in the path is malformed, or `INVALID_INPUT`: the message says what",
    401: "No API key, or none that is valid",
    403: "The API key lacks a scope",
    404: "Unknown, or another organization's",
    409: "`CONFLICT`: it is there already, or the first request with this idempotency key is still running",
    413: "More than 1 MiB",
    422: "A field or parameter is wrong; `details` says which",
    503: "The database cannot be reached now",
}
_ONESHOT_TEXTS = {
    400: "The body or a parameter is wrong",
    401: "Nobody who may do this; `reason` says what is wrong with a proof",
    403: "An access token cannot do this",
    404: "Unknown, or another agent's",
    409: "`conflict`: the first request with this idempotency key is still running",
    413: "More than 1 MiB",
    422: "`idempotency_key_reused`: the key was used with another request",
    503: "The database cannot be reached now",
}
_HEADERS = {401: ("WWW-Authenticate",), 409: ("Retry-After",), 503: ("Retry-After",)}


def refusals(*statuses: int) -> list[Answer]:
    """Dialect A's, and the two that every route has."""
    return [Answer(status, TEXTS[status], AgentMessageError, _HEADERS.get(status, ())) for status in _all(statuses)]


def oneshot_refusals(*statuses: int) -> list[Answer]:
    """Dialect B's, and the two that every route has."""
    headers = {409: ("Retry-After",), 503: ("Retry-After",)}
    return [Answer(status, _ONESHOT_TEXTS[status], OneShotError, headers.get(status, ())) for status in _all(statuses)]


def _all(statuses: Sequence[int]) -> list[int]:
    return sorted({401, 503, *statuses})


def answer(body: Any, status: int = 200) -> Response:
    """`body` as JSON."""
    return Response(_encode(body), status, None, "application/json")


def enveloped(data: Any, status: int = 200) -> Response:
    """A single object in the envelope."""
    return answer({"success": True, "data": data}, status)


def empty() -> Response:
    """200 without a body."""
    return Response(None, 200)


def moment(us: int | None) -> str | None:
    """A time on the wire, where there may be none."""
    return None if us is None else rfc3339(us)
