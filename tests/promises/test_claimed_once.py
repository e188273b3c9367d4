"""Claims keep their promise through whatever ends workers, servers and the database: each text is done once."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from uuid import UUID

import pytest

from roost.core.ids import id_text
from support.carrier import Carrier, deliveries
from support.claimers import Claimer, Tally
from support.crashing import crash
from support.databases import Database
from support.processes import Fleet

TURNS, TEXTS_A_TURN, WORKERS = 4, 100, 6


@pytest.fixture
def fleet(own_database: Database, tmp_path: Path) -> Iterator[Fleet]:
    servers = Fleet(own_database, tmp_path)
    yield servers
    servers.close()


def test_each_text_is_acknowledged_once_whatever_ends_workers_servers_and_the_database(
    fleet: Fleet, own_database: Database
) -> None:
    servers = [fleet.serve() for _ in range({"sqlite": 1, "postgres": 2}[own_database.kind])]
    tenant, tally = fleet.tenant(), Tally()
    work = deliveries("text", TURNS * TEXTS_A_TURN, tenant.number.number, batch_every=7)
    with ExitStack() as running:
        carrier = running.enter_context(Carrier(tenant, [server.target for server in servers], work, connections=4))
        urls = [server.base_url for server in servers]
        workers = [Claimer(urls, tenant.auth, tally, seed).start() for seed in range(WORKERS)]
        for turn, server, number in zip(
            range(1, TURNS), cycle(servers), cycle([signal.SIGKILL, signal.SIGTERM]), strict=False
        ):
            tally.wait_until(turn * TEXTS_A_TURN)
            server.end(number)
            server.start()
            if own_database.kind == "postgres":
                crash(own_database.url)
        carrier.finish()
        tally.wait_until(len(carrier.sent))
        for worker in workers:
            worker.finish()
    assert set(tally.fences) == carrier.sent
    assert [text for text, fences in tally.fences.items() if len(fences) != 1] == []
    assert tally.deaths > 0
    assert tally.outdated > 0, "nobody was too late"
    assert tally.handed_out > len(carrier.sent), "nothing came back"
    assert fences_in(fleet, tenant.org.org_id) == tally.fences


def fences_in(fleet: Fleet, org_id: str) -> dict[str, set[int]]:
    """By the text of a message: the fence under which the database has it acknowledged."""
    sql = (
        "SELECT m.body, c.fence FROM claims c JOIN inbound_messages m ON m.org_id = c.org_id AND m.id = c.message_id "
        "WHERE c.org_id = $1 AND c.acked_at IS NOT NULL"
    )
    rows = fleet.wait(fleet.store.fetch(sql, UUID(id_text(org_id))))
    return {body: {fence} for body, fence in rows}
