"""What became of tries to tell endpoints: logged, and done with or put off, a group of them in a transaction."""

from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from roost.core.ids import id_text
from roost.core.webhooks import FAILING, Attempt, Outcome, Target, next_try, paused_until
from roost.store.base import RandomBits, Store
from roost.store.transaction import Row, Transaction
from roost.store.webhook_log import Entry, log_tries
from roost.store.webhook_queue import AT_ONCE, QUEUE, Job, Lease

_KEY = "org_id uuid, endpoint_id uuid, kind text, event_id uuid"
_PUT_OFF = f"{_KEY}, attempts bigint, due_at bigint"
_THREAD = "org_id uuid, endpoint_id uuid, kind text, thread text, due_at bigint"
_CHANCES = 1 << 30

Settled = Outcome | Literal["gone", "lost"]
"""`gone`: it is dead, and its endpoint was switched off. `lost`: it was not ours to settle any more."""


class Tried(NamedTuple):
    """One try, and the body that it had; without an attempt it was given up untried, and `why` says the reason."""

    job: Job
    attempt: Attempt | None
    body_sha256: bytes | None = None
    body_bytes: int = 0
    why: str | None = None


async def settle_tries(store: Store, lease: Lease, group: Sequence[Tried]) -> list[Settled]:
    """In one transaction, which renews the leases of their organizations. Raises StoreUnavailable."""

    async def work(tx: Transaction) -> list[Settled]:
        held = set()
        for org_id in sorted({tried.job.target.org_id for tried in group}):
            if await tx.fetch(QUEUE["hold_feed"], UUID(org_id), lease.holder, tx.now() + lease.lasts_us):
                held.add(org_id)
        ours = [tried.job for tried in group if tried.job.target.org_id in held]
        rows = await tx.joined(QUEUE["still_queued"], _KEY, [job.key for job in ours])
        queued = {(id_text(event_id), id_text(endpoint_id), kind) for event_id, endpoint_id, kind in rows}
        settling = _Settling(tx, store.random_bits)
        settled: list[Settled] = []
        for tried in group:
            job = tried.job
            is_ours = job.target.org_id in held and (job.event_id, job.target.id, job.target.kind) in queued
            settled.append(await settling.settle(tried) if is_ours else "lost")
        await settling.finish()
        return settled

    return await store.transact(work)


class _Fared:
    """How an endpoint fares: failures since it last took an event, and until when it is left alone."""

    def __init__(self, failures: int, not_before: int) -> None:
        self.before = (failures, not_before)
        self.failures = failures
        self.not_before = not_before
        self.recovered = False

    def took(self) -> None:
        """A pause that it asked for goes on; one that it was given because it took nothing is over."""
        if self.failures >= FAILING:
            self.recovered, self.not_before = True, 0
        self.failures = 0


class _Settling:
    """A transaction that holds the organization's feed; `finish` writes what the tries came to."""

    def __init__(self, tx: Transaction, random_bits: RandomBits) -> None:
        self._tx = tx
        self._random_bits = random_bits
        self._now = tx.now()
        self._fared: dict[tuple[Target, str], _Fared] = {}
        self._gone: set[Target] = set()
        self._done: list[Row] = []
        self._put_off: list[Row] = []
        self._threads: set[Row] = set()
        self._entries: list[Entry] = []

    async def settle(self, tried: Tried) -> Settled:
        """What it came to."""
        job, attempt = tried.job, tried.attempt
        if attempt is None or job.target in self._gone:
            return self._end(tried, "dead")
        if attempt.gone:
            self._gone.add(job.target)
            self._end(tried, "dead")
            return "gone"
        fared = await self._endpoint(job)
        if attempt.succeeded:
            fared.took()
            return self._end(tried, "success")
        fared.failures += 1
        pause = paused_until(fared.failures, self._now, attempt.retry_after)
        fared.not_before = max(fared.not_before, pause)
        chance = self._random_bits(30) / _CHANCES
        again_at = next_try(job.attempts + 1, job.give_up_at, self._now, attempt.retry_after, chance)
        if again_at is None:
            return self._end(tried, "dead")
        self._put_off.append((*job.key, job.attempts + 1, again_at))
        return self._log(tried, "retry")

    async def finish(self) -> None:
        """Write it all."""
        await self._tx.joined(QUEUE["done"], _KEY, self._done)
        await self._tx.joined(QUEUE["put_off"], _PUT_OFF, self._put_off)
        await self._tx.joined(QUEUE["move_up"], _THREAD, sorted(self._threads))
        await log_tries(self._tx, self._entries)
        for (target, url), fared in self._fared.items():
            if (fared.failures, fared.not_before) != fared.before:
                await self._tx.fetch(QUEUE["note_tries"], *_key(target), fared.failures, fared.not_before, url)
            if fared.recovered:
                await self._tx.fetch(QUEUE["hurry"], *_key(target), AT_ONCE)
        for target in self._gone:
            await self._tx.fetch(QUEUE["switch_off"], *_key(target), self._now)
            await self._tx.fetch(QUEUE["empty"], *_key(target))

    async def _endpoint(self, job: Job) -> _Fared:
        key = (job.target, job.url)
        if key not in self._fared:
            rows = await self._tx.fetch(QUEUE["standing"], *_key(job.target))
            self._fared[key] = _Fared(*(rows[0] if rows else (0, 0)))
        return self._fared[key]

    def _end(self, tried: Tried, outcome: Outcome) -> Outcome:
        job = tried.job
        self._done.append(job.key)
        self._threads.add((*_key(job.target), job.thread, AT_ONCE))
        return self._log(tried, outcome)

    def _log(self, tried: Tried, outcome: Outcome) -> Outcome:
        job, attempt = tried.job, tried.attempt
        number = job.attempts if attempt is None else job.attempts + 1
        what = attempt or Attempt(self._now, None, 0, error=tried.why)
        self._entries.append(
            Entry(
                job.target,
                job.event_id,
                job.source_id,
                job.event_type,
                job.thread.partition(" ")[2],
                job.url,
                number,
                outcome,
                what,
                tried.body_sha256,
                tried.body_bytes,
            )
        )
        return outcome


def _key(target: Target) -> tuple[UUID, UUID, str]:
    return UUID(target.org_id), UUID(target.id), target.kind
