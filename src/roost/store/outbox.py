"""The outbox: leasing what may be sent now, and a last look before it leaves.

A lease is an id made when it was taken, so that it tells when. What is leased is settled by `store/settling.py`; a lease that
runs out leaves its message `uncertain`, which is never sent again blindly.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

from roost.core.delivery import NEVER, SECOND_US, Progress, failed, next_look_up
from roost.core.ids import id_text, position_of
from roost.core.message import carrier_key
from roost.store.base import Store
from roost.store.events import Step, tell_steps
from roost.store.sql import load
from roost.store.standing import forget, keep, standing_of
from roost.store.transaction import Reader, Row, Transaction

_SQL = load("outbox.sql")
_OWNED = "org_id uuid, message_id uuid, lease uuid"
_LEASES = f"{_OWNED}, due_at bigint"
_OTHERS = "org_id uuid, message_id uuid, carrier_message_id text"
#: Longer than a send can take: the last look, connecting, the answer and its settlement.
LEASE_US = 60 * SECOND_US
#: A number takes what it may send in this time at once, so that a fast one does not cost a transaction for each text.
_SLICE_US = SECOND_US // 10
#: How much of one organization is looked at in one transaction: rows in all, numbers, and rows of each number.
_MAX_ROWS, _MAX_NUMBERS, _NUMBERS_AT_ONCE, _WINDOW = 500, 1000, 32, 200
_MAX_LOOK_UPS = 4
_MAX_COUNTED = 100_000

State = Literal["queued", "waiting", "leased", "uncertain", "held"]
STATES: tuple[State, ...] = ("queued", "waiting", "leased", "uncertain", "held")

#: Why a message that was leased does not leave after all.
REASONS = {
    "CONSENT_REQUIRED": "the contact opted out",
    "CANCELED": "it was cancelled",
    "EXPIRED": "it could not be sent in time",
}
LEASE_LOST = "LEASE_LOST"


class Leased(NamedTuple):
    """A message that is ours to send, or to ask the carrier about."""

    org_id: str
    message_id: str
    lease: str
    attempts: int
    carrier_account_id: str
    phone_number_id: str
    from_number: str
    to_number: str
    body: str
    media: tuple[str, ...]
    priority: str

    @property
    def key(self) -> tuple[UUID, UUID]:
        """Of its rows."""
        return UUID(self.org_id), UUID(self.message_id)

    @property
    def leased_at(self) -> int:
        """Microseconds since 1970."""
        return position_of(self.lease)


class Batch(NamedTuple):
    """What one organization has to do now; `next_at` is when one of its numbers may send again."""

    to_send: list[Leased]
    to_look_up: list[Leased]
    expired: int
    """Leases that ran out."""
    next_at: int | None


class _Candidate(NamedTuple):
    rank: int
    expires_at: int | None
    segment_count: int
    leased: Leased


async def due_organizations(store: Store) -> list[str]:
    """Those with anything to do now, whoever does it."""
    return [id_text(row[0]) for row in await store.fetch(_SQL["due_organizations"], store.clock())]


async def lease(store: Store, org_id: str, limit: int, segments_per_second: float) -> Batch:
    """At most `limit` messages of an organization: urgent ones first, then the oldest.

    A number sends no faster than its own rate or else `segments_per_second` (0: as fast as it likes), and has one message
    in flight to each contact, so that a conversation keeps its order.
    """

    async def work(tx: Transaction) -> Batch:
        await tx.lock(org_id)
        return await _Leasing(tx, org_id, segments_per_second, store.random_bits(16)).run(limit)

    return await store.transact(work)


class _Leasing:
    """One transaction that leases."""

    def __init__(self, tx: Transaction, org_id: str, segments_per_second: float, turn: int) -> None:
        self._tx, self._org_id, self._key = tx, org_id, UUID(org_id)
        self._segments_per_second = segments_per_second
        self._turn = turn
        self._now = tx.now()
        self._lease = tx.new_id()
        self._taken: list[Leased] = []
        self._pairs: set[tuple[str, str]] = set()

    async def run(self, limit: int) -> Batch:
        tx, now = self._tx, self._now
        [(has_waited, has_expired, has_look_ups)] = await tx.fetch(_SQL["due"], self._key, now)
        if has_waited:
            await tx.fetch(_SQL["promote"], self._key, now, _MAX_ROWS)
        expired = await tx.fetch(_SQL["expire_leases"], self._key, now, _MAX_ROWS) if has_expired else []
        look_ups = await self._look_ups() if has_look_ups else []
        paces = await self._take(limit)
        leases = [(*leased.key, UUID(self._lease), now + LEASE_US) for leased in self._taken]
        await tx.joined(_SQL["lease"], _LEASES, leases)
        begun = await tx.joined(_SQL["begin_sending"], _LEASES, leases)
        sending = Step("queued", Progress("sending"))
        await tell_steps(tx, {(self._key, UUID(id_text(row[0]))): sending for row in begun})
        await tx.many(_SQL["keep_pace"], [(self._key, UUID(each), at) for each, (_, at) in paces.items() if at > now])
        return Batch(
            self._taken, look_ups, len(expired), min((at for _, at in paces.values() if at > now), default=None)
        )

    async def _take(self, limit: int) -> dict[str, tuple[float, int]]:
        """Fill `_taken`; of each number with something queued: its rate, and when its next segment may leave."""
        rows = await self._tx.fetch(_SQL["numbers_with_queued"], self._key, _MAX_NUMBERS)
        paces = {
            id_text(number_id): (self._segments_per_second if rate is None else rate, next_at or 0)
            for number_id, rate, next_at in rows
        }
        ready = [number_id for number_id, (_, next_at) in paces.items() if next_at <= self._now]
        # Of more numbers than one transaction should look at, each time others come first.
        start = self._turn % len(ready) if len(ready) > _NUMBERS_AT_ONCE else 0
        found = [
            each for number_id in ready[start:][:_NUMBERS_AT_ONCE] for each in await self._candidates(number_id, limit)
        ]
        for each in sorted(found, key=lambda each: (each.rank, each.leased.message_id)):
            number_id = each.leased.phone_number_id
            rate, next_at = paces[number_id]
            at = max(next_at, self._now)
            if len(self._taken) < limit and at < self._now + _SLICE_US and await self._may_go(each):
                self._taken.append(each.leased)
                paces[number_id] = (rate, at + int(each.segment_count * SECOND_US / rate) if rate else next_at)
        return paces

    async def _may_go(self, candidate: _Candidate) -> bool:
        leased = candidate.leased
        if candidate.expires_at is not None and candidate.expires_at <= self._now:
            await fail_unsent(self._tx, leased, "EXPIRED")
            return False
        pair = (leased.phone_number_id, leased.to_number)
        is_first = pair not in self._pairs
        self._pairs.add(pair)
        return is_first

    async def _candidates(self, number_id: str, limit: int) -> list[_Candidate]:
        rows = await self._tx.fetch(_SQL["candidates"], self._key, UUID(number_id), _WINDOW, 2 * limit)
        return [
            _Candidate(rank, expires_at, segment_count, _leased(self._org_id, (message_id, self._lease, *rest)))
            for rank, message_id, expires_at, segment_count, *rest in rows
        ]

    async def _look_ups(self) -> list[Leased]:
        rows = await self._tx.fetch(_SQL["look_ups"], self._key, self._now, _MAX_LOOK_UPS)
        found = [_leased(self._org_id, row) for row in rows]
        await self._tx.many(_SQL["put_off"], [(*each.key, next_look_up(each.leased_at, self._now)) for each in found])
        return found


def _leased(org_id: str, row: Row) -> Leased:
    message_id, lease_id, attempts, account_id, number_id, from_number, to_number, body, media, priority = row
    ids = (id_text(account_id), id_text(number_id))
    urls = tuple(json.loads(media)) if media else ()
    return Leased(
        org_id, id_text(message_id), id_text(lease_id), attempts, *ids, from_number, to_number, body, urls, priority
    )


async def fail_unsent(tx: Transaction, leased: Leased, code: str) -> None:
    """It never leaves, for one of `REASONS`."""
    standing = await standing_of(tx, leased.org_id, leased.message_id)
    if standing is not None:
        await keep(tx, {leased.key: standing.step(failed(standing.progress, code, REASONS.get(code, code)))})
        await forget(tx, [leased.key])


async def still_wanted(store: Store, leased: Leased) -> str | None:
    """None when it may leave now, which is asked right before it does; else one of `REASONS`, or LEASE_LOST."""
    [reason] = await last_looks(store, [leased])
    return reason


async def last_looks(store: Store, batch: Sequence[Leased]) -> list[str | None]:
    """The same of several at once, in order."""
    wanted = [(*leased.key, UUID(leased.lease)) for leased in batch]
    rows = await store.joined(_SQL["last_look"], _OWNED, wanted)
    found = {id_text(message_id): _reason(row, store.clock()) for message_id, *row in rows}
    return [found.get(leased.message_id, LEASE_LOST) for leased in batch]


def _reason(row: Sequence[Any], now: int) -> str | None:
    withdrawn, expires_at, due_at, purpose, settings, opted_out, opted_out_anywhere = row
    if withdrawn is not None:
        return str(withdrawn)
    if expires_at is not None and expires_at <= now:
        return "EXPIRED"
    # The confirmation of an opt-out is the one text that goes to who opted out.
    if purpose != "auto_reply" and (opted_out or (opted_out_anywhere and scope_in(settings) == "organization")):
        return "CONSENT_REQUIRED"
    return LEASE_LOST if due_at <= now else None


def scope_in(settings: str | None) -> Literal["number", "organization"]:
    """How far an opt-out reaches, from an organization's stored settings."""
    widened = bool(settings) and json.loads(settings or "{}").get("opt_out_scope") == "organization"
    return "organization" if widened else "number"


async def has_rival(reader: Reader, leased: Leased) -> bool:
    """Whether the carrier's id of another message to the same contact is not known either: a record could be that one's."""
    org_id, message_id = leased.key
    pair = (org_id, leased.to_number, UUID(leased.phone_number_id))
    return bool(await reader.fetch(_SQL["others_in_doubt"], *pair, message_id))


async def its_own(reader: Reader, leased: Leased, found: Collection[str]) -> str | None:
    """Of the ids that a carrier's record has, the one that is no other message's; None: no telling."""
    if not found or await has_rival(reader, leased):
        return None
    org_id, message_id = leased.key
    keys = {carrier_key(each, b""): each for each in found}
    rows = await reader.joined(_SQL["others"], _OTHERS, [(org_id, message_id, key) for key in keys])
    left = keys.keys() - {row[0] for row in rows}
    return keys[left.pop()] if len(left) == 1 else None


class OutboxRow(NamedTuple):
    """A row as an operator sees it. Times are microseconds since 1970."""

    message_id: str
    state: State
    from_number: str
    to_number: str
    attempts: int
    due_at: int | None
    withdrawn: str | None
    leased_at: int | None
    status: str


async def list_outbox(store: Store, org_id: str, state: State | None, limit: int) -> list[OutboxRow]:
    """The organization's rows, oldest first."""
    if state is None:
        rows = await store.fetch(_SQL["outbox_rows"], UUID(org_id), limit)
    else:
        rows = await store.fetch(_SQL["outbox_rows_in"], UUID(org_id), limit, state)
    return [_row(row) for row in rows]


def _row(row: Row) -> OutboxRow:
    message_id, state, from_number, to_number, attempts, due_at, withdrawn, lease_id, status = row
    leased_at = None if lease_id is None else position_of(id_text(lease_id))
    due: Any = None if due_at >= NEVER else due_at
    return OutboxRow(id_text(message_id), state, from_number, to_number, attempts, due, withdrawn, leased_at, status)


async def depth(store: Store) -> dict[str, int]:
    """Rows by state, of all organizations; counting ends at a hundred thousand."""
    counted = {str(state): int(count) for state, count in await store.fetch(_SQL["depth"], _MAX_COUNTED)}
    return {state: counted.get(state, 0) for state in STATES}
