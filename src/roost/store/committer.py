"""Group commit without a timer: what arrives while a commit is under way joins the next one.

One item alone is never delayed for company, and each caller is answered after the commit that holds its item.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from roost.store.errors import StoreUnavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


class GroupCommitter(Generic[Item, Result]):
    """Collects items and hands them to `commit` in groups, one group at a time.

    `commit` writes all of a group or nothing, and answers with one result per item. A group that fails for its content
    is written again one by one, so that an item hurts nobody but itself; StoreUnavailable fails the whole group.

    `quiet_turns`: a group begins once so many turns of the event loop have brought nothing more, some microseconds when
    there is nothing to do. Where other processes write too, the wait is not lost: they use it, and fewer groups cost less.
    """

    def __init__(
        self,
        commit: Callable[[list[Item]], Awaitable[list[Result]]],
        *,
        max_group: int = 256,
        max_waiting: int = 8192,
        quiet_turns: int = 0,
    ) -> None:
        self._commit = commit
        self._max_group = max_group
        self._quiet_turns = quiet_turns
        self._max_waiting = max_waiting
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._running: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """The result of `item` once its group is durable. Raises StoreUnavailable when too much is waiting already."""
        if len(self._waiting) >= self._max_waiting:
            raise StoreUnavailable("too many writes are waiting")
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await done

    @property
    def has_waiting(self) -> bool:
        """Whether another group follows the one under way."""
        return bool(self._waiting)

    async def close(self) -> None:
        """Wait until everything submitted is answered."""
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                group = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._max_group))]
                await self._settle(group)
        finally:
            self._running = None

    async def _gather(self) -> None:
        """Let those come who are on their way: until so many turns of the event loop have brought nobody."""
        quiet, seen = 0, len(self._waiting)
        while quiet < self._quiet_turns and seen < self._max_group:
            await asyncio.sleep(0)
            quiet, seen = (quiet + 1, seen) if len(self._waiting) == seen else (0, len(self._waiting))

    async def _settle(self, group: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._commit([item for item, _ in group])
        except Exception as error:
            if len(group) == 1 or isinstance(error, StoreUnavailable):
                for _, done in group:
                    if not done.done():
                        done.set_exception(error)
                return
            for single in group:
                await self._settle([single])
            return
        for (_, done), result in zip(group, results, strict=True):
            if not done.done():
                done.set_result(result)
