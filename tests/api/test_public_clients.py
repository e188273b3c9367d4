"""The public clients, unchanged, against the real server."""

from typing import Any

import pytest
from bandwidth.models.inbound_callback import InboundCallback
from bandwidth.models.status_callback import StatusCallback
from eth_account import Account
from oneshot import OneShotClient
from oneshot._errors import ToolError

from support.house import House
from support.payloads import bandwidth_inbound, bandwidth_status

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
    assert listed["messages"][0]["media_urls"] == ["https://example.com/a.jpg"]
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
