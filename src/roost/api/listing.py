"""A list's query string in dialect A: what it takes, all that is wrong with it at once, and its cursor."""

from typing import Any, NamedTuple

import msgspec

from roost.api.bodies import invalid
from roost.api.queries import Readers, cursor, parse_query
from roost.core.ids import LAST_ID
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


def parse_list(query_string: bytes, readers: Readers, default_limit: int, *, paged: bool = True) -> Asked:
    """Refuses with 422 and what to do about each parameter; one that is unknown could have been a misspelt filter."""
    known = {**readers, "cursor": cursor} if paged else readers
    values = parse_query(query_string, known)
    size, seen = values.pop("limit", default_limit), values.pop("cursor", None)
    return Asked(values, size, seen, values.pop("include", ()))
