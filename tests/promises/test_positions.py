"""Positions: ids and `received_at` strictly increase in commit order, whatever the clock does."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import CapturingLogger

from roost.core.ids import parse_ulid, position_of
from roost.core.message import Draft, InboundEvent, ReceiptEvent, UnknownEvent, draft
from roost.store import base
from roost.store.base import Store
from roost.store.errors import ContentRefused
from roost.store.group import Delivery, Outcome
from roost.store.postgres import PostgresStore
from roost.store.transaction import Transaction
from support.carrier import CREDENTIAL
from support.counters import held_counter, somebody_waits
from support.house import House, Tenant
from support.payloads import bandwidth_inbound, bandwidth_status
from support.pollers import whole_inbox
from support.wire import Wire

ON_POSTGRES = pytest.mark.parametrize("database", ["postgres"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
SECOND = 1_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
NOW = 1_780_000_000 * SECOND
#: Readings of a clock: around one time, so that it steps back and stands still, and far away from it.
READINGS = st.integers(NOW - HOUR, NOW + HOUR) | st.sampled_from([0, NOW, NOW + 1, 2**46 * 1000])


def one_text(tenant: Tenant, carrier_id: str, **changes: Any) -> Delivery:
    decided = draft(InboundEvent(carrier_id, "+15554443333", (tenant.number.number,), carrier_id, b"{}"))
    assert isinstance(decided, Draft)
    return Delivery(tenant.org.org_id, tenant.account.id, [decided._replace(**changes)], [], [])


def instant_in(message_id: str) -> str:
    """The time in an id, read from its bits as RFC 9562 lays them out, and no code of ours."""
    bits = UUID(message_id).int
    time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=bits >> 80, microseconds=bits >> 64 & 0xFFF)
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# ---- the next position is max(now, last + 1), per organization


class Counters(Transaction):
    """A transaction over counters in memory, with a clock that says what it is told."""

    def __init__(self, last: dict[str, int], bits: Callable[[int], int]) -> None:
        super().__init__(lambda: self.reading, bits)
        self.last, self.reading = last, 0
        self.locked: list[str] = []

    async def fetch(self, sql: str, *args: Any) -> list[Any]:
        raise NotImplementedError(sql)

    async def many(self, sql: str, rows: Any) -> None:
        raise NotImplementedError(sql)

    async def joined(self, sql: str, columns: str, rows: Any) -> list[Any]:
        raise NotImplementedError(sql)

    async def _last_positions(self, org_ids: list[UUID]) -> list[Any]:
        self.locked += map(str, org_ids)
        return [(org_id, self.last[str(org_id)]) for org_id in org_ids]

    async def _advance(self, counters: list[Any]) -> None:
        self.last.update({str(org_id): last for org_id, last in counters})


ORG_IDS = [str(UUID(int=number)) for number in (7, 5, 6)]


@given(
    st.lists(st.lists(st.tuples(READINGS, st.sampled_from(ORG_IDS)), max_size=6), min_size=1, max_size=12), st.data()
)
def test_positions_strictly_increase_whatever_the_clock_does(
    groups: list[list[tuple[int, str]]], data: st.DataObject
) -> None:
    last = {org_id: data.draw(READINGS) for org_id in ORG_IDS}
    written: dict[str, list[str]] = {org_id: [] for org_id in last}

    async def one_group(texts: list[tuple[int, str]]) -> None:
        tx = Counters(last, lambda bits: data.draw(st.integers(0, 2**bits - 1)))
        await tx.lock(*(org_id for _, org_id in texts))
        assert tx.locked == sorted({org_id for _, org_id in texts}), "locked in this order, two never deadlock"
        expected = dict(last)
        for reading, org_id in texts:
            tx.reading = reading
            message_id = tx.new_id(tx.take(org_id))
            expected[org_id] = max(reading, expected[org_id] + 1)
            assert position_of(message_id) == expected[org_id]
            written[org_id].append(message_id)
        await tx.finish()
        assert last == expected

    for texts in groups:
        asyncio.run(one_group(texts))
    for ids in written.values():
        assert all(one < next_one for one, next_one in pairwise(ids))


def test_what_is_stored_strictly_increases_whatever_the_clock_does(house: House) -> None:
    serial = iter(range(1_000_000))

    @settings(max_examples=15, deadline=None)
    @given(st.lists(READINGS, min_size=2, max_size=8))
    def hold(readings: list[int]) -> None:
        tenant = house.tenant()
        expected: list[int] = []
        for reading in readings:
            house.clock.frozen_us = reading
            outcome = house.wait(house.store.record(one_text(tenant, f"bw-{next(serial)}")))
            expected.append(max(reading, expected[-1] + 1) if expected else max(reading, 1))
            assert [position_of(message_id) for message_id in outcome.stored] == expected[-1:]
        house.clock.frozen_us = 0  # nothing is past its time yet
        found = whole_inbox(house.base_url, tenant.auth)[::-1]
        assert [position_of(message["id"]) for message in found] == expected
        assert [message["received_at"] for message in found] == [instant_in(message["id"]) for message in found]

    hold()


def test_both_dialects_show_the_same_128_bits_and_the_same_time(house: House) -> None:
    tenant = house.tenant(number="+15550001111")
    for index in range(20):
        house.deliver(tenant, [bandwidth_inbound(f"bw-{index}", "+15550001111")])
    in_a = whole_inbox(house.base_url, tenant.auth)
    in_b = house.http.get("/v1/tools/sms/inbox", headers=tenant.agent_header).json()["messages"]
    assert [message["id"] for message in in_a] == [parse_ulid(message["id"][4:]) for message in in_b]
    assert [message["received_at"] for message in in_a] == [message["received_at"] for message in in_b]
    assert [message["received_at"] for message in in_a] == [instant_in(message["id"]) for message in in_a]


# ---- the counter is the row, and whoever holds it goes first


def posted(house: House, tenant: Tenant) -> str:
    wire = Wire(house.base_url)
    body = json.dumps([bandwidth_inbound("bw-1", tenant.number.number)]).encode()
    answer = wire.post(tenant.webhook, body, CREDENTIAL)
    wire.close()
    [message_id] = answer.json()["ids"]
    return str(message_id)


@ON_POSTGRES
def test_on_postgres_a_writer_waits_for_whoever_holds_the_counter_and_goes_on_after_it(house: House) -> None:
    tenant, url = house.tenant(), house.config.database_url
    held_at = house.clock() + HOUR

    async def post_while_the_counter_is_held() -> str:
        async with held_counter(url, tenant.org.org_id) as holder:
            posting = asyncio.ensure_future(asyncio.to_thread(posted, house, tenant))
            while not await somebody_waits(url):
                assert not posting.done(), "it did not wait"
            await holder.execute("UPDATE positions SET last_us = $1 WHERE org_id = $2", held_at, tenant.org.org_id)
        return await posting

    assert position_of(asyncio.run(post_while_the_counter_is_held())) == held_at + 1


@ON_SQLITE
def test_on_sqlite_a_writer_goes_on_after_whoever_wrote_before_it(house: House) -> None:
    tenant = house.tenant()
    posted_before = position_of(house.wait(house.store.record(one_text(tenant, "bw-0"))).stored[0])
    held_at = posted_before + HOUR
    beside = apsw.Connection(str(house.config.data_dir / "roost.db"))
    with ThreadPoolExecutor(1) as pool:
        beside.execute("BEGIN IMMEDIATE")
        waiting = pool.submit(posted, house, tenant)
        beside.execute("UPDATE positions SET last_us = ? WHERE org_id = ?", (held_at, UUID(tenant.org.org_id).bytes))
        assert not waiting.done(), "it did not wait"
        beside.execute("COMMIT")
        assert position_of(waiting.result(60)) == held_at + 1
    beside.close()


# ---- a group split by organization, as a distributed database needs it


def rows_of(house: House, tenant: Tenant) -> dict[str, list[Any]]:
    """What one organization has, without what is random in it or its own."""

    def fetch(sql: str) -> list[tuple[Any, ...]]:
        return house.wait(house.store.fetch(f"{sql} WHERE org_id = $1 ORDER BY 1, 2", UUID(tenant.org.org_id)))

    return {
        "messages": [
            (position_of(str(row[0])), *row[1:])
            for row in fetch("SELECT id, body, carrier_message_id, raw FROM inbound_messages")
        ],
        "keys": [
            (position_of(str(row[0])), *row[1:])
            for row in fetch("SELECT message_id, carrier_message_id FROM message_keys")
        ],
        "receipts": fetch("SELECT event, carrier_message_id, received_at, raw FROM delivery_receipts"),
        "unrouted": fetch("SELECT delivery_key, reason, received_at, raw FROM unrouted_deliveries"),
        "counter": fetch("SELECT last_us, last_us FROM positions"),
    }


def split_store(house: House, *, split: bool) -> PostgresStore:
    store = PostgresStore(house.config.database_url, house.store.vault, house.clock, split_groups=split)
    house.wait(store.open())
    return store


async def recorded(store: Store, deliveries: list[Delivery]) -> list[Outcome | BaseException]:
    """All of them in one group: nothing is committed before the last of them waits."""
    return await asyncio.gather(*map(store.record, deliveries), return_exceptions=True)


@ON_POSTGRES
def test_a_group_split_by_organization_stores_the_same(house: House) -> None:
    kept: list[Any] = []
    for split in (False, True):
        store = split_store(house, split=split)
        tenants = [house.tenant() for _ in range(3)]
        house.clock.frozen_us = NOW
        deliveries = []
        for index in range(30):
            tenant = tenants[index % 3]
            delivery = one_text(tenant, f"bw-{index // 2}")  # each id twice, once for each of two organizations
            delivery.receipts.append(ReceiptEvent(f"bw-out-{index // 6}", "+15554443333", "sent", b"receipt"))
            delivery.unknown.append(UnknownEvent("unknown_event", b"event %d" % (index // 6)))
            deliveries.append(delivery)
        outcomes = [house.wait(recorded(store, part)) for part in (deliveries[:20], deliveries[10:])]
        counted = [(len(o.stored), *o[1:]) for group in outcomes for o in group if isinstance(o, Outcome)]
        assert len(counted) == 40
        kept.append([counted, *(rows_of(house, tenant) for tenant in tenants)])
        house.clock.frozen_us = None
        house.wait(store.close())
    whole, parts = kept
    assert parts == whole


@ON_POSTGRES
@pytest.mark.parametrize("split", [False, True])
def test_an_organization_is_answered_right_when_anothers_text_cannot_be_stored(house: House, split: bool) -> None:
    store = split_store(house, split=split)
    tenants = [house.tenant() for _ in range(3)]
    deliveries = [one_text(tenants[0], "bw-0"), one_text(tenants[1], "bw-1", body="\0"), one_text(tenants[2], "bw-2")]
    first, second, third = house.wait(recorded(store, deliveries))
    house.wait(store.close())
    assert isinstance(second, ContentRefused)
    for answer, tenant in ((first, tenants[0]), (third, tenants[2])):
        assert isinstance(answer, Outcome)
        assert answer.stored == [message["id"] for message in house.inbound(tenant)]
        assert len(answer.stored) == 1


# ---- the alarm


class Alarm:
    """What the log and the metric say about positions ahead of the clock."""

    def __init__(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        self._house = house
        self._log = CapturingLogger()
        monkeypatch.setattr(base, "log", self._log)

    def logged(self) -> list[tuple[str, Any, dict[str, Any]]]:
        return [(call.method_name, *call.args, call.kwargs) for call in self._log.calls]

    def ahead(self) -> float:
        lines = self._house.http.get("/metrics").text.splitlines()
        [value] = [line.split()[1] for line in lines if line.startswith("roost_position_ahead_seconds ")]
        return float(value)


@pytest.fixture
def alarm(house: House, monkeypatch: pytest.MonkeyPatch) -> Alarm:
    return Alarm(house, monkeypatch)


def stored_at(house: House, tenant: Tenant, now: int, carrier_id: str) -> int:
    """The position of a text delivered when the clock says `now`."""
    house.clock.frozen_us = now
    answer = house.deliver(tenant, [bandwidth_inbound(carrier_id, tenant.number.number)])
    assert answer.status_code == 200
    [message_id] = answer.json()["ids"]
    return position_of(message_id)


def test_a_position_five_minutes_ahead_of_the_clock_is_no_alarm(house: House, alarm: Alarm) -> None:
    tenant = house.tenant()
    stored_at(house, tenant, NOW + 5 * MINUTE - 1, "bw-0")
    assert stored_at(house, tenant, NOW, "bw-1") == NOW + 5 * MINUTE
    assert alarm.logged() == []
    assert alarm.ahead() == 300


def test_a_position_further_ahead_is_an_alarm_and_no_stop(house: House, alarm: Alarm) -> None:
    tenant = house.tenant()
    stored_at(house, tenant, NOW + 5 * MINUTE, "bw-0")
    assert stored_at(house, tenant, NOW, "bw-1") == NOW + 5 * MINUTE + 1
    assert alarm.logged() == [("error", "positions_ahead_of_clock", {"ahead_seconds": 300})]
    assert alarm.ahead() == 300.000001
    for index in range(2, 5):
        assert stored_at(house, tenant, NOW, f"bw-{index}") == NOW + 5 * MINUTE + index
    assert len(alarm.logged()) == 1, "not a line for every group"
    assert stored_at(house, tenant, NOW + MINUTE + 1, "bw-5") == NOW + 5 * MINUTE + 5
    assert stored_at(house, tenant, NOW - MINUTE - 1, "bw-6") == NOW + 5 * MINUTE + 6
    assert len(alarm.logged()) == 2, "again after a minute"
    assert len(house.inbound(tenant)) == 7


def test_the_metric_does_not_forget_what_is_ahead_when_something_else_is_stored(house: House, alarm: Alarm) -> None:
    tenant, other = house.tenant(), house.tenant()
    stored_at(house, tenant, NOW + HOUR, "bw-0")
    stored_at(house, tenant, NOW, "bw-1")
    assert alarm.ahead() >= 3600
    house.deliver(tenant, [bandwidth_status("message-sent", "bw-out", "+15554443333", tenant.number.number)])
    assert alarm.ahead() >= 3600
    stored_at(house, other, NOW, "bw-2")
    assert alarm.ahead() >= 3600


def test_the_metric_falls_as_the_clock_catches_up(house: House, alarm: Alarm) -> None:
    tenant = house.tenant()
    stored_at(house, tenant, NOW + HOUR, "bw-0")
    stored_at(house, tenant, NOW, "bw-1")
    house.clock.frozen_us = NOW + HOUR - MINUTE
    assert alarm.ahead() == 60.000001
    house.clock.frozen_us = NOW + 2 * HOUR
    assert alarm.ahead() == 0
