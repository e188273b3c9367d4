"""What endpoints are still to be told: handed out from the event log, leased, and settled.

One process at a time works at an organization's queue, so that a thread's events go out one after the other. See decision 0026.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import NamedTuple
from uuid import UUID

from roost.core.events import EVENT_TYPES, Event, Interest, number_of
from roost.core.ids import floor_of, id_text, position_of
from roost.core.webhooks import ACCOUNT, GIVEN_UP_US, Endpoint, Target, thread_of
from roost.store.base import Store
from roost.store.event_log import events_by_id, read_log
from roost.store.sql import load
from roost.store.transaction import Row, Transaction

QUEUE = load("webhook_queue.sql")
_QUEUED = (
    "org_id uuid, endpoint_id uuid, kind text, event_id uuid, source_id uuid, event_type text, thread text, due_at bigint, "
    "give_up_at bigint"
)
_TOLD = Interest(types=frozenset((*EVENT_TYPES, *ACCOUNT)))
#: When something is due that need not wait, whatever becomes of the clock.
AT_ONCE = 0
#: Events that are handed out in one transaction.
_AT_ONCE = 200
#: How many rows are counted for the gauge.
_COUNTED = 100_000


class Lease(NamedTuple):
    """Who works at queues, and for how long after they last said so."""

    holder: UUID
    lasts_us: int


class Feed(NamedTuple):
    """How far an organization's log was handed out: all before the position. `ours_until`: 0 where nobody has it."""

    org_id: str
    next_us: int
    has_new: bool
    ours_until: int


class Job(NamedTuple):
    """An event that an endpoint is to be told of; `attempts` have failed so far."""

    target: Target
    url: str
    event_id: str
    source_id: str
    event_type: str
    thread: str
    attempts: int
    give_up_at: int

    @property
    def key(self) -> tuple[UUID, UUID, str, UUID]:
        """Of its row."""
        return UUID(self.target.org_id), UUID(self.target.id), self.target.kind, UUID(self.event_id)


async def due_feeds(store: Store, lease: Lease) -> list[Feed]:
    """Those with anything to do, at which nobody else is."""
    now = store.clock()
    rows = await store.fetch(QUEUE["due_feeds"], lease.holder, now, now + 2 * lease.lasts_us)
    return [Feed(id_text(row[0]), row[1], bool(row[2]), row[3]) for row in rows]


async def told_organizations(store: Store) -> frozenset[str]:
    """Those that have an endpoint."""
    return frozenset(id_text(row[0]) for row in await store.fetch(QUEUE["told"]))


class HandedOut(NamedTuple):
    """Of one organization: whether it is ours, and whether there is more in its log."""

    org_id: str
    is_ours: bool
    has_more: bool


async def hand_out(store: Store, lease: Lease, feeds: Sequence[Feed]) -> list[HandedOut]:
    """Take or renew the leases of organizations, and queue what comes next in their logs, for whoever wants it.

    One transaction for all, where that may touch several organizations.
    """
    told = defaultdict(list)
    for endpoint in await active_endpoints(store, [feed.org_id for feed in feeds if feed.has_new]):
        told[endpoint.target.org_id].append(endpoint)
    stretches = [await _next_stretch(store, feed, told[feed.org_id]) for feed in feeds]
    if store.is_distributed:
        taken = [(await store.transact(partial(_take, lease=lease, stretches=[each])))[0] for each in stretches]
    else:
        taken = await store.transact(partial(_take, lease=lease, stretches=stretches)) if stretches else []
    return [HandedOut(each.feed.org_id, ours, each.has_more) for each, ours in zip(stretches, taken, strict=True)]


class _Stretch(NamedTuple):
    """What comes next of a feed: rows of `_QUEUED`, and how far that reaches."""

    feed: Feed
    rows: list[Row]
    next_us: int
    has_more: bool
    read_at: int


async def _next_stretch(store: Store, feed: Feed, told: Sequence[Endpoint]) -> _Stretch:
    if not feed.has_new:
        return _Stretch(feed, [], feed.next_us, False, store.clock())
    stretch = await read_log(store, feed.org_id, floor_of(feed.next_us), _AT_ONCE, _TOLD)
    reached, now = position_of(stretch.through), store.clock()
    next_us = reached if stretch.through == floor_of(reached) else reached + 1
    rows = _queued(stretch.events, told, now)
    return _Stretch(feed, rows, max(next_us, feed.next_us), stretch.has_more, now)


async def _take(tx: Transaction, lease: Lease, stretches: Sequence[_Stretch]) -> list[bool]:
    """Which are ours, and handed out; in sorted order, so that two processes never wait for each other."""
    taken: dict[str, bool] = {}
    for each in sorted(stretches, key=lambda each: each.feed.org_id):
        until, too_late = each.read_at + lease.lasts_us, each.read_at + 2 * lease.lasts_us
        bounds = (each.read_at, until, each.feed.next_us, each.next_us, too_late)
        rows = await tx.fetch(QUEUE["take_feed"], UUID(each.feed.org_id), lease.holder, *bounds)
        taken[each.feed.org_id] = bool(rows)
    await tx.joined(
        QUEUE["queue"], _QUEUED, [row for each in stretches if taken[each.feed.org_id] for row in each.rows]
    )
    return [taken[each.feed.org_id] for each in stretches]


async def queue_again(tx: Transaction, target: Target, event: Event, event_id: str) -> None:
    """Tell an endpoint of an event once more, under another id, after what it is still to be told of the thread."""
    await tx.fetch(QUEUE["lock_feed"], UUID(target.org_id))
    await tx.joined(QUEUE["queue"], _QUEUED, [_row(target, event, event_id, tx.now(), first=True)])


async def active_endpoints(store: Store, org_ids: Collection[str]) -> list[Endpoint]:
    """All of these organizations that are told anything."""
    rows = await store.joined(QUEUE["active"], "org_id uuid", [(UUID(org_id),) for org_id in org_ids])
    return [_endpoint(row) for row in rows]


async def due_endpoints(store: Store, org_ids: Collection[str]) -> list[Endpoint]:
    """Those of these organizations with anything to try now."""
    wanted = [(UUID(org_id), store.clock()) for org_id in org_ids]
    return [_endpoint(row) for row in await store.joined(QUEUE["due_endpoints"], "org_id uuid, now bigint", wanted)]


async def due_jobs(store: Store, endpoint: Endpoint, limit: int, *, past: bool = False) -> list[Job]:
    """What waits longest; with `past`, only what has waited for longer than it is worth."""
    org_id, endpoint_id, kind = endpoint.target
    args = (UUID(org_id), UUID(endpoint_id), kind, store.clock(), limit)
    rows = await store.fetch(QUEUE["past" if past else "due"], *args)
    return [Job(endpoint.target, endpoint.url, id_text(row[0]), id_text(row[1]), *row[2:]) for row in rows]


async def events_of(store: Store, jobs: Sequence[Job]) -> Mapping[str, Event]:
    """What they tell, by the event's id in the log; what is gone is missing."""
    return await events_by_id(store, {job.source_id: (job.target.org_id, job.event_type) for job in jobs})


async def give_back(store: Store, lease: Lease, org_id: str) -> None:
    """Another process may work at the organization's queue now."""
    await store.write((QUEUE["give_back"], (UUID(org_id), lease.holder)))


async def waiting(store: Store) -> int:
    """How much is queued, of all organizations, as far as it is counted."""
    return int((await store.fetch(QUEUE["depth"], _COUNTED))[0][0])


def _queued(events: Sequence[Event], endpoints: Sequence[Endpoint], now: int) -> list[Row]:
    """Rows of `_QUEUED`: in this stretch, only the first of a thread is due."""
    first: set[tuple[Target, str]] = set()
    by_number: dict[str | None, list[Endpoint]] = defaultdict(list)
    for endpoint in endpoints:
        by_number[endpoint.number_id].append(endpoint)
    rows = []
    for event in events:
        thread = thread_of(event)
        number_id = number_of(event)
        for endpoint in (*by_number[None], *(by_number[number_id] if number_id else ())):
            if endpoint.wants(event):
                key = (endpoint.target, thread)
                rows.append(_row(endpoint.target, event, event.id, now, first=key not in first))
                first.add(key)
    return rows


def _row(target: Target, event: Event, event_id: str, now: int, *, first: bool) -> Row:
    ids = (UUID(target.org_id), UUID(target.id), target.kind, UUID(event_id), UUID(event.id))
    return (*ids, event.type, thread_of(event), AT_ONCE if first else None, now + GIVEN_UP_US)


def _endpoint(row: Row) -> Endpoint:
    org_id, endpoint_id, kind, url, events, since, failures = row
    target = Target(id_text(org_id), id_text(endpoint_id), kind)
    return Endpoint(target, url, frozenset(events.split()), since, failures)
