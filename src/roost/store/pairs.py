"""Threads as people see them: all that one of our numbers and one contact wrote to each other, newest first.

The list is found by walking back over the newest messages; each that nothing newer of the same two follows stands for its
thread. So it costs the same however many threads there are, and nothing is written for it when a text comes.
"""

import asyncio
import json
from typing import Any, NamedTuple
from uuid import UUID

from roost.core.consent import Standing
from roost.core.ids import LAST_ID, id_text, position_of
from roost.core.outbound import Status
from roost.store.base import Store
from roost.store.sql import load
from roost.store.transaction import Row

_SQL = load("pairs.sql")
_WANTED = "org_id uuid, theirs text, ours text, heard_id uuid, said_id uuid"
#: How many messages are looked at in one step, at least and at most, and in how many steps: a contact who writes a
#: thousand times in a row makes a page short, not slow.
_STEP, _LONGEST_STEP, _STEPS = 48, 1024, 8


class Pair(NamedTuple):
    """One of our numbers, and who it wrote with: a number, a short code or a sender's name."""

    number: str
    contact: str


class Head(NamedTuple):
    """What a list shows of a thread; `last_id` is its newest message's."""

    pair: Pair
    last_id: str
    is_outbound: bool
    body: str
    channel: str
    status: Status | None
    standing: Standing
    is_unread: bool
    """Something the contact wrote has not been read."""

    @property
    def at(self) -> int:
        """Microseconds since 1970."""
        return position_of(self.last_id)


class Heads(NamedTuple):
    """A page of threads, and the id before which the next one begins; None: there are no more."""

    heads: list[Head]
    next_below: str | None


class PairMessage(NamedTuple):
    """A message of a thread. `status` is None for an inbound one; `state` is where an outbound one is in the outbox."""

    id: str
    is_outbound: bool
    body: str
    channel: str
    media: tuple[str, ...]
    segment_count: int
    status: Status | None
    error_code: str | None
    error_description: str | None
    state: str | None
    due_at: int | None
    keyword: str | None
    suspected: bool

    @property
    def at(self) -> int:
        """Microseconds since 1970."""
        return position_of(self.id)


class _Walked(NamedTuple):
    """A thread that was found, by the ids of its newest messages either way."""

    id: str
    pair: Pair
    heard_id: str | None
    said_id: str | None


async def list_heads(store: Store, org_id: str, limit: int, below: str = LAST_ID) -> Heads:
    """The organization's threads whose newest message is before an id, the one that was written in last first."""
    found: list[_Walked] = []
    step, at = max(_STEP, limit + 1), below
    above = await store.kept.above(org_id)
    for _ in range(_STEPS):
        rows = await store.fetch(_SQL["walk"], UUID(org_id), UUID(at), UUID(above), step)
        walked = [_walked(row) for row in rows]
        found += [each for each in walked if each.id == max(each.heard_id or "", each.said_id or "")]
        if len(walked) < step:
            break
        at = walked[-1].id
        if len(found) > limit:
            break
        step = min(step * 4, _LONGEST_STEP)
        await asyncio.sleep(0)  # on SQLite nobody else was served meanwhile
    else:  # there may be more, further down than we looked this time
        return Heads(
            await _heads(store, org_id, found[:limit], above), found[limit - 1].id if len(found) > limit else at
        )
    more = found[limit - 1].id if len(found) > limit else None
    return Heads(await _heads(store, org_id, found[:limit], above), more)


async def pair_messages(store: Store, org_id: str, pair: Pair, limit: int, below: str = LAST_ID) -> list[PairMessage]:
    """The newest messages of a thread before an id, newest first."""
    above = await store.kept.above(org_id)
    bounds = (UUID(below), UUID(above), limit)
    rows = await store.fetch(_SQL["messages"], UUID(org_id), pair.contact, pair.number, *bounds)
    return [_message(row) for row in rows]


async def keep_read(store: Store, org_id: str, pair: Pair, read_id: str) -> None:
    """Somebody of the organization has read the thread up to this message."""
    await store.write((_SQL["keep_read"], (UUID(org_id), pair.contact, pair.number, UUID(read_id))))


async def _heads(store: Store, org_id: str, found: list[_Walked], above: str) -> list[Head]:
    wanted = [
        (UUID(org_id), each.pair.contact, each.pair.number, _bound(each.heard_id), _bound(each.said_id))
        for each in found
    ]
    heads = [_head(row, above) for row in await store.joined(_SQL["heads"], _WANTED, wanted)]
    return sorted(heads, key=lambda head: head.last_id, reverse=True)


def _head(row: Row, above: str) -> Head:
    theirs, ours, heard, said, body, channel, sent_body, sent_channel, status, *standing, suspected, read = row
    heard_id, said_id = _text(heard) or "", _text(said) or ""
    is_outbound = said_id > heard_id
    state, told_at, opted_out_anywhere = standing
    is_suspected = suspected is not None and position_of(id_text(suspected)) > (told_at or 0)
    return Head(
        Pair(ours, theirs),
        max(heard_id, said_id),
        is_outbound,
        sent_body if is_outbound else body,
        sent_channel if is_outbound else channel,
        status if is_outbound else None,
        Standing(state, opted_out_anywhere=bool(opted_out_anywhere), is_suspected=is_suspected),
        is_unread=heard_id > max(_text(read) or "", above),
    )


def _walked(row: Row) -> _Walked:
    message_id, theirs, ours, heard, said = row
    return _Walked(id_text(message_id), Pair(ours, theirs), _text(heard), _text(said))


def _message(row: Row) -> PairMessage:
    message_id, direction, body, channel, media, count, status, code, description, state, due_at, keyword, suspected = (
        row
    )
    urls = tuple(json.loads(media)) if media else ()
    what = (body, channel, urls, count, status, code, description, state, due_at, keyword)
    return PairMessage(id_text(message_id), direction == "outbound", *what, suspected=suspected == 1)


def _text(value: Any) -> str | None:
    return None if value is None else id_text(value)


def _bound(value: str | None) -> UUID | None:
    return None if value is None else UUID(value)
