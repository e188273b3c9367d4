"""The indexer: goes through messages after they were stored, a little at a time, in one process of all.

It rests for most of the time: the more there is to do besides, the longer. So a text can be looked for a moment after it
came, and while very many come, somewhat later.
"""

import asyncio
import time

import structlog

from roost.store.base import Store
from roost.store.errors import StoreUnavailable
from roost.store.indexing import go_through, organizations_behind
from roost.store.leases import LEASE_US, new_lease

#: So many messages in one step, and after a step a rest so many times longer than it took.
_AT_ONCE, _REST = 50, {"sqlite": 24.0, "postgres": 19.0}
#: How soon it looks again.
_LOOK_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Indexer:
    """Start with `start`, in a running loop; `stop` before the store is closed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lease = new_lease(store, "indexer")
        self._renew_at = 0
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, and go on."""
        self._running = asyncio.create_task(self._run())

    def stop_soon(self) -> None:
        """Begin no other step."""
        self._stopping.set()

    async def stop(self) -> None:
        """Finish the step that is under way, and leave the others to another process."""
        self.stop_soon()
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                for org_id in await organizations_behind(self._store):
                    if await self._is_ours():
                        await self._catch_up(org_id)
            except StoreUnavailable as error:
                log.error("store_unavailable", error=type(error).__name__)
            except Exception:  # a defect must not end it for good: it is told, and tried again
                log.exception("indexer_failed")
            await self._pause(_LOOK_SECONDS)
        if self._renew_at:
            await self._give_back()

    async def _catch_up(self, org_id: str) -> None:
        more = True
        while more and not self._stopping.is_set() and await self._is_ours():
            started = time.monotonic()
            more = await go_through(self._store, org_id, _AT_ONCE)
            await self._pause((time.monotonic() - started) * _REST[self._store.dialect])

    async def _is_ours(self) -> bool:
        """Whether this process is the one: a lease that runs out long before it is renewed would be another's."""
        now = self._store.clock()
        if now >= self._renew_at:
            self._renew_at = now + LEASE_US // 3 if await self._lease.take() else 0
        return self._renew_at > 0

    async def _give_back(self) -> None:
        try:
            await self._lease.give_back()
        except StoreUnavailable:
            log.info("late_write_lost", error="StoreUnavailable")  # it runs out by itself

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass
