"""Sweeping in tests: a round of the real sweeper, without a rest."""

from typing import Any
from uuid import UUID

from roost.store.base import Store
from roost.sweeper import Sweeper
from support.house import House, Tenant

DAY_US = 24 * 3600 * 1_000_000


async def swept_in(store: Store) -> dict[str, int] | None:
    """How many rows went, by table; None while another one has the lease."""
    return await Sweeper(store, rest=0).sweep()


def sweep(house: House) -> dict[str, int]:
    """The same in the house, of the tables that lost any."""
    swept = house.wait(swept_in(house.store))
    assert swept is not None
    return {table: count for table, count in swept.items() if count}


def counted(house: House, tenant: Tenant, table: str) -> int:
    """Rows that the tenant's organization has in a table."""
    sql = f"SELECT count(*) FROM {table} WHERE org_id = $1"
    count: Any = house.wait(house.store.fetch(sql, UUID(tenant.org.org_id)))[0][0]
    return int(count)
