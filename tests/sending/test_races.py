"""Races by name: an opt-out, a second worker, an early receipt or a killed process between any two steps of a send."""

import asyncio
from uuid import UUID

import pytest

from roost.core.ids import parse_uuid, position_of, ulid_of
from roost.core.times import rfc3339
from roost.store.consent import Evidence, Pair, record_opt_out
from roost.store.outbox import LEASE_US, Leased, lease, still_wanted
from roost.store.settling import (
    Decision,
    Settle,
    decide,
    settle_accepted,
    settle_all,
    settle_found,
    settle_not_sent,
    settle_uncertain,
    settle_unsent,
)
from roost.store.transaction import Transaction
from roost.worker import Worker
from support.bandwidth_api import BandwidthApi, Reply
from support.house import House, Tenant
from support.outbound import CONTACT, Stand, is_settled, send, send_many, stand_of, tell, until, wake
from support.payloads import bandwidth_inbound

OTHER = "+15550001111"
DAY_US = 24 * 3600 * 1_000_000


@pytest.fixture
def idle(house: House) -> House:
    """A house whose own worker has stopped, so that each step is the test's."""
    house.wait(house.worker.stop())
    return house


def lease_one(house: House, tenant: Tenant) -> Leased:
    batch = house.wait(lease(house.store, tenant.org.org_id, 16, 0))
    [leased] = batch.to_send
    return leased


def settle(house: House, leased: Leased, settle_it: Settle) -> bool:
    """Whether it was still its owner's."""
    [settled] = house.wait(settle_all(house.store, [(leased, settle_it)]))
    return settled


def opt_out(house: House, tenant: Tenant, scope: str = "number", number: str | None = None) -> None:
    async def work(tx: Transaction) -> None:
        pair = Pair(tenant.org.org_id, tenant.number.id, number or tenant.number.number, CONTACT)
        await record_opt_out(tx, pair, Evidence("inbound_reply", "sms_keyword", "STOP"), scope)  # type: ignore[arg-type]

    house.wait(house.store.transact(work))


async def run_worker(house: House) -> None:
    """Another worker, until what it found due is settled."""
    worker = Worker(house.store, house.outside)
    await worker.take_due()
    await worker.stop()


def test_a_stop_stored_while_the_worker_holds_the_lease_keeps_the_text_from_leaving(
    idle: House, tenant: Tenant, api: BandwidthApi
) -> None:
    message_id = send(idle, tenant)
    leased = lease_one(idle, tenant)
    assert idle.wait(still_wanted(idle.store, leased)) is None
    opt_out(idle, tenant)
    reason = idle.wait(still_wanted(idle.store, leased))
    assert reason == "CONSENT_REQUIRED"
    assert settle(idle, leased, lambda group: settle_unsent(group, leased, reason))
    assert stand_of(idle, tenant, message_id)[:6] == (None, None, None, "failed", None, "CONSENT_REQUIRED")
    assert api.posts == []


def test_a_stop_stored_while_the_carrier_has_the_text_keeps_it_from_being_tried_again(
    house: House, tenant: Tenant, api: BandwidthApi
) -> None:
    house.clock.frozen_us = house.clock()
    api.script.append(Reply(503, wait=True))
    message_id = send(house, tenant)
    api.wait_for_posts(1)
    opt_out(house, tenant)
    api.release()
    stand = until(house, tenant, message_id, is_settled)
    assert (stand.status, stand.error_code) == ("failed", "CONSENT_REQUIRED")
    assert len(api.posts) == 1


@pytest.mark.parametrize(
    ("settings", "wanted"), [(None, None), ('{"opt_out_scope": "organization"}', "CONSENT_REQUIRED")]
)
def test_an_opt_out_from_another_number_counts_where_the_organization_says_so(
    idle: House, tenant: Tenant, settings: str | None, wanted: str | None
) -> None:
    update = "UPDATE organizations SET settings = $2 WHERE org_id = $1"
    idle.wait(idle.store.write((update, (UUID(tenant.org.org_id), settings))))
    send(idle, tenant)
    leased = lease_one(idle, tenant)
    opt_out(idle, tenant, number="+15550007777")
    assert idle.wait(still_wanted(idle.store, leased)) == wanted


def test_the_confirmation_of_an_opt_out_leaves_after_it(house: House, tenant: Tenant, api: BandwidthApi) -> None:
    opt_out(house, tenant)
    confirmation = send(house, tenant, body="You are opted out.", purpose="auto_reply")
    assert until(house, tenant, confirmation, is_settled).status == "sent"
    text = send(house, tenant)
    assert until(house, tenant, text, is_settled).error_code == "CONSENT_REQUIRED"
    assert [post["tag"] for post in api.posts] == [confirmation]


def test_what_is_cancelled_or_too_late_never_leaves(idle: House, tenant: Tenant, api: BandwidthApi) -> None:
    cancelled = send(idle, tenant)
    leased = lease_one(idle, tenant)
    cancel = "UPDATE outbox SET withdrawn = 'CANCELED' WHERE org_id = $1 AND message_id = $2"
    idle.wait(idle.store.write((cancel, leased.key)))
    assert idle.wait(still_wanted(idle.store, leased)) == "CANCELED"
    assert settle(idle, leased, lambda group: settle_unsent(group, leased, "CANCELED"))
    assert stand_of(idle, tenant, cancelled).error_code == "CANCELED"
    soon = send(idle, tenant, expires_at=idle.clock() + 1_000_000)
    late = lease_one(idle, tenant)
    idle.clock.offset_us += 2_000_000
    assert idle.wait(still_wanted(idle.store, late)) == "EXPIRED"
    assert settle(idle, late, lambda group: settle_unsent(group, late, "EXPIRED"))
    assert stand_of(idle, tenant, soon).error_code == "EXPIRED"
    never_leased = send(idle, tenant, expires_at=idle.clock() - 1)
    assert idle.wait(lease(idle.store, tenant.org.org_id, 16, 0)).to_send == []
    assert stand_of(idle, tenant, never_leased)[3:6] == ("failed", None, "EXPIRED")


def test_a_conversation_keeps_its_order_also_when_its_first_text_has_to_wait(
    house: House, tenant: Tenant, api: BandwidthApi
) -> None:
    house.clock.frozen_us = house.clock()
    api.script.append(Reply(503))
    first, second = (send(house, tenant, body=body) for body in ("one", "two"))
    stand = until(house, tenant, first, lambda stand: stand.state == "waiting")
    assert stand_of(house, tenant, second).state == "queued"
    assert stand.due_at is not None
    house.clock.frozen_us = stand.due_at
    api.wait_for_posts(3)
    assert [post["text"] for post in api.posts] == ["one", "one", "two"]
    until(house, tenant, second, is_settled)


def test_while_a_text_waits_to_be_tried_again_only_its_own_contact_waits_with_it(idle: House, tenant: Tenant) -> None:
    now = idle.clock.frozen_us = idle.clock()
    send(idle, tenant)
    leased = lease_one(idle, tenant)._replace(attempts=9)
    _, other = send(idle, tenant), send(idle, tenant, to=OTHER)
    most = (1 << 30) - 1
    assert settle(idle, leased, lambda group: settle_not_sent(group, leased, "HTTP_503", "", None, most))
    due_at = stand_of(idle, tenant, leased.message_id).due_at
    assert due_at is not None
    assert 500_000_000 < due_at - now <= 512_000_000
    assert idle.wait(lease(idle.store, tenant.org.org_id, 16, 0)).to_send == []  # the number rests for a moment
    idle.clock.frozen_us += 5_000_000
    assert lease_one(idle, tenant).message_id == other
    idle.clock.frozen_us = due_at
    assert lease_one(idle, tenant).message_id == leased.message_id


def test_a_lease_that_ran_out_before_the_text_left_is_taken_again(idle: House, tenant: Tenant) -> None:
    """A process that was held up, such as by a laptop's lid, does not send late; and it knows that it did not send."""
    message_id = send(idle, tenant)
    leased = lease_one(idle, tenant)
    idle.clock.offset_us += LEASE_US
    assert idle.wait(still_wanted(idle.store, leased)) == "LEASE_LOST"
    assert settle(idle, leased, lambda group: settle_unsent(group, leased, "LEASE_LOST"))
    assert stand_of(idle, tenant, message_id).state == "waiting"
    again = lease_one(idle, tenant)
    assert (again.message_id, again.attempts) == (message_id, 0)
    assert again.lease != leased.lease
    assert not settle(idle, leased, lambda group: settle_unsent(group, leased, "LEASE_LOST"))


def test_two_workers_on_one_outbox_send_nothing_twice(house: House, tenant: Tenant, api: BandwidthApi) -> None:
    async def second_worker() -> Worker:
        worker = Worker(house.store, house.outside)
        worker.start()
        return worker

    second = house.wait(second_worker())
    ids = send_many(house, tenant, [f"+1555222{number:04}" for number in range(200)])
    api.wait_for_posts(200)
    for message_id in ids:
        until(house, tenant, message_id, is_settled)
    house.wait(second.stop())
    assert sorted(post["tag"] for post in api.posts) == sorted(ids)


def test_two_leases_at_once_never_share_a_message(idle: House, tenant: Tenant) -> None:
    send_many(idle, tenant, [f"+1555222{number:04}" for number in range(40)])

    async def both() -> list[str]:
        batches = await asyncio.gather(*(lease(idle.store, tenant.org.org_id, 16, 0) for _ in range(4)))
        return [leased.message_id for batch in batches for leased in batch.to_send]

    taken = idle.wait(both())
    assert len(taken) == len(set(taken)) == 40


@pytest.mark.parametrize("event", ["message-sent", "message-delivered", "message-failed"])
def test_a_receipt_before_the_sends_own_commit_counts(
    house: House, tenant: Tenant, api: BandwidthApi, event: str
) -> None:
    api.script.append(Reply(first=(event,)))
    message_id = send(house, tenant)
    stand = until(house, tenant, message_id, is_settled)
    assert stand.status == event.removeprefix("message-")
    assert stand.carrier_message_id == api.records[0]["id"]


def test_an_opt_out_in_a_receipt_before_the_sends_own_commit_counts(idle: House, tenant: Tenant) -> None:
    send(idle, tenant)
    leased = lease_one(idle, tenant)
    record = {"id": "bw-1", "to": [CONTACT], "from": tenant.number.number, "tag": "another"}
    failed = BandwidthApi.status(None, "message-failed", record, errorCode=4775)  # type: ignore[arg-type]
    tell(idle, tenant, failed)
    assert settle(idle, leased, lambda group: settle_accepted(group, leased, "bw-1", (), frozenset({"4775"})))
    assert stand_of(idle, tenant, leased.message_id)[3:6] == ("failed", "bw-1", "4775")
    later = send(idle, tenant)
    assert idle.wait(still_wanted(idle.store, lease_one(idle, tenant))) == "CONSENT_REQUIRED"
    assert stand_of(idle, tenant, later).status == "sending"


def perhaps_sent(house: House, tenant: Tenant, api: BandwidthApi) -> Leased:
    """A message whose worker was killed after the carrier took it, and whose lease then ran out."""
    send(house, tenant)
    leased = lease_one(house, tenant)
    taken = {"from": leased.from_number, "to": [leased.to_number], "text": leased.body, "tag": leased.message_id}
    api.records.append(api._record(taken))
    house.clock.offset_us += LEASE_US + 1
    assert house.wait(lease(house.store, tenant.org.org_id, 16, 0)).expired == 1
    stand = stand_of(house, tenant, leased.message_id)
    assert (stand.state, stand.status) == ("uncertain", "sending")
    return leased


def test_a_lease_that_ran_out_is_uncertain_and_never_sent_again(idle: House, tenant: Tenant, api: BandwidthApi) -> None:
    leased = perhaps_sent(idle, tenant, api)
    api.records.clear()  # the carrier does not know it either, which proves nothing
    for _ in range(50):
        idle.clock.offset_us += 3600 * 1_000_000
        idle.wait(run_worker(idle))
    assert stand_of(idle, tenant, leased.message_id).state == "uncertain"
    assert api.posts == []
    assert 3 <= len(api.queries) <= 15


def test_a_callback_settles_what_was_perhaps_sent(idle: House, tenant: Tenant, api: BandwidthApi) -> None:
    leased = perhaps_sent(idle, tenant, api)
    tell(idle, tenant, api.status("message-delivered", api.records[0]))
    assert stand_of(idle, tenant, leased.message_id)[:5] == (None, None, None, "delivered", "bw-000001")


def test_the_carriers_own_record_settles_what_was_perhaps_sent(idle: House, tenant: Tenant, api: BandwidthApi) -> None:
    leased = perhaps_sent(idle, tenant, api)
    idle.clock.offset_us += 120 * 1_000_000
    idle.wait(run_worker(idle))
    stand = stand_of(idle, tenant, leased.message_id)
    assert (stand.state, stand.status, stand.carrier_message_id) == (None, "sent", "bw-000001")
    [query] = api.queries
    assert (query["sourceTn"], query["destinationTn"]) == (tenant.number.number, CONTACT)
    assert query["fromDateTime"] < query["toDateTime"]
    assert api.posts == []


def test_a_record_that_may_be_another_texts_settles_nothing(idle: House, tenant: Tenant, api: BandwidthApi) -> None:
    leased = perhaps_sent(idle, tenant, api)
    another = {"from": leased.from_number, "to": [leased.to_number], "text": "another", "tag": "x"}
    api.records.append(api._record(another))
    idle.clock.offset_us += 120 * 1_000_000
    idle.wait(run_worker(idle))
    assert len(api.queries) == 1
    assert stand_of(idle, tenant, leased.message_id).state == "uncertain"
    # With one of the two accounted for, the other record is this one's.
    send(idle, tenant)
    other = lease_one(idle, tenant)
    assert not settle(idle, leased, lambda group: settle_found(group, leased, "bw-000001"))
    assert settle(idle, other, lambda group: settle_accepted(group, other, "bw-000002"))
    assert not settle(idle, leased, lambda group: settle_found(group, leased, "bw-000002"))
    assert settle(idle, leased, lambda group: settle_found(group, leased, "bw-000001"))


def test_the_record_of_a_text_that_had_waited_for_long_is_not_taken_for_another_ones(
    idle: House, tenant: Tenant, api: BandwidthApi
) -> None:
    api.clock = idle.clock
    for _ in range(2):
        send(idle, tenant)
    idle.clock.offset_us += 20 * DAY_US  # while nothing was sent at all
    sent = lease_one(idle, tenant)
    idle.wait(Worker(idle.store, idle.outside)._send(sent))
    lost = lease_one(idle, tenant)
    assert stand_of(idle, tenant, sent.message_id).carrier_message_id == "bw-000001"
    idle.clock.offset_us += LEASE_US + 1
    assert idle.wait(lease(idle.store, tenant.org.org_id, 16, 0)).expired == 1
    idle.clock.offset_us += 120 * 1_000_000
    idle.wait(run_worker(idle))
    assert len(api.queries) == 1
    assert stand_of(idle, tenant, lost.message_id).state == "uncertain"


OPERATOR: list[tuple[Decision, Stand]] = [
    ("sent", Stand(None, None, None, "sent", None, None, 1, None)),
    ("failed", Stand(None, None, None, "failed", None, "OPERATOR", None, None)),
    ("retry", Stand("queued", 0, 1, "sending", None, None, None, None)),
]


@pytest.mark.parametrize(("decision", "expected"), OPERATOR)
def test_an_operator_settles_what_was_perhaps_sent(
    idle: House, tenant: Tenant, api: BandwidthApi, decision: Decision, expected: Stand
) -> None:
    leased = perhaps_sent(idle, tenant, api)
    assert idle.wait(decide(idle.store, tenant.org.org_id, leased.message_id, decision)) is None
    stand = stand_of(idle, tenant, leased.message_id)
    assert stand._replace(sent_at=None, due_at=None) == expected._replace(sent_at=None, due_at=None)
    assert (stand.sent_at is None) == (expected.sent_at is None)
    audit = "SELECT action, actor_kind, resource_id FROM audit_log WHERE org_id = $1 ORDER BY id DESC LIMIT 1"
    [(action, actor, resource)] = idle.wait(idle.store.fetch(audit, UUID(tenant.org.org_id)))
    assert (action, actor, parse_uuid(resource)) == ("outbound_message.settled", "operator", leased.message_id)
    # Its former owner has nothing to say any more.
    assert not settle(idle, leased, lambda group: settle_accepted(group, leased, "bw-000001"))
    assert idle.wait(decide(idle.store, tenant.org.org_id, leased.message_id, decision)) in ("settled", "queued")


def test_a_lease_that_ran_out_is_still_settled_by_its_owner(idle: House, tenant: Tenant, api: BandwidthApi) -> None:
    leased = perhaps_sent(idle, tenant, api)
    assert idle.wait(still_wanted(idle.store, leased)) == "LEASE_LOST"
    assert settle(idle, leased, lambda group: settle_accepted(group, leased, "bw-000001"))
    assert stand_of(idle, tenant, leased.message_id).status == "sent"
    assert not settle(idle, leased, lambda group: settle_uncertain(group, leased))
    assert not settle(idle, leased, lambda group: settle_not_sent(group, leased, "X", "x", None, 0))


def test_what_is_in_flight_is_finished_when_told_to_stop_and_the_rest_stays_queued(
    house: House, tenant: Tenant, api: BandwidthApi
) -> None:
    api.script.append(Reply(wait=True))
    first, second = send(house, tenant), send(house, tenant)
    api.wait_for_posts(1)
    house.wait(stop_taking(house))
    api.release()
    house.wait(house.worker.stop())
    wake(house)
    assert stand_of(house, tenant, first).status == "sent"
    assert stand_of(house, tenant, second).state == "queued"


async def stop_taking(house: House) -> None:
    """Returns once a look that was under way is over: it would still take what becomes free meanwhile."""
    house.worker.stop_soon()
    assert house.worker._running
    await asyncio.shield(house.worker._running)


def hear(house: House, tenant: Tenant, text: str, *, late_us: int = 0) -> None:
    """The contact texts: it is stored before this returns."""
    name = f"in-{len(house.inbound(tenant))}"
    time = rfc3339(house.clock() - late_us)
    payload = bandwidth_inbound(name, tenant.number.number, text=text, sender=CONTACT, time=time)
    assert house.deliver(tenant, [payload]).json()["stored"] == 1


def bodies(api: BandwidthApi) -> list[str]:
    """What the carrier was given, in the order in which it came."""
    return [post["text"] for post in api.posts]


def test_a_stop_that_comes_by_text_while_the_worker_holds_the_lease_is_the_last_word(
    idle: House, tenant: Tenant, api: BandwidthApi
) -> None:
    hear(idle, tenant, "Hi, is the flat still free?")
    message_id = idle.sent(tenant, CONTACT, "It is.")
    leased = lease_one(idle, tenant)
    hear(idle, tenant, "STOP")
    idle.wait(Worker(idle.store, idle.outside)._send(leased))
    assert stand_of(idle, tenant, message_id)[3:6] == ("failed", None, "CONSENT_REQUIRED")
    idle.wait(run_worker(idle))
    [confirmation] = bodies(api)
    assert "unsubscribed" in confirmation


def test_a_stop_then_ok_thanks_then_a_send_is_refused_and_nothing_leaves(
    idle: House, tenant: Tenant, api: BandwidthApi
) -> None:
    hear(idle, tenant, "Hi, is the flat still free?")
    hear(idle, tenant, "STOP")
    hear(idle, tenant, "ok thanks")
    answer = idle.send(tenant, CONTACT, "One more thing")
    assert (answer.status_code, answer.json()["error"]["code"]) == (453, "CONSENT_REQUIRED")
    for _ in range(3):
        idle.wait(run_worker(idle))
    assert ["unsubscribed" in body for body in bodies(api)] == [True]


@pytest.mark.parametrize(("late_us", "status"), [(0, 202), (1, 453), (3600 * 1_000_000, 453)])
def test_a_start_delivered_late_after_a_newer_stop_lifts_nothing(
    idle: House, tenant: Tenant, late_us: int, status: int
) -> None:
    """By the carrier's times: the START was texted before the STOP, and comes after it."""
    idle.clock.frozen_us = idle.clock()
    hear(idle, tenant, "STOP")
    hear(idle, tenant, "START", late_us=late_us)
    assert idle.send(tenant, CONTACT).status_code == status


@pytest.mark.parametrize(("more_us", "is_linked"), [(0, True), (1, False)])
def test_a_reply_24_hours_after_exactly_is_one_and_one_microsecond_more_is_none(
    idle: House, tenant: Tenant, more_us: int, is_linked: bool
) -> None:
    idle.clock.frozen_us = idle.clock()
    hear(idle, tenant, "Hi, is the flat still free?")
    message_id = idle.sent(tenant, CONTACT, "It is.")
    idle.wait(run_worker(idle))
    idle.clock.frozen_us = position_of(message_id) + DAY_US + more_us
    hear(idle, tenant, "Then I take it.")
    inbox = idle.http.get("/v1/tools/sms/inbox", headers=tenant.agent_header).json()["messages"]
    wanted = f"msg_{ulid_of(message_id)}" if is_linked else None
    assert (inbox[0]["related_outbound_id"], inbox[0]["thread_id"]) == (wanted, wanted)
    assert (idle.sent(tenant, CONTACT, "Good.") and idle.outbound(tenant)[0]["thread_id"] == message_id) == is_linked
