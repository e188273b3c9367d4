"""Error bodies: one builder per dialect, and nobody else makes one."""

from typing import Any

import msgspec
from starlette.responses import Response

from roost.errors import Refusal

#: What happens outside any handler, in each dialect's own words: status -> (A's code, B's code, message).
_GENERAL = {
    404: ("NOT_FOUND", "not_found", "not found"),
    405: ("METHOD_NOT_ALLOWED", "method_not_allowed", "this path does not take that method; see the Allow header"),
    413: ("PAYLOAD_TOO_LARGE", "payload_too_large", "the body must be at most 1 MiB"),
    500: ("INTERNAL", "internal_error", "internal error; the request_id finds it in the server's log"),
    503: ("UNAVAILABLE", "service_unavailable", "the database cannot be reached now; try again after a moment"),
}

_ONESHOT_PATHS = ("/v1/tools/", "/v1/requests", "/v1/agents")
_encode = msgspec.json.Encoder().encode


def general(status: int, path: str, **headers: str) -> Refusal:
    """The refusal for `status` in the words of the dialect that `path` belongs to."""
    code_a, code_b, message = _GENERAL[status]
    if status == 503:
        headers["Retry-After"] = "1"
    return Refusal(status, code_b if is_oneshot(path) else code_a, message, headers=headers)


def not_found() -> Refusal:
    """Dialect A's: unknown, or another organization's, which is the same answer."""
    return general(404, "")


def is_oneshot(path: str) -> bool:
    """Whether a path belongs to dialect B; all others answer in A's shape."""
    return path.startswith(_ONESHOT_PATHS)


def error_response(refusal: Refusal, path: str, request_id: str) -> Response:
    """The refusal as the dialect of `path` shapes it."""
    body = _oneshot(refusal) if is_oneshot(path) else _agentmessage(refusal, request_id)
    return Response(_encode(body), refusal.status, refusal.headers, "application/json")


def _agentmessage(refusal: Refusal, request_id: str) -> dict[str, Any]:
    error: dict[str, Any] = {"code": refusal.code, "message": refusal.message, "request_id": request_id}
    if refusal.details:
        error["details"] = dict(refusal.details)
    return {"success": False, "error": error}


def _oneshot(refusal: Refusal) -> dict[str, Any]:
    return {"error": refusal.code, **(refusal.extra or {}), "message": refusal.message}
