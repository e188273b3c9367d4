"""Pages of an organization's small tables: newest first, by id, with whatever filters were asked for."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from roost.core.ids import LAST_ID
from roost.store.base import Row, Store

T = TypeVar("T")

#: SQL with `{}` where its value belongs, and that value; a condition without a value has none.
Condition = tuple[str, *tuple[Any, ...]]


class PageOf(NamedTuple):
    """Which page: of one organization, before an id (exclusive)."""

    org_id: str
    limit: int
    below: str = LAST_ID


class Slice(NamedTuple, Generic[T]):
    """Up to `limit` items, and whether there are more beyond the last."""

    items: list[T]
    has_more: bool


async def newest_first(
    store: Store, select: str, page: PageOf, conditions: Sequence[Condition], read: Callable[[Row], T]
) -> Slice[T]:
    """`select` ends in `WHERE org_id = $1 AND id < $2`."""
    args: list[Any] = [UUID(page.org_id), UUID(page.below), page.limit + 1]
    sql = select
    for condition, *values in conditions:
        sql += " AND " + condition.format(*(f"${len(args) + place}" for place in range(1, len(values) + 1)))
        args += values
    rows = await store.fetch(f"{sql} ORDER BY id DESC LIMIT $3", *args)
    return Slice([read(row) for row in rows[: page.limit]], len(rows) > page.limit)
