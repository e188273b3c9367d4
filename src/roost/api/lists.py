"""Dialect A's cursor lists: query parameters checked all at once, and a cursor that is bound to them."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from roost.api.agentmessage import Meta
from roost.api.bodies import invalid
from roost.api.routes import Parameter
from roost.core.ids import LAST_ID, parse_uuid
from roost.core.paging import InvalidCursor, decode_cursor, encode_cursor
from roost.core.times import parse_instant
from roost.errors import Refusal
from roost.store.pages import PageOf

Reader = Callable[[str], Any]

CURSOR = Parameter("cursor", "query", {"type": "string"}, "`next_cursor` of the page before, with the same filters.")


def limit_parameter(default: int, most: int) -> Parameter:
    """How many items a page has."""
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return Parameter("limit", "query", schema, "Items per page.")


class Asked(NamedTuple):
    """A list's query string, checked; `values` has the filters that were given."""

    page: PageOf
    values: dict[str, Any]
    binding: str


class ListOf:
    """One list: what it can be filtered by, and how long a page is. `unbound` names what a cursor is good for anyhow."""

    def __init__(
        self,
        name: str,
        key: bytes,
        readers: Mapping[str, Reader],
        default: int,
        most: int,
        unbound: tuple[str, ...] = (),
    ) -> None:
        self._name = name
        self._key = key
        self._default = default
        self._unbound = unbound
        self._readers: dict[str, Reader] = {**readers, "cursor": _cursor, "limit": _limit(most), "offset": _offset}

    def read(self, query_string: bytes, org_id: str) -> Asked:
        """Refuses with 422: a misspelt filter must not widen the result."""
        values = read_query(query_string, self._readers)
        values.pop("offset", None)
        limit, cursor = values.pop("limit", self._default), values.pop("cursor", None)
        bound = sorted((name, value) for name, value in values.items() if name not in self._unbound)
        binding = json.dumps([self._name, org_id, bound])
        try:
            below = LAST_ID if cursor is None else decode_cursor(self._key, binding, cursor)
        except InvalidCursor:
            text = "must be a next_cursor of this list with the same filters; begin again without it"
            raise invalid({"cursor": text}) from None
        return Asked(PageOf(org_id, limit, below), values, binding)

    def envelope(self, asked: Asked, data: list[Any], *, last_id: str | None) -> dict[str, Any]:
        """One page; `last_id` is the last item's when there are more."""
        cursor = None if last_id is None else encode_cursor(self._key, asked.binding, last_id)
        return {"success": True, "data": data, "meta": Meta(0, asked.page.limit, 0, cursor)}


def read_query(query_string: bytes, readers: Mapping[str, Reader]) -> dict[str, Any]:
    """The parameters that were given. Refuses with 422 and what to do about each that is wrong."""
    values: dict[str, Any] = {}
    details: dict[str, str] = {}
    for name, text in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True):
        reader = readers.get(name)
        if reader is None:
            details[name[:64]] = f"is not a parameter of this route; it takes {', '.join(sorted(readers)) or 'none'}"
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


def path_uuid(text: str) -> str:
    """An id in the path. Refuses with 400."""
    parsed = parse_uuid(text)
    if parsed is None:
        raise Refusal(400, "VALIDATION_FAILED", "validation failed", details={"id": "must be a UUID"})
    return parsed


def uuid(text: str) -> str:
    """Reads a UUID."""
    parsed = parse_uuid(text)
    if parsed is None:
        raise ValueError("must be a UUID")
    return parsed


def boolean(text: str) -> bool:
    """Reads true or false."""
    if text.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return text.lower() == "true"


def instant(text: str) -> int:
    """Reads a time; one finer than a microsecond becomes the next, so that nothing from before it is meant."""
    try:
        us, exact = parse_instant(text)
    except (ValueError, OverflowError):
        raise ValueError("must be an RFC 3339 date-time such as 2026-04-26T12:01:00.123456Z") from None
    return us if exact else us + 1


def word(text: str) -> str:
    """Reads a text to look for, which a database can hold."""
    if not 1 <= len(text) <= 255 or not text.isprintable():
        raise ValueError("must be 1..255 printable chars")
    return text


def some_of(*allowed: str) -> Reader:
    """Reads a list of words, separated by commas."""

    def read(text: str) -> tuple[str, ...]:
        names = tuple(sorted(set(text.split(","))))
        if not set(names) <= set(allowed):
            raise ValueError(f"must be a list of {', '.join(allowed)}, separated by commas")
        return names

    return read


def _cursor(text: str) -> str:
    if not text:
        raise ValueError("must be a next_cursor; leave it out for the first page")
    return text


def _limit(most: int) -> Reader:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most):
            raise ValueError(f"must be a whole number from 1 to {most}")
        return int(text)

    return read


def _offset(text: str) -> int:
    if text != "0":
        raise ValueError("must be 0 or left out; go on with cursor")
    return 0
