"""One server for each database, and one browser at each."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from support.browser import Operator, chromium
from support.databases import Database
from support.house import House, Tenant


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def open_house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """It sends: by loopback, at once."""
    pool = request.getfixturevalue("_postgres_databases") if request.param == "postgres" else None
    url = pool.take() if pool else "sqlite"
    house = House(
        Database(request.param, url), tmp_path_factory.mktemp("page") / "data", working=True, copying=True
    ).start()
    yield house
    house.stop()
    if pool:
        pool.give_back(url)


@pytest.fixture(scope="module")
def browser(open_house: House) -> Iterator[Browser]:
    """It comes after the house and goes before it: meanwhile an event loop runs in this thread, which bears no other."""
    with chromium() as running:
        yield running


@pytest.fixture
def tenant(open_house: House) -> Tenant:
    return open_house.tenant(carrier="loopback")


@pytest.fixture
def operator(browser: Browser, open_house: House, tenant: Tenant) -> Iterator[Callable[..., Operator]]:
    """Somebody at a browser of their own; more than one, if a test wants."""
    made: list[Operator] = []

    def come(**options: Any) -> Operator:
        made.append(Operator(browser, open_house, tenant, **options))
        return made[-1]

    yield come
    for each in made:
        each.leave()
    assert [each.complaints for each in made if each.complaints] == []
