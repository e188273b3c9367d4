"""A running Roost beside a receiver of webhooks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.databases import Database
from support.house import House
from support.receiver import Receiver
from support.telling import Telling


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


@pytest.fixture
def telling(database: Database, tmp_path: Path, receiver: Receiver) -> Iterator[Telling]:
    """It may reach that receiver, which has a second to answer; it tells when it is told to."""
    house = House(database, tmp_path / "data", allowed_networks="127.0.0.0/8", webhook_timeout=1).start()
    yield Telling(house, receiver)
    receiver.release()
    house.stop()
