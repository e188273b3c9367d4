"""`roost outbox`: what an operator sees and decides."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.store.outbox import LEASE_US, lease
from support.commands import environment, roost, roost_json
from support.databases import Database
from support.house import House, Tenant
from support.outbound import CONTACT, send, stand_of


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    """Its worker has stopped, so that what is in the outbox stays there."""
    running = House(database, tmp_path / "data").start()
    running.wait(running.worker.stop())
    yield running
    running.stop()


@pytest.fixture
def env(database: Database, tmp_path: Path) -> dict[str, str]:
    return environment(database, tmp_path / "data")


def perhaps_sent(house: House, tenant: Tenant) -> str:
    message_id = send(house, tenant)
    house.wait(lease(house.store, tenant.org.org_id, 1, 0))
    house.clock.offset_us += LEASE_US
    house.wait(lease(house.store, tenant.org.org_id, 1, 0))
    return message_id


def test_an_operator_lists_the_outbox_and_decides_what_only_a_person_can(house: House, env: dict[str, str]) -> None:
    tenant = house.tenant(carrier="loopback")
    org = ("--org", tenant.org.org_id)
    doubtful = perhaps_sent(house, tenant)
    held = send(house, tenant, state="held")
    queued = send(house, tenant)
    listed = roost_json("outbox", "list", *org, env=env)
    assert [(row["id"], row["state"], row["status"]) for row in listed] == [
        (doubtful, "uncertain", "sending"),
        (held, "held", "queued"),
        (queued, "queued", "queued"),
    ]
    assert (listed[0]["from"], listed[0]["to"], listed[0]["attempts"]) == (tenant.number.number, CONTACT, 0)
    assert listed[0]["leased_at"] is not None
    assert [row["id"] for row in roost_json("outbox", "list", *org, "--state", "uncertain", env=env)] == [doubtful]
    assert roost("outbox", "list", *org, "--state", "waiting", env=env).stdout == "Nothing is in the outbox.\n"
    settled = roost_json("outbox", "settle", doubtful, "sent", *org, env=env)
    assert settled == {"id": doubtful, "org_id": tenant.org.org_id, "decision": "sent"}
    assert stand_of(house, tenant, doubtful).status == "sent"
    roost_json("outbox", "settle", held, "release", *org, env=env)
    assert stand_of(house, tenant, held).state == "queued"


@pytest.mark.parametrize(
    ("which", "decision", "line"),
    [
        ("queued", "sent", "is queued; sent is not for that"),
        ("queued", "retry", "is queued; retry is not for that"),
        ("none", "failed", "has no message"),
        ("no uuid", "failed", "a message id is a UUID, not 'no uuid'"),
        ("queued", "maybe", "Invalid value for"),
    ],
)
def test_what_cannot_be_decided_is_said_in_one_line(
    house: House, env: dict[str, str], which: str, decision: str, line: str
) -> None:
    tenant = house.tenant(carrier="loopback")
    ids = {"queued": send(house, tenant), "none": "01900000-0000-7000-8000-000000000000", "no uuid": "no uuid"}
    refused = roost("outbox", "settle", ids[which], decision, "--org", tenant.org.name, env=env)
    assert refused.returncode != 0
    assert line in refused.stderr


def test_another_organizations_message_is_nobodys(house: House, env: dict[str, str]) -> None:
    tenant, stranger = house.tenant(carrier="loopback"), house.tenant(carrier="loopback")
    message_id = perhaps_sent(house, tenant)
    refused = roost("outbox", "settle", message_id, "sent", "--org", stranger.org.org_id, env=env)
    assert "has no message" in refused.stderr
    assert roost_json("outbox", "list", "--org", stranger.org.org_id, env=env) == []
    assert stand_of(house, tenant, message_id).state == "uncertain"
