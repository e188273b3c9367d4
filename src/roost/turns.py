"""Turns: how work that is short but comes in crowds leaves the event loop free for what is waited for in between."""

import asyncio
from collections import deque
from collections.abc import Callable


class Turns:
    """Lets one caller pass per turn of the event loop, in the order of their coming."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def give(self, passes: Callable[[], None]) -> None:
        """Call `passes` in a turn of its own."""
        self._waiting.append(passes)
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
            self._waiting.popleft()()
        finally:
            if self._waiting:
                loop.call_soon(self._next, loop)
