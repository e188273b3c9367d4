"""Who goes first: urgent ones, the oldest, each number at its own pace, and no organization at another's cost."""

from functools import partial
from uuid import UUID

import pytest

from roost.store.outbox import due_organizations, lease
from roost.store.settling import settle_accepted, settle_all
from roost.worker import SHARES
from support.bandwidth_api import BandwidthApi, Reply
from support.credentials import SECRETS
from support.house import House, Tenant
from support.outbound import is_settled, send, send_many, until


def contacts(count: int) -> list[str]:
    return [f"+1555{number:07}" for number in range(count)]


@pytest.fixture
def idle(house: House) -> House:
    house.wait(house.worker.stop())
    return house


def taken(house: House, tenant: Tenant, limit: int, rate: float = 0) -> list[str]:
    return [leased.message_id for leased in house.wait(lease(house.store, tenant.org.org_id, limit, rate)).to_send]


def test_a_quiet_organizations_message_leaves_though_another_has_thousands_queued(
    house: House, tenant: Tenant, api: BandwidthApi
) -> None:
    share = SHARES[house.store.dialect]
    api.script.extend([Reply(wait=True)] * share)
    send_many(house, tenant, contacts(3000))
    api.wait_for_posts(share)  # all that one organization may have in flight, and none of it is answered
    quiet = house.tenant(secrets=SECRETS)
    message_id = send(house, quiet)
    posts = api.wait_for_posts(share + 1)
    assert posts[share]["tag"] == message_id
    assert until(house, quiet, message_id, is_settled).status == "sent"
    assert len(api.posts) == share + 1


def test_urgent_ones_go_first_then_the_oldest(idle: House, tenant: Tenant) -> None:
    first, second, third = send_many(idle, tenant, contacts(3))
    urgent = send(idle, tenant, to="+15559999999", rank=0)
    assert taken(idle, tenant, 3) == [urgent, first, second]
    assert taken(idle, tenant, 3) == [third]


def test_a_contact_has_one_message_in_flight_and_holds_nobody_else_up(idle: House, tenant: Tenant) -> None:
    ids = send_many(idle, tenant, ["+15550000001"] * 50 + ["+15550000002"])
    assert taken(idle, tenant, 16) == [ids[0]]
    assert taken(idle, tenant, 16) == [ids[50]]
    assert taken(idle, tenant, 16) == []


@pytest.mark.parametrize(("rate", "segments"), [(100, 1), (10, 1), (10, 3), (1, 1)])
def test_a_number_sends_no_faster_than_its_segments_a_second(
    idle: House, tenant: Tenant, rate: int, segments: int
) -> None:
    """Whoever leases, and however often: in no second it sends more, and it does not send much less."""
    send_many(idle, tenant, contacts(400), segment_count=segments)
    start = idle.clock.frozen_us = idle.clock()
    sent: list[int] = []
    for step in range(400):
        idle.clock.frozen_us = start + step * 10_000
        sent += [step] * len(taken(idle, tenant, 16, rate))
    per_second = [sum(second <= step < second + 100 for step in sent) * segments for second in range(300)]
    assert max(per_second) <= max(rate + segments - 1, segments)
    assert len(sent) * segments >= rate * 4 * 0.9


def test_a_numbers_own_rate_counts_and_other_numbers_do_not_wait_for_it(idle: House, tenant: Tenant) -> None:
    slow = "UPDATE numbers SET segments_per_second = 0.5 WHERE org_id = $1"
    idle.wait(idle.store.write((slow, (UUID(tenant.org.org_id),))))
    number = idle.wait(
        idle.directory.add_number(tenant.org.org_id, "+15558880000", tenant.account.id, tenant.agent.id, "")
    )
    assert number is not None
    idle.clock.frozen_us = idle.clock()
    slow_ids = send_many(idle, tenant, contacts(5))
    assert taken(idle, tenant, 16) == slow_ids[:1]
    assert idle.wait(due_organizations(idle.store)) == []
    tenant.number = number
    fast_ids = send_many(idle, tenant, contacts(5))
    assert idle.wait(due_organizations(idle.store)) == [tenant.org.org_id]
    assert taken(idle, tenant, 16) == fast_ids
    idle.clock.frozen_us += 2_000_000
    assert taken(idle, tenant, 16) == slow_ids[1:2]


def test_many_numbers_all_come_to_their_turn(idle: House, tenant: Tenant) -> None:
    ids = []
    for count in range(70):
        number = idle.wait(
            idle.directory.add_number(tenant.org.org_id, f"+1555777{count:04}", tenant.account.id, None, "")
        )
        assert number is not None
        tenant.number = number
        ids += send_many(idle, tenant, contacts(1))
    seen: list[str] = []
    for _ in range(200):
        batch = idle.wait(lease(idle.store, tenant.org.org_id, 16, 0)).to_send
        seen += [leased.message_id for leased in batch]

        settlements = [
            (leased, partial(settle_accepted, leased=leased, carrier_message_id=leased.message_id)) for leased in batch
        ]
        assert all(idle.wait(settle_all(idle.store, settlements)))
        if len(seen) == len(ids):
            break
    assert sorted(seen) == sorted(ids)
