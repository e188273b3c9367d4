"""Lines of workers that wait for something to claim: the first gets what comes.

Those of one process who ask for the same stand in one line, which asks the database for all of them: when a text that they want
has come, and each second, because a lease may have run out or been given back in another process.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import NamedTuple

import structlog

from roost.core.claims import Claimed, ClaimFilters, Held, Wanted
from roost.core.events import EventType, Interest
from roost.push.feeds import Feeds, Offered
from roost.store.base import Store
from roost.store.claims import Noted, claim, settle
from roost.store.errors import StoreError

_LOOK_SECONDS = 1.0
_RECEIVED: frozenset[EventType] = frozenset({"message.received"})

log = structlog.get_logger(__name__)


class Asked(NamedTuple):
    """What those of one line wait for."""

    org_id: str
    queue: str
    filters: ClaimFilters


class Worker:
    """One who waits. `served` is what it gets."""

    def __init__(self, wanted: Wanted, noted: Noted) -> None:
        self.wanted, self.noted = wanted, noted
        self.served: asyncio.Future[Claimed] = asyncio.get_running_loop().create_future()
        self.is_next = self.has_left = self._has_ended = False

    def end(self) -> None:
        """Its time is up: it gets nothing, unless something is being claimed for it just now."""
        self._has_ended = True
        if not self.is_next and not self.served.done():
            self.served.set_result(Claimed())

    def leave(self) -> None:
        """Nobody is there any more."""
        self.has_left = True
        self.end()

    def waits_on(self) -> bool:
        """There was nothing for it: whether it goes on waiting."""
        self.is_next = False
        if self._has_ended:
            self.end()
        return not self._has_ended


class Line:
    """Workers who wait for the same, in the order of their coming."""

    def __init__(self, store: Store, feeds: Feeds, key: Asked) -> None:
        self._store, self._feeds, self._key = store, feeds, key
        self.interest = Interest(types=_RECEIVED, **key.filters._asdict())
        self.workers: deque[Worker] = deque()
        self.task: asyncio.Task[None] | None = None
        self._look = asyncio.Event()

    def join(self, worker: Worker) -> None:
        """Stand at its end. What is there already must not wait for the next look."""
        self.workers.append(worker)
        self.look()

    def leave(self, worker: Worker) -> None:
        """Stand there no more, served or not."""
        worker.leave()
        with suppress(ValueError):
            self.workers.remove(worker)

    def look(self) -> None:
        """There may be something."""
        self._look.set()

    def offer(self, offered: Offered) -> None:
        self.look()

    async def run(self) -> None:
        """Until nobody waits."""
        try:
            await self._serve()
            if self.workers:
                await self._feeds.join(self._key.org_id, self)
            while self.workers:
                self._look.clear()
                await self._serve()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await self._look.wait()
        except Exception as error:
            if not isinstance(error, StoreError):
                log.exception("claiming_failed")
            for worker in self.workers:
                _fail(worker, error)
        finally:
            self._feeds.leave(self._key.org_id, self)

    async def _serve(self) -> None:
        """Claim for one after the other, until there is nothing for somebody."""
        while self.workers:
            worker = self.workers.popleft()
            if worker.served.done():  # its time is up, and it is only about to leave
                continue
            worker.is_next = True
            try:
                claimed = await claim(self._store, worker.wanted, worker.noted)
            except Exception as error:
                _fail(worker, error)
                continue
            if not claimed.messages:
                if worker.waits_on():
                    self.workers.appendleft(worker)
                return
            if worker.has_left:
                await self._give_back(claimed)
            if not worker.served.done():
                worker.served.set_result(claimed)

    async def _give_back(self, claimed: Claimed) -> None:
        """Nobody is there to get it; if this fails, it comes back when the lease runs out."""
        held = [Held(message.id, claimed.fence) for message in claimed.messages]
        with suppress(StoreError):
            await settle(self._store, "release", self._key.org_id, self._key.queue, held)


def _fail(worker: Worker, error: Exception) -> None:
    if not worker.served.done():
        worker.served.set_exception(error)
