"""Which carrier accounts there are, and up to when the carrier's own record of each has been read."""

from typing import NamedTuple
from uuid import UUID

from roost.core.ids import id_text
from roost.store.base import Store
from roost.store.sql import load
from roost.store.transaction import Row, Transaction

_SQL = load("backfills.sql")
#: Longer than any page takes; who is at it renews it with each.
LEASE_US = 300 * 1_000_000


class ListedAccount(NamedTuple):
    """A carrier account without its secrets."""

    org_id: str
    id: str
    carrier: str
    label: str
    created_at: int


class Backfills:
    """Reads and changes how far each account's record has been read."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def accounts(self, org_id: str | None = None) -> list[ListedAccount]:
        """Of one organization, or of all; oldest first."""
        rows = await (
            self._store.fetch(_SQL["accounts_of"], UUID(org_id)) if org_id else self._store.fetch(_SQL["accounts"])
        )
        return [ListedAccount(id_text(org), id_text(account), *rest) for org, account, *rest in rows]

    async def lease(self, account: ListedAccount) -> int | None:
        """Until when it has been read, at first when the account was made; None: somebody else is at it."""
        now = self._store.clock()
        rows = await self._write("lease", account, account.created_at, now + LEASE_US, now)
        return int(rows[0][0]) if rows else None

    async def renew(self, account: ListedAccount) -> None:
        """It goes on."""
        await self._write("renew", account, self._store.clock() + LEASE_US)

    async def complete(self, account: ListedAccount, until: int) -> None:
        """All until then has been read."""
        await self._write("complete", account, until)

    async def give_back(self, account: ListedAccount) -> None:
        """Nobody is at it any more."""
        await self._write("give_back", account)

    async def _write(self, name: str, account: ListedAccount, *args: int) -> list[Row]:
        async def work(transaction: Transaction) -> list[Row]:
            return await transaction.fetch(_SQL[name], UUID(account.org_id), UUID(account.id), *args)

        return await self._store.transact(work)
