"""The sweeper: deletes what is past its time, a little at a time, in one process of all.

One runs beside the worker in each process, and who has the lease sweeps. Readers never wait for it: what is past its time is
hidden from them already.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import structlog

from roost.core.retention import DAY_US
from roost.metrics import OLDEST, RETENTION_LAG, SWEPT
from roost.store.base import Clock, Store
from roost.store.directory import Directory
from roost.store.errors import StoreUnavailable
from roost.store.leases import LEASE_US, new_lease
from roost.store.retention import MESSAGES, Stretch, backlogs, sweep_some

#: How long after a round the next one begins; whoever has not the lease asks again after as long.
ROUND_SECONDS = 60.0
#: A step has so many rows that deleting them takes about this long (on SQLite nobody else is served meanwhile), and is followed
#: by a rest so many times longer than all of it took: the more there is to do besides, the longer is that. SQLite has one
#: writer, which also has to carry what was deleted from the log into the file.
STEP_SECONDS, REST = 0.005, {"sqlite": 24.0, "postgres": 9.0}
MIN_ROWS, MAX_ROWS = 20, 1000
#: A clock so far ahead of the last round is not believed until it has been so for a while: a wrong one would have everything
#: deleted.
JUMP_US, DOUBT_SECONDS = 7 * DAY_US, 3600.0

log = structlog.get_logger(__name__)


class Sweeper:
    """Start with `start`, in a running loop; `stop` before the store is closed. `rest`: after a step, in lengths of it.

    `besides` is what else is swept in each round, such as what is not in the database.
    """

    def __init__(
        self, store: Store, *, rest: float | None = None, besides: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._store = store
        self._rest = REST[store.dialect] if rest is None else rest
        self._besides = besides
        self._lease = new_lease(store, "sweeper")
        self._renew_at = 0
        self._doubt = _Doubt(store.clock)
        self._rows = MIN_ROWS
        self._swept: Counter[str] = Counter()
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to sweep, round after round."""
        self._running = asyncio.create_task(self._run())

    def stop_soon(self) -> None:
        """Begin no other step."""
        self._stopping.set()

    async def stop(self) -> None:
        """Finish the step that is under way, and leave the others to another process."""
        self.stop_soon()
        if self._running is not None:
            await self._running

    async def sweep(self) -> dict[str, int] | None:
        """One round: how many rows went, by table. None: another process is at it. Raises StoreUnavailable."""
        if not await self._has_lease():
            return None
        self._swept.clear()
        try:
            if self._besides is not None:
                await self._besides()
            await self._round()
        finally:
            self._renew_at = 0
            await self._lease.give_back()
        return dict(self._swept)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._doubt.is_over(await self._lease.until()) and await self.sweep() is None:
                    OLDEST.set(0)
                    RETENTION_LAG.set(0)
            except StoreUnavailable as error:
                log.error("store_unavailable", error=type(error).__name__)
            except Exception:  # a defect must not end sweeping for good: it is told, and tried again
                log.exception("sweeper_failed")
            await self._pause(ROUND_SECONDS)

    async def _round(self) -> None:
        oldest_us, lag_us = self._store.clock(), 0
        for organization in await Directory(self._store).organizations():
            started = time.monotonic()
            found = await backlogs(self._store, organization.org_id)
            await self._pause((time.monotonic() - started) * self._rest)
            oldest_us = min(
                [oldest_us, *(each.oldest for each in found if each.oldest and each.kind.table in MESSAGES)]
            )
            lag_us = max([lag_us, *(each.lag_us for each in found)])
            OLDEST.set((self._store.clock() - oldest_us) / 1_000_000)
            RETENTION_LAG.set(lag_us / 1_000_000)
            for each in found:
                stretch = each.stretch(organization.org_id)
                while stretch is not None:
                    if self._stopping.is_set() or not await self._has_lease():
                        return
                    stretch = await self._step(stretch)

    async def _step(self, stretch: Stretch) -> Stretch | None:
        """Sweep a little; what is left."""
        started = time.monotonic()
        step = await sweep_some(self._store, stretch, self._rows)
        self._swept[stretch.kind.table] += step.rows
        SWEPT.labels(stretch.kind.table).inc(step.rows)
        if step.left is not None:
            fitting = self._rows * STEP_SECONDS / step.seconds
            self._rows = int(min(max(fitting, self._rows / 2, MIN_ROWS), self._rows * 2, MAX_ROWS))
        await self._pause((time.monotonic() - started) * self._rest)
        return step.left

    async def _has_lease(self) -> bool:
        now = self._store.clock()
        if now >= self._renew_at or now < self._renew_at - LEASE_US:
            if not await self._lease.take():
                return False
            self._renew_at = now + LEASE_US // 4
        return True

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass


class _Doubt:
    """Whether the clock is believed, by when anybody last swept."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_sweep: int | None = None
        self._since = 0.0

    def is_over(self, last_sweep: int | None) -> bool:
        """None: nobody ever swept, and there is nothing to compare with."""
        ahead_us = 0 if last_sweep is None else self._clock() - last_sweep
        if ahead_us <= JUMP_US:
            return True
        if last_sweep != self._last_sweep:  # or another process, whose clock is another, goes on sweeping
            self._last_sweep, self._since = last_sweep, time.monotonic()
            log.error("clock_jumped", days=ahead_us // DAY_US)
        return time.monotonic() - self._since >= DOUBT_SECONDS
