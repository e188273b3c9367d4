"""Standing in the way of every writer of one organization, on PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg


@asynccontextmanager
async def held_counter(url: str, org_id: str) -> AsyncIterator[Any]:
    """A transaction that has locked the organization's counter until the end of the block, when it commits."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT last_us FROM positions WHERE org_id = $1 FOR UPDATE", org_id)
            yield connection
    finally:
        await connection.close()


async def somebody_waits(url: str) -> bool:
    """Whether anybody waits for a lock in this database now."""
    connection = await asyncpg.connect(url)
    try:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return bool(await connection.fetchval(sql))
    finally:
        await connection.close()
