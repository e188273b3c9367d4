"""From where on each organization's messages are kept: what is older is hidden before it is swept."""

import time
from functools import lru_cache
from typing import Protocol
from uuid import UUID

from roost.core.retention import MINUTE_US, kept_above
from roost.store.settings import settings_of
from roost.store.sql import QUERIES
from roost.store.transaction import Reader

#: How long another process's change of an organization's retention may take to be seen here.
CACHE_SECONDS = 30.0
_CACHE_SIZE = 100_000


@lru_cache(maxsize=1024)
def _above(minute: int, days: int) -> str:
    """Another value once a minute, and the same for nearly all organizations."""
    return kept_above(minute * MINUTE_US, days)


class _Clocked(Reader, Protocol):
    def clock(self) -> int: ...


class Kept:
    """Remembers for a while how long organizations keep their messages."""

    def __init__(self, reader: _Clocked) -> None:
        self._reader = reader
        self._days: dict[str, tuple[float, int]] = {}

    async def above(self, org_id: str) -> str:
        """An id below which nothing is shown. Raises StoreUnavailable."""
        days = await self.days(org_id)
        return _above(self._reader.clock() // MINUTE_US, days)

    async def days(self, org_id: str) -> int:
        """The organization's retention."""
        now = time.monotonic()
        known = self._days.get(org_id)
        if known is not None and known[0] > now:
            return known[1]
        rows = await self._reader.fetch(QUERIES["organization_policy"], UUID(org_id))
        days = settings_of(rows[0][1] if rows else None).message_retention_days
        if len(self._days) >= _CACHE_SIZE:
            self._days.clear()
        self._days[org_id] = (now + CACHE_SECONDS, days)
        return days

    def forget(self, org_id: str) -> None:
        """It was changed just now."""
        self._days.pop(org_id, None)
