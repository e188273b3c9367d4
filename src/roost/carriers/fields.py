"""Reading JSON that somebody else wrote: a field of the wrong type is as good as missing, never an error."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from roost.core.message import CarrierEvent, UnknownEvent
from roost.core.times import parse_any_instant

_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_lenient = json.JSONDecoder()
_SPACE = " \t\r\n"
_SPACE_BYTES = _SPACE.encode()


def events_of(body: bytes, read: Callable[[bytes], CarrierEvent]) -> list[CarrierEvent]:
    """Every event of a body that is a JSON array of them, or one alone; `read` makes one of an item's bytes."""
    return [read(item) for item in items_of(body)] or [UnknownEvent("empty", body)]


def only_item(array: bytes) -> bytes:
    """The bytes of the item of a JSON array that has one, to the letter."""
    return array.strip(_SPACE_BYTES)[1:-1].strip(_SPACE_BYTES)


def items_of(body: bytes) -> list[bytes]:
    """The bytes of each item of a JSON array, to the letter; or the body itself, where it is anything else."""
    try:
        return [bytes(item) for item in _decode_items(body)]
    except (ValueError, RecursionError):  # every decoding error is a ValueError
        return _items_of_odd(body)


def object_of(raw: bytes) -> dict[str, Any]:
    """A JSON object. Raises ValueError for all else."""
    value: Any
    try:
        value = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        try:
            value = _lenient.decode(_odd_text(raw))
        except RecursionError:
            raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _odd_text(raw: bytes) -> str:
    # Carriers do send lone surrogates and bytes that are no UTF-8, which the strict decoder refuses: let them through,
    # so that one odd text does not hide the other items of its batch.
    return raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _items_of_odd(body: bytes) -> list[bytes]:
    text = _odd_text(body).strip(_SPACE)
    items, at = [], 1
    try:
        while text[:1] == "[":
            at = _after_space(text, at)
            _, end = _lenient.raw_decode(text, at)
            items.append(text[at:end].encode("utf-8", "surrogateescape"))
            at = _after_space(text, end)
            if text[at:] == "]":
                return items
            if text[at] != ",":
                break
            at += 1
    except (ValueError, IndexError, RecursionError):
        pass
    return [body]


def _after_space(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at


def text(value: Any) -> str:
    """A string, a number as its digits, else the empty string."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def texts(value: Any) -> tuple[str, ...]:
    """A list of strings, or one string that stands where a list should."""
    if isinstance(value, list):
        return tuple(filter(None, map(text, value)))
    single = text(value)
    return (single,) if single else ()


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; anything else has none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def ids_of(records: list[dict[str, Any]], name: str) -> frozenset[str]:
    """The ids that they have under a name; those that have none are left out."""
    return frozenset(filter(None, (text(record.get(name)) for record in records)))


def whole_number(value: Any) -> int | None:
    """An integer of a sane size."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31 else None


def https_host(url: str) -> str:
    """The host of an https URL, such as a medium's, which a stranger may have made up; empty for anything else."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "") if parts.scheme == "https" and parts.port in (None, 443) else ""
    except ValueError:
        return ""


def instant(value: Any) -> int | None:
    """A time in microseconds since 1970."""
    try:
        return parse_any_instant(value) if isinstance(value, str) else None
    except ValueError:
        return None
