"""The audit log: every change is in it, once, with who made it; and erasing a contact."""

from typing import Any
from uuid import UUID

import pytest

from roost.core.ids import parse_ulid
from roost.store import erasure
from support.allowed import allowed, but, error_of
from support.house import House
from support.outbound import stored_outbound
from support.payloads import bandwidth_inbound, bandwidth_status

PATH = "/v1/audit-log"
CONTACT = "+15554443333"
ERASE = "/v1/contacts/%2B15554443333/erase"


def _log(house: House, auth: dict[str, str], **params: Any) -> list[dict[str, Any]]:
    answer = house.http.get(PATH, params=params, headers=auth)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


def test_every_change_over_http_is_logged_once_with_the_key_that_made_it(house: House) -> None:
    tenant = house.tenant()
    auth = allowed(house, tenant)
    [me] = [key for key in house.http.get("/v1/api-keys", headers=auth).json()["data"] if key["label"] == "allowed"]

    def call(method: str, path: str, body: Any = None) -> Any:
        answer = house.http.request(method, path, json=body, headers=auth)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    before = len(_log(house, auth, limit=200))
    key = call("POST", "/v1/api-keys", {"label": "x", "scopes": ["org:read"]})
    rotated = call("POST", f"/v1/api-keys/{key['id']}/rotate")
    call("DELETE", f"/v1/api-keys/{rotated['id']}")
    call("DELETE", f"/v1/api-keys/{rotated['id']}")
    wanted = {"number": "+14155550123", "carrier_account_id": tenant.account.id}
    number = call("POST", "/v1/phone-numbers", wanted)["data"]
    for _ in range(2):
        call("PATCH", f"/v1/phone-numbers/{number['id']}", {"label": "desk"})
        call("PATCH", "/v1/organization", {"suspected": "hold"})
    call("DELETE", f"/v1/phone-numbers/{number['id']}")
    call("POST", ERASE)
    for path in ("/v1/api-keys", "/v1/phone-numbers", "/v1/organization", PATH):
        call("GET", path)
    entries = _log(house, auth, limit=200, include="payload")
    mine = entries[: len(entries) - before]
    assert [(entry["action"], entry["resource_type"], entry["resource_id"]) for entry in mine] == [
        ("contact.erased", "contact", CONTACT),
        ("phone_number.released", "phone_number", number["id"]),
        ("organization.updated", "organization", tenant.org.org_id),
        ("phone_number.updated", "phone_number", number["id"]),
        ("phone_number.created", "phone_number", number["id"]),
        ("api_key.revoked", "api_key", rotated["id"]),
        ("api_key.rotated", "api_key", key["id"]),
        ("api_key.created", "api_key", key["id"]),
    ]
    assert {(entry["actor_kind"], entry["actor_id"]) for entry in mine} == {("api_key", me["id"])}
    assert mine[3]["payload"] == {"label": "desk"}
    assert key["plaintext"] not in str(entries)
    assert rotated["plaintext"] not in str(entries)
    assert {entry["actor_kind"] for entry in entries[len(mine) :]} == {"operator"}


def test_an_entry_has_its_shape_and_its_payload_only_when_asked_for(house: House) -> None:
    tenant = house.tenant()
    auth = allowed(house, tenant)
    plain, full = _log(house, auth, limit=1)[0], _log(house, auth, limit=1, include="payload")[0]
    assert list(plain) == [
        "id", "org_id", "action", "resource_type", "resource_id", "actor_kind", "actor_id", "occurred_at"
    ]  # fmt: skip
    assert parse_ulid(plain["id"])
    assert plain["org_id"] == tenant.org.org_id
    assert {**plain, "payload": full["payload"]} == full
    assert full["payload"]["label"] == "allowed"


def test_entries_are_filtered_and_paged(house: House) -> None:
    tenant, stranger = house.tenant(), house.tenant()
    auth = allowed(house, tenant)
    everything = _log(house, auth)
    assert [entry["action"] for entry in everything] == [
        "api_key.created", "api_key.created", "phone_number.created", "agent.created", "carrier_account.created",
        "organization.created",
    ]  # fmt: skip
    assert stranger.org.org_id not in str(everything)
    cases: list[tuple[dict[str, str], list[int]]] = [
        ({"action": "api_key.created"}, [0, 1]),
        ({"resource_type": "phone_number"}, [2]),
        ({"resource_id": everything[3]["resource_id"]}, [3]),
        ({"actor_kind": "operator"}, [0, 1, 2, 3, 4, 5]),
        ({"actor_kind": "api_key"}, []),
        ({"action": "api_key.created", "resource_id": everything[1]["resource_id"]}, [1]),
        ({"since": everything[2]["occurred_at"]}, [0, 1, 2]),
        ({"until": everything[2]["occurred_at"]}, [3, 4, 5]),
        ({"since": everything[4]["occurred_at"], "until": everything[1]["occurred_at"]}, [2, 3, 4]),
    ]
    for params, expected in cases:
        assert _log(house, auth, **params) == [everything[place] for place in expected], params
        walked: list[Any] = []
        cursor: Any = None
        while True:
            query = {**params, "limit": "1", **({"cursor": cursor} if cursor else {})}
            page = house.http.get(PATH, params=query, headers=auth).json()
            walked += page["data"]
            cursor = page["meta"]["next_cursor"]
            if cursor is None:
                break
        assert walked == [everything[place] for place in expected], params


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=201", "limit"), ("actor_kind=god", "actor_kind"), ("since=yesterday", "since"),
     ("until=x", "until"), ("since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "until"), ("include=secrets", "include"),
     ("cursor=x", "cursor"), ("action=", "action"), ("who=me", "who")],
)  # fmt: skip
def test_a_wrong_parameter_is_named(house: House, query: str, field: str) -> None:
    answer = house.http.get(f"{PATH}?{query}", headers=allowed(house, house.tenant()))
    assert error_of(answer) == (422, "VALIDATION_FAILED")
    assert set(answer.json()["error"]["details"]) == {field}


@pytest.mark.parametrize(("method", "path", "scope"), [("GET", PATH, "audit:read"), ("POST", ERASE, "messages:erase")])
def test_who_may_not_is_refused(house: House, method: str, path: str, scope: str) -> None:
    tenant = house.tenant()
    assert error_of(house.http.request(method, path)) == (401, "UNAUTHORIZED")
    lacking = allowed(house, tenant, *but(scope))
    assert error_of(house.http.request(method, path, headers=lacking)) == (403, "FORBIDDEN")


def test_a_contact_is_erased_both_ways_and_its_consent_and_rows_stay(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "BATCH", 4)
    tenant, stranger = house.tenant(), house.tenant()
    auth = allowed(house, tenant)
    for owner in (tenant, stranger):
        texts = [bandwidth_inbound(str(n), owner.number.number, media=["https://example.com/a.jpg"]) for n in range(9)]
        house.deliver(owner, [*texts, bandwidth_inbound("other", owner.number.number, sender="+15550001111")])
    sent = [stored_outbound(house, tenant, None) for _ in range(6)]
    queued = [stored_outbound(house, tenant, state) for state in ("queued", "held", "leased")]
    other = stored_outbound(house, tenant, "queued", to="+15550001111")
    house.deliver(tenant, [bandwidth_status("message-delivered", f"bw-{sent[0]}", CONTACT, tenant.number.number)])
    answer = house.http.post(ERASE, headers=auth)
    assert answer.status_code == 200
    data = answer.json()["data"]
    entry = data.pop("audit_log_id")
    assert data.pop("erased_at").endswith("Z")
    assert data == {"contact_number": CONTACT, "inbound_redacted": 9, "outbound_redacted": 9}
    entries = _log(house, auth, action="contact.erased", include="payload")
    assert entries[0]["id"] == entry
    counted = [sum(each["payload"][f"{way}_redacted"] for each in entries) for way in ("inbound", "outbound")]
    assert (counted, len(entries)) == ([9, 9], 3), "every transaction says what it erased"
    listed = house.inbound(tenant)
    assert len(listed) == 10
    assert {(m["body"], *m["media_urls"]) for m in listed if m["from"] == CONTACT} == {("",)}
    assert [m["body"] for m in listed if m["from"] != CONTACT] == ["Hey, check this out!"]
    assert all(m["body"] for m in house.inbound(stranger)), "another organization's stay"
    fetch = house.store.fetch
    org_id = UUID(tenant.org.org_id)
    for sql, expected in (
        ("SELECT count(*) FROM inbound_messages WHERE org_id = $1 AND length(raw) > 0", 1),
        ("SELECT count(*) FROM inbound_messages WHERE org_id = $1", 10),
        ("SELECT count(*) FROM delivery_receipts WHERE org_id = $1 AND length(raw) > 0", 0),
        ("SELECT count(*) FROM outbound_messages WHERE org_id = $1 AND (body <> '' OR media IS NOT NULL)", 1),
        ("SELECT count(*) FROM outbound_messages WHERE org_id = $1 AND error_code = 'CANCELED'", 2),
        ("SELECT count(*) FROM outbox WHERE org_id = $1 AND withdrawn = 'CANCELED'", 1),
        ("SELECT count(*) FROM outbox WHERE org_id = $1", 2),
    ):
        assert house.wait(fetch(sql, org_id))[0][0] == expected, sql
    [(status,)] = house.wait(fetch("SELECT status FROM outbound_messages WHERE id = $1", UUID(other)))
    assert (status, len(queued)) == ("queued", 3)
    again = house.http.post(ERASE, headers=auth).json()["data"]
    assert (again["inbound_redacted"], again["outbound_redacted"]) == (0, 0)
    assert again["audit_log_id"] != entry


def test_an_erased_text_that_is_delivered_again_stays_erased(house: House) -> None:
    tenant = house.tenant()
    text = [bandwidth_inbound("1", tenant.number.number)]
    house.deliver(tenant, text)
    house.http.post(ERASE, headers=allowed(house, tenant))
    assert house.deliver(tenant, text).json()["duplicates"] == 1
    assert [message["body"] for message in house.inbound(tenant)] == [""]


@pytest.mark.parametrize("contact", ["%2B", "1%202", "+1 (555) 444-3333", "%00"])
def test_what_is_no_contact_is_refused(house: House, contact: str) -> None:
    answer = house.http.post(f"/v1/contacts/{contact}/erase", headers=allowed(house, house.tenant()))
    assert error_of(answer) == (400, "VALIDATION_FAILED")
    assert set(answer.json()["error"]["details"]) == {"contact_number"}


def test_an_unknown_contact_has_nothing_to_erase(house: House) -> None:
    answer = house.http.post("/v1/contacts/%2B15550009999/erase", headers=allowed(house, house.tenant()))
    assert answer.json()["data"]["inbound_redacted"] == answer.json()["data"]["outbound_redacted"] == 0
