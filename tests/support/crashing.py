"""A PostgreSQL that is brought down."""

import asyncio
import os
import signal

import asyncpg
import pytest


def crash(url: str) -> None:
    """PostgreSQL ends every process of its own when one of them is killed, recovers from its log, and is there again
    (https://www.postgresql.org/docs/current/server-shutdown.html: never kill -9)."""

    async def killed() -> None:
        connection = await asyncpg.connect(url)
        os.kill(await connection.fetchval("SELECT pg_backend_pid()"), signal.SIGKILL)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await connection.fetchval("SELECT pg_sleep(30)")
        while True:
            try:
                await (await asyncpg.connect(url)).close()
            except (asyncpg.PostgresError, OSError):  # it is still recovering
                await asyncio.sleep(0.01)
            else:
                return

    asyncio.run(killed())
