"""Dialect B, statement by statement: the seed document, and what was decided where it is silent."""

from typing import Any

import pytest

from support.house import House, Tenant
from support.payloads import bandwidth_inbound

INBOX = "/v1/tools/sms/inbox"
KEYS = {
    "id", "from", "to", "body", "num_media", "media_urls", "thread_id", "related_outbound_id", "received_at", "created_at",
}  # fmt: skip
DAY_US = 24 * 3600 * 1_000_000


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(number="+14151234567", wallet="0x52908400098527886E0F7030069857D2E4169EE8")


def arrive(house: House, tenant: Tenant, count: int, **changes: Any) -> None:
    number = tenant.number.number
    batch = [
        bandwidth_inbound(f"{changes.get('sender', '')}{n}", number, text=f"text {n}", **changes) for n in range(count)
    ]
    assert house.deliver(tenant, batch).json()["stored"] == count


def inbox(house: House, tenant: Tenant, query: str = "") -> dict[str, Any]:
    answer = house.http.get(INBOX + query, headers=tenant.agent_header)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert set(body) == {"messages", "count"}
    assert body["count"] == len(body["messages"])
    return body


def bodies(listed: dict[str, Any]) -> list[str]:
    return [message["body"] for message in listed["messages"]]


def test_a_text_has_exactly_the_seeded_keys(house: House, tenant: Tenant) -> None:
    house.deliver(
        tenant,
        [bandwidth_inbound("1", "+14151234567", sender="+14155551234", text="Yes, I'd like to confirm my appointment")],
    )
    [message] = inbox(house, tenant)["messages"]
    assert set(message) == KEYS
    assert message["id"].startswith("msg_")
    assert len(message["id"]) == 30
    assert message == {
        "id": message["id"],
        "from": "+14155551234",
        "to": "+14151234567",
        "body": "Yes, I'd like to confirm my appointment",
        "num_media": 0,
        "media_urls": None,
        "thread_id": None,
        "related_outbound_id": None,
        "received_at": message["received_at"],
        "created_at": message["received_at"],
    }
    assert house.http.get(f"{INBOX}/{message['id']}", headers=tenant.agent_header).json() == message


def test_a_picture_is_counted_and_listed(house: House, tenant: Tenant) -> None:
    house.deliver(tenant, [bandwidth_inbound("1", "+14151234567", media=["https://example.com/a.jpg"])])
    [message] = inbox(house, tenant)["messages"]
    [shown] = house.inbound(tenant)
    assert house.shows(tenant, shown, 1)
    assert (message["num_media"], message["media_urls"]) == (1, shown["media_urls"])


def test_messages_come_newest_first_and_fifty_by_default(house: House, tenant: Tenant) -> None:
    arrive(house, tenant, 60)
    listed = inbox(house, tenant)
    assert bodies(listed) == [f"text {n}" for n in range(59, 9, -1)]
    assert house.http.get(INBOX, headers=tenant.agent_header).headers["x-has-more"] == "true"
    assert "x-has-more" not in house.http.get(f"{INBOX}?limit=60", headers=tenant.agent_header).headers


@pytest.mark.parametrize(
    ("limit", "count"), [("1", 1), ("10", 10), ("100", 100), ("101", 100), ("9" * 30, 100), ("007", 7)]
)
def test_the_limit_is_at_most_a_hundred(house: House, tenant: Tenant, limit: str, count: int) -> None:
    arrive(house, tenant, 110)
    assert inbox(house, tenant, f"?limit={limit}")["count"] == count


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=abc", "limit=1.5", "limit=", "limit=000"])
def test_a_limit_that_is_no_positive_whole_number_is_refused(house: House, tenant: Tenant, query: str) -> None:
    answer = house.http.get(f"{INBOX}?{query}", headers=tenant.agent_header)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert "limit" in answer.json()["message"]


@pytest.mark.parametrize("query", ["since=yesterday", "since=", "from=", "from=%00", "from=a%0Ab"])
def test_a_parameter_that_cannot_be_read_is_refused(house: House, tenant: Tenant, query: str) -> None:
    answer = house.http.get(f"{INBOX}?{query}", headers=tenant.agent_header)
    assert (answer.status_code, set(answer.json())) == (400, {"error", "message"})


def test_unknown_parameters_are_ignored(house: House, tenant: Tenant) -> None:
    arrive(house, tenant, 1)
    assert inbox(house, tenant, "?colour=red&unread=true")["count"] == 1


def test_since_is_strictly_after_and_gives_the_oldest_of_what_is_new(house: House, tenant: Tenant) -> None:
    arrive(house, tenant, 10)
    everything = inbox(house, tenant)["messages"]
    third = everything[-3]["received_at"]
    answer = house.http.get(f"{INBOX}?limit=4&since={third}", headers=tenant.agent_header)
    assert bodies(answer.json()) == ["text 6", "text 5", "text 4", "text 3"]
    assert answer.headers["x-has-more"] == "true"
    rest = house.http.get(
        f"{INBOX}?limit=4&since={answer.json()['messages'][0]['received_at']}", headers=tenant.agent_header
    )
    assert bodies(rest.json()) == ["text 9", "text 8", "text 7"]
    assert "x-has-more" not in rest.headers
    assert inbox(house, tenant, f"?since={everything[0]['received_at']}") == {"messages": [], "count": 0}


@pytest.mark.parametrize(
    "since", ["2020-01-01", "2020-01-01T00:00:00", "2020-01-01T00:00:00+02:00", "2020-01-01T00:00:00.1234567Z"]
)
def test_since_takes_the_times_that_scripts_write(house: House, tenant: Tenant, since: str) -> None:
    arrive(house, tenant, 2)
    assert inbox(house, tenant, f"?since={since}")["count"] == 2


def test_one_sender_can_be_picked(house: House, tenant: Tenant) -> None:
    arrive(house, tenant, 2, sender="+14155551234")
    arrive(house, tenant, 3, sender="68849")
    assert inbox(house, tenant, "?from=%2B14155551234")["count"] == 2
    assert inbox(house, tenant, "?from=+14155551234")["count"] == 2
    assert inbox(house, tenant, "?from=68849")["count"] == 3
    assert inbox(house, tenant, "?from=%2B19999999999") == {"messages": [], "count": 0}


def test_an_agent_sees_its_own_messages_only(house: House, tenant: Tenant) -> None:
    arrive(house, tenant, 1)
    other = house.tenant()
    arrive(house, other, 1)
    [mine], [theirs] = inbox(house, tenant)["messages"], inbox(house, other)["messages"]
    assert mine["id"] != theirs["id"]
    answer = house.http.get(f"{INBOX}/{theirs['id']}", headers=tenant.agent_header)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_an_agent_of_the_same_organization_does_not_see_what_came_to_another(house: House, tenant: Tenant) -> None:
    arrive(house, tenant, 1)
    colleague = "0x" + "cc" * 20
    house.wait(house.directory.add_agent(tenant.org.org_id, colleague, open_=True))
    answer = house.http.get(INBOX, headers={"X-Agent-ID": colleague})
    assert answer.json() == {"messages": [], "count": 0}
    [message] = inbox(house, tenant)["messages"]
    assert house.http.get(f"{INBOX}/{message['id']}", headers={"X-Agent-ID": colleague}).status_code == 404


def test_addresses_are_compared_in_lower_case(house: House, tenant: Tenant) -> None:
    arrive(house, tenant, 1)
    for spelling in (tenant.agent.wallet.lower(), "0x" + tenant.agent.wallet[2:].upper()):
        assert house.http.get(INBOX, headers={"X-Agent-ID": spelling}).json()["count"] == 1


@pytest.mark.parametrize(
    "wallet", [None, "", "0x", "0x123", "agent-1", "0x" + "g" * 40, "52908400098527886e0f7030069857d2e4169ee8"]
)
def test_without_a_wallet_address_nothing_is_read(house: House, tenant: Tenant, wallet: str | None) -> None:
    answer = house.http.get(INBOX, headers={} if wallet is None else {"X-Agent-ID": wallet})
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
    assert "X-Agent-ID" in answer.json()["message"]


@pytest.mark.parametrize(
    "message_id", ["msg_abc123", "msg_", "abc", "01M80H9E20JB9XCTQ7EVBDK16Q", "msg_01m80h9e20jb9xctq7evbdk16q"]
)
def test_an_id_that_cannot_be_ours_is_not_found(house: House, tenant: Tenant, message_id: str) -> None:
    answer = house.http.get(f"{INBOX}/{message_id}", headers=tenant.agent_header)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_messages_are_gone_after_thirty_days_and_dialect_a_keeps_them(house: House, tenant: Tenant) -> None:
    house.http.patch("/v1/organization", json={"message_retention_days": 60}, headers=tenant.auth)
    arrive(house, tenant, 1)
    [message] = inbox(house, tenant)["messages"]
    house.clock.offset_us = 30 * DAY_US - 60_000_000
    assert inbox(house, tenant)["count"] == 1
    house.clock.offset_us = 30 * DAY_US + 1_000_000
    assert inbox(house, tenant)["count"] == 0
    assert inbox(house, tenant, "?since=2020-01-01T00:00:00Z")["count"] == 0
    assert house.http.get(f"{INBOX}/{message['id']}", headers=tenant.agent_header).status_code == 404
    assert len(house.inbound(tenant)) == 1


def test_a_number_that_changed_hands_leaves_its_messages_with_whom_they_came_to(house: House, tenant: Tenant) -> None:
    unheld = house.wait(house.directory.add_number(tenant.org.org_id, "+14150000000", tenant.account.id, None, ""))
    assert unheld is not None
    house.deliver(tenant, [bandwidth_inbound("nobody's", "+14150000000")])
    assert inbox(house, tenant)["count"] == 0, "a number that no agent holds is nobody's inbox"
    assert len(house.inbound(tenant)) == 1, "but it is the organization's"
