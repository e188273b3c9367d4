"""The block list: its routes, and what it does to the texts of a blocked sender."""

from typing import Any

import httpx
import pytest

from support.house import House, Tenant
from support.payloads import bandwidth_inbound

PEST, FRIEND = "+15554443333", "+15554443334"
UNKNOWN = "01900000-0000-7000-8000-000000000001"
PATH = "/v1/blocked-senders"


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant()


def block(house: House, tenant: Tenant, sender: str = PEST, **fields: Any) -> httpx.Response:
    return house.http.post(PATH, json={"sender": sender, **fields}, headers=tenant.auth)


def entries(house: House, tenant: Tenant, **params: Any) -> dict[str, Any]:
    answer = house.http.get(PATH, params=params, headers=tenant.auth)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def marks(house: House, tenant: Tenant, *senders: str) -> dict[str, bool]:
    """Which of the senders' next texts are marked."""
    for count, sender in enumerate(senders):
        payload = bandwidth_inbound(f"{house.clock()}-{count}", tenant.number.number, sender=sender)
        assert house.deliver(tenant, [payload]).json()["stored"] == 1
    newest = house.inbound(tenant, include="blocked", limit=len(senders))
    return {message["from"]: message["blocked"] for message in newest}


def test_a_blocked_senders_texts_are_stored_and_marked_from_then_on_until_unblocked(
    house: House, tenant: Tenant
) -> None:
    assert marks(house, tenant, PEST, FRIEND) == {PEST: False, FRIEND: False}
    answer = block(house, tenant, reason="spam")
    entry = answer.json()["data"]
    assert (answer.status_code, answer.json()["success"]) == (201, True)
    assert entry == {
        "id": entry["id"],
        "sender": PEST,
        "number": None,
        "phone_number_id": None,
        "reason": "spam",
        "created_at": entry["created_at"],
    }
    assert marks(house, tenant, PEST, FRIEND) == {PEST: True, FRIEND: False}
    removed = house.http.delete(f"{PATH}/{entry['id']}", headers=tenant.auth)
    assert (removed.status_code, removed.json()) == (
        200,
        {"success": True, "data": {"id": entry["id"], "status": "removed"}},
    )
    assert marks(house, tenant, PEST) == {PEST: False}
    stored = house.inbound(tenant, include="blocked", **{"from": PEST})
    assert [message["blocked"] for message in stored] == [False, True, False], "what is marked stays marked"


def test_the_mark_is_shown_only_to_whoever_asks(house: House, tenant: Tenant) -> None:
    block(house, tenant)
    marks(house, tenant, PEST)
    (message,) = house.inbound(tenant)
    assert "blocked" not in message
    path = f"/v1/inbound-messages/{message['id']}"
    assert house.http.get(path, headers=tenant.auth).json()["data"] == message
    got = house.http.get(path, params={"include": "blocked"}, headers=tenant.auth).json()["data"]
    assert got == {**message, "blocked": True}


def test_a_sender_can_be_blocked_on_one_number_only(house: House, tenant: Tenant) -> None:
    other = house.wait(house.directory.add_number(tenant.org.org_id, "+15550009001", tenant.account.id, None, ""))
    assert other is not None
    entry = block(house, tenant, phone_number_id=other.id).json()["data"]
    assert (entry["number"], entry["phone_number_id"]) == ("+15550009001", other.id)
    assert marks(house, tenant, PEST) == {PEST: False}
    house.deliver(tenant, [bandwidth_inbound("m9", "+15550009001", sender=PEST)])
    assert house.inbound(tenant, include="blocked", limit=1)[0]["blocked"] is True


def test_one_organizations_list_is_nobody_elses(house: House, tenant: Tenant) -> None:
    other = house.tenant()
    entry = block(house, tenant).json()["data"]
    assert marks(house, other, PEST) == {PEST: False}
    assert entries(house, other)["data"] == []
    assert house.http.delete(f"{PATH}/{entry['id']}", headers=other.auth).status_code == 404
    assert block(house, other, phone_number_id=tenant.number.id).status_code == 404
    assert len(entries(house, tenant)["data"]) == 1


def test_blocking_twice_is_blocking_once(house: House, tenant: Tenant) -> None:
    first = block(house, tenant, reason="spam")
    again = block(house, tenant, reason="something else")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert block(house, tenant, phone_number_id=tenant.number.id).status_code == 201, "on one number: another entry"
    assert len(entries(house, tenant)["data"]) == 2


def test_the_list_is_newest_first_and_paged(house: House, tenant: Tenant) -> None:
    made = [block(house, tenant, f"+1555444{n:04}").json()["data"]["id"] for n in range(5)]
    first = entries(house, tenant, limit=3)
    assert first["meta"]["limit"] == 3
    rest = entries(house, tenant, limit=3, cursor=first["meta"]["next_cursor"])
    assert [entry["id"] for entry in first["data"] + rest["data"]] == made[::-1]
    assert rest["meta"]["next_cursor"] is None


def test_a_blocked_senders_stop_still_counts(house: House, tenant: Tenant) -> None:
    house.http.post(PATH, json={"sender": PEST}, headers=tenant.auth)
    house.deliver(tenant, [bandwidth_inbound("m1", tenant.number.number, text="STOP", sender=PEST)])
    assert house.send(tenant, PEST).status_code == 453


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, "sender"),
        ({"sender": "+1 (555)"}, "sender"),
        ({"sender": 7}, "sender"),
        ({"sender": "x\x00"}, "sender"),
        ({"sender": PEST, "phone_number_id": "x"}, "phone_number_id"),
        ({"sender": PEST, "reason": ""}, "reason"),
        ({"sender": PEST, "reason": "x" * 201}, "reason"),
        ({"sender": PEST, "number": "+15550000001"}, "number"),
    ],
)
def test_each_wrong_field_is_named(house: House, tenant: Tenant, body: dict[str, Any], wrong: str) -> None:
    answer = house.http.post(PATH, json=body, headers=tenant.auth)
    assert (answer.status_code, set(answer.json()["error"]["details"])) == (422, {wrong})


@pytest.mark.parametrize("sender", ["12345", "BANK", "Anonymous", "someone@example.com", "015112345678"])
def test_any_sender_can_be_blocked(house: House, tenant: Tenant, sender: str) -> None:
    assert block(house, tenant, sender).status_code == 201
    assert marks(house, tenant, sender) == {sender: True}


def test_the_statuses_of_what_is_wrong(house: House, tenant: Tenant) -> None:
    for method, path, scope in [
        ("GET", PATH, "consent:write"),
        ("POST", PATH, "consent:read"),
        ("DELETE", f"{PATH}/{UNKNOWN}", "consent:read"),
    ]:
        issued = house.wait(house.directory.create_api_key(tenant.org.org_id, "t", [scope], None))
        refused = house.http.request(method, path, headers={"Authorization": f"Bearer {issued.plaintext}"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")
        assert house.http.request(method, path).status_code == 401
    assert house.http.delete(f"{PATH}/{UNKNOWN}", headers=tenant.auth).status_code == 404
    assert house.http.delete(f"{PATH}/x", headers=tenant.auth).status_code == 400
    assert house.http.delete(f"{PATH}/{UNKNOWN}?x=1", headers=tenant.auth).status_code == 422
    assert house.http.get(f"{PATH}?limit=0", headers=tenant.auth).status_code == 422
    assert house.http.get(f"{PATH}?cursor=abc", headers=tenant.auth).status_code == 422
    assert house.http.post(PATH, content=b"[]", headers=tenant.auth).status_code == 422
    assert house.http.post(PATH, content=b" " * ((1 << 20) + 1), headers=tenant.auth).status_code == 413


def test_every_change_is_in_the_audit_log(house: House, tenant: Tenant) -> None:
    entry = block(house, tenant).json()["data"]
    block(house, tenant)
    house.http.delete(f"{PATH}/{entry['id']}", headers=tenant.auth)
    rows = house.wait(
        house.store.fetch("SELECT action, resource_id FROM audit_log WHERE action LIKE 'sender%' ORDER BY id")
    )
    assert [tuple(row) for row in rows] == [("sender.blocked", entry["id"]), ("sender.unblocked", entry["id"])]
