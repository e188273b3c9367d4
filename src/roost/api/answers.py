"""What routes answer with when they refuse, as the document describes it, and the few shapes that answers share."""

from typing import Any, Literal

import msgspec
from starlette.responses import Response

from roost.api.http import json_response
from roost.api.routes import Answer
from roost.core.times import rfc3339


class AgentMessageErrorDetail(msgspec.Struct, omit_defaults=True):
    code: str
    message: str
    request_id: str
    details: dict[str, str] = {}


class AgentMessageError(msgspec.Struct):
    """Dialect A's error. Branch on the status, then on `code`; `details` says what to do about each field."""

    success: Literal[False]
    error: AgentMessageErrorDetail


class OneShotError(msgspec.Struct, omit_defaults=True):
    """Dialect B's error. `reason` comes with `invalid_proof`, `retry_after` (seconds) with `rate_limit_exceeded`."""

    error: str
    message: str
    reason: str | None = None
    retry_after: int | None = None


_TEXTS = {
    400: "The id in the path is malformed, or `INVALID_INPUT`: the message says what",
    401: "No API key, or none that is valid",
    403: "The API key lacks a scope",
    404: "Unknown, or another organization's",
    409: "`CONFLICT`: with what is there, or the first request with this idempotency key is still running",
    413: "More than 1 MiB",
    422: "A field or parameter is wrong; `details` says which",
    429: "`RATE_LIMITED`: too many, or too many wrong credentials",
    453: "`CONSENT_REQUIRED`: the contact has not consented, or opted out",
    503: "The database cannot be reached now",
    505: "`HTTP_VERSION_NOT_SUPPORTED`: a stream needs HTTP/1.1",
}
_ONESHOT_TEXTS = {
    400: "The body or a parameter is wrong",
    401: "Nobody who may do this; `reason` says what is wrong with a proof",
    403: "An access token cannot do this",
    404: "Unknown, gone, or another agent's",
    409: "`conflict`: the first request with this idempotency key is still running",
    413: "More than 1 MiB",
    422: "`idempotency_key_reused`: the key was used with another request",
    429: "`rate_limit_exceeded`: too many, or too many wrong credentials",
    503: "The database cannot be reached now",
}
_WAIT = {409: ("Retry-After",), 429: ("Retry-After",), 503: ("Retry-After",)}
_HEADERS = {401: ("WWW-Authenticate",), **_WAIT}


def refusals(*statuses: int) -> list[Answer]:
    """Dialect A's, and those that every route with an API key has."""
    return errors(401, 429, 503, *statuses)


def errors(*statuses: int) -> list[Answer]:
    """Dialect A's, and no others."""
    return [Answer(each, _TEXTS[each], AgentMessageError, _HEADERS.get(each, ())) for each in sorted({*statuses})]


def oneshot_refusals(*statuses: int) -> list[Answer]:
    """Dialect B's, and those that every route has."""
    every = sorted({401, 429, 503, *statuses})
    return [Answer(each, _ONESHOT_TEXTS[each], OneShotError, _WAIT.get(each, ())) for each in every]


def enveloped(data: Any, status: int = 200) -> Response:
    """A single object in the envelope."""
    return json_response({"success": True, "data": data}, status=status)


def empty() -> Response:
    """200 without a body."""
    return Response(None, 200)


def moment(us: int | None) -> str | None:
    """A time on the wire, where there may be none."""
    return None if us is None else rfc3339(us)
