"""Turns: how work that is short but comes in crowds leaves the event loop free for what is waited for in between."""

import asyncio
from collections import deque


class Turns:
    """Lets one caller pass per turn of the event loop, in the order of their coming."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for a turn of one's own."""
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[None] = loop.create_future()
        self._waiting.append(mine)
        if len(self._waiting) == 1:
            loop.call_soon(self._next)
        await mine

    def _next(self) -> None:
        first = self._waiting.popleft()
        if not first.done():  # who was cancelled is passed over
            first.set_result(None)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._next)
