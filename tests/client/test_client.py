"""Both clients against a real, whole server, on both databases."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from roost.client import BEGINNING, Conflict, ConsentRequired, Forbidden, Invalid, NotFound, Unauthorized
from support.agents import hear
from support.allowed import Signer, allowed
from support.callers import Caller
from support.databases import Database
from support.house import House, Tenant
from support.outbound import is_settled, until

Connect = Callable[..., Caller]
CONTACT, STRANGER = "+15554443333", "+15550009999"
CODE = "G-482913 is your Google verification code."


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    """It sends: by loopback, at once."""
    running = House(database, tmp_path / "data", working=True, segments_per_second=0).start()
    yield running
    running.stop()


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(carrier="loopback", number="+15551112222")


@pytest.fixture
def roost(house: House, tenant: Tenant, connect: Connect) -> Caller:
    """A client with the tenant's key."""
    return connect(house.base_url, api_key=tenant.key)


def send(roost: Caller, tenant: Tenant, text: str, **options: Any) -> Any:
    number = tenant.number.number
    return roost.call(lambda client: client.messages.send(CONTACT, text, from_number=number, **options))


def test_a_text_is_sent_once_watched_answered_and_in_its_thread(house: House, tenant: Tenant, roost: Caller) -> None:
    hear(house, tenant, CONTACT, "hello?")
    sent = send(roost, tenant, "3 pm?", tag="order-7421", idempotency_key="order-7421")
    assert (sent.from_number, sent.to_number, sent.text, sent.status, sent.tag) == (
        "+15551112222", CONTACT, "3 pm?", "queued", "order-7421",
    )  # fmt: skip
    assert send(roost, tenant, "3 pm?", tag="order-7421", idempotency_key="order-7421") == sent, "made once"
    other = send(roost, tenant, "3 pm?")
    assert other.id != sent.id, "the client's own key is another one each time"
    settled = roost.call(lambda client: client.messages.wait(sent.id, timeout=30))
    assert (settled.id, settled.status) == (sent.id, "delivered")
    until(house, tenant, other.id, is_settled)
    got = roost.call(lambda client: client.messages.get(sent.id, include=["thread_id", "error"]))
    assert (got.status, got.error, got.segment_count) == ("delivered", None, 1)
    assert got.delivered_at is not None
    assert got.delivered_at.tzinfo is not None
    listed = roost.take(lambda client: client.messages.list(to_number=CONTACT, page_size=1))
    assert [message.id for message in listed] == [other.id, sent.id], "every page"
    assert [message.id for message in roost.take(lambda client: client.messages.list(tag="order-7421"))] == [sent.id]
    hear(house, tenant, CONTACT, "yes, 3 pm")
    hear(house, tenant, CONTACT, "or 4")
    reply = roost.call(lambda client: client.messages.wait_for_reply(sent, timeout=30))
    assert reply.body == "yes, 3 pm", "the first, though it came before anybody waited"
    assert roost.call(lambda client: client.messages.wait_for_reply(got, timeout=0)) == reply
    [thread] = roost.take(lambda client: client.threads.list(contact_number=CONTACT))
    assert thread.id == got.thread_id
    messages = roost.take(lambda client: client.threads.messages(thread.id, page_size=2))
    assert [(each.direction, each.text) for each in messages] == [
        ("outbound", "3 pm?"), ("outbound", "3 pm?"), ("inbound", "yes, 3 pm"), ("inbound", "or 4"),
    ]  # fmt: skip


def test_what_is_refused_is_an_error_that_says_what_to_do(house: House, tenant: Tenant, connect: Connect) -> None:
    roost = connect(house.base_url, api_key=tenant.key)
    hear(house, tenant, CONTACT, "STOP")
    with pytest.raises(ConsentRequired) as refused:
        send(roost, tenant, "please?")
    assert (refused.value.status, refused.value.code) == (453, "CONSENT_REQUIRED")
    assert refused.value.request_id is not None
    with pytest.raises(Invalid) as wrong:
        roost.call(lambda client: client.messages.send("5554443333", "hello", from_number="+15551112222"))
    assert wrong.value.details == {"to": "must be E.164"}
    with pytest.raises(NotFound):
        roost.call(lambda client: client.inbound.get("01900000-0000-7000-8000-000000000000"))
    with pytest.raises(Unauthorized):
        connect(house.base_url, api_key="am_live_nobody").call(lambda client: client.inbound.get(BEGINNING))
    key = allowed(house, tenant, "messages:read")["Authorization"].partition(" ")[2]
    with pytest.raises(Forbidden):
        send(connect(house.base_url, api_key=key), tenant, "hello")


def test_the_inbox_is_listed_and_followed_without_a_gap(house: House, tenant: Tenant, roost: Caller) -> None:
    for n in range(5):
        hear(house, tenant, CONTACT if n % 2 else STRANGER, f"text {n}")
    newest_first = roost.take(lambda client: client.inbound.list(page_size=2))
    assert [message.body for message in newest_first] == [f"text {n}" for n in (4, 3, 2, 1, 0)]
    third = newest_first[2]
    after = roost.take(lambda client: client.inbound.list(after=third.id, page_size=1))
    assert [message.body for message in after] == ["text 3", "text 4"]
    since = roost.take(lambda client: client.inbound.list(since=third.received_at))
    assert [message.body for message in since] == ["text 4", "text 3", "text 2"], "inclusive, to the microsecond"
    filtered = roost.take(lambda client: client.inbound.list(from_number=CONTACT, channel="sms", opt_out=False))
    assert [message.body for message in filtered] == ["text 3", "text 1"]
    assert roost.call(lambda client: client.inbound.get(third.id)) == third
    followed = roost.take(lambda client: client.inbound.follow(after=BEGINNING), 5)
    assert followed == newest_first[::-1]
    assert roost.take(lambda client: client.inbound.follow(after=BEGINNING, from_number=CONTACT), 2)[1].body == "text 3"
    found = roost.call(lambda client: client.inbound.wait(after=third.id, from_number=STRANGER, timeout=30))
    assert found.body == "text 4"
    assert roost.call(lambda client: client.inbound.wait(timeout=0)) is None, "from now on"
    with pytest.raises(ValueError, match="time zone"):
        roost.take(lambda client: client.inbound.list(since=datetime(2026, 11, 22)))  # noqa: DTZ001


def test_a_one_time_code_is_found_and_waited_for(house: House, tenant: Tenant, roost: Caller) -> None:
    number = tenant.number.number
    assert roost.call(lambda client: client.otp.newest(number)) is None
    hear(house, tenant, "22000", CODE)
    found = roost.call(lambda client: client.otp.newest(number, from_number="22000"))
    assert (found.code, found.service, found.domain, found.from_number) == ("482913", "Google", None, "22000")
    assert roost.call(lambda client: client.otp.wait(number, timeout=0)) is None, "an old one is no new one"
    since = found.received_at - timedelta(seconds=1)
    assert roost.call(lambda client: client.otp.wait(number, since=since)) == found
    assert roost.call(lambda client: client.otp.newest(number, after=found.message_id)) is None
    [message] = roost.take(lambda client: client.inbound.list(include=["otp", "suspected"]))
    assert (message.otp.code, message.suspected, message.blocked) == ("482913", False, None)


def test_numbers_are_registered_changed_and_let_go(tenant: Tenant, roost: Caller) -> None:
    account = tenant.account.id
    made = roost.call(lambda client: client.numbers.register("+15551110000", carrier_account_id=account, label="new"))
    with pytest.raises(Conflict):
        roost.call(lambda client: client.numbers.register("+15551110000", carrier_account_id=account))
    changed = roost.call(lambda client: client.numbers.change(made.id, label="support"))
    assert (changed.label, changed.number) == ("support", "+15551110000")
    listed = roost.take(lambda client: client.numbers.list(include=["carrier_account_id"], page_size=1))
    assert [(number.id, number.carrier_account_id) for number in listed] == [
        (made.id, account),
        (tenant.number.id, account),
    ]
    assert roost.call(lambda client: client.numbers.remove(made.id)) is None
    with pytest.raises(NotFound):
        roost.call(lambda client: client.numbers.get(made.id))


def test_consent_is_recorded_asked_for_and_revoked(house: House, tenant: Tenant, roost: Caller) -> None:
    number_id, when = tenant.number.id, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    recorded = roost.call(
        lambda client: client.consent.record(number_id, STRANGER, agreement_text="I agree.", captured_at=when)
    )
    assert (recorded.opted_in, recorded.already_opted_in) == (True, False)
    assert [each.id for each in roost.take(lambda client: client.consent.list(opted_in=True))] == [recorded.id]
    [entry] = roost.take(lambda client: client.consent.history(recorded.id))
    assert (entry.event, entry.evidence_captured_at, entry.evidence_agreement_text) == ("opt_in", when, "I agree.")
    assert roost.call(lambda client: client.consent.revoke(recorded.id)).opted_in is False
    asked = roost.call(
        lambda client: client.consent.ask(number_id, CONTACT, confirmation_text="Reply YES.", agreement_text="I agree.")
    )
    assert (asked.reused, asked.already_opted_in) == (False, False)
    form = roost.call(lambda client: client.consent.form(number_id, agreement_text="I agree.", expires_in=120))
    assert form.url.startswith(house.base_url)
    assert form.expires_at > datetime.now(UTC)


@pytest.mark.parametrize("by", ["token", "wallet", "open"])
def test_an_agent_reads_and_sends_as_itself(house: House, tenant: Tenant, connect: Connect, by: str) -> None:
    signer = Signer(house, tenant)
    holder = signer.agent if by != "open" else tenant.agent
    number = house.wait(house.directory.add_number(tenant.org.org_id, "+15551230000", tenant.account.id, holder.id, ""))
    assert number is not None
    token = house.wait(house.directory.create_access_token(signer.agent, "test", None)).plaintext
    credential: dict[str, Any] = {
        "token": {"agent": signer.address, "token": token}, "wallet": {"wallet_key": signer.private_key},
        "open": {"agent": tenant.agent.wallet},
    }[by]  # fmt: skip
    agent = connect(house.base_url, **credential)
    for text in ("one", "two", "three"):
        hear(house, tenant, CONTACT, text, number.number)
    inbox = agent.call(lambda client: client.agent.inbox(limit=2))
    assert [message.body for message in inbox] == ["three", "two"]
    assert agent.call(lambda client: client.agent.get(inbox[0].id)) == inbox[0]
    since = datetime.now(UTC) - timedelta(hours=1)
    followed = agent.take(lambda client: client.agent.follow(since=since, from_number=CONTACT), 3)
    assert [message.body for message in followed] == ["one", "two", "three"]
    assert agent.take(lambda client: client.agent.follow(since=followed[1].received_at), 1) == [inbox[0]]
    waited = agent.call(lambda client: client.agent.wait(since=followed[0].received_at, timeout=30))
    assert waited == followed[1], "the oldest of what came since then"
    assert agent.call(lambda client: client.agent.wait(timeout=0)) is None, "from now on"
    asked = agent.call(lambda client: client.agent.send([CONTACT], "on my way", idempotency_key="once"))
    assert asked.status == "processing"
    assert agent.call(lambda client: client.agent.send([CONTACT], "on my way", idempotency_key="once")) == asked
    done = agent.call(lambda client: client.agent.wait_until_sent(asked.request_id))
    assert (done.status, done.result["total"]) == ("completed", 1)
