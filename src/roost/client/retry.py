"""When a request is sent again, and after how long."""

import math
import random
import sys
from collections.abc import Callable
from typing import NamedTuple

from roost.client.errors import ApiError, ConnectionFailed, RoostError

#: Said of the moment and not of the request. 409 is, when it says to come back: the first with the same key still runs.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class Retry(NamedTuple):
    """How persistent a client is. Waits are random between nothing and a bound that doubles, unless the server says how long.

    What the server would not do once however often it is sent is never sent again.
    """

    times: int = 4
    """How often a request is sent again, at most."""
    first: float = 0.25
    """The bound of the first wait, in seconds."""
    longest: float = 20.0
    """The bound of any, in seconds."""
    patience: float = 20.0
    """A server that says to come back later than in so many seconds is not waited for: the error is raised."""
    chance: Callable[[], float] = random.random
    """From 0 to 1."""

    def wait(self, tried: int, trouble: RoostError, *, once: bool) -> float | None:
        """Seconds until the next try, after so many again; None: raise the trouble."""
        if not once or tried >= self.times or not is_passing(trouble):
            return None
        if trouble.retry_after is not None:
            # All who were told the same come back a little apart.
            return None if trouble.retry_after > self.patience else trouble.retry_after + self.chance() * self.first
        return self.backoff(tried)

    def persistent(self) -> "Retry":
        """The same without an end, for what follows a server that may be away for long."""
        return self._replace(times=sys.maxsize, patience=math.inf)

    def backoff(self, tried: int) -> float:
        """Seconds to wait where nobody says how long."""
        return self.chance() * min(self.first * 2.0 ** min(tried, 16), self.longest)


def is_passing(trouble: RoostError) -> bool:
    """Whether the same request may do better later."""
    if isinstance(trouble, ApiError):
        return trouble.status in _PASSING or (trouble.status == 409 and trouble.retry_after is not None)
    return isinstance(trouble, ConnectionFailed)
