"""Claims of one process: who may wait stands in line with those who ask for the same, so that a crowd costs few queries."""

import asyncio
import time

from starlette.requests import Request

from roost.core.claims import Claimed, Wanted
from roost.metrics import WAITING
from roost.push.feeds import Feeds
from roost.push.lines import Asked, Line, Worker
from roost.store.base import Store
from roost.store.claims import Noted, claim
from roost.wire.exchange import Connection

#: As many wait in one process; one too many is answered at once, as if it did not ask to wait.
MAX_WAITING = 20_000


class Claiming:
    """The claims of one process, and the lines of those who wait."""

    def __init__(self, store: Store, feeds: Feeds) -> None:
        self._store = store
        self._feeds = feeds
        self._lines: dict[Asked, Line] = {}
        self._workers: set[Worker] = set()
        self._stopping = False

    async def claim(self, request: Request, wanted: Wanted, seconds: float, noted: Noted) -> Claimed:
        """What there is, or comes within so many seconds. Raises StoreUnavailable and QueueFull."""
        if not seconds or self._stopping or len(self._workers) >= MAX_WAITING:
            return await claim(self._store, wanted, noted)
        worker = Worker(wanted, noted)
        connection: Connection = request.scope["roost.connection"]
        connection.when_lost(worker.leave)
        timer = asyncio.get_running_loop().call_later(seconds, worker.end)
        began = time.perf_counter()
        self._workers.add(worker)
        WAITING.inc()
        line = self._line(wanted)
        line.join(worker)
        try:
            return await worker.served
        finally:
            request.scope["roost.waited"] = time.perf_counter() - began
            self._workers.discard(worker)
            WAITING.dec()
            timer.cancel()
            connection.when_lost(None)
            line.leave(worker)

    def released(self, org_id: str, queue: str) -> None:
        """Something was given back."""
        for key, line in self._lines.items():
            if (key.org_id, key.queue) == (org_id, queue):
                line.look()

    def stop(self) -> None:
        """Everybody is answered now."""
        self._stopping = True
        for worker in self._workers:
            worker.end()

    async def close(self) -> None:
        """Look no more; what is being claimed just now is finished."""
        self.stop()
        for line in self._lines.values():
            line.look()
        await asyncio.gather(*[line.task for line in self._lines.values() if line.task is not None])

    def _line(self, wanted: Wanted) -> Line:
        key = Asked(wanted.org_id, wanted.queue, wanted.filters)
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = Line(self._store, self._feeds, key)
            line.task = asyncio.create_task(self._run(key, line))
        return line

    async def _run(self, key: Asked, line: Line) -> None:
        try:
            await line.run()
        finally:
            del self._lines[key]
