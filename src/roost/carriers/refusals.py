"""What an answer that is no success means for a text: the same for every carrier, but for its own words."""

from typing import Any

from roost.carriers.contract import SendFailed
from roost.carriers.fields import object_of
from roost.carriers.outside import Answer

_MAX_CODE, _MAX_DESCRIPTION = 64, 255
#: The carrier asks to wait: surely it took nothing. (RFC 6585, section 4)
TOO_MANY = frozenset({429})


def fields_of(answer: Answer) -> dict[str, Any]:
    """The JSON object that an answer is; anything else has no fields."""
    try:
        return object_of(answer.body)
    except ValueError:
        return {}


def refusal(
    answer: Answer,
    code: str = "",
    description: str = "",
    *,
    opted_out: bool = False,
    busy: frozenset[int] = TOO_MANY,
) -> SendFailed:
    """The error to raise; `code` and `description` are the carrier's words in it, `busy` are statuses that ask to wait.

    A server that failed (5xx) may have taken the text before it did.
    """
    if answer.status in busy:
        return SendFailed(
            "not_sent", f"HTTP_{answer.status}", "the carrier asks to wait", retry_after=answer.retry_after
        )
    if answer.status >= 500:
        return SendFailed("uncertain", f"HTTP_{answer.status}", "the carrier failed")
    if answer.status in (401, 403):
        return SendFailed("refused", "CARRIER_CREDENTIALS_REFUSED", "the carrier refused the account's API credentials")
    return SendFailed(
        "refused",
        code[:_MAX_CODE] or f"HTTP_{answer.status}",
        description[:_MAX_DESCRIPTION] or "the carrier refused it",
        opted_out=opted_out,
    )


def accepted_id(carrier_message_id: object) -> str:
    """The id that an answer of success has. Raises SendFailed where it has none: something was accepted, but not readably."""
    if isinstance(carrier_message_id, str) and carrier_message_id:
        return carrier_message_id
    raise SendFailed("uncertain", "UNREADABLE_ANSWER", "the carrier accepted something, but not readably")
