"""What a transaction can do, whichever database it is in: the code of a change is written once, over this."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from roost.core.ids import RANDOM_BITS, uuid7

Row = tuple[Any, ...]


class Transaction(ABC):
    """All of it is durable once `Store.transact` returns, or nothing of it happened.

    Ids are bound as `UUID`s and come back in the database's own form (`id_text` reads both); truth values may come back
    as 0 and 1.
    """

    def __init__(self, clock: Callable[[], int], random_bits: Callable[[int], int]) -> None:
        self._clock = clock
        self._random_bits = random_bits
        self.newest_us = 0
        """The newest position that it gave."""

    @abstractmethod
    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """Rows of one statement."""

    @abstractmethod
    async def many(self, sql: str, rows: Sequence[Row]) -> None:
        """One statement for each row of arguments."""

    @abstractmethod
    async def _last_positions(self, org_ids: list[UUID]) -> list[Row]:
        """(org_id, last_us) of each, locked until the end of the transaction."""

    async def lock(self, *org_ids: str) -> dict[str, int]:
        """Lock the counters of the organizations and return the last position of each; nobody else writes there now.

        Whoever changes what readers follow, or what a send is decided by, holds the organization's counter. All that a
        transaction needs are locked at once, in sorted order, so that two never wait for each other.
        """
        rows = await self._last_positions([UUID(org_id) for org_id in sorted(set(org_ids))])
        return {(str(org_id) if isinstance(org_id, UUID) else str(UUID(bytes=org_id))): us for org_id, us in rows}

    def now(self) -> int:
        """The clock. Read after `lock`: a time from before could be older than what was committed since."""
        return self._clock()

    async def positions(self, org_id: str, last_us: int, count: int) -> list[int]:
        """The next `count` positions after `last_us`, which `lock` gave; each is max(now, last + 1)."""
        first = max(self.now(), last_us + 1)
        taken = list(range(first, first + count))
        await self.fetch("UPDATE positions SET last_us = $2 WHERE org_id = $1", UUID(org_id), taken[-1])
        self.newest_us = max(self.newest_us, taken[-1])
        return taken

    async def position(self, org_id: str) -> int:
        """Lock the organization's counter and take its next position."""
        last = await self.lock(org_id)
        return (await self.positions(org_id, last[org_id], 1))[0]

    def new_id(self, position_us: int | None = None) -> str:
        """A new id at a position, or at the present time for what nobody follows."""
        return uuid7(self.now() if position_us is None else position_us, self._random_bits(RANDOM_BITS))
