"""A deadline that is put off all the time, with one timer instead of a new one each time."""

import asyncio
from collections.abc import Callable


class Deadline:
    """When a connection is to be closed. It is put off with each request, and the one timer is looked after when it runs out."""

    def __init__(self, loop: asyncio.AbstractEventLoop, passed: Callable[[], None]) -> None:
        self._loop = loop
        self._passed = passed
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    def set(self, seconds: float) -> None:
        """So many seconds from now, and no sooner."""
        self._at = self._loop.time() + seconds
        if self._timer is None:
            self._begin(self._at)
        elif self._timer_at > self._at:
            self._timer.cancel()
            self._begin(self._at)

    def clear(self) -> None:
        """Not until it is set again."""
        self._at = None

    def end(self) -> None:
        """The connection is closed: nobody is to be told any more, nor held by us."""
        self._at = None
        self._passed = _nobody
        if self._timer is not None:
            self._timer.cancel()

    def _begin(self, at: float) -> None:
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._at is None:
            return
        if self._at > self._timer_at:
            self._begin(self._at)
        else:
            self._passed()


def _nobody() -> None:
    pass
