"""Counting commits: how many deliveries a group commit held."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from roost.store import postgres, sqlite
from roost.store.committer import GroupCommitter
from roost.store.group import Delivery, Outcome

Commit = Callable[[list[Delivery]], Awaitable[list[Outcome]]]


class Commits:
    """So many, of so many deliveries."""

    def __init__(self) -> None:
        self.commits = 0
        self.deliveries = 0

    def counting(self, commit: Commit) -> Commit:
        """The same, counted."""

        async def counted(group: list[Delivery]) -> list[Outcome]:
            self.commits += 1
            self.deliveries += len(group)
            return await commit(group)

        return counted

    def counts(self) -> dict[str, int]:
        return {"commits": self.commits, "deliveries": self.deliveries}


@contextmanager
def counted(max_group: int | None) -> Iterator[Commits]:
    """Counts what stores made meanwhile commit. `max_group=1` makes them commit each delivery by itself."""
    commits = Commits()
    bound = {} if max_group is None else {"max_group": max_group}

    def committer(commit: Commit, **options: Any) -> GroupCommitter[Delivery, Outcome]:
        return GroupCommitter(commits.counting(commit), **{**options, **bound})

    with patch.object(sqlite, "GroupCommitter", committer), patch.object(postgres, "GroupCommitter", committer):
        yield commits
