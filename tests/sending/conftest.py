"""A running Roost whose carrier is a server beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.bandwidth_api import BandwidthApi
from support.credentials import SECRETS
from support.databases import Database
from support.house import House, Tenant


@pytest.fixture
def api() -> Iterator[BandwidthApi]:
    with BandwidthApi() as listening:
        yield listening


@pytest.fixture
def house(database: Database, tmp_path: Path, api: BandwidthApi) -> Iterator[House]:
    """It sends to the server beside it, at whatever pace that takes."""
    running = House(
        database, tmp_path / "data", working=True, bandwidth_url=api.base_url, segments_per_second=0
    ).start()
    yield running
    api.release()
    running.stop()


@pytest.fixture
def tenant(house: House, api: BandwidthApi) -> Tenant:
    made = house.tenant(secrets=SECRETS)
    api.webhook_url = house.base_url + made.webhook
    return made
