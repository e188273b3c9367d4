"""A house, and requests to it that wait."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.house import House
from support.reads import Reads


@pytest.fixture
def reads(house: House) -> Iterator[Reads]:
    with ThreadPoolExecutor(8) as pool:
        yield Reads(house, house.tenant(carrier="loopback"), pool)
