"""Reading outbound messages and threads: each list is one indexed range scan, newest first."""

import json
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from roost.core.ids import FIRST_ID, LAST_ID, id_text, position_in
from roost.core.outbound import OutboundMessage, Status
from roost.store.base import Store
from roost.store.sql import load

_SQL = load("outbound.sql")
_COLUMNS = (
    "id, org_id, phone_number_id, carrier_account_id, agent_id, request_id, from_number, to_number, body, channel, media, "
    "priority, tag, purpose, status, error_code, error_description, segment_count, carrier_message_id, sent_at, "
    "delivered_at, thread_id"
)
_GET = f"SELECT {_COLUMNS} FROM outbound_messages WHERE org_id = $1 AND id = $2"  # noqa: S608 - the columns are ours
_OLDEST_KEPT = _SQL["oldest_kept"]
_THREAD = f"{_SQL['threads']} WHERE t.org_id = $1 AND t.id = ({_OLDEST_KEPT.format('$2')}) LIMIT $3"
_NEWEST = "WHERE t.org_id = $1 AND t.id = t.thread_id AND t.id > $4 AND t.id < $2 {}ORDER BY t.id DESC LIMIT $3"
# The + keeps SQLite from reading all that was ever sent, in the order of an index.
_BEGUN = (
    "WHERE t.org_id = $1 AND t.id IN (SELECT ({}) FROM begun b) {{}}ORDER BY /* sqlite: + */ t.thread_id DESC LIMIT $3"
)
_GOING_ON = f"{_SQL['begun']} {_SQL['threads']} {_BEGUN.format(_OLDEST_KEPT.format('b.thread_id'))}"
_OF_CONTACT = "AND t.to_number = $5 "
_THREADS = f"{_SQL['threads']} /* sqlite: INDEXED BY outbound_threads */ {_NEWEST.format('')}"
_THREADS_OF_CONTACT = f"{_SQL['threads']} /* sqlite: INDEXED BY outbound_by_to */ {_NEWEST.format(_OF_CONTACT)}"


class OutboundQuery(NamedTuple):
    """Which outbound messages of one organization, older than `below`; a filter of None does not filter."""

    org_id: str
    limit: int
    status: Status | None = None
    from_number: str | None = None
    to_number: str | None = None
    tag: str | None = None
    below: str = LAST_ID


class Thread(NamedTuple):
    """A thread; times are microseconds since 1970."""

    id: str
    phone_number_id: str
    agent_id: str | None
    number: str
    contact_number: str
    started_at: int
    last_message_at: int


class ThreadMessage(NamedTuple):
    """A message of a thread, whichever way it went; `status` is None for an inbound one."""

    id: str
    at: int
    direction: str
    from_number: str
    to_number: str
    body: str
    channel: str
    media: tuple[str, ...]
    status: Status | None
    related_outbound_id: str | None


async def get_outbound(store: Store, org_id: str, message_id: str) -> OutboundMessage | None:
    """One message of the organization, if it is still kept."""
    if message_id <= await store.kept.above(org_id):
        return None
    rows = await store.fetch(_GET, UUID(org_id), UUID(message_id))
    return outbound_of(rows[0]) if rows else None


async def list_outbound(store: Store, query: OutboundQuery) -> tuple[list[OutboundMessage], bool]:
    """One page, and whether there is more."""
    filters = [(name, value) for name, value in zip(_FILTERS, query[2:6], strict=True) if value is not None]
    sql = _list_sql(tuple(name for name, _ in filters))
    bounds = (UUID(query.org_id), UUID(query.below), query.limit + 1, UUID(await store.kept.above(query.org_id)))
    rows = await store.fetch(sql, *bounds, *(value for _, value in filters))
    return [outbound_of(row) for row in rows[: query.limit]], len(rows) > query.limit


_FILTERS = ("status", "from_number", "to_number", "tag")
#: The most selective filter first.
_INDEXES = (
    ({"from_number", "to_number"}, "outbound_by_pair"),
    ({"tag"}, "outbound_by_tag"),
    ({"to_number"}, "outbound_by_to"),
    ({"from_number"}, "outbound_by_from"),
    ({"status"}, "outbound_by_status"),
)


@lru_cache(maxsize=64)
def _list_sql(columns: tuple[str, ...]) -> str:
    narrowed = "".join(f" AND {column} = ${number}" for number, column in enumerate(columns, start=5))
    index = next((name for needed, name in _INDEXES if needed <= set(columns)), None)
    hint = f"/* sqlite: INDEXED BY {index} */ " if index else ""
    return (
        f"SELECT {_COLUMNS} FROM outbound_messages {hint}"  # noqa: S608 - the names are ours
        f"WHERE org_id = $1 AND id > $4 AND id < $2{narrowed} ORDER BY id DESC LIMIT $3"
    )


async def list_threads(
    store: Store, org_id: str, limit: int, below: str = LAST_ID, contact_number: str | None = None
) -> tuple[list[Thread], bool]:
    """Threads, the one that began last first, and whether there is more.

    A thread is kept as long as one of its outbound messages, also where its first is not any more.
    """
    above = await store.kept.above(org_id)
    newest, going_on = _THREADS, _GOING_ON.format("")
    contact: tuple[str, ...] = ()
    if contact_number is not None:
        newest, going_on, contact = _THREADS_OF_CONTACT, _GOING_ON.format(_OF_CONTACT), (contact_number,)
    rows = await store.fetch(newest, UUID(org_id), UUID(below), limit + 1, UUID(above), *contact)
    if len(rows) <= limit:
        bounds = (UUID(org_id), UUID(min(below, above)), limit + 1 - len(rows), UUID(above))
        rows += await store.fetch(going_on, *bounds, *contact)
    return [_thread(row) for row in rows[:limit]], len(rows) > limit


async def get_thread(store: Store, org_id: str, thread_id: str) -> Thread | None:
    """One thread of the organization, if anything that was sent in it is still kept."""
    rows = await store.fetch(_THREAD, UUID(org_id), UUID(thread_id), 1, UUID(await store.kept.above(org_id)))
    return _thread(rows[0]) if rows else None


async def thread_messages(
    store: Store, org_id: str, thread_id: str, limit: int, above: str = FIRST_ID
) -> tuple[list[ThreadMessage], bool]:
    """A thread's messages in both directions, oldest first, and whether there is more."""
    above = max(above, await store.kept.above(org_id))
    rows = await store.fetch(_SQL["thread_messages"], UUID(org_id), UUID(thread_id), UUID(above), limit + 1)
    return [_thread_message(row) for row in rows[:limit]], len(rows) > limit


def outbound_of(row: tuple[Any, ...]) -> OutboundMessage:
    """A row of `_COLUMNS`."""
    message_id, org_id, number_id, account_id, agent_id, request_id, *middle, carrier_id, sent, delivered, thread_id = (
        row
    )
    raw_id = message_id if type(message_id) is bytes else message_id.bytes
    from_number, to_number, body, channel, media, priority, tag, purpose, status, code, description, count = middle
    return OutboundMessage(
        id_text(message_id),
        position_in(raw_id),
        id_text(org_id),
        id_text(number_id),
        id_text(account_id),
        None if agent_id is None else id_text(agent_id),
        None if request_id is None else id_text(request_id),
        from_number,
        to_number,
        body,
        channel,
        tuple(json.loads(media)) if media else (),
        priority,
        tag,
        purpose,
        status,
        code,
        description,
        count,
        carrier_id,
        sent,
        delivered,
        id_text(thread_id),
    )


def _thread(row: tuple[Any, ...]) -> Thread:
    thread_id, number_id, agent_id, number, contact, last_outbound_id, last_reply_id = row
    agent = None if agent_id is None else id_text(agent_id)
    last_us = max(_position(each) for each in (thread_id, last_outbound_id, last_reply_id) if each is not None)
    return Thread(id_text(thread_id), id_text(number_id), agent, number, contact, _position(thread_id), last_us)


def _thread_message(row: tuple[Any, ...]) -> ThreadMessage:
    message_id, direction, from_number, to_number, body, channel, media, status, related_id = row
    related = None if related_id is None else id_text(related_id)
    urls = tuple(json.loads(media)) if media else ()
    return ThreadMessage(
        id_text(message_id),
        _position(message_id),
        direction,
        from_number,
        to_number,
        body,
        channel,
        urls,
        status,
        related,
    )


def _position(value: Any) -> int:
    return position_in(value if type(value) is bytes else value.bytes)
