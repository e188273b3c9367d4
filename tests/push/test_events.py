"""The event log: what is told, in which order, and to whom."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from roost.core.events import EVENT_TYPES, Interest
from roost.push.envelope import encode
from support.agents import hear
from support.databases import Database
from support.house import House, Tenant
from support.log import log_of, told
from support.outbound import is_settled, until
from support.payloads import bandwidth_inbound

CONTACT, OTHER = "+15554443333", "+15550001234"
RECEIVED, STATUS, CONSENT = EVENT_TYPES


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    """It sends: by loopback, at once."""
    running = House(database, tmp_path / "data", working=True, segments_per_second=0).start()
    yield running
    running.stop()


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(carrier="loopback")


def held(house: House, tenant: Tenant) -> str:
    """A message that waits for an operator, so that no worker is at it: the contact asked to be left alone."""
    assert house.http.patch("/v1/organization", json={"suspected": "hold"}, headers=tenant.auth).status_code == 200
    hear(house, tenant, CONTACT)
    hear(house, tenant, CONTACT, "please stop texting me")
    return house.sent(tenant, CONTACT)


def pushed(house: House, tenant: Tenant) -> list[dict[str, Any]]:
    return [json.loads(encode(event, house.media_urls)) for event in log_of(house, tenant)]


def test_a_text_is_an_event_with_its_own_id(house: House, tenant: Tenant) -> None:
    hear(house, tenant, CONTACT, "hello")
    [event] = pushed(house, tenant)
    [message] = house.inbound(tenant, include="agent_id,otp,related_outbound_id,suspected,thread_id")
    assert event == {
        "id": message["id"],
        "type": RECEIVED,
        "created_at": message["received_at"],
        "data": message,
    }
    assert list(event) == ["id", "type", "created_at", "data"]
    extra = ("thread_id", "related_outbound_id", "suspected", "agent_id")
    assert [message[name] for name in extra] == [None, None, False, tenant.agent.id]


def test_each_status_that_a_message_reaches_is_an_event_as_it_stood_then(house: House, tenant: Tenant) -> None:
    hear(house, tenant, CONTACT)
    message_id = house.sent(tenant, CONTACT, "on my way", tag="order-7421")
    until(house, tenant, message_id, is_settled)
    received, allowed, sending, delivered = pushed(house, tenant)
    assert [received["type"], allowed["type"], sending["type"], delivered["type"]] == [
        RECEIVED,
        CONSENT,
        STATUS,
        STATUS,
    ]
    answer = house.http.get(f"/v1/messages/{message_id}?include=error,thread_id", headers=tenant.auth)
    assert delivered["data"] == answer.json()["data"]
    assert delivered["data"]["status"] == "delivered"
    not_yet = {"status": "sending", "bandwidth_message_id": None, "sent_at": None, "delivered_at": None}
    assert sending["data"] == {**delivered["data"], **not_yet}
    assert allowed["data"]["event"] == "opt_in"
    assert allowed["data"]["message_id"] == received["id"], "who texts first may be answered"


def test_a_stop_is_told_with_its_evidence_and_with_the_consent_as_it_stood(house: House, tenant: Tenant) -> None:
    hear(house, tenant, CONTACT, "STOP")
    hear(house, tenant, CONTACT, "START")
    events = [event for event in pushed(house, tenant) if event["type"] != STATUS]
    stop, stopped, start, started = events
    assert (stop["data"]["opt_out"]["keyword"], start["data"]["body"]) == ("STOP", "START")
    said = ("opted_in", "event", "keyword", "message_id", "consent_method", "source")
    assert [stopped["data"][name] for name in said] == [
        False, "opt_out", "STOP", stop["id"], "sms_keyword", "inbound_reply",
    ]  # fmt: skip
    assert [started["data"][name] for name in said[:4]] == [True, "opt_in", "START", start["id"]]
    [consent] = house.http.get("/v1/consent", headers=tenant.auth).json()["data"]
    assert started["data"].items() >= consent.items()
    assert stopped["data"]["opted_out_at"] == stopped["created_at"]
    history = house.http.get(f"/v1/consent/{consent['id']}/history", headers=tenant.auth).json()["data"]
    assert [entry["id"] for entry in history] == [started["id"], stopped["id"]]


def test_what_is_cancelled_withdrawn_erased_or_left_without_a_number_is_told_as_failed(house: House) -> None:
    def cancel(tenant: Tenant, message_id: str) -> None:
        assert house.http.delete(f"/v1/messages/{message_id}", headers=tenant.auth).status_code == 200

    def stop(tenant: Tenant, _: str) -> None:
        hear(house, tenant, CONTACT, "STOP")

    def erase(tenant: Tenant, _: str) -> None:
        assert house.http.post("/v1/contacts/%2B15554443333/erase", headers=tenant.auth).status_code == 200

    def remove(tenant: Tenant, _: str) -> None:
        path = f"/v1/phone-numbers/{tenant.number.id}"
        assert house.http.delete(path, headers=tenant.auth).status_code == 200

    for end, code in ((cancel, "CANCELED"), (stop, "CONSENT_REQUIRED"), (erase, "CANCELED"), (remove, "CANCELED")):
        tenant = house.tenant(carrier="loopback")
        message_id = held(house, tenant)
        end(tenant, message_id)
        statuses = [event["data"] for event in pushed(house, tenant) if event["type"] == STATUS]
        failed = [data for data in statuses if data["id"] == message_id]
        assert [(data["status"], data["error"]["code"]) for data in failed] == [("failed", code)], end


def test_an_erased_contacts_words_are_gone_from_the_log_too(house: House, tenant: Tenant) -> None:
    hear(house, tenant, CONTACT, "my secret")
    until(house, tenant, house.sent(tenant, CONTACT, "your secret"), is_settled)
    assert b"secret" in b"".join(encode(event, house.media_urls) for event in log_of(house, tenant))
    assert house.http.post("/v1/contacts/%2B15554443333/erase", headers=tenant.auth).status_code == 200
    assert b"secret" not in b"".join(encode(event, house.media_urls) for event in log_of(house, tenant))


def test_receipts_tell_what_they_change_and_a_replay_tells_nothing(house: House) -> None:
    tenant = house.tenant()
    house.deliver(tenant, [bandwidth_inbound("bw-1", tenant.number.number)])
    before = told(house, tenant)
    house.deliver(tenant, [bandwidth_inbound("bw-1", tenant.number.number)])
    assert told(house, tenant) == before == [(RECEIVED, "Hey, check this out!")]


def test_the_log_is_the_same_in_stretches_of_any_length(house: House, tenant: Tenant) -> None:
    for word in ("hello", "STOP", "START", "HELP", "bye"):
        hear(house, tenant, CONTACT, word)
        hear(house, tenant, OTHER, word)
    for contact in (CONTACT, OTHER):
        until(house, tenant, house.sent(tenant, contact), is_settled)
    # Auto-replies go on meanwhile: the log is whole once all that is in the outbox has left.
    house.wait(house.worker.idle())
    whole = log_of(house, tenant)
    assert {event.type for event in whole} == set(EVENT_TYPES)
    for limit in (1, 2, 3, 7):
        assert log_of(house, tenant, limit=limit)[: len(whole)] == whole
    middle = whole[len(whole) // 2]
    assert log_of(house, tenant, after=middle.id, limit=2)[: len(whole) // 2] == whole[len(whole) // 2 + 1 :]


@pytest.mark.parametrize(
    ("interest", "expected"),
    [
        (Interest(types=frozenset({"message.received"})), ["hello", "STOP", "hi"]),
        (Interest(types=frozenset({"message.received"}), from_number=OTHER), ["hi"]),
        (Interest(to_number="+15550000001"), ["hello", "STOP", "hi"]),
        (Interest(opt_out=True), ["STOP"]),
        (Interest(opt_out=False), ["hello", "hi"]),
        (Interest(types=frozenset({"message.received"}), channel="mms"), []),
        (Interest(types=frozenset({"consent.changed"})), ["opt_out"]),
        (Interest(types=frozenset({"message.status"}), to_number=CONTACT), ["sending", "delivered"]),
        (Interest(types=frozenset({"message.status"}), from_number=CONTACT), []),
        (Interest(types=frozenset({"message.received"}), agent_id="01900000-0000-7000-8000-000000000000"), []),
    ],
)  # fmt: skip
def test_filters_compare_an_events_own_fields(house: House, tenant: Tenant, interest: Interest, expected: Any) -> None:
    hear(house, tenant, CONTACT, "hello")
    hear(house, tenant, CONTACT, "STOP")
    hear(house, tenant, OTHER, "hi")
    [reply] = house.outbound(tenant)
    until(house, tenant, reply["id"], is_settled)
    for limit in (1, 100):
        found = [
            json.loads(encode(event, house.media_urls))["data"]
            for event in log_of(house, tenant, interest, limit=limit)
        ]
        assert [data.get("event") or data.get("status") or data["body"] for data in found] == expected


def test_a_blocked_senders_text_is_in_the_log_for_who_reads_lists_alone(house: House, tenant: Tenant) -> None:
    blocked = house.http.post("/v1/blocked-senders", json={"sender": CONTACT}, headers=tenant.auth)
    assert blocked.status_code == 201
    hear(house, tenant, CONTACT, "spam")
    hear(house, tenant, OTHER, "ham")
    assert told(house, tenant) == [(RECEIVED, "ham")]
    assert len(log_of(house, tenant, Interest(blocked=True))) == 2


def test_an_organization_sees_its_own_log_alone(house: House, tenant: Tenant) -> None:
    other = house.tenant(carrier="loopback")
    hear(house, tenant, CONTACT, "mine")
    hear(house, other, CONTACT, "STOP")
    assert told(house, tenant) == [(RECEIVED, "mine")]
