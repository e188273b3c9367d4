"""Notifications: written once when a request is settled, listed, and marked as read."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from roost.store.agent_requests import note_settled
from roost.store.transaction import Transaction
from support.agents import notifications, requested, texted_by
from support.house import House, Tenant
from support.settling import settle, uuid_of

PATH = "/v1/tools/notifications"
CONTACT, OTHER = "+15554443333", "+15557778888"


@pytest.fixture
def tenant(house: House) -> Tenant:
    return texted_by(house, CONTACT, OTHER)


def tell(house: House, tenant: Tenant, count: int) -> None:
    """So many requests are settled."""
    for _ in range(count):
        requested(house, tenant, CONTACT)
        settle(house, tenant, "sent", CONTACT)


def test_the_agent_is_told_once_when_the_last_message_of_a_request_is_settled(house: House, tenant: Tenant) -> None:
    request_id = requested(house, tenant, [CONTACT, OTHER])
    settle(house, tenant, "sent", CONTACT)
    assert notifications(house, tenant) == [], "one still waits"
    settle(house, tenant, "sent", OTHER)
    settle(house, tenant, "delivered", CONTACT, OTHER)
    [told] = notifications(house, tenant)
    assert str(UUID(told["id"])) == told["id"]
    assert told == {
        "id": told["id"],
        "agentId": tenant.agent.id,
        "type": "sms_completed",
        "title": "SMS sent",
        "body": "2 of 2 sent.",
        "metadata": {
            "request_id": request_id, "tool": "sms", "status": "all_sent", "total": 2, "sent": 2, "delivered": 0, "failed": 0,
        },
        "read": False,
        "createdAt": told["createdAt"],
    }  # fmt: skip
    assert told["createdAt"].endswith("Z")


def test_messages_that_are_settled_at_once_tell_it_once(house: House, tenant: Tenant) -> None:
    request_id = uuid_of(requested(house, tenant, [CONTACT, OTHER]))
    settle(house, tenant, "queued", CONTACT, OTHER)

    async def one(contact: str) -> None:
        async def work(tx: Transaction) -> None:
            org_id = tenant.org.org_id
            await tx.lock(org_id)
            sql = "UPDATE outbound_messages SET status = 'sent' WHERE org_id = $1 AND to_number = $2"
            await tx.fetch(sql, UUID(org_id), contact)
            await note_settled(tx, org_id, request_id)

        await house.store.transact(work)

    async def both() -> None:
        await asyncio.gather(*(one(contact) for contact in (CONTACT, OTHER)))

    house.wait(both())
    assert [told["type"] for told in notifications(house, tenant)] == ["sms_completed"]


@pytest.mark.parametrize(
    ("first", "second", "kind", "body"),
    [
        ("failed", "undelivered", "job_failed", "None of 2 could be sent."),
        ("failed", "sent", "sms_completed", "1 of 2 sent."),
        ("delivered", "delivered", "sms_completed", "2 of 2 sent."),
    ],
)
def test_what_is_told_depends_on_what_became_of_it(
    house: House, tenant: Tenant, first: str, second: str, kind: str, body: str
) -> None:
    requested(house, tenant, [CONTACT, OTHER])
    settle(house, tenant, first, CONTACT)
    settle(house, tenant, second, OTHER)
    [told] = notifications(house, tenant)
    assert (told["type"], told["body"]) == (kind, body)


def test_they_come_newest_first_fifty_by_default_and_a_hundred_at_most(house: House, tenant: Tenant) -> None:
    tell(house, tenant, 101)
    times = [told["createdAt"] for told in notifications(house, tenant, "?limit=1000")]
    assert len(times) == 100
    assert times == sorted(times, reverse=True)
    assert len(notifications(house, tenant)) == 50
    assert len(notifications(house, tenant, "?limit=3&colour=red")) == 3


def test_one_is_marked_as_read_and_then_all(house: House, tenant: Tenant) -> None:
    tell(house, tenant, 3)
    newest, *_ = notifications(house, tenant)
    for _ in range(2):
        answer = house.http.patch(f"{PATH}/{newest['id']}/read", json={}, headers=tenant.agent_header)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert [told["read"] for told in notifications(house, tenant)] == [True, False, False]
    assert newest["id"] not in [told["id"] for told in notifications(house, tenant, "?unread=true")]
    assert len(notifications(house, tenant, "?unread=true")) == 2
    assert len(notifications(house, tenant, "?unread=false")) == 3
    answer = house.http.patch(f"{PATH}/read-all", json={}, headers=tenant.agent_header)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert notifications(house, tenant, "?unread=true") == []
    assert {told["read"] for told in notifications(house, tenant)} == {True}


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=-1", "unread=yes", "unread="])
def test_a_parameter_that_cannot_be_read_is_refused(house: House, tenant: Tenant, query: str) -> None:
    answer = house.http.get(f"{PATH}?{query}", headers=tenant.agent_header)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_nobody_elses_are_seen_or_marked(house: House, tenant: Tenant) -> None:
    tell(house, tenant, 1)
    [told] = notifications(house, tenant)
    colleague = "0x" + "cc" * 20
    house.wait(house.directory.add_agent(tenant.org.org_id, colleague, open_=True))
    for headers in ({"X-Agent-ID": colleague}, house.tenant().agent_header):
        assert house.http.get(PATH, headers=headers).json() == {"notifications": [], "count": 0}
        assert_not_found(house.http.patch(f"{PATH}/{told['id']}/read", headers=headers))
        assert house.http.patch(f"{PATH}/read-all", headers=headers).json() == {"success": True}
    assert [each["read"] for each in notifications(house, tenant)] == [False]


@pytest.mark.parametrize("notification_id", ["1", "not-a-uuid", "01900000-0000-7000-8000-000000000000"])
def test_an_unknown_one_is_not_found(house: House, tenant: Tenant, notification_id: str) -> None:
    assert_not_found(house.http.patch(f"{PATH}/{notification_id}/read", headers=tenant.agent_header))


def assert_not_found(answer: Any) -> None:
    assert (answer.status_code, answer.json()) == (404, {"error": "not_found", "message": "Notification not found"})


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PATCH", "/1/read"), ("PATCH", "/read-all")])
def test_nobody_reads_them_without_saying_who_they_are(house: House, method: str, path: str) -> None:
    assert house.http.request(method, PATH + path).status_code == 401
