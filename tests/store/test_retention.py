"""The sweeper: every kind of row in its time, one process at a time, whatever ends it."""

import asyncio
import subprocess
import time
from pathlib import Path
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from roost import sweeper
from roost.core.retention import AUDIT_DAYS
from roost.store.connect import make_store
from roost.store.leases import LEASE_US, new_lease
from roost.sweeper import Sweeper, _Doubt
from support.agents import requested, texted_by
from support.commands import ROOST, environment, roost
from support.databases import Database
from support.house import House
from support.payloads import bandwidth_inbound, bandwidth_status
from support.sweeping import DAY_US, counted, sweep, swept_in

CONTACT = "+15554443333"
START_US = 1_800_000_000_000_000
MINUTE_US = 60_000_000


def at(house: House, days: int, more_us: int = 0) -> None:
    house.clock.frozen_us = START_US + days * DAY_US + more_us


def test_every_kind_of_row_goes_in_its_own_time_and_not_a_minute_sooner(house: House) -> None:
    at(house, 0)
    agent = texted_by(house, CONTACT)  # an inbound message and its key
    request_id = requested(house, agent, CONTACT)  # an outbound message in the outbox
    sent = house.http.get(f"/v1/requests/{request_id}", headers=agent.agent_header).json()
    assert sent["status"] == "processing"
    tenant = house.tenant()
    number = tenant.number.number
    house.deliver(
        tenant, [bandwidth_inbound("1", "+15550009999"), bandwidth_status("message-sent", "bw-1", CONTACT, number)]
    )
    key = {**tenant.auth, "Idempotency-Key": "k"}
    house.http.post("/v1/api-keys", json={"label": "x", "scopes": ["org:read"]}, headers=key)
    ids = (UUID(agent.org.org_id), UUID(agent.agent.id))
    nonce = "INSERT INTO proof_nonces (org_id, agent_id, nonce, expires_at) VALUES ($1, $2, $3, $4)"
    house.wait(house.store.write((nonce, (*ids, b"1", house.clock()))))
    logged = counted(house, tenant, "audit_log") + counted(house, agent, "audit_log")
    house.http.patch("/v1/organization", json={"message_retention_days": 60}, headers=tenant.auth)
    for days, more_us, expected in (
        (0, 3600_000_000, {}),
        (0, 3600_000_000 + 1, {"proof_nonces": 1}),
        (1, 0, {}),
        (1, 1, {"idempotency_keys": 1}),
        (30, 0, {}),
        (30, MINUTE_US, {"agent_requests": 1, "events": 1, "outbox": 1, "outbound_messages": 1, "inbound_messages": 1}),
        (60, 0, {}),
        (60, MINUTE_US, {"delivery_receipts": 1, "unrouted_deliveries": 1, "message_keys": 1}),
        (AUDIT_DAYS, 0, {}),
        (AUDIT_DAYS, MINUTE_US, {"audit_log": logged + 1}),
    ):
        at(house, days, more_us)
        assert sweep(house) == expected, (days, more_us)
    assert counted(house, agent, "consents") == counted(house, agent, "consent_events") == 1


def test_what_an_agent_was_told_goes_with_the_request(house: House) -> None:
    at(house, 0)
    agent = texted_by(house, CONTACT)
    request_id = requested(house, agent, CONTACT)
    [message] = house.outbound(agent)
    house.http.delete(f"/v1/messages/{message['id']}", headers=agent.auth)
    assert counted(house, agent, "notifications") == 1
    at(house, 30, MINUTE_US)
    swept = sweep(house)
    assert (swept["notifications"], swept["agent_requests"]) == (1, 1)
    assert house.http.get(f"/v1/requests/{request_id}", headers=agent.agent_header).status_code == 404


def test_a_request_outlives_its_message_by_a_moment_and_can_still_be_read(house: House) -> None:
    at(house, 0)
    agent = texted_by(house, CONTACT)
    request_id = requested(house, agent, CONTACT)
    house.wait(house.store.write(("DELETE FROM outbound_messages", ())))
    answer = house.http.get(f"/v1/requests/{request_id}", headers=agent.agent_header).json()
    assert (answer["status"], answer["result"]["details"][0]["error"]) == ("failed", "EXPIRED: it is no longer kept")


def texts(house: House, count: int, days_ago: int) -> None:
    """A tenant with so many texts that came so long ago."""
    tenant = house.tenant()
    house.clock.offset_us = -days_ago * DAY_US
    for start in range(0, count, 500):
        events = [bandwidth_inbound(f"{days_ago}-{n}", tenant.number.number) for n in range(start, start + 500)]
        assert house.deliver(tenant, events).json()["stored"] == 500
    house.clock.offset_us = 0


def left(house: House) -> int:
    rows = house.wait(house.store.fetch("SELECT count(*) FROM inbound_messages"))
    return int(rows[0][0])


def test_two_processes_sweep_once(house: House) -> None:
    texts(house, 1000, 31)
    beside = make_store(house.config, house.clock)

    async def together() -> list[dict[str, int] | None]:
        await beside.open()
        return await asyncio.gather(swept_in(house.store), swept_in(beside))

    swept = house.wait(together())
    try:
        assert sorted(swept, key=bool) == [None, {"inbound_messages": 1000}]
        other = new_lease(beside, "sweeper")
        assert house.wait(other.take())
        assert house.wait(swept_in(house.store)) is None
        house.clock.offset_us = LEASE_US
        assert house.wait(swept_in(house.store)) == {}, "its holder is gone"
        assert house.wait(other.take()), "it was given back"
        house.clock.offset_us = -LEASE_US * 2
        assert house.wait(swept_in(house.store)) == {}, "a lease from a clock that was ahead holds nobody up"
    finally:
        house.wait(beside.close())


def test_a_sweep_that_is_killed_goes_on(house: House, database: Database, tmp_path: Path) -> None:
    texts(house, 2000, 31)
    env = environment(database, tmp_path / "data")
    process = subprocess.Popen([ROOST, "retention", "sweep"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until = time.monotonic() + 30
    while left(house) == 2000 and time.monotonic() < until:
        time.sleep(0.001)
    process.kill()
    process.communicate(timeout=30)
    before = left(house)
    assert 0 < before < 2000
    refused = roost("retention", "sweep", env=env)
    assert (refused.returncode, "is sweeping" in refused.stderr) == (1, True), "its lease still stands"
    house.clock.offset_us = LEASE_US
    assert sweep(house) == {"inbound_messages": before}
    assert left(house) == 0


def test_the_sweeper_of_a_server_sweeps_round_after_round_until_it_is_stopped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "ROUND_SECONDS", 0.01)
    texts(house, 500, 31)

    async def run() -> None:
        running = Sweeper(house.store)
        running.start()
        async with asyncio.timeout(30):
            while (await house.store.fetch("SELECT count(*) FROM inbound_messages"))[0][0]:
                await asyncio.sleep(0.005)
        await running.stop()

    for _ in range(2):
        house.wait(run())
        texts(house, 500, 32)
    assert left(house) == 500


def test_a_clock_that_is_far_ahead_of_the_last_sweep_is_not_believed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = [0.0]
    monkeypatch.setattr(sweeper.time, "monotonic", lambda: ticks[0])
    now = [START_US]
    doubt = _Doubt(lambda: now[0])
    assert doubt.is_over(None), "nobody ever swept"
    assert doubt.is_over(START_US - 7 * DAY_US)
    now[0] += 365 * DAY_US
    assert not doubt.is_over(START_US)
    ticks[0] = 3599.0
    assert not doubt.is_over(START_US)
    assert not doubt.is_over(START_US + 1), "another process, whose clock is another, goes on sweeping"
    ticks[0] += 3599
    assert not doubt.is_over(START_US + 1)
    ticks[0] += 1
    assert doubt.is_over(START_US + 1), "it has been so for an hour"


def test_a_server_whose_clock_jumped_does_not_sweep(house: House) -> None:
    texts(house, 500, 0)
    assert sweep(house) == {}
    house.clock.offset_us = 365 * DAY_US

    async def run() -> None:
        running = Sweeper(house.store)
        with capture_logs() as logged:
            running.start()
            async with asyncio.timeout(30):
                while not logged:
                    await asyncio.sleep(0.005)
            await running.stop()
        assert [(entry["event"], entry["days"]) for entry in logged] == [("clock_jumped", 365)]

    house.wait(run())
    assert left(house) == 500
