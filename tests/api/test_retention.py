"""What is past its time is hidden at the minute, and swept afterwards; consent stays."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from support.house import House, Tenant
from support.payloads import bandwidth_inbound
from support.sweeping import DAY_US, counted, sweep

CONTACT, OTHER = "+15554443333", "+15557778888"
#: A full minute.
START_US = 1_800_000_000_000_000
MINUTE_US, HOUR_US = 60_000_000, 3_600_000_000


class Inbox:
    """A tenant with a text and its answer at `START_US`, and all the ways to read them."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.tenant: Tenant = house.tenant()
        self.at(0)
        self.event = bandwidth_inbound("first", self.tenant.number.number)
        self.inbound_id: str = house.deliver(self.tenant, [self.event]).json()["ids"][0]
        self.public_id: str = self.oneshot("/v1/tools/sms/inbox")["messages"][0]["id"]
        self.outbound_id = house.sent(self.tenant, CONTACT)

    def at(self, us: int) -> None:
        self.house.clock.frozen_us = START_US + us

    def keep(self, days: int) -> None:
        change = {"message_retention_days": days}
        answer = self.house.http.patch("/v1/organization", json=change, headers=self.tenant.auth)
        assert answer.status_code == 200, answer.text

    def oneshot(self, path: str) -> Any:
        return self.house.http.get(path, headers=self.tenant.agent_header).json()

    def seen(self) -> dict[str, bool]:
        """By which ways the messages can be read."""

        def found(path: str) -> bool:
            answer = self.house.http.get(path, headers=self.tenant.auth)
            assert answer.status_code in (200, 404), answer.text
            return answer.status_code == 200 and answer.json()["data"] != []

        def found_by_agent(path: str) -> bool:
            answer = self.oneshot(path)
            return "body" in answer or answer.get("count", 0) > 0

        paths: dict[str, Callable[[str], bool]] = {
            "/v1/inbound-messages": found,
            f"/v1/inbound-messages?from=%2B{CONTACT[1:]}": found,
            "/v1/inbound-messages?after=00000000-0000-0000-0000-000000000000": found,
            f"/v1/inbound-messages/{self.inbound_id}": found,
            "/v1/messages": found,
            f"/v1/messages?to=%2B{CONTACT[1:]}": found,
            f"/v1/messages/{self.outbound_id}": found,
            "/v1/threads": found,
            f"/v1/threads?contact_number=%2B{CONTACT[1:]}": found,
            f"/v1/threads/{self.outbound_id}/messages": found,
            "/v1/tools/sms/inbox": found_by_agent,
            "/v1/tools/sms/inbox?since=2020-01-01T00:00:00Z": found_by_agent,
            f"/v1/tools/sms/inbox/{self.public_id}": found_by_agent,
        }
        return {path: look(path) for path, look in paths.items()}


@pytest.fixture
def inbox(house: House) -> Inbox:
    return Inbox(house)


def test_messages_are_kept_for_30_days_and_are_gone_in_the_minute_after_them(inbox: Inbox) -> None:
    inbox.at(30 * DAY_US)
    assert set(inbox.seen().values()) == {True}
    inbox.at(30 * DAY_US + MINUTE_US)
    assert set(inbox.seen().values()) == {False}, "before anything was swept"
    kept = ("consents", "consent_events", "message_keys", "audit_log", "numbers")
    before = {table: counted(inbox.house, inbox.tenant, table) for table in kept}
    assert min(before.values()) > 0
    assert sweep(inbox.house) == {"inbound_messages": 1, "outbound_messages": 1, "outbox": 1, "events": 1}
    assert {table: counted(inbox.house, inbox.tenant, table) for table in kept} == before
    assert set(inbox.seen().values()) == {False}
    assert sweep(inbox.house) == {}


def test_an_organization_keeps_longer_for_dialect_a_and_dialect_b_hides_at_30_days_nevertheless(inbox: Inbox) -> None:
    inbox.keep(90)
    inbox.at(30 * DAY_US)
    assert set(inbox.seen().values()) == {True}
    inbox.at(30 * DAY_US + 1)
    assert {path for path, seen in inbox.seen().items() if not seen} == {
        path for path in inbox.seen() if path.startswith("/v1/tools")
    }
    assert sweep(inbox.house) == {}
    inbox.at(90 * DAY_US + MINUTE_US)
    assert set(inbox.seen().values()) == {False}
    assert sweep(inbox.house) == {"inbound_messages": 1, "outbound_messages": 1, "outbox": 1, "events": 1}


def test_another_retention_holds_at_once(inbox: Inbox) -> None:
    inbox.keep(365)
    inbox.at(200 * DAY_US)
    assert inbox.seen()["/v1/inbound-messages"]
    inbox.keep(100)
    assert not inbox.seen()["/v1/inbound-messages"]
    inbox.keep(365)
    assert inbox.seen()["/v1/inbound-messages"], "what was not swept is there again"


def test_one_organization_has_nothing_to_do_with_anothers_retention(inbox: Inbox) -> None:
    stranger = Inbox(inbox.house)
    stranger.keep(60)
    inbox.at(31 * DAY_US)
    assert not inbox.seen()["/v1/inbound-messages"]
    assert stranger.seen()["/v1/inbound-messages"]
    sweep(inbox.house)
    assert (counted(inbox.house, inbox.tenant, "inbound_messages"), stranger.seen()["/v1/messages"]) == (0, True)


def test_a_text_that_the_carrier_delivers_again_does_not_come_back_when_it_was_swept(inbox: Inbox) -> None:
    house, tenant = inbox.house, inbox.tenant
    for days in (31, 59):
        inbox.at(days * DAY_US)
        sweep(house)
        assert house.deliver(tenant, [inbox.event]).json() == {
            "ids": [], "stored": 0, "duplicates": 1, "unrouted": 0, "receipts": 0
        }  # fmt: skip
        assert house.inbound(tenant) == []
    inbox.at(60 * DAY_US + MINUTE_US)
    assert sweep(house)["message_keys"] == 1


def test_an_opt_out_holds_when_the_text_was_swept(inbox: Inbox) -> None:
    house, tenant = inbox.house, inbox.tenant
    house.deliver(tenant, [bandwidth_inbound("stop", tenant.number.number, text="STOP")])
    inbox.at(400 * DAY_US)
    assert sweep(house)["inbound_messages"] == 2
    assert house.send(tenant, CONTACT).status_code == 453


def test_a_suspected_opt_out_holds_sends_also_when_the_text_was_swept(inbox: Inbox) -> None:
    house = inbox.house
    tenant = house.tenant()
    house.http.patch("/v1/organization", json={"suspected": "hold", "consent_required": False}, headers=tenant.auth)
    house.deliver(tenant, [bandwidth_inbound("please", tenant.number.number, text="please stop texting me")])
    inbox.at(31 * DAY_US)
    sweep(house)
    assert house.inbound(tenant) == []
    house.sent(tenant, CONTACT)
    states = house.wait(house.store.fetch("SELECT state FROM outbox WHERE org_id = $1", UUID(tenant.org.org_id)))
    assert [row[0] for row in states] == ["held"]


def test_a_thread_that_goes_on_is_there_when_its_first_messages_are_gone(inbox: Inbox) -> None:
    house, tenant = inbox.house, inbox.tenant
    for nth in range(1, 32):
        inbox.at(nth * 23 * HOUR_US)
        house.sent(tenant, CONTACT, f"day {nth}")
    house.deliver(tenant, [bandwidth_inbound("other", tenant.number.number, sender=OTHER)])
    over = house.sent(tenant, OTHER)
    inbox.at(30 * DAY_US + 12 * HOUR_US)

    def threads(**params: str) -> list[tuple[str, str]]:
        answer = house.http.get("/v1/threads", params=params, headers=tenant.auth).json()
        return [(thread["id"], thread["contact_number"]) for thread in answer["data"]]

    def texts() -> list[str]:
        answer = house.http.get(f"/v1/threads/{inbox.outbound_id}/messages", headers=tenant.auth)
        return [message["text"] for message in answer.json()["data"]]

    for _ in ("hidden", "swept"):
        assert threads() == [(over, OTHER), (inbox.outbound_id, CONTACT)]
        assert threads(contact_number=CONTACT) == [(inbox.outbound_id, CONTACT)]
        assert texts() == [f"day {nth}" for nth in range(1, 32)]
        first = house.http.get("/v1/threads?limit=1", headers=tenant.auth).json()
        assert [thread["id"] for thread in first["data"]] == [over]
        assert threads(limit="1", cursor=first["meta"]["next_cursor"]) == [(inbox.outbound_id, CONTACT)]
        sweep(house)
    inbox.at(31 * 23 * HOUR_US + 30 * DAY_US + MINUTE_US)
    assert threads() == []
