"""A list in dialect A: what its query string asks for, all that is wrong with it at once, its cursor and its `meta`."""

from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from roost.api.bodies import invalid
from roost.api.queries import Readers, cursor, offset, parse_query
from roost.api.routes import Parameter
from roost.core.ids import LAST_ID
from roost.core.paging import InvalidCursor, decode_cursor, encode_cursor
from roost.store.pages import PageOf

#: How many seconds a read may wait: less than proxies and clients give an answer.
MAX_WAIT = 30
#: The purpose of the key that cursors are made with.
CURSOR_KEY = "cursors"
CURSOR = Parameter("cursor", "query", {"type": "string"}, "The next cursor of the page before, with the same filters.")

_decode_cursor = lru_cache(maxsize=4096)(decode_cursor)
_encode_cursor = lru_cache(maxsize=4096)(encode_cursor)  # pollers get the same page again and again


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
    wait: int = 0
    """How many seconds the answer may wait for something new."""

    def binding(self, list_name: str, org_id: str) -> str:
        """What a cursor is good for: this list of this organization with these filters."""
        return repr((list_name, org_id, sorted(self.filters.items())))

    def seen(self, cursor_key: bytes, list_name: str, org_id: str, start: str = LAST_ID) -> str:
        """The id to go on after, or `start`. Refuses a cursor that was made for another query."""
        if self.cursor is None:
            return start
        try:
            return _decode_cursor(cursor_key, self.binding(list_name, org_id), self.cursor)
        except InvalidCursor:
            wanted = "must be the next cursor of this list with the same filters; begin again without it"
            raise invalid({"cursor": wanted}) from None

    def page(self, cursor_key: bytes, list_name: str, org_id: str) -> PageOf:
        """The page of a list that is newest first."""
        return PageOf(org_id, self.limit, self.seen(cursor_key, list_name, org_id))

    def cursor_after(self, cursor_key: bytes, list_name: str, org_id: str, last_id: str) -> str:
        """The cursor that goes on after `last_id`."""
        return _encode_cursor(cursor_key, self.binding(list_name, org_id), last_id)

    def meta(self, cursor: str | None) -> ListMeta:
        """The envelope's `meta`."""
        return ListMeta(0, self.limit, 0, cursor)

    def meta_after(self, cursor_key: bytes, list_name: str, org_id: str, last_id: str | None) -> ListMeta:
        """The same, with the cursor that goes on after `last_id`; None: there is no more."""
        return self.meta(None if last_id is None else self.cursor_after(cursor_key, list_name, org_id, last_id))


def parse_list(query_string: bytes, readers: Readers, default_limit: int, *, paged: bool = True) -> Asked:
    """Refuses with 422 and what to do about each parameter; one that is unknown could have been a misspelt filter."""
    known = {**readers, "cursor": cursor, "offset": offset} if paged else readers
    values = parse_query(query_string, known)
    values.pop("offset", None)
    size, seen = values.pop("limit", default_limit), values.pop("cursor", None)
    return Asked(values, size, seen, values.pop("include", ()), values.pop("wait", 0))


def limit_parameter(default: int, most: int) -> Parameter:
    """How many items a page has."""
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return Parameter("limit", "query", schema, "Items per page.")


def wait_parameter(description: str) -> Parameter:
    """How long the answer may wait."""
    return Parameter("wait", "query", {"type": "integer", "minimum": 0, "maximum": MAX_WAIT}, description)


def include_parameter(description: str, *names: str) -> Parameter:
    """Extra fields of an answer."""
    any_of = "|".join(names)
    schema = {"type": "string", "pattern": f"^({any_of})(,({any_of}))*$"}
    return Parameter("include", "query", schema, f"Extra fields, separated by commas: {description}.")
