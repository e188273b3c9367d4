"""A house whose texts are sent, by loopback, at once; and an organization in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.databases import Database
from support.house import House, Tenant


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    running = House(database, tmp_path / "data", working=True, segments_per_second=0).start()
    yield running
    running.stop()


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(carrier="loopback", number="+15551112222")
