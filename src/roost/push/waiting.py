"""Reads that wait: a list is answered once there is something new in it, or when its time is up.

Whoever waits costs memory and no query. What comes wakes only those whose filters it matches, and each of them asks once.
"""

import asyncio
import time
from typing import Any

from starlette.requests import Request

from roost.core.events import Interest
from roost.core.inbox import InboxQuery, Page
from roost.metrics import WAITING
from roost.push.feeds import Feeds, Offered
from roost.store.base import Store
from roost.turns import Turns
from roost.wire.exchange import Connection

#: As many wait in one process; one too many is answered at once, as if it did not ask to wait.
MAX_WAITING = 20_000
#: So many ask the database at a time: others want their answers too.
_ASKING = 2
#: Where so many wait, each is answered up to this part of its time sooner.
_CROWD, _SOONER = 1000, 0.25
_CHANCE_BITS = 16

_RECEIVED: Any = frozenset({"message.received"})


class Waiting:
    """The reads that wait in one process."""

    def __init__(self, store: Store, feeds: Feeds) -> None:
        self._store = store
        self._feeds = feeds
        self._waiters: set[_Waiter] = set()
        self._stopping = False
        self._next: dict[InboxQuery, asyncio.Task[Page]] = {}
        self._asking = asyncio.Semaphore(_ASKING)
        self._turns = Turns()

    async def page(self, request: Request, query: InboxQuery, newer_than: str, seconds: float) -> Page:
        """The page, once it has a message that is newer than an id, but no later than after so many seconds.

        Raises StoreUnavailable.
        """
        page = await self._ask(query)
        if _is_new(page, newer_than) or self._stopping or len(self._waiters) >= MAX_WAITING:
            return page
        waiter = _Waiter(query, newer_than)
        connection: Connection = request.scope["roost.connection"]
        connection.when_lost(waiter.end)
        timer = asyncio.get_running_loop().call_later(self._patience(seconds), waiter.end)
        began = time.perf_counter()
        self._waiters.add(waiter)
        WAITING.inc()
        try:
            await self._feeds.join(query.org_id, waiter)
            page = await self._ask(query)  # what came before it was joined
            while not _is_new(page, newer_than) and await waiter.woken():
                page = await self._ask(query)
            return page
        finally:
            waited: float = request.scope.get("roost.waited", 0.0)
            request.scope["roost.waited"] = waited + time.perf_counter() - began
            WAITING.dec()
            self._waiters.discard(waiter)
            timer.cancel()
            connection.when_lost(None)
            self._feeds.leave(query.org_id, waiter)

    def stop(self) -> None:
        """Everybody is answered now, with what there is."""
        self._stopping = True
        for waiter in self._waiters:
            waiter.end()

    def _patience(self, seconds: float) -> float:
        """How long one waits. Those of a crowd who came together (a text woke them, a server went away) would come again
        together, each time that their time is up, and hold up everybody else; so each waits less by chance."""
        if len(self._waiters) < _CROWD:
            return seconds
        return seconds * (1 - _SOONER * self._store.random_bits(_CHANCE_BITS) / (1 << _CHANCE_BITS))

    async def _ask(self, query: InboxQuery) -> Page:
        """Who asks the same before it has begun shares the answer, which begins after all of them have asked.

        Those who come at once, because a text woke all of them or a server went away, must not keep every connection busy.
        """
        task = self._next.get(query)
        if task is None:
            task = self._next[query] = asyncio.create_task(self._list(query))
        return await asyncio.shield(task)

    async def _list(self, query: InboxQuery) -> Page:
        async with self._asking:
            await self._turns.take()
            del self._next[query]
            return await self._store.list_inbound(query)


class _Waiter:
    """Woken by what is newer than an id and matches a query's filters."""

    __slots__ = ("_came", "_ended", "_newer_than", "_wake", "interest")

    def __init__(self, query: InboxQuery, newer_than: str) -> None:
        filters = {name: getattr(query, name) for name in Interest._fields if name in InboxQuery._fields}
        self.interest = Interest(types=_RECEIVED, blocked=True, **filters)
        self._newer_than = newer_than
        self._came = self._ended = False
        self._wake: asyncio.Future[None] | None = None

    def offer(self, offered: Offered) -> None:
        if offered.event.id > self._newer_than:
            self._came = True
            self._resolve()

    def end(self) -> None:
        """Wait no more, whatever comes."""
        self._ended = True
        self._resolve()

    async def woken(self) -> bool:
        """Whether something came since this was last asked; False when it is not to wait any more."""
        if not self._came and not self._ended:
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        came, self._came = self._came, False
        return came

    def _resolve(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


def _is_new(page: Page, newer_than: str) -> bool:
    return any(message.id > newer_than for message in page.messages)
