"""The deliverer: hands the event log out to endpoints, and tells each of them what it is due, until it takes it.

One runs in each server process, and one of them at a time works at an organization. See decision 0026.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial
from uuid import UUID

import structlog

from roost.core.events import Event
from roost.core.ids import RANDOM_BITS, uuid7
from roost.core.media_urls import MediaUrls
from roost.core.webhooks import FAILING, Endpoint, Target
from roost.metrics import WEBHOOK_TRIES, WEBHOOKS_WAITING
from roost.push.webhooks.poster import Poster
from roost.push.webhooks.teller import Teller
from roost.store.base import Store
from roost.store.committer import GroupCommitter
from roost.store.errors import StoreUnavailable
from roost.store.webhook_queue import (
    Feed,
    Job,
    Lease,
    due_endpoints,
    due_feeds,
    due_jobs,
    events_of,
    give_back,
    hand_out,
    told_organizations,
    waiting,
)
from roost.store.webhook_settling import Settled, Tried, settle_tries

#: Tries in flight: in all, and of one endpoint. One that takes nothing has one at a time.
SLOTS, SHARE = 512, 16
#: Without being woken it looks again after this time: for what other processes stored, and what waits to be tried again.
_REST_SECONDS = 1.0
_ROUND_EVERY_SECONDS = 15.0
#: What comes meanwhile is handed out together.
_PAUSE_SECONDS = 0.005
#: So many are given up at a time without being tried.
_GIVEN_UP_AT_ONCE = 200

_GIVEN_UP = "the endpoint takes nothing, and the event's time is over"

log = structlog.get_logger(__name__)


class Deliverer:
    """Start with `start`, in a running loop; `stop` before the store is closed."""

    def __init__(self, store: Store, urls: MediaUrls, poster: Poster) -> None:
        self._store = store
        self._teller = Teller(store, urls, poster)
        holder = UUID(uuid7(store.clock(), store.random_bits(RANDOM_BITS)))
        # Two thirds of a lease are left whenever a try begins, which takes less than one.
        self._lease = Lease(holder, int(3 * (poster.total_seconds + 1) * 1_000_000))
        self._settlers: dict[str, GroupCommitter[Tried, Settled]] = {}
        self._in_flight: dict[tuple[Target, str], asyncio.Task[None]] = {}
        self._busy: Counter[Target] = Counter()
        self._held: set[str] = set()
        self._told: frozenset[str] = frozenset()
        self._woken = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._looked_at = float("-inf")
        self._stopping = False

    def start(self) -> None:
        """Begin to tell what is due."""
        self._store.tell_also(self._moved)
        self._running = asyncio.create_task(self._run())

    def stop_soon(self) -> None:
        """Take nothing more; what is in flight goes on."""
        self._stopping = True
        self._woken.set()

    async def stop(self) -> None:
        """Take nothing more, and finish what is in flight: no try takes long."""
        self.stop_soon()
        if self._running is not None:
            await self._running
        await self.idle()
        for settler in self._settlers.values():
            await settler.close()
        try:
            for org_id in list(self._held):
                await self._give_back(org_id)
        except StoreUnavailable as error:  # it runs out
            log.error("store_unavailable", error=type(error).__name__)
        await self._teller.close()

    async def idle(self) -> None:
        """Return once nothing is in flight: everything taken so far is settled."""
        while self._in_flight:
            await asyncio.wait(self._in_flight.values())

    async def take_due(self) -> None:
        """Hand out what is new, and begin to tell what is due, as far as there is room."""
        feeds = await due_feeds(self._store, self._lease)
        await self._hand_out([feed for feed in feeds if feed.has_new or not self._is_safely_ours(feed)])
        due = {feed.org_id for feed in feeds}
        self._told |= due
        if not self._stopping:
            await self._begin_due(due & self._held)
        at_work = {target.org_id for target, _ in self._in_flight}
        for org_id in self._held - at_work - due:
            await self._give_back(org_id)

    async def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                await self._look_round()
                await self.take_due()
            except StoreUnavailable as error:
                log.error("store_unavailable", error=type(error).__name__)
                await asyncio.sleep(_REST_SECONDS)
            except Exception:  # a defect must not end it for everybody: it is told, and tried again
                log.exception("deliverer_failed")
                await asyncio.sleep(_REST_SECONDS)
            await asyncio.sleep(_PAUSE_SECONDS)
            try:
                async with asyncio.timeout(_REST_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass

    def _moved(self, org_ids: Collection[str]) -> None:
        if not self._told.isdisjoint(org_ids):
            self._woken.set()

    async def _look_round(self) -> None:
        if time.monotonic() - self._looked_at > _ROUND_EVERY_SECONDS:
            self._looked_at = time.monotonic()
            self._told = await told_organizations(self._store)
            WEBHOOKS_WAITING.set(await waiting(self._store))

    async def _give_back(self, org_id: str) -> None:
        await give_back(self._store, self._lease, org_id)
        self._held.discard(org_id)

    async def _hand_out(self, feeds: Sequence[Feed]) -> None:
        for each in await hand_out(self._store, self._lease, feeds):
            if not each.is_ours:
                self._held.discard(each.org_id)
                continue
            self._held.add(each.org_id)
            if each.has_more:
                self._woken.set()

    async def _begin_due(self, org_ids: Collection[str]) -> None:
        """Those endpoints first that have least in flight, and each no more than its part of the room."""
        endpoints = await due_endpoints(self._store, org_ids)
        endpoints.sort(key=lambda each: self._busy[each.target])
        jobs: list[Job] = []
        for nth, endpoint in enumerate(endpoints):
            room = SLOTS - len(self._in_flight) - len(jobs)
            jobs += await self._due(endpoint, -(-room // (len(endpoints) - nth)))
        events = await events_of(self._store, jobs)
        for job in jobs:
            self._begin(job, events.get(job.source_id))

    def _is_safely_ours(self, feed: Feed) -> bool:
        """For longer than a try takes; one that would last longer than any was written before the clock was set back."""
        left = feed.ours_until - self._store.clock()
        return self._lease.lasts_us * 2 // 3 <= left <= self._lease.lasts_us

    async def _due(self, endpoint: Endpoint, fair: int) -> list[Job]:
        """What is to be told an endpoint now; of one that takes nothing, what is past its time is given up but for one."""
        is_failing, busy = endpoint.failures >= FAILING, self._busy[endpoint.target]
        if is_failing:
            past = await due_jobs(self._store, endpoint, _GIVEN_UP_AT_ONCE, past=True)
            given_up = [
                Tried(job, None, why=_GIVEN_UP) for job in past[1:] if (job.target, job.event_id) not in self._in_flight
            ]
            if given_up:
                await settle_tries(self._store, self._lease, given_up)
                WEBHOOK_TRIES.labels("dead").inc(len(given_up))
                log.warning("webhooks_given_up", endpoint_id=endpoint.target.id, count=len(given_up))
                self._woken.set()
        room = min((1 if is_failing else SHARE) - busy, fair)
        if room <= 0:
            return []
        found = await due_jobs(self._store, endpoint, room + busy)
        return [job for job in found if (job.target, job.event_id) not in self._in_flight][:room]

    def _begin(self, job: Job, event: Event | None) -> None:
        key = (job.target, job.event_id)
        task = asyncio.create_task(self._tell(job, event))
        self._in_flight[key] = task
        self._busy[job.target] += 1
        task.add_done_callback(partial(self._ended, key))

    def _ended(self, key: tuple[Target, str], task: asyncio.Task[None]) -> None:
        del self._in_flight[key]
        self._busy[key[0]] -= 1
        if not self._busy[key[0]]:
            del self._busy[key[0]]
        error = None if task.cancelled() else task.exception()
        if isinstance(error, StoreUnavailable):  # it is told once more: the receiver knows it by its id
            log.error("store_unavailable", error=type(error).__name__)
        elif error is not None:
            log.error("deliverer_failed", exc_info=error)
        else:
            self._woken.set()

    async def _tell(self, job: Job, event: Event | None) -> None:
        """Tell it, and settle what became of that."""
        settled = await self._settle(await self._teller.tell(job, event))
        WEBHOOK_TRIES.labels(settled).inc()
        if settled in ("dead", "gone"):
            log.warning("webhook_dead", endpoint_id=job.target.id, event_id=job.event_id, attempts=job.attempts + 1)
        if settled == "gone":
            log.warning("webhook_switched_off", endpoint_id=job.target.id)

    async def _settle(self, tried: Tried) -> Settled:
        """Until it is stored: a database that is away for a while does not have it told twice."""
        while True:
            try:
                return await self._settler(tried.job.target.org_id).submit(tried)
            except StoreUnavailable:
                if self._stopping:
                    raise
                await asyncio.sleep(_REST_SECONDS)

    def _settler(self, org_id: str) -> GroupCommitter[Tried, Settled]:
        """What comes while a transaction is under way shares the next one, as far as that may touch several organizations."""
        owner = org_id if self._store.is_distributed else ""
        if owner not in self._settlers:
            self._settlers[owner] = GroupCommitter(partial(settle_tries, self._store, self._lease))
        return self._settlers[owner]
