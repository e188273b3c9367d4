"""STOP, HELP and START: what they change, before the 2xx, and what is answered."""

from typing import Any
from uuid import UUID

import pytest

from roost.api import auth
from roost.core.ids import position_of
from roost.core.organization import AutoReplies, Settings
from roost.store.settings import settings_text
from support.house import House, Tenant
from support.payloads import bandwidth_inbound

CONTACT = "+15554443333"
STOPPED = "{name}: you are unsubscribed and will get no more messages from this number. Reply START to get them again."
HELPED = "{name}: reply STOP to get no more messages from this number."
STARTED = "{name}: you will get messages from this number again. Reply HELP for help, STOP to stop."


class Phone:
    """A contact's phone."""

    def __init__(self, house: House, tenant: Tenant, number: str = CONTACT) -> None:
        self.house, self.tenant, self.number = house, tenant, number
        self._sent = 0

    def text(self, text: str, *, time: str = "2026-04-26T12:01:00Z", to: str | None = None) -> None:
        self._sent += 1
        to = to or self.tenant.number.number
        key = f"{self.number}-{self._sent}"
        event = bandwidth_inbound(key, to, text=text, sender=self.number, time=time)
        answer = self.house.deliver(self.tenant, [event])
        assert answer.json()["stored"] == 1, answer.text

    def queued(self) -> list[str]:
        """What is on its way to it, oldest first."""
        messages = self.house.outbound(self.tenant, to=self.number, status="queued")
        return [message["text"].replace(self.tenant.org.name, "{name}") for message in reversed(messages)]

    def may_be_texted(self) -> bool:
        answer = self.house.send(self.tenant, self.number, "may I?")
        assert answer.status_code in (202, 453), answer.text
        if answer.status_code == 202:
            self.house.http.delete(f"/v1/messages/{answer.json()['data']['id']}", headers=self.tenant.auth)
        return answer.status_code == 202


@pytest.fixture(autouse=True)
def _settings_are_believed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise what is set here in the database would be heard of half a second later."""
    monkeypatch.setattr(auth, "CACHE_SECONDS", 0.0)


@pytest.fixture
def phone(house: House) -> Phone:
    made = Phone(house, house.tenant())
    made.text("Hi, is the flat still free?")
    return made


def set_settings(phone: Phone, settings: Settings) -> None:
    sql = "UPDATE organizations SET settings = $2 WHERE org_id = $1"
    phone.house.wait(phone.house.store.write((sql, (UUID(phone.tenant.org.org_id), settings_text(settings)))))


def ledger(phone: Phone) -> list[tuple[Any, ...]]:
    sql = "SELECT event, source, keyword FROM consent_events WHERE org_id = $1 AND source = 'inbound_reply' ORDER BY id"
    return [tuple(row) for row in phone.house.wait(phone.house.store.fetch(sql, UUID(phone.tenant.org.org_id)))]


def test_a_stop_holds_at_once_and_is_confirmed_once(phone: Phone) -> None:
    assert phone.may_be_texted()
    for _ in range(3):
        phone.text("Stop.")
    assert not phone.may_be_texted()
    assert phone.queued() == [STOPPED]
    assert ledger(phone) == [
        ("opt_out", "inbound_reply", "STOP"),
        ("reconfirm", "inbound_reply", "STOP"),
        ("reconfirm", "inbound_reply", "STOP"),
    ]


def test_a_stop_cancels_what_is_queued_to_that_contact_and_to_nobody_else(phone: Phone) -> None:
    other = Phone(phone.house, phone.tenant, "+15557778888")
    other.text("hello")
    for to in (CONTACT, CONTACT, other.number):
        phone.house.sent(phone.tenant, to, "news")
    phone.text("STOP")
    assert (phone.queued(), other.queued()) == ([STOPPED], ["news"])
    canceled = phone.house.outbound(phone.tenant, to=CONTACT, status="failed")
    assert [message["error"]["code"] for message in canceled] == ["CONSENT_REQUIRED"] * 2


def test_a_replayed_stop_is_one_stop(phone: Phone) -> None:
    event = bandwidth_inbound("stop-1", phone.tenant.number.number, text="STOP", sender=CONTACT)
    for _ in range(3):
        phone.house.deliver(phone.tenant, [event])
    assert (phone.queued(), ledger(phone)) == ([STOPPED], [("opt_out", "inbound_reply", "STOP")])


def test_start_lifts_it_and_says_so(phone: Phone) -> None:
    phone.text("STOP", time="2026-04-26T12:01:00Z")
    phone.text("START", time="2026-04-26T12:02:00Z")
    assert phone.queued() == [STOPPED, STARTED]
    assert phone.may_be_texted()


def test_a_start_that_comes_late_does_not_lift_a_newer_stop(phone: Phone) -> None:
    phone.text("STOP", time="2026-04-26T12:05:00Z")
    phone.text("START", time="2026-04-26T12:04:59Z")
    assert not phone.may_be_texted()
    phone.text("START", time="2026-04-26T12:05:01Z")
    assert phone.may_be_texted()


def test_a_second_stop_counts_from_its_own_time(phone: Phone) -> None:
    phone.text("STOP", time="2026-04-26T12:01:00Z")
    phone.text("STOP", time="2026-04-26T12:05:00Z")
    phone.text("START", time="2026-04-26T12:04:00Z")
    assert not phone.may_be_texted()


@pytest.mark.parametrize(
    ("texts", "queued", "allowed"),
    [
        (["HELP"], [HELPED], True),
        (["help!", "INFO"], [HELPED, HELPED], True),
        (["STOP", "HELP"], [STOPPED], False),
        (["STOP", "YES"], [STOPPED, STARTED], True),
        (["YES"], [], True),
        (["STOP", "CONFIRM"], [STOPPED], False),
        (["STOP", "ok thanks"], [STOPPED], False),
        (["STOP", "START", "STOP"], [STOPPED, STARTED, STOPPED], False),
        (["START"], [STARTED], True),
        (["STOP 12345"], [], True),
    ],
)
def test_what_is_answered_and_who_may_be_texted_then(
    phone: Phone, texts: list[str], queued: list[str], allowed: bool
) -> None:
    for text in texts:
        phone.text(text)
    # A START after a STOP: the confirmation that was queued before the second STOP is canceled by it.
    expected = queued if texts != ["STOP", "START", "STOP"] else [STOPPED]
    assert phone.queued() == expected
    assert phone.may_be_texted() is allowed


def test_a_start_from_somebody_who_never_wrote_is_consent(house: House) -> None:
    phone = Phone(house, house.tenant())
    phone.text("START")
    assert (phone.queued(), phone.may_be_texted()) == ([STARTED], True)


def test_an_organizations_own_texts_and_words_are_used(phone: Phone) -> None:
    replies = AutoReplies(stop_text="Bye.", help_text="Call us.", start_text="Welcome back.")
    set_settings(phone, Settings(auto_replies=replies, opt_out_words=("BASTA",)))
    phone.house.clock.offset_us += 1_000_000
    stale = Phone(phone.house, phone.tenant, "+15557770001")
    for text in ("HELP", "¡Basta!", "START"):
        stale.text(text)
    assert stale.queued() == ["Bye.", "Welcome back."]  # the STOP canceled what was queued before it
    assert phone.house.inbound(phone.tenant, opt_out=True)[0]["opt_out"] == {"detected": True, "keyword": "BASTA"}


def test_auto_replies_can_be_switched_off_and_the_opt_out_holds_all_the_same(phone: Phone) -> None:
    set_settings(phone, Settings(auto_replies=AutoReplies(enabled=False)))
    phone.text("STOP")
    assert (phone.queued(), phone.may_be_texted()) == ([], False)


@pytest.mark.parametrize("sender", ["SUPPORT", "68849"])
def test_who_cannot_be_answered_is_not(house: House, sender: str) -> None:
    phone = Phone(house, house.tenant(), sender)
    phone.text("STOP")
    assert house.outbound(phone.tenant) == []


def test_a_stop_to_one_number_says_nothing_of_another(phone: Phone) -> None:
    second = "+15550009999"
    add_number(phone, second)
    phone.text("hello", to=second)
    phone.text("STOP")
    assert not phone.may_be_texted()
    assert phone.house.send(phone.tenant, CONTACT, **{"from": second}).status_code == 202


def test_with_the_organizations_scope_a_stop_to_one_number_holds_for_all(phone: Phone) -> None:
    second = "+15550009999"
    add_number(phone, second)
    set_settings(phone, Settings(opt_out_scope="organization"))
    phone.text("hello", to=second)
    phone.house.sent(phone.tenant, CONTACT, "news", **{"from": second})
    phone.text("STOP")
    assert phone.queued() == [STOPPED]
    assert phone.house.send(phone.tenant, CONTACT, **{"from": second}).status_code == 453
    phone.text("START", to=second)
    assert phone.may_be_texted()
    assert phone.house.send(phone.tenant, CONTACT, **{"from": second}).status_code == 202


def add_number(phone: Phone, number: str) -> None:
    tenant = phone.tenant
    assert phone.house.wait(
        phone.house.directory.add_number(tenant.org.org_id, number, tenant.account.id, tenant.agent.id, "")
    )


@pytest.mark.parametrize(("action", "state"), [("flag", "queued"), ("hold", "held")])
def test_a_suspected_opt_out_is_flagged_or_holds_what_is_sent(phone: Phone, action: Any, state: str) -> None:
    set_settings(phone, Settings(suspected=action))
    phone.text("please stop texting me")
    message_id = phone.house.sent(phone.tenant, CONTACT, "one more thing")
    sql = "SELECT state FROM outbox WHERE message_id = $1"
    assert phone.house.wait(phone.house.store.fetch(sql, UUID(message_id)))[0][0] == state


def test_an_organization_that_needs_no_consent_still_honours_a_stop(house: House) -> None:
    phone = Phone(house, house.tenant())
    assert not phone.may_be_texted()
    set_settings(phone, Settings(consent_required=False))
    assert phone.may_be_texted()
    phone.text("STOP")
    assert not phone.may_be_texted()


def test_deleting_and_adding_a_number_forgets_no_opt_out(phone: Phone) -> None:
    phone.text("STOP")
    org_id = UUID(phone.tenant.org.org_id)
    phone.house.wait(phone.house.store.write(("DELETE FROM numbers WHERE org_id = $1", (org_id,))))
    add_number(phone, phone.tenant.number.number)
    assert not phone.may_be_texted()


@pytest.mark.parametrize(("texts", "queued"), [(["STOP"], []), (["STOP", "START"], []), (["HELP"], [HELPED])])
def test_where_the_network_confirms_opt_outs_we_do_not(house: House, texts: list[str], queued: list[str]) -> None:
    phone = Phone(house, house.tenant(number="+18005550100"))
    phone.text("hello")
    for text in texts:
        phone.text(text)
    assert phone.queued() == queued
    assert phone.may_be_texted() is (texts != ["STOP"])


def test_a_confirmation_leaves_within_five_minutes_of_the_stop_or_never(phone: Phone) -> None:
    phone.text("STOP")
    received_at = position_of(phone.house.inbound(phone.tenant)[0]["id"])
    sql = "SELECT expires_at FROM outbox WHERE org_id = $1"
    rows = phone.house.wait(phone.house.store.fetch(sql, UUID(phone.tenant.org.org_id)))
    assert [row[0] for row in rows] == [received_at + 300 * 1_000_000]
