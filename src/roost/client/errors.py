"""What goes wrong: one tree of errors under `RoostError`."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

_NO_DETAILS: Mapping[str, str] = MappingProxyType({})


class RoostError(Exception):
    """Every error of this client. What is not known is None: without an answer there is no status.

    `code` is for programs and `message` for people; `details` says by field or parameter what to do; `retry_after` is in
    seconds; `request_id` finds the request in the server's log.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        details: Mapping[str, str] = _NO_DETAILS,
        retry_after: float | None = None,
    ) -> None:
        said = "; ".join(f"{name} {text}" for name, text in details.items())
        super().__init__(f"{message}: {said}" if said else message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.details = details
        self.retry_after = retry_after


class ConnectionFailed(RoostError):
    """No answer came; whether the server did what was asked is unknown."""


class TimedOut(ConnectionFailed):
    """No answer came in time."""


class BrokenAnswer(RoostError):
    """An answer came that is not what is documented: another server, a proxy in between, or another version."""


class InvalidSignature(RoostError):
    """A webhook that was not signed with the secret, or too long ago."""


class ApiError(RoostError):
    """The server refused. Has a `status`, and a `code` where the answer was the server's own."""


class BadRequest(ApiError):
    """400: malformed."""


class Unauthorized(ApiError):
    """401: no credential, or none that is valid."""


class Forbidden(ApiError):
    """403: the credential may not do this."""


class NotFound(ApiError):
    """404: unknown, gone, or somebody else's."""


class Conflict(ApiError):
    """409: not as things stand."""


class Gone(ApiError):
    """410: no longer there."""


class Invalid(ApiError):
    """422: a field or parameter is wrong; `details` says which, and what to do."""


class RateLimited(ApiError):
    """429: too many requests; `retry_after` says how long to wait."""


class ConsentRequired(ApiError):
    """453: the contact has not consented to texts from this number, or opted out."""


class ServerError(ApiError):
    """5xx: the server or something before it failed."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 410: Gone, 422: Invalid, 429: RateLimited,
    453: ConsentRequired,
}  # fmt: skip


class _Error(msgspec.Struct):
    code: str = ""
    message: str = ""
    request_id: str | None = None
    details: dict[str, str] = {}


class _ErrorBody(msgspec.Struct):
    """Of either dialect: `error` is an object in A, the code in B."""

    error: _Error | str
    message: str = ""


_decode = msgspec.json.Decoder(_ErrorBody).decode  # here, not when it is first needed: see resource.py


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> ApiError:
    """The error that an answer is. `headers` are by lower-case name. Never raises, whatever the body is."""
    try:
        said = _decode(body)
        found = said.error if isinstance(said.error, _Error) else _Error(said.error, said.message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _Error()
    if status == 403 and found.code == "consent_required":  # dialect B's word for 453
        kind: type[ApiError] = ConsentRequired
    else:
        kind = _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
    return kind(
        found.message or f"the server answered {status}",
        status=status,
        code=found.code or None,
        request_id=found.request_id or headers.get("x-request-id"),
        details=found.details,
        retry_after=_seconds(headers.get("retry-after", "")),
    )


def _seconds(text: str) -> float | None:
    """The dates that HTTP allows too are not sent by Roost; what a proxy says in that form is ignored."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
