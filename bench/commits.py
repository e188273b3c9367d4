"""Counting commits: how many deliveries a group commit held."""

from typing import Any

from roost.store.base import Store
from roost.store.committer import GroupCommitter
from roost.store.group import Delivery, Outcome


class Commits:
    """Counts those of a store that is not open yet. `max_group=1` makes it commit each delivery by itself."""

    def __init__(self, store: Store, max_group: int | None) -> None:
        self.commits = 0
        self.deliveries = 0
        inner: Any = store  # either kind of store; both have a committer
        record_group = inner._record_group

        async def counted(group: list[Delivery]) -> list[Outcome]:
            self.commits += 1
            self.deliveries += len(group)
            outcomes: list[Outcome] = await record_group(group)
            return outcomes

        inner._committer = GroupCommitter(counted) if max_group is None else GroupCommitter(counted, max_group=max_group)

    def counts(self) -> dict[str, int]:
        return {"commits": self.commits, "deliveries": self.deliveries}
