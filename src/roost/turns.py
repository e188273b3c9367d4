"""Turns: how work that is short but comes in crowds leaves the event loop free for what is waited for in between."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any


class Turns:
    """Lets one caller pass per turn of the event loop, in the order of their coming."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()

    def give(self, passes: Callable[..., None], *args: Any) -> None:
        """Call `passes` with `args` in a turn of its own."""
        self._waiting.append((passes, args))
        if len(self._waiting) == 1:
            loop = asyncio.get_running_loop()
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
        try:
            passes, args = self._waiting.popleft()
            passes(*args)
        finally:
            if self._waiting:
                loop.call_soon(self._next, loop)
