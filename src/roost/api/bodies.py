"""Reading a JSON body field by field: everything that is wrong with it is said at once, in dialect A's `details`."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
from starlette.requests import Request

from roost.api.http import read_body
from roost.core.ids import parse_uuid
from roost.core.numbers import is_e164
from roost.errors import Refusal

MAX_BODY_BYTES = 1 << 20

T = TypeVar("T")
#: E.164, as the document describes it.
PhoneNumber = Annotated[str, msgspec.Meta(pattern=r"^\+[1-9][0-9]{0,14}$")]
_decode = msgspec.json.Decoder().decode


def invalid(details: dict[str, str]) -> Refusal:
    """422 with what to do about each field or parameter."""
    return Refusal(422, "VALIDATION_FAILED", "validation failed", details=details)


async def json_object(request: Request) -> tuple[dict[str, Any], bytes]:
    """The body as an object, and its bytes. Refuses with 422, and with 413 beyond 1 MiB; no body is an empty object."""
    raw = await read_body(request, MAX_BODY_BYTES)
    try:
        value = _decode(raw) if raw.strip() else {}
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise invalid({"body": "must be a JSON object"})
    return value, raw


class Fields:
    """The fields of one object. `take` them all, then `check`, which refuses with what was wrong with any of them."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values
        self._taken: set[str] = set()
        self._parts: dict[str, Fields] = {}
        self.details: dict[str, str] = {}

    def given(self, name: str) -> bool:
        """Whether the field is there, and not null."""
        return self._values.get(name) is not None

    def take(self, name: str, read: Callable[[Any], T], default: T) -> T:
        """The field's value; the default where it is missing or null. `read` raises ValueError with what it must be."""
        self._taken.add(name)
        value = self._values.get(name)
        if value is None:
            return default
        try:
            return read(value)
        except ValueError as error:
            self.details[name] = str(error)
            return default

    def need(self, name: str, read: Callable[[Any], T], default: T) -> T:
        """The same for a field that must be there; the default stands in until `check` refuses."""
        if self._values.get(name) is None:
            self.details[name] = "is required"
        return self.take(name, read, default)

    def part(self, name: str) -> "Fields":
        """The fields of an object within this one, none where it is missing; `check` here checks them too."""
        part = Fields(self.take(name, _object, {}))
        self._parts[name] = part
        return part

    def check(self) -> None:
        """Refuse with 422 when anything was wrong; a field that nobody took is misspelt."""
        self._find_misspelt()
        if self.details:
            raise invalid(self.details)

    def _find_misspelt(self) -> None:
        for name in self._values.keys() - self._taken:
            self.details[name[:64]] = f"is not a field of this request; it takes {', '.join(sorted(self._taken))}"
        for name, part in self._parts.items():
            part._find_misspelt()
            self.details.update({f"{name}.{inner}": text for inner, text in part.details.items()})


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return value


def string(least: int, most: int) -> Callable[[Any], str]:
    """Reads a text of so many characters that a database can keep."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not least <= len(value) <= most:
            raise ValueError(f"must be {least}..{most} chars")
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError("must not contain NUL or lone surrogates")
        return value

    return read


def whole(least: int, most: int) -> Callable[[Any], int]:
    """Reads a whole number."""

    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return value

    return read


def uuid(value: Any) -> str:
    """Reads an id."""
    parsed = parse_uuid(value) if isinstance(value, str) else None
    if parsed is None:
        raise ValueError("must be a UUID")
    return parsed


def e164(value: Any) -> str:
    """Reads a phone number."""
    if not isinstance(value, str) or not is_e164(value):
        raise ValueError("must be E.164")
    return value


def boolean(value: Any) -> bool:
    """Reads true or false."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def one_of(*allowed: str) -> Callable[[Any], Any]:
    """Reads one of a few words."""

    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return str(value)

    return read
