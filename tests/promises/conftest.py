"""Fixtures of the promises: real server processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.databases import Database, PostgresServer, create_database
from support.processes import Fleet
from support.receiver import REACHING_RECEIVERS


@pytest.fixture
def fleet(database: Database, tmp_path: Path) -> Iterator[Fleet]:
    """Server processes over each kind of database; none runs yet."""
    servers = Fleet(database, tmp_path, **REACHING_RECEIVERS)
    yield servers
    servers.close()


@pytest.fixture(params=["sqlite", "postgres"])
def own_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A PostgreSQL that no other test has, so that it may be brought down."""
    if request.param == "sqlite":
        yield Database("sqlite", "sqlite")
        return
    server = PostgresServer(fsync=False)
    yield Database("postgres", create_database(server.url))
    server.stop()
