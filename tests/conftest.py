"""Fixtures: every test of behaviour runs on SQLite and on a real PostgreSQL."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import databases
from support.databases import Database, PostgresDatabases, PostgresServer
from support.house import House

_STARTED = pytest.StashKey[PostgresServer]()

for _name in [name for name in os.environ if name.startswith("ROOST_") and name != databases.VARIABLE]:
    del os.environ[_name]  # a developer's own settings are nothing to the tests


def pytest_configure(config: pytest.Config) -> None:
    """One PostgreSQL for all test processes, started by the first; they find it in the environment."""
    if not hasattr(config, "workerinput") and databases.VARIABLE not in os.environ and not config.option.collectonly:
        config.stash[_STARTED] = PostgresServer(fsync=False)
        os.environ[databases.VARIABLE] = config.stash[_STARTED].url


def pytest_unconfigure(config: pytest.Config) -> None:
    if _STARTED in config.stash:
        config.stash[_STARTED].stop()
        del os.environ[databases.VARIABLE]


@pytest.fixture(autouse=True)
def _local_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sends a packet anywhere but to this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            pytest.fail(f"a test tried to reach {address!r}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _usual_recursion_limit() -> None:
    """As a server has it: a dependency of eth-account's lifts it so far that deep nesting would end the process."""
    sys.setrecursionlimit(1000)


@pytest.fixture
def postgres_server() -> str:
    """The URL of the real PostgreSQL."""
    return os.environ[databases.VARIABLE]


@pytest.fixture(scope="session")
def _postgres_databases() -> Iterator[PostgresDatabases]:
    """Of this test process."""
    made = PostgresDatabases(os.environ[databases.VARIABLE])
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database of each kind that nobody has stored anything in."""
    if request.param == "sqlite":
        yield Database("sqlite", "sqlite")
        return
    pool: PostgresDatabases = request.getfixturevalue("_postgres_databases")
    url = pool.take()
    yield Database("postgres", url)
    pool.give_back(url)


@pytest.fixture(params=["sqlite", "postgres"])
def new_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database of each kind that no Roost was started on before: it has not even a schema."""
    if request.param == "sqlite":
        yield Database("sqlite", "sqlite")
        return
    server = os.environ[databases.VARIABLE]
    url = databases.create_database(server)
    yield Database("postgres", url)
    databases.drop_database(server, url)


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    """A running Roost on each kind of database."""
    running = House(database, tmp_path / "data").start()
    yield running
    running.stop()
