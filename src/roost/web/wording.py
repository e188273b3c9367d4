"""How the page says things: numbers, times, statuses, and why something does not go."""

from datetime import UTC, datetime
from functools import lru_cache

from roost.core.numbers import is_e164
from roost.core.outbound import Status

PROBLEMS = {
    403: "You cannot do this",
    404: "There is nothing here",
    413: "That is too much",
    429: "Too many at once",
    503: "The database cannot be reached",
}
STATUSES: dict[Status, str] = {
    "queued": "Queued",
    "sending": "Being sent",
    "sent": "Sent",
    "delivered": "Delivered",
    "undelivered": "Not delivered",
    "failed": "Failed",
}
#: Why an outbound message waits, by where it is in the outbox.
WAITS = {"held": "Held for an operator", "waiting": "Waits for its time", "uncertain": "Perhaps sent"}


@lru_cache(maxsize=4096)
def number(text: str) -> str:
    """A phone number with the spaces of its country; whatever else a sender may be stays as it is."""
    if not is_e164(text):
        return text
    import phonenumbers  # its tables are large, and only pages for people need them

    try:
        parsed = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return text
    # Numbers that no plan has are as they came: a guess at their parts would mislead.
    if not phonenumbers.is_possible_number(parsed):
        return text
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


@lru_cache(maxsize=4096)
def initials(text: str) -> str:
    """What stands for somebody in a circle."""
    return text[-2:] if text[-2:].isdigit() else text[:1].upper()


@lru_cache(maxsize=4096)
def hue(text: str) -> int:
    """One of eight colours, always the same for the same somebody."""
    return sum(text.encode("utf-8", "replace")) % 8


def utc(us: int) -> str:
    """A time for whoever has no script; the script shows it by the reader's own clock."""
    moment = datetime.fromtimestamp(us / 1_000_000, UTC)
    return f"{moment:%b} {moment.day}, {moment:%H:%M} UTC"
