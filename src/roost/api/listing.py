"""A list's query string in dialect A: what it takes, all that is wrong with it at once, and its cursor."""

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from roost.api.bodies import invalid
from roost.core.ids import LAST_ID
from roost.core.numbers import is_sender, repair_plus
from roost.core.paging import InvalidCursor, decode_cursor, encode_cursor


class ListMeta(msgspec.Struct):
    """`total` and `offset` are always 0 under cursor paging; `limit` echoes the limit in force."""

    total: int
    limit: int
    offset: int
    next_cursor: str | None


class Asked(NamedTuple):
    """A list's query string, checked; everything but the cursor, which needs a key to be read."""

    filters: dict[str, Any]
    limit: int
    cursor: str | None
    include: tuple[str, ...]

    def binding(self, list_name: str, org_id: str) -> str:
        """What a cursor is good for: this list of this organization with these filters."""
        return repr((list_name, org_id, sorted(self.filters.items())))

    def seen(self, cursor_key: bytes, list_name: str, org_id: str, start: str = LAST_ID) -> str:
        """The id to go on after, or `start`. Refuses a cursor that was made for another query."""
        if self.cursor is None:
            return start
        try:
            return decode_cursor(cursor_key, self.binding(list_name, org_id), self.cursor)
        except InvalidCursor:
            wanted = "must be the next cursor of this list with the same filters; begin again without it"
            raise invalid({"cursor": wanted}) from None

    def cursor_after(self, cursor_key: bytes, list_name: str, org_id: str, last_id: str) -> str:
        """The cursor that goes on after `last_id`."""
        return encode_cursor(cursor_key, self.binding(list_name, org_id), last_id)

    def meta(self, cursor: str | None) -> ListMeta:
        """The envelope's `meta`."""
        return ListMeta(0, self.limit, 0, cursor)


def parse_list(
    query_string: bytes, readers: dict[str, Callable[[str], Any]], default_limit: int, *, paged: bool = True
) -> Asked:
    """Refuses with 422 and what to do about each parameter; one that is unknown could have been a misspelt filter."""
    known = {**readers, "cursor": cursor} if paged else readers
    values: dict[str, Any] = {}
    details: dict[str, str] = {}
    for name, text in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True):
        reader = known.get(name)
        if reader is None:
            details[name[:64]] = f"is not a parameter of this route; it takes {', '.join(sorted(known))}"
        elif name in values or name in details:
            details[name] = "must be given once"
        else:
            try:
                values[name] = reader(text)
            except ValueError as error:
                details[name] = str(error)
    if details:
        raise invalid(details)
    size, seen = values.pop("limit", default_limit), values.pop("cursor", None)
    return Asked(values, size, seen, values.pop("include", ()))


def sender(text: str) -> str:
    """Reads a sender, as it is stored."""
    repaired = repair_plus(text)
    if not is_sender(repaired):
        raise ValueError("must be E.164 (write + as %2B)")
    return repaired


def limit(most: int) -> Callable[[str], int]:
    """Reads a page's size."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most):
            raise ValueError(f"must be a whole number from 1 to {most}")
        return int(text)

    return read


def cursor(text: str) -> str:
    """Reads a cursor's text."""
    if not text:
        raise ValueError("must be a next cursor; leave it out for the first page")
    return text
