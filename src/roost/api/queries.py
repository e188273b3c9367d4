"""Reading a query string parameter by parameter: everything that is wrong with it is said at once."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from roost.api.bodies import invalid, uuid
from roost.core.numbers import is_sender, repair_plus
from roost.core.times import parse_instant
from roost.errors import Refusal

Readers = Mapping[str, Callable[[str], Any]]
"""By parameter: its value from its text. Raises ValueError with what it must be."""


def parse_query(query_string: bytes, readers: Readers) -> dict[str, Any]:
    """The parameters that were given. Refuses with 422 and what to do about each that is wrong.

    One that is unknown is wrong too: a misspelt filter must not widen the result.
    """
    values: dict[str, Any] = {}
    details: dict[str, str] = {}
    for name, text in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True):
        reader = readers.get(name)
        if reader is None:
            takes = f"it takes {', '.join(sorted(readers))}" if readers else "it takes none"
            details[name[:64]] = f"is not a parameter of this route; {takes}"
        elif name in values or name in details:
            details[name] = "must be given once"
        else:
            try:
                values[name] = reader(text)
            except ValueError as error:
                details[name] = str(error)
    if details:
        raise invalid(details)
    return values


def path_id(text: str) -> str:
    """An id in the path. Refuses with 400."""
    try:
        return uuid(text)
    except ValueError as error:
        raise Refusal(400, "VALIDATION_FAILED", "validation failed", details={"id": str(error)}) from None


def sender(text: str) -> str:
    """Reads whom a text is from or to."""
    found = repair_plus(text)
    if not is_sender(found):
        raise ValueError("must be E.164 (write + as %2B), a short code or a sender name")
    return found


def limit(most: int) -> Callable[[str], int]:
    """Reads how many items a page has."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most):
            raise ValueError(f"must be a whole number from 1 to {most}")
        return int(text)

    return read


def seconds(most: int) -> Callable[[str], int]:
    """Reads how long to wait."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= most):
            raise ValueError(f"must be a whole number of seconds from 0 to {most}")
        return int(text)

    return read


def boolean(text: str) -> bool:
    """Reads true or false."""
    if text.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return text.lower() == "true"


def since(text: str) -> int:
    """Reads an inclusive time as microseconds since 1970."""
    try:
        us, exact = parse_instant(text)
    except (ValueError, OverflowError):
        raise ValueError("must be an RFC 3339 date-time such as 2026-04-26T12:01:00.123456Z") from None
    return us if exact else us + 1  # inclusive: nothing that was before it


def offset(text: str) -> int:
    """Reads the only offset there is: what a list begins with is for its cursor to say."""
    if text != "0":
        raise ValueError("must be 0 or left out; go on with cursor")
    return 0


def word(text: str) -> str:
    """Reads a text to look for, which a database can hold."""
    if not 1 <= len(text) <= 255 or not text.isprintable():
        raise ValueError("must be 1..255 printable chars")
    return text


def some_of(*allowed: str) -> Callable[[str], tuple[str, ...]]:
    """Reads a list of words, separated by commas."""

    def read(text: str) -> tuple[str, ...]:
        names = tuple(sorted(set(text.split(","))))
        if not set(names) <= set(allowed):
            raise ValueError(f"must be a list of {', '.join(allowed)}, separated by commas")
        return names

    return read


def cursor(text: str) -> str:
    """Reads a cursor; whether it is one of this list is for the list to see."""
    if not text:
        raise ValueError("must be a next_cursor; leave it out for the first page")
    return text
