"""Leases: what one process at a time does for all."""

from typing import NamedTuple
from uuid import UUID

from roost.core.ids import RANDOM_BITS, uuid7
from roost.store.base import Store
from roost.store.sql import load

LEASE_US = 60 * 1_000_000
"""How long a lease is good for; whoever has it renews it much sooner."""

_SQL = load("leases.sql")


class Lease(NamedTuple):
    """A lease by its name, and who asks for it."""

    store: Store
    name: str
    holder: str

    async def take(self) -> bool:
        """Take it or renew it; False while another one has it. Raises StoreUnavailable."""
        now = self.store.clock()
        row = (self.name, UUID(self.holder), now + LEASE_US, now, now + 2 * LEASE_US)
        return bool(await self.store.write((_SQL["take_lease"], row)))

    async def give_back(self) -> None:
        """Another one may take it now. Raises StoreUnavailable."""
        await self.store.write((_SQL["end_lease"], (self.name, UUID(self.holder), self.store.clock())))

    async def until(self) -> int | None:
        """Until when somebody has it or last had it; None: nobody ever had. Raises StoreUnavailable."""
        rows = await self.store.fetch(_SQL["lease_until"], self.name)
        return rows[0][0] if rows else None


def new_lease(store: Store, name: str) -> Lease:
    """For one who never had it."""
    return Lease(store, name, uuid7(store.clock(), store.random_bits(RANDOM_BITS)))
