"""What a transaction can do, whichever database it is in: the code of a change is written once, over this."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from roost.core.ids import RANDOM_BITS, id_text, uuid7

Row = tuple[Any, ...]


class Reader(Protocol):
    """A store or a transaction."""

    async def fetch(self, sql: str, *args: Any) -> list[Row]: ...

    async def joined(self, sql: str, columns: str, rows: Sequence[Row]) -> list[Row]: ...


class Transaction(ABC):
    """All of it is durable once `Store.transact` returns, or nothing of it happened.

    Ids are bound as `UUID`s and come back in the database's own form (`id_text` reads both); truth values may come back
    as 0 and 1.
    """

    def __init__(self, clock: Callable[[], int], random_bits: Callable[[int], int]) -> None:
        self._clock = clock
        self._random_bits = random_bits
        self._last: dict[str, int] = {}
        self._taken: set[str] = set()
        self.newest_us = 0
        """The newest position that was taken, or 0."""
        self.moved: set[str] = set()
        """The organizations whose counters it has moved."""

    @abstractmethod
    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """Rows of one statement."""

    @abstractmethod
    async def many(self, sql: str, rows: Sequence[Row]) -> None:
        """One statement for each row of arguments."""

    @abstractmethod
    async def joined(self, sql: str, columns: str, rows: Sequence[Row]) -> list[Row]:
        """Rows of a query that reads from `wanted`, which has the given rows; `columns` are "name type, ...".

        One statement on PostgreSQL, and one for each row on SQLite, where nothing is saved by having fewer.
        """

    @abstractmethod
    async def _last_positions(self, org_ids: list[UUID]) -> list[Row]:
        """(org_id, last_us) of each, locked until the end of the transaction."""

    async def lock(self, *org_ids: str) -> None:
        """Lock the counters of the organizations: nobody else writes there until this transaction has ended.

        Whoever changes what readers follow, or what a send is decided by, holds the organization's counter. All that a
        transaction needs are locked at once, in sorted order, so that two never wait for each other. One that is locked
        already stays as far as it has come, which is not written down yet.
        """
        new = sorted(set(org_ids) - self._last.keys())
        for org_id, last_us in await self._last_positions([UUID(org_id) for org_id in new]) if new else ():
            self._last[id_text(org_id)] = last_us

    def locked(self, last: Mapping[str, int]) -> None:
        """The counters were locked by a statement of the caller's, and this was the last position of each."""
        self._last.update(last)

    def now(self) -> int:
        """The clock. Read after `lock`: a time from before could be older than what was committed since."""
        return self._clock()

    def take(self, org_id: str) -> int:
        """The next position of an organization that is locked: max(now, last + 1)."""
        self._last[org_id] = position = max(self.now(), self._last[org_id] + 1)
        self._taken.add(org_id)
        self.newest_us = max(self.newest_us, position)
        return position

    async def position(self, org_id: str) -> int:
        """Lock one organization and take its next position."""
        if org_id not in self._last:
            await self.lock(org_id)
        return self.take(org_id)

    async def finish(self) -> None:
        """Write down how far the counters have come: before the commit."""
        taken = self.unwritten()
        if taken:
            await self._advance(taken)

    def unwritten(self) -> list[Row]:
        """(org_id, last_us) of the counters that have moved, which whoever asks writes down now."""
        rows = [(UUID(org_id), self._last[org_id]) for org_id in sorted(self._taken)]
        self.moved |= self._taken
        self._taken.clear()
        return rows

    @abstractmethod
    async def _advance(self, counters: list[Row]) -> None:
        """Write them down."""

    def new_id(self, position_us: int | None = None) -> str:
        """A new id at a position, or at the present time for what nobody follows."""
        return uuid7(self.now() if position_us is None else position_us, self._random_bits(RANDOM_BITS))
