"""The two clients, so that one test holds for both."""

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import Any

from roost.client import AsyncRoost, Retry, Roost

#: Tries as often as usual, and hardly waits.
QUICK = Retry(first=0.001, longest=0.002)


class Caller:
    """`kind` is "sync" or "async". Each call gets the client, and says what to call."""

    def __init__(self, kind: str, base_url: str, **options: Any) -> None:
        options = {"retry": QUICK, "timeout": 20.0, **options}
        self._runner = asyncio.Runner() if kind == "async" else None
        self.client: Any = AsyncRoost(base_url, **options) if self._runner else Roost(base_url, **options)

    def call(self, of: Callable[[Any], Any]) -> Any:
        """The result of one call."""
        if self._runner is None:
            return of(self.client)

        async def awaited() -> Any:
            return await of(self.client)

        return self._runner.run(awaited())

    def take(self, of: Callable[[Any], Any], count: int | None = None) -> list[Any]:
        """The first so many items, or all; the rest is left alone."""
        items = of(self.client)
        if self._runner is None:
            taken = list(islice(items, count))
            items.close()
            return taken

        async def some() -> list[Any]:
            taken: list[Any] = []
            while count is None or len(taken) < count:
                try:
                    taken.append(await anext(items))
                except StopAsyncIteration:
                    break
            await items.aclose()
            return taken

        return self._runner.run(some())

    def close(self) -> None:
        if self._runner is None:
            self.client.close()
            return
        self._runner.run(self.client.aclose())
        self._runner.close()
