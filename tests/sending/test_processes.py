"""Real server processes: several at one outbox, one that is killed in the middle of a send, one that is told to stop."""

import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from roost.worker import SHARES
from support.bandwidth_api import BandwidthApi, Reply
from support.credentials import SECRETS
from support.databases import Database
from support.outbound import is_settled, send, send_many, stand_of, until
from support.processes import Fleet


@pytest.fixture
def fleet(database: Database, tmp_path: Path, api: BandwidthApi) -> Iterator[Fleet]:
    servers = Fleet(database, tmp_path, ROOST_BANDWIDTH_URL=api.base_url, ROOST_SEGMENTS_PER_SECOND="0")
    yield servers
    api.release()
    servers.close()


def until_refused(base_url: str) -> None:
    """Return once nobody is let in any more: by then it has stopped taking from the outbox too."""
    while True:
        try:
            httpx.get(f"{base_url}/healthz")
        except httpx.TransportError:
            return


def test_two_processes_at_one_outbox_send_nothing_twice(fleet: Fleet, api: BandwidthApi) -> None:
    tenant = fleet.tenant(secrets=SECRETS)
    fleet.serve()
    fleet.serve()
    ids = send_many(fleet, tenant, [f"+1555{number:07}" for number in range(300)])
    api.wait_for_posts(300)
    for message_id in ids:
        assert until(fleet, tenant, message_id, is_settled).status == "sent"
    assert sorted(post["tag"] for post in api.posts) == sorted(ids)


def test_what_a_killed_process_was_sending_is_uncertain_and_the_rest_is_sent(fleet: Fleet, api: BandwidthApi) -> None:
    tenant = fleet.tenant(secrets=SECRETS)
    share = SHARES[fleet.store.dialect]
    api.script.extend([Reply(how="hang")] * share)
    ids = send_many(fleet, tenant, [f"+1555{number:07}" for number in range(share + 24)])
    server = fleet.serve()
    api.wait_for_posts(share)
    server.kill()
    # Its leases run out: in the test, by the database's word for it.
    run_out = "UPDATE outbox SET due_at = 0 WHERE org_id = $1 AND state = 'leased'"
    fleet.wait(fleet.store.write((run_out, (UUID(tenant.org.org_id),))))
    api.records.clear()
    server.start()
    api.wait_for_posts(share + 24)
    for message_id in ids[share:]:
        assert until(fleet, tenant, message_id, is_settled).status == "sent"
    for message_id in ids[:share]:
        assert stand_of(fleet, tenant, message_id)[0::3] == ("uncertain", "sending", None)
    assert sorted(post["tag"] for post in api.posts) == sorted(ids)
    assert '"leases_ran_out"' in server.log.read_text()


def test_a_process_that_is_told_to_stop_finishes_what_is_in_flight_and_leaves_the_rest_queued(
    fleet: Fleet, api: BandwidthApi
) -> None:
    tenant = fleet.tenant(secrets=SECRETS)
    api.script.append(Reply(wait=True))
    first, second = send(fleet, tenant, body="one, in private"), send(fleet, tenant)
    server = fleet.serve()
    api.wait_for_posts(1)
    server.signal(signal.SIGTERM)
    until_refused(server.base_url)
    api.release()
    assert server.wait() == 0
    assert stand_of(fleet, tenant, first).status == "sent"
    assert stand_of(fleet, tenant, second).state == "queued"
    logged = server.log.read_text()
    assert "in private" not in logged
    assert "+1555" not in logged
