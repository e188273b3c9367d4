"""How many requests to /mcp one process answers at a time: each may wait for most of a minute, and takes some 80 kB for it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from roost.errors import Refusal

OF_PROCESS, OF_ORGANIZATION = 2000, 200
_RETRY_AFTER = {"Retry-After": "5"}


class Room:
    """Counts those that are there."""

    def __init__(self, of_process: int = OF_PROCESS, of_organization: int = OF_ORGANIZATION) -> None:
        self._of_process = of_process
        self._of_organization = of_organization
        self._there: Counter[str] = Counter()

    @contextmanager
    def taken(self, org_id: str) -> Iterator[None]:
        """One more, as long as it lasts. Refuses with 429 where the organization has enough, with 503 where the process has."""
        if self._there[org_id] >= self._of_organization:
            message = (
                f"the organization has {self._of_organization} requests here already; try again when one is answered"
            )
            raise Refusal(429, "RATE_LIMITED", message, headers=_RETRY_AFTER)
        if self._there.total() >= self._of_process:
            raise Refusal(503, "UNAVAILABLE", "this server has no room for another request now", headers=_RETRY_AFTER)
        self._there[org_id] += 1
        try:
            yield
        finally:
            self._there[org_id] -= 1
            if not self._there[org_id]:
                del self._there[org_id]
