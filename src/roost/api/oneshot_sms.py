"""Dialect B's sending on the wire: what an agent asks for, and what it is told."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from roost.api.bodies import PhoneNumber, string
from roost.core.emergency import is_emergency
from roost.core.numbers import is_e164
from roost.core.outbound import MAX_TEXT
from roost.core.segments import segments
from roost.errors import Refusal

MAX_RECIPIENTS, MAX_MEMO = 10, 1000

_decode = msgspec.json.Decoder().decode
_read_message, _read_memo = string(1, MAX_TEXT), string(0, MAX_MEMO)


class SmsSend(msgspec.Struct):
    """`memo` comes back in the result; `decisionContext` is taken and not kept. Other fields are ignored."""

    message: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
    to_number: PhoneNumber | Annotated[list[PhoneNumber], msgspec.Meta(min_length=1, max_length=MAX_RECIPIENTS)]
    memo: Annotated[str, msgspec.Meta(max_length=MAX_MEMO)] | None = None
    decisionContext: Any = None  # noqa: N815 - the documented name


class SmsSummary(msgspec.Struct):
    to_numbers: list[str]
    segment_count: int


class SmsAccepted(msgspec.Struct):
    """The messages are queued; `GET /v1/requests/{id}` says what becomes of them."""

    request_id: str
    status: Literal["processing"]
    sms: SmsSummary


class Asked(NamedTuple):
    """A request as it was checked: each recipient once."""

    message: str
    to_numbers: tuple[str, ...]
    memo: str | None

    @property
    def segment_count(self) -> int:
        return segments(self.message).segment_count

    def digest(self) -> bytes:
        """Of all that is done about it: two requests with the same one ask for the same."""
        return hashlib.sha256(msgspec.json.encode(self)).digest()

    def accepted(self, request_id: str) -> SmsAccepted:
        """The answer, with the id as it is shown."""
        return SmsAccepted(request_id, "processing", SmsSummary(list(self.to_numbers), self.segment_count))


def parse_send(raw: bytes) -> Asked:
    """Refuses with 400: `emergency_number_blocked`, or `invalid_request` for all else."""
    try:
        values = _decode(raw)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise invalid_request("The body must be a JSON object with message and to_number.")
    to_numbers = _recipients(values.get("to_number"))
    try:
        message = _read_message(values.get("message"))
    except ValueError as error:
        raise invalid_request(f"message {error}.") from None
    memo = values.get("memo")
    try:
        return Asked(message, to_numbers, None if memo is None else _read_memo(memo))
    except ValueError as error:
        raise invalid_request(f"memo {error}.") from None


def invalid_request(message: str) -> Refusal:
    """400, in dialect B's words."""
    return Refusal(400, "invalid_request", message)


def _recipients(value: Any) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_RECIPIENTS:
        raise invalid_request(
            f"to_number must be a phone number such as +14155551234, or a list of 1 to {MAX_RECIPIENTS}."
        )
    wrong = [each for each in listed if not (isinstance(each, str) and is_e164(each))]
    _refuse_emergencies(listed)
    if wrong:
        shown = ", ".join(_shown(each) for each in wrong)
        raise invalid_request(f"Not a phone number such as +14155551234: {shown}.")
    return tuple(dict.fromkeys(listed))


def _refuse_emergencies(listed: Sequence[Any]) -> None:
    for each in listed:
        if isinstance(each, str) and is_emergency(each):
            message = f"{_shown(each)} is an emergency number; call it, nobody reads a text there."
            raise Refusal(400, "emergency_number_blocked", message, extra={"blocked_number": each})


def _shown(value: Any) -> str:
    """A value of the request, as far as it helps to find it."""
    return repr(value)[:40]
