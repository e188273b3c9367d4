"""Every test of the client holds for both of them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.callers import Caller


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Caller]]:
    """Makes a client of a server; it is closed afterwards."""
    made: list[Caller] = []

    def connected(base_url: str, **options: Any) -> Caller:
        made.append(Caller(request.param, base_url, **options))
        return made[-1]

    yield connected
    for caller in made:
        caller.close()
