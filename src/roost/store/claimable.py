"""What there is to claim: what nobody has claimed yet, and what came back.

The first lies after a place, which only goes forwards: messages are committed in the order of their ids. The second is found
among the claims that are open, of which there are no more than `MAX_LEASED`.
"""

from functools import lru_cache
from uuid import UUID

from roost.core.claims import MAX_LEASE_SECONDS, ClaimFilters, Wanted
from roost.core.ids import FIRST_ID, id_text
from roost.store.listing import index_of
from roost.store.sql import load
from roost.store.transaction import Reader

_PLACE = load("claims.sql")["place"]
#: Of messages that others have claimed already with other filters, so many are passed at once, and so many in one transaction.
_STRIDE, _MOST_PASSED = 500, 10_000


class Claimable:
    """What there is to claim, as a store or a transaction sees it."""

    def __init__(self, reader: Reader, wanted: Wanted) -> None:
        self._reader, self._wanted = reader, wanted
        filters = wanted.filters._asdict()
        self._columns = tuple(name for name, value in filters.items() if value is not None)
        self._values = [_bound(wanted.filters, name) for name in self._columns]
        self._names = (UUID(wanted.org_id), wanted.queue)

    async def has_any(self, now: int) -> bool:
        """Whether there may be anything to claim."""
        if await self.returned(now, 1):
            return True
        return bool(await self._after(await self._place(), 1))

    async def returned(self, now: int, limit: int) -> list[str]:
        """The oldest whose lease ran out or that were given back. A lease that lasts longer than any does was written by a clock
        that was wrong, and is over."""
        times = (now, now + MAX_LEASE_SECONDS * 1_000_000)
        sql = _returned_sql(self._columns)
        rows = await self._reader.fetch(sql, *self._names, *times, UUID(self._wanted.above), limit, *self._values)
        return [id_text(row[0]) for row in rows]

    async def passed(self, wanted: int) -> tuple[list[tuple[str, bool]], bool]:
        """What comes after the place and whether each is free, until so many are; and whether there is more."""
        passed: list[tuple[str, bool]] = []
        after, free, stride = await self._place(), 0, wanted
        while True:
            found = await self._after(after, stride)
            passed += found
            free += sum(is_free for _, is_free in found)
            has_more = len(found) == stride
            if not has_more or free >= wanted or len(passed) >= _MOST_PASSED:
                return passed, has_more
            after, stride = passed[-1][0], _STRIDE

    async def _place(self) -> str:
        rows = await self._reader.fetch(_PLACE, *self._names, self._wanted.filters.name)
        return max(self._wanted.above, id_text(rows[0][0]) if rows else FIRST_ID)

    async def _after(self, place: str, limit: int) -> list[tuple[str, bool]]:
        rows = await self._reader.fetch(_after_sql(self._columns), *self._names, UUID(place), limit, *self._values)
        return [(id_text(message_id), bool(is_free)) for message_id, is_free in rows]


def _bound(filters: ClaimFilters, name: str) -> UUID | str:
    value: str = getattr(filters, name)
    return UUID(value) if name.endswith("_id") else value


def _narrowed(columns: tuple[str, ...], start: int) -> str:
    return "".join(f" AND m.{column} = ${number}" for number, column in enumerate(columns, start=start))


@lru_cache
def _returned_sql(columns: tuple[str, ...]) -> str:
    return (
        "SELECT c.message_id FROM claims c /* sqlite: INDEXED BY claims_open */ "  # noqa: S608 - the names are ours
        "WHERE c.org_id = $1 AND c.queue = $2 AND c.acked_at IS NULL AND (c.until <= $3 OR c.until > $4) "
        "AND c.message_id > $5 AND (SELECT 1 FROM inbound_messages m "
        f"WHERE m.org_id = c.org_id AND m.id = c.message_id{_narrowed(columns, 7)}) = 1 ORDER BY c.message_id LIMIT $6"
    )


@lru_cache
def _after_sql(columns: tuple[str, ...]) -> str:
    """Texts of blocked senders are passed over: they are never pushed.

    A value of another table is looked up for each row: PostgreSQL would read all of it to join a few.
    """
    index = index_of(columns)
    hint = f"/* sqlite: INDEXED BY {index} */ " if index else ""
    claimed = "SELECT c.fence FROM claims c WHERE c.org_id = m.org_id AND c.message_id = m.id AND c.queue = $2"
    return (
        f"SELECT m.id, NOT m.blocked AND ({claimed}) IS NULL FROM inbound_messages m {hint}"  # noqa: S608
        f"WHERE m.org_id = $1 AND m.id > $3{_narrowed(columns, 5)} ORDER BY m.id LIMIT $4"
    )
