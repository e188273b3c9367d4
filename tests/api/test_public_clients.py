"""The public clients, unchanged, against the real server."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from bandwidth.models.inbound_callback import InboundCallback
from bandwidth.models.status_callback import StatusCallback
from eth_account import Account
from oneshot import OneShotClient
from oneshot._errors import EmergencyNumberError, JobError, ToolError, ValidationError

from roost.store.directory import Agent
from support.agents import hear
from support.databases import Database
from support.house import House, Tenant
from support.payloads import bandwidth_inbound, bandwidth_status
from support.settling import settle

PRIVATE_KEY = "0x" + "4c" * 32


@pytest.fixture
def address() -> str:
    return str(Account.from_key(PRIVATE_KEY).address)


def _held_by_proof(house: House, address: str) -> Any:
    """A tenant whose number is held by an agent that must prove its wallet."""
    tenant = house.tenant()
    agent = house.wait(house.directory.add_agent(tenant.org.org_id, address, open_=False))
    assert agent is not None
    house.wait(house.directory.add_number(tenant.org.org_id, "+14151234567", tenant.account.id, agent.id, ""))
    return tenant, agent


def test_oneshot_python_lists_and_gets_signed(house: House, address: str) -> None:
    tenant, _ = _held_by_proof(house, address)
    batch = [
        bandwidth_inbound("1", "+14151234567", sender="+14155551234", text="first"),
        bandwidth_inbound("2", "+14151234567", sender="68849", text="second", media=["https://example.com/a.jpg"]),
    ]
    house.deliver(tenant, batch)
    client = OneShotClient(private_key=PRIVATE_KEY, base_url=house.base_url)
    listed = client.sms_inbox()
    assert listed["count"] == 2
    assert [message["body"] for message in listed["messages"]] == ["second", "first"]
    assert listed["messages"][0]["media_urls"] == house.inbound(tenant, limit=1)[0]["media_urls"]
    oldest = listed["messages"][1]
    assert client.sms_inbox_get(oldest["id"]) == oldest
    assert client.sms_inbox(from_number="+14155551234", limit=5)["messages"] == [oldest]
    assert [m["body"] for m in client.sms_inbox(since=oldest["received_at"])["messages"]] == ["second"]
    with pytest.raises(ToolError) as refused:
        client.sms_inbox_get("msg_01M80H9E20JB9XCTQ7EVBDK16Q")
    assert refused.value.status_code == 404


def test_oneshot_python_reads_with_an_access_token(house: House, address: str) -> None:
    tenant, agent = _held_by_proof(house, address)
    house.deliver(tenant, [bandwidth_inbound("1", "+14151234567", text="hello")])
    token = house.wait(house.directory.create_access_token(agent, "cloud", None)).plaintext
    client = OneShotClient(access_token=token, address=address, base_url=house.base_url)
    assert [message["body"] for message in client.sms_inbox()["messages"]] == ["hello"]


def test_oneshot_python_with_another_wallet_is_refused(house: House, address: str) -> None:
    _held_by_proof(house, address)
    stranger = OneShotClient(private_key="0x" + "5d" * 32, base_url=house.base_url)
    with pytest.raises(ToolError):
        stranger.sms_inbox()


CONTACT, OTHER = "+15554443333", "+15557778888"


def _heard_by(house: House, address: str) -> tuple[Tenant, Agent]:
    """An agent that must prove its wallet, and whose number two contacts have texted."""
    tenant = house.tenant(carrier="loopback")
    agent = house.wait(house.directory.add_agent(tenant.org.org_id, address, open_=False))
    assert agent is not None
    house.wait(house.directory.add_number(tenant.org.org_id, "+14151234567", tenant.account.id, agent.id, ""))
    for contact in (CONTACT, OTHER):
        hear(house, tenant, contact, to="+14151234567")
    return tenant, agent


def _settled_once_accepted(house: House, tenant: Tenant, status: str, *contacts: str) -> None:
    """Settle a message to each contact as soon as there is one."""
    deadline = time.monotonic() + 30
    while {message["to"] for message in house.outbound(tenant)} != set(contacts):
        assert time.monotonic() < deadline, "nothing was accepted"
    settle(house, tenant, status, *contacts)


def test_oneshot_python_sends_waits_and_gets_its_result(house: House, address: str) -> None:
    tenant, _ = _heard_by(house, address)
    client = OneShotClient(private_key=PRIVATE_KEY, base_url=house.base_url)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(
            client.sms, "on my way", [CONTACT, OTHER], memo="dinner", decision_context={"why": "asked"}
        )
        _settled_once_accepted(house, tenant, "delivered", CONTACT, OTHER)
        result = waiting.result(60)
    assert (result["status"], result["delivered"], result["total"]) == ("all_delivered", 2, 2)
    assert [detail["to"] for detail in result["details"]] == [CONTACT, OTHER]
    assert result["memo"] == "dinner"
    told = client.notifications(unread=True)
    assert [each["type"] for each in told["notifications"]] == ["sms_completed"]
    assert told["notifications"][0]["metadata"]["request_id"] == result["request_id"]
    assert client.mark_notification_read(told["notifications"][0]["id"]) == {"success": True}
    assert client.notifications(unread=True, limit=5)["count"] == 0
    assert client.mark_all_notifications_read() == {"success": True}


def test_oneshot_python_sends_through_a_real_worker(database: Database, tmp_path: Path, address: str) -> None:
    house = House(database, tmp_path / "data", working=True).start()
    try:
        _heard_by(house, address)
        client = OneShotClient(private_key=PRIVATE_KEY, base_url=house.base_url)
        result = client.sms("on my way", [CONTACT, OTHER])
        assert (result["status"], result["delivered"], result["failed"]) == ("all_delivered", 2, 0)
        [told] = client.notifications()["notifications"]
        assert (told["type"], told["metadata"]["request_id"]) == ("sms_completed", result["request_id"])
    finally:
        house.stop()


def test_oneshot_python_sends_with_an_access_token_and_need_not_wait(house: House, address: str) -> None:
    tenant, agent = _heard_by(house, address)
    token = house.wait(house.directory.create_access_token(agent, "cloud", None)).plaintext
    client = OneShotClient(access_token=token, address=address, base_url=house.base_url)
    body = {"message": "on my way", "to_number": CONTACT}
    queued = client.call_tool("/v1/tools/sms/send", body, wait=False)
    assert set(queued) == {"request_id", "status"}
    settle(house, tenant, "delivered", CONTACT)
    assert client.call_free_get(f"/v1/requests/{queued['request_id']}")["status"] == "completed"


def test_oneshot_python_raises_what_a_send_is_refused_for(house: House, address: str) -> None:
    tenant, _ = _heard_by(house, address)
    client = OneShotClient(private_key=PRIVATE_KEY, base_url=house.base_url)
    with pytest.raises(EmergencyNumberError) as blocked:
        client.sms("help", "911")
    assert blocked.value.blocked_number == "911"
    with pytest.raises(ValidationError, match="'bob'"):
        client.sms("hello", "bob")
    with pytest.raises(ToolError) as refused:
        client.sms("hello", "+15550009999")
    assert refused.value.status_code == 403
    assert "consent_required" in refused.value.response_body
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(client.sms, "on my way", CONTACT)
        _settled_once_accepted(house, tenant, "failed", CONTACT)
        with pytest.raises(JobError) as failed:
            waiting.result(60)
    assert failed.value.code == "provider_unavailable"
    assert failed.value.partial_result["failed"] == 1


def test_oneshot_python_sends_where_no_quote_is_asked_for(database: Database, tmp_path: Path, address: str) -> None:
    house = House(database, tmp_path / "data", oneshot_quotes="off").start()
    try:
        tenant, _ = _heard_by(house, address)
        client = OneShotClient(private_key=PRIVATE_KEY, base_url=house.base_url)
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(client.sms, "on my way", CONTACT)
            _settled_once_accepted(house, tenant, "sent", CONTACT)
            assert waiting.result(60)["status"] == "all_sent"
    finally:
        house.stop()


@pytest.mark.parametrize(
    "payload",
    [
        bandwidth_inbound("1", "+15551112222"),
        bandwidth_inbound("2", "+15551112222", media=["https://example.com/a.jpg"]),
        bandwidth_inbound("3", "+15551112222", sender="68849", text="482913"),
    ],
)
def test_bandwidths_own_model_accepts_the_inbound_payloads_that_our_tests_send(payload: dict[str, Any]) -> None:
    read = InboundCallback.from_dict(payload)
    assert read is not None
    assert read.message.id == payload["message"]["id"]
    assert read.additional_properties == {}


@pytest.mark.parametrize(
    "event", ["message-sending", "message-sent", "message-delivered", "message-failed", "message-read"]
)
def test_bandwidths_own_model_accepts_the_status_payloads_that_our_tests_send(event: str) -> None:
    changes = {"errorCode": 4775} if event == "message-failed" else {}
    read = StatusCallback.from_dict(bandwidth_status(event, "1", "+15554443333", "+15551112222", **changes))
    assert read is not None
    assert read.type.value == event
    assert read.additional_properties == {}
