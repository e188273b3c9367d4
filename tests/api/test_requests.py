"""GET /v1/requests/{id}: what became of each recipient, in the union of both documented results."""

import pytest
from eth_account import Account
from oneshot.x402 import sign_read_proof

from support.agents import hear, notifications, request_of, requested, texted_by
from support.house import House, Tenant
from support.settling import settle, uuid_of

CONTACT, OTHER = "+15554443333", "+15557778888"
DAY_US = 24 * 3600 * 1_000_000


@pytest.fixture
def tenant(house: House) -> Tenant:
    """An agent that two contacts have texted; nothing is sent but by `settle`."""
    return texted_by(house, CONTACT, OTHER)


def public_ids(house: House, tenant: Tenant) -> dict[str, str]:
    """Each recipient's message, by its id in dialect A."""
    return {message["to"]: message["id"] for message in house.outbound(tenant)}


def test_a_request_that_waits_has_no_result_yet(house: House, tenant: Tenant) -> None:
    request_id = requested(house, tenant, CONTACT)
    body = request_of(house, tenant, request_id)
    assert body == {
        "request_id": request_id,
        "status": "processing",
        "tool": "sms",
        "created_at": body["created_at"],
        "updated_at": body["created_at"],
    }


def test_a_result_has_what_both_documentations_promise(house: House, tenant: Tenant) -> None:
    request_id = requested(house, tenant, [CONTACT, OTHER], memo="dinner")
    settle(house, tenant, "delivered", CONTACT, OTHER)
    body = request_of(house, tenant, request_id)
    assert body["status"] == "completed"
    assert body["updated_at"] > body["created_at"]
    details = body["result"].pop("details")
    assert body["result"] == {
        "status": "all_delivered", "delivered": 2, "sent": 2, "failed": 0, "total": 2, "memo": "dinner",
    }  # fmt: skip
    known = public_ids(house, tenant)
    assert [(each["to"], each["from"], each["status"]) for each in details] == [
        (CONTACT, "+14151234567", "delivered"),
        (OTHER, "+14151234567", "delivered"),
    ]
    for each in details:
        assert set(each) == {"to", "from", "status", "message_sid"}
        assert each["message_sid"].startswith("msg_")
        assert uuid_of(each["message_sid"]) == known[each["to"]]


@pytest.mark.parametrize(
    ("first", "second", "status", "outcome"),
    [
        ("queued", "sent", "processing", None),
        ("sending", "delivered", "processing", None),
        ("sent", "sent", "completed", "all_sent"),
        ("sent", "delivered", "completed", "all_sent"),
        ("delivered", "failed", "completed", "partially_sent"),
        ("sent", "undelivered", "completed", "partially_sent"),
        ("failed", "undelivered", "failed", "all_failed"),
    ],
)
def test_it_is_settled_when_nothing_waits_any_more(
    house: House, tenant: Tenant, first: str, second: str, status: str, outcome: str | None
) -> None:
    request_id = requested(house, tenant, [CONTACT, OTHER])
    settle(house, tenant, first, CONTACT)
    settle(house, tenant, second, OTHER)
    body = request_of(house, tenant, request_id)
    assert body["status"] == status
    assert body.get("result", {}).get("status") == outcome
    assert ("error" in body, "error_code" in body) == ((True, True) if status == "failed" else (False, False))


def test_a_result_goes_on_to_change_with_the_receipts(house: House, tenant: Tenant) -> None:
    request_id = requested(house, tenant, CONTACT)
    settle(house, tenant, "sent", CONTACT)
    assert request_of(house, tenant, request_id)["result"]["delivered"] == 0
    settle(house, tenant, "delivered", CONTACT)
    assert request_of(house, tenant, request_id)["result"]["delivered"] == 1


def test_a_recipient_without_consent_is_a_failed_detail(house: House, tenant: Tenant) -> None:
    hear(house, tenant, OTHER, "STOP")
    request_id = requested(house, tenant, [OTHER, CONTACT])
    assert request_of(house, tenant, request_id)["status"] == "processing"
    settle(house, tenant, "delivered", CONTACT)
    body = request_of(house, tenant, request_id)
    assert (body["status"], body["result"]["status"]) == ("completed", "partially_sent")
    assert body["result"]["details"][0] == {
        "to": OTHER, "from": "+14151234567", "status": "failed", "error": "consent_required",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (("4720", "Invalid destination address"), "provider_unavailable", "4720: Invalid destination address"),
        (("CONSENT_REQUIRED", "the contact opted out"), "consent_required", "CONSENT_REQUIRED: the contact opted out"),
    ],
)
def test_a_failed_request_says_why(house: House, tenant: Tenant, error: tuple[str, str], code: str, said: str) -> None:
    request_id = requested(house, tenant, CONTACT)
    settle(house, tenant, "failed", CONTACT, error=error)
    body = request_of(house, tenant, request_id)
    assert (body["status"], body["error_code"]) == ("failed", code)
    assert body["error"] == f"None of 1 could be sent: {said}"
    assert body["result"]["details"][0]["error"] == said


def test_a_stop_before_it_left_fails_the_request(house: House, tenant: Tenant) -> None:
    request_id = requested(house, tenant, CONTACT)
    hear(house, tenant, CONTACT, "STOP")
    body = request_of(house, tenant, request_id)
    assert (body["status"], body["error_code"]) == ("failed", "consent_required")
    assert [told["type"] for told in notifications(house, tenant)] == ["job_failed"]


def test_canceling_the_last_message_settles_the_request(house: House, tenant: Tenant) -> None:
    request_id = requested(house, tenant, [CONTACT, OTHER])
    settle(house, tenant, "sent", CONTACT)
    message_id = public_ids(house, tenant)[OTHER]
    assert house.http.delete(f"/v1/messages/{message_id}", headers=tenant.auth).status_code == 200
    assert request_of(house, tenant, request_id)["result"]["status"] == "partially_sent"
    assert [told["type"] for told in notifications(house, tenant)] == ["sms_completed"]


def test_only_its_agent_finds_a_request(house: House, tenant: Tenant) -> None:
    request_id = requested(house, tenant, CONTACT)
    colleague = "0x" + "cc" * 20
    house.wait(house.directory.add_agent(tenant.org.org_id, colleague, open_=True))
    for headers in ({"X-Agent-ID": colleague}, house.tenant().agent_header):
        answer = house.http.get(f"/v1/requests/{request_id}", headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert house.http.get(f"/v1/requests/{request_id}").status_code == 401


@pytest.mark.parametrize(
    "request_id", ["req_xyz789", "req_", "abc", "msg_01M80H9E20JB9XCTQ7EVBDK16Q", "req_01M80H9E20JB9XCTQ7EVBDK16Q"]
)
def test_an_unknown_request_is_not_found(house: House, tenant: Tenant, request_id: str) -> None:
    answer = house.http.get(f"/v1/requests/{request_id}", headers=tenant.agent_header)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_a_request_is_gone_after_thirty_days(house: House, tenant: Tenant) -> None:
    request_id = requested(house, tenant, CONTACT)
    house.clock.offset_us = 30 * DAY_US - 60_000_000
    assert request_of(house, tenant, request_id)["status"] == "processing"
    house.clock.offset_us = 30 * DAY_US + 1_000_000
    assert house.http.get(f"/v1/requests/{request_id}", headers=tenant.agent_header).status_code == 404


@pytest.mark.parametrize(("scope", "status"), [("read", 404), ("write", 401)])
def test_asking_takes_a_proof_for_reading(house: House, scope: str, status: int) -> None:
    key = "0x" + "4c" * 32
    address = str(Account.from_key(key).address)
    tenant = house.tenant(carrier="loopback")
    house.wait(house.directory.add_agent(tenant.org.org_id, address, open_=False))
    headers = {"X-Agent-ID": address, "x-agent-proof": sign_read_proof(key, address, scope)}
    assert house.http.get("/v1/requests/req_1", headers=headers).status_code == status
