"""Counts of this process alone, for the library `limits`.

Its own memory storage keeps every name until its window ends and looks at all of them at each hit; this one keeps so many,
and looks at none.
"""

import time

from limits.aio.storage import Storage

MAX_NAMES = 10_000


class LocalCounts(Storage):
    """Counts within a window that begins with the first hit. When there are too many names, the oldest window goes."""

    def __init__(self, max_names: int = MAX_NAMES) -> None:
        super().__init__()
        self._max_names = max_names
        self._windows: dict[str, tuple[float, int]] = {}
        """By name, oldest first: when the window ends (Unix seconds), and its count."""

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return ()

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.time()
        ends, count = self._windows.get(key, (0.0, 0))
        if ends <= now:
            self._windows.pop(key, None)  # so that it stands where its new window belongs
            ends, count = now + expiry, 0
            if len(self._windows) >= self._max_names:
                del self._windows[next(iter(self._windows))]
        self._windows[key] = (ends, count + amount)
        return count + amount

    async def get(self, key: str) -> int:
        ends, count = self._windows.get(key, (0.0, 0))
        return count if ends > time.time() else 0

    async def get_expiry(self, key: str) -> float:
        return self._windows.get(key, (time.time(), 0))[0]

    async def check(self) -> bool:
        return True

    async def reset(self) -> int:
        count = len(self._windows)
        self._windows.clear()
        return count

    async def clear(self, key: str) -> None:
        self._windows.pop(key, None)
