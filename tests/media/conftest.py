"""A running Roost beside a server that has media."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.copying import Copying
from support.databases import Database
from support.house import House
from support.media_server import MediaServer


@pytest.fixture
def server() -> Iterator[MediaServer]:
    with MediaServer() as listening:
        yield listening


@pytest.fixture
def copying(database: Database, tmp_path: Path, server: MediaServer) -> Iterator[Copying]:
    """It may reach that server; it copies when it is told to."""
    house = House(database, tmp_path / "data", allowed_networks="127.0.0.0/8", media_max_bytes=1 << 20).start()
    yield Copying(house, server)
    server.release()
    house.stop()
