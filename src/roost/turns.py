"""Turns: how work that is short but comes in crowds leaves the event loop free for what is waited for in between."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any


class Turns:
    """Lets one caller pass per turn of the event loop, in the order of their coming."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._is_taken = False

    def give(self, passes: Callable[..., None], *args: Any) -> None:
        """Call `passes` with `args` in a turn of its own: in this one, if nobody else had it."""
        if self._is_taken:
            self._waiting.append((passes, args))
            return
        self._is_taken = True
        loop = asyncio.get_running_loop()
        try:
            passes(*args)
        finally:
            loop.call_soon(self._next, loop)

    async def take(self) -> None:
        """Wait for a turn of one's own."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def passes() -> None:
            if not mine.done():  # who was cancelled is passed over
                mine.set_result(None)

        self.give(passes)
        await mine

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._waiting:
            self._is_taken = False
            return
        passes, args = self._waiting.popleft()
        try:
            passes(*args)
        finally:
            loop.call_soon(self._next, loop)
