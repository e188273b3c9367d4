"""A client that follows, while the server is killed again and again."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from roost.client import BEGINNING
from support.callers import Caller
from support.carrier import Carrier, deliveries
from support.databases import Database
from support.processes import Fleet

KILLS, TEXTS = 3, 300


@pytest.fixture
def fleet(database: Database, tmp_path: Path) -> Iterator[Fleet]:
    servers = Fleet(database, tmp_path)
    yield servers
    servers.close()


def test_a_follower_gets_each_text_once_while_the_server_is_killed_and_comes_back(
    fleet: Fleet, connect: Callable[..., Caller]
) -> None:
    tenant, server = fleet.tenant(), fleet.serve()
    roost = connect(server.base_url, api_key=tenant.key)
    seen: list[str] = []
    follower = threading.Thread(
        target=lambda: seen.extend(
            message.body for message in roost.take(lambda client: client.inbound.follow(after=BEGINNING), TEXTS)
        ),
        daemon=True,
    )
    follower.start()
    work = deliveries("text", TEXTS, tenant.number.number)
    with Carrier(tenant, [server.target], work, connections=4) as carrier:
        for kill in range(KILLS):
            carrier.wait_until((kill + 1) * TEXTS // (KILLS + 1))
            server.kill()
            server.start()
        carrier.finish()
    follower.join(60)
    assert sorted(seen) == sorted(carrier.sent)
    listed = roost.take(lambda client: client.inbound.list(page_size=7))
    assert [message.body for message in listed] == seen[::-1]
