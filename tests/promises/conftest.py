"""Fixtures of the promises: real server processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.databases import Database
from support.processes import Fleet


@pytest.fixture
def fleet(database: Database, tmp_path: Path) -> Iterator[Fleet]:
    """Server processes over each kind of database; none runs yet."""
    servers = Fleet(database, tmp_path)
    yield servers
    servers.close()
