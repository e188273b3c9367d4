"""The consent routes of dialect A: every documented status and code, and what a consent does to sends."""

import hashlib
from typing import Any

import httpx
import pytest

from roost.core.ids import uuid7
from roost.core.times import parse_instant
from support.house import House, Tenant
from support.payloads import bandwidth_inbound
from support.sends import queue, state_of

CONTACT = "+15554443333"
AGREEMENT = "I agree to receive appointment texts from Acme Health."
EVIDENCE = {
    "captured_at": "2026-04-26T11:59:58Z",
    "ip_address": "203.0.113.7",
    "user_agent": "Mozilla/5.0",
    "agreement_text": AGREEMENT,
    "form_url": "https://acme.example/sign-up",
    "consent_method": "checkbox",
}
UNKNOWN = "01900000-0000-7000-8000-000000000001"


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant()


def post(house: House, tenant: Tenant, path: str = "", **body: Any) -> httpx.Response:
    asked = {"phone_number_id": tenant.number.id, **body}
    return house.http.post(f"/v1/consent{path}", json=asked, headers=tenant.auth)


def record(house: House, tenant: Tenant, contact: str = CONTACT, **changes: Any) -> dict[str, Any]:
    body = {"contact_number": contact, "opted_in": True, "evidence": EVIDENCE, **changes}
    answer = post(house, tenant, **body)
    assert answer.status_code in (200, 201), answer.text
    made: dict[str, Any] = answer.json()
    return made


def listed(house: House, tenant: Tenant, **params: Any) -> list[dict[str, Any]]:
    answer = house.http.get("/v1/consent", params=params, headers=tenant.auth)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


def events(house: House, tenant: Tenant, consent_id: str, **params: Any) -> list[dict[str, Any]]:
    answer = house.http.get(f"/v1/consent/{consent_id}/history", params=params, headers=tenant.auth)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


def text(house: House, tenant: Tenant, message_id: str, body: str, **changes: Any) -> str:
    payload = bandwidth_inbound(message_id, tenant.number.number, text=body, sender=CONTACT, **changes)
    stored: str = house.deliver(tenant, [payload]).json()["ids"][0]
    return stored


# Recording


def test_an_attested_consent_is_recorded_with_its_evidence_and_allows_sending(house: House, tenant: Tenant) -> None:
    assert house.send(tenant, CONTACT).status_code == 453
    answer = post(house, tenant, contact_number=CONTACT, opted_in=True, evidence=EVIDENCE)
    made = answer.json()
    assert answer.status_code == 201
    assert made == {
        "id": made["id"],
        "org_id": tenant.org.org_id,
        "phone_number_id": tenant.number.id,
        "contact_number": CONTACT,
        "opted_in": True,
        "opted_in_at": made["updated_at"],
        "opted_out_at": None,
        "source": "api",
        "created_at": made["updated_at"],
        "updated_at": made["updated_at"],
        "agreement_text_hash": hashlib.sha256(AGREEMENT.encode()).hexdigest(),
        "already_opted_in": False,
    }
    assert events(house, tenant, made["id"]) == [
        {
            "id": events(house, tenant, made["id"])[0]["id"],
            "event": "opt_in",
            "source": "api",
            "keyword": None,
            "consent_method": "checkbox",
            "raw_event_id": None,
            "occurred_at": made["updated_at"],
            "agreement_text_hash": made["agreement_text_hash"],
            "evidence_captured_at": EVIDENCE["captured_at"],
            "evidence_ip_address": EVIDENCE["ip_address"],
            "evidence_user_agent": EVIDENCE["user_agent"],
            "evidence_agreement_text": AGREEMENT,
            "evidence_form_url": EVIDENCE["form_url"],
        }
    ]
    assert house.send(tenant, CONTACT).status_code == 202


def test_recording_it_again_changes_nothing_and_says_so(house: House, tenant: Tenant) -> None:
    first = record(house, tenant)
    other = {**EVIDENCE, "agreement_text": "something else"}
    answer = post(house, tenant, contact_number=CONTACT, opted_in=True, evidence=other)
    assert answer.status_code == 200
    assert answer.json() == {**first, "already_opted_in": True}
    assert len(events(house, tenant, first["id"])) == 1


def test_opted_in_false_records_an_opt_out_that_cancels_what_is_queued(house: House, tenant: Tenant) -> None:
    record(house, tenant)
    queued = house.sent(tenant, CONTACT)
    made = record(house, tenant, opted_in=False, evidence={"consent_method": "verbal"})
    assert (made["opted_in"], made["already_opted_in"], made["opted_out_at"]) == (False, False, made["updated_at"])
    assert state_of(house, tenant, queued)[2:] == ("failed", "CONSENT_REQUIRED")
    assert house.send(tenant, CONTACT).status_code == 453
    again = post(house, tenant, contact_number=CONTACT, opted_in=False)
    assert (again.status_code, again.json()["updated_at"]) == (200, made["updated_at"])


def test_only_what_was_agreed_to_after_an_opt_out_lifts_it(house: House, tenant: Tenant) -> None:
    out = record(house, tenant, opted_in=False, evidence={"consent_method": "verbal"})
    opted_out_us = parse_instant(out["opted_out_at"])[0]
    no_time = {name: value for name, value in EVIDENCE.items() if name != "captured_at"}
    for evidence in (EVIDENCE, no_time):
        answer = post(house, tenant, contact_number=CONTACT, opted_in=True, evidence=evidence)
        assert (answer.status_code, answer.json()["error"]["code"]) == (453, "CONSENT_REQUIRED")
    assert [consent["opted_in"] for consent in listed(house, tenant)] == [False]
    house.clock.offset_us += 10_000_000
    later = {**EVIDENCE, "captured_at": out["opted_out_at"]}
    made = record(house, tenant, evidence=later)
    assert (made["opted_in"], made["opted_out_at"], made["id"]) == (True, None, out["id"])
    assert parse_instant(made["opted_in_at"])[0] > opted_out_us


def test_with_the_organizations_scope_an_opt_out_from_one_number_holds_for_all_until_one_opt_in_lifts_it(
    house: House, tenant: Tenant
) -> None:
    scope = (
        "UPDATE organizations SET settings = $1 WHERE name = $2",
        ('{"opt_out_scope": "organization"}', tenant.org.name),
    )
    house.wait(house.store.write(scope))
    other = house.wait(house.directory.add_number(tenant.org.org_id, "+15550009001", tenant.account.id, None, ""))
    assert other is not None
    out = record(house, tenant, opted_in=False, evidence={"consent_method": "verbal"})
    for answer in (
        post(house, tenant, phone_number_id=other.id, contact_number=CONTACT, opted_in=True, evidence=EVIDENCE),
        ask(house, tenant, phone_number_id=other.id),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (453, "CONSENT_REQUIRED")
    house.clock.offset_us += 10_000_000
    later = {**EVIDENCE, "captured_at": out["opted_out_at"]}
    record(house, tenant, phone_number_id=other.id, evidence=later)
    assert [consent["opted_in"] for consent in listed(house, tenant)] == [True, True]


WRONG: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"phone_number_id", "contact_number", "opted_in", "evidence.agreement_text"}),
    ({"phone_number_id": "x"}, {"phone_number_id"}),
    ({"phone_number_id": 7}, {"phone_number_id"}),
    ({"contact_number": "555 444"}, {"contact_number"}),
    ({"contact_number": "12345"}, {"contact_number"}),
    ({"opted_in": "true"}, {"opted_in"}),
    ({"evidence": None}, {"evidence.agreement_text"}),
    ({"evidence": []}, {"evidence", "evidence.agreement_text"}),
    ({"evidence": {"agreement_text": ""}}, {"evidence.agreement_text"}),
    ({"evidence": {**EVIDENCE, "captured_at": "yesterday"}}, {"evidence.captured_at"}),
    ({"evidence": {**EVIDENCE, "captured_at": 7}}, {"evidence.captured_at"}),
    ({"evidence": {**EVIDENCE, "captured_at": "2999-01-01T00:00:00Z"}}, {"evidence.captured_at"}),
    ({"evidence": {**EVIDENCE, "ip_address": "localhost"}}, {"evidence.ip_address"}),
    ({"evidence": {**EVIDENCE, "user_agent": "x\x00"}}, {"evidence.user_agent"}),
    ({"evidence": {**EVIDENCE, "consent_method": "guessed"}}, {"evidence.consent_method"}),
    ({"evidence": {**EVIDENCE, "ip": "::1"}}, {"evidence.ip"}),
    ({"optedin": True}, {"optedin"}),
]


@pytest.mark.parametrize(("changes", "wrong"), WRONG, ids=[str(index) for index in range(len(WRONG))])
def test_each_wrong_field_is_named(house: House, tenant: Tenant, changes: dict[str, Any], wrong: set[str]) -> None:
    good = {"phone_number_id": tenant.number.id, "contact_number": CONTACT, "opted_in": True, "evidence": EVIDENCE}
    body = {**good, **changes} if changes else {}
    answer = house.http.post("/v1/consent", json=body, headers=tenant.auth)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "VALIDATION_FAILED")
    assert set(answer.json()["error"]["details"]) == wrong
    assert listed(house, tenant) == []


# Listing


def test_the_list_has_what_changed_last_first_with_the_documented_keys(house: House, tenant: Tenant) -> None:
    alice, bob = record(house, tenant), record(house, tenant, "+15554443334")
    record(house, tenant, opted_in=False)
    answer = house.http.get("/v1/consent", headers=tenant.auth).json()
    assert answer["meta"] == {"total": 0, "limit": 20, "offset": 0, "next_cursor": None}
    assert [consent["id"] for consent in answer["data"]] == [alice["id"], bob["id"]]
    assert set(answer["data"][0]) == {
        "id", "org_id", "phone_number_id", "contact_number", "opted_in", "opted_in_at", "opted_out_at", "source",
        "created_at", "updated_at",
    }  # fmt: skip


def test_filters_combine(house: House, tenant: Tenant) -> None:
    record(house, tenant)
    bob = record(house, tenant, "+15554443334", evidence={**EVIDENCE, "consent_method": "verbal"})
    record(house, tenant, "+15554443335", opted_in=False)
    for params, count in [
        ({"contact_number": CONTACT}, 1),
        ({"contact_number": "+15550000000"}, 0),
        ({"phone_number_id": tenant.number.id}, 3),
        ({"phone_number_id": UNKNOWN}, 0),
        ({"opted_in": "true"}, 2),
        ({"opted_in": "false"}, 1),
        ({"since": bob["updated_at"]}, 2),
        ({"consent_method": "verbal"}, 1),
        ({"consent_method": "verbal", "opted_in": "false"}, 0),
        ({"consent_method": "verbal", "opted_in": "true", "since": bob["updated_at"]}, 1),
    ]:
        assert len(listed(house, tenant, **params)) == count, params


def test_cursors_visit_each_consent_once_and_hold_only_for_their_filters(house: House, tenant: Tenant) -> None:
    made = [record(house, tenant, f"+1555444{n:04}")["id"] for n in range(7)]
    walked, cursor = [], None
    while True:
        params = {"limit": 3, "opted_in": "true", **({"cursor": cursor} if cursor else {})}
        page = house.http.get("/v1/consent", params=params, headers=tenant.auth).json()
        walked += [consent["id"] for consent in page["data"]]
        if cursor is None:
            other = house.http.get("/v1/consent", params={"cursor": page["meta"]["next_cursor"]}, headers=tenant.auth)
            assert (other.status_code, set(other.json()["error"]["details"])) == (422, {"cursor"})
        cursor = page["meta"]["next_cursor"]
        if cursor is None:
            break
    assert walked == made[::-1]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "opted_in=1", "since=now", "consent_method=x", "contact_number=%2B1+2", "x=1",
              "phone_number_id=7", "cursor=", "cursor=abc"],
)  # fmt: skip
def test_each_wrong_parameter_is_named(house: House, tenant: Tenant, query: str) -> None:
    answer = house.http.get(f"/v1/consent?{query}", headers=tenant.auth)
    assert answer.status_code == 422
    assert set(answer.json()["error"]["details"]) == {query.partition("=")[0]}


def test_the_history_is_newest_first_and_paged_and_shows_a_stop_with_its_message(house: House, tenant: Tenant) -> None:
    made = record(house, tenant)
    stop = text(house, tenant, "m1", "Stop!")
    text(house, tenant, "m2", "START", time="2036-04-26T12:01:00Z")
    found = events(house, tenant, made["id"])
    assert [event["event"] for event in found] == ["opt_in", "opt_out", "opt_in"]
    assert (found[1]["keyword"], found[1]["source"], found[1]["raw_event_id"]) == ("STOP", "inbound_reply", stop)
    assert {value for name, value in found[1].items() if name.startswith("evidence_")} == {None}
    page = house.http.get(f"/v1/consent/{made['id']}/history", params={"limit": 2}, headers=tenant.auth).json()
    assert page["data"] == found[:2]
    cursor = page["meta"]["next_cursor"]
    assert events(house, tenant, made["id"], cursor=cursor) == found[2:]
    other = record(house, tenant, "+15554443334")
    answer = house.http.get(f"/v1/consent/{other['id']}/history", params={"cursor": cursor}, headers=tenant.auth)
    assert answer.status_code == 422


# Revoking


def test_revoking_opts_out_once_and_returns_the_record(house: House, tenant: Tenant) -> None:
    made = record(house, tenant)
    queued = queue(house, tenant, CONTACT, "queued")
    revoked = house.http.delete(f"/v1/consent/{made['id']}", headers=tenant.auth)
    assert (revoked.status_code, revoked.json()["opted_in"], revoked.json()["source"]) == (200, False, "api")
    assert house.http.delete(f"/v1/consent/{made['id']}", headers=tenant.auth).json() == revoked.json()
    assert [event["event"] for event in events(house, tenant, made["id"])] == ["opt_out", "opt_in"]
    assert state_of(house, tenant, queued) == (None, None, "failed", "CONSENT_REQUIRED")


# Double opt-in


def ask(house: House, tenant: Tenant, **changes: Any) -> httpx.Response:
    question = {"contact_number": CONTACT, "confirmation_text": "Reply YES to agree.", "agreement_text": AGREEMENT}
    return post(house, tenant, "/double-opt-in", **{**question, **changes})


def test_a_double_opt_in_asks_by_text_and_yes_confirms_it(house: House, tenant: Tenant) -> None:
    answer = ask(house, tenant)
    body = answer.json()
    assert answer.status_code == 202
    assert set(body) == {"consent_pending_id", "confirmation_message_id", "expires_at", "reused", "already_opted_in"}
    assert (body["reused"], body["already_opted_in"]) == (False, False)
    (message,) = house.outbound(tenant)
    assert (message["id"], message["text"], message["to"]) == (
        body["confirmation_message_id"],
        "Reply YES to agree.",
        CONTACT,
    )
    day_us = 24 * 3600 * 1_000_000
    assert 0 <= parse_instant(body["expires_at"])[0] - parse_instant(message["created_at"])[0] - day_us < 1_000_000
    assert listed(house, tenant) == [], "what is only asked for is no consent yet"
    assert house.send(tenant, CONTACT).status_code == 453
    yes = text(house, tenant, "m1", "Yes")
    (consent,) = listed(house, tenant, consent_method="double_opt_in")
    (event,) = events(house, tenant, consent["id"])
    assert (event["event"], event["keyword"], event["raw_event_id"]) == ("opt_in", "YES", yes)
    assert event["agreement_text_hash"] == hashlib.sha256(AGREEMENT.encode()).hexdigest()
    assert house.send(tenant, CONTACT).status_code == 202


def test_asking_again_while_it_is_open_sends_nothing(house: House, tenant: Tenant) -> None:
    first = ask(house, tenant).json()
    again = ask(house, tenant)
    assert (again.status_code, again.json()) == (200, {**first, "reused": True})
    assert len(house.outbound(tenant)) == 1


def test_after_a_day_it_is_asked_anew(house: House, tenant: Tenant) -> None:
    first = ask(house, tenant).json()
    house.clock.offset_us += 24 * 3600 * 1_000_000
    text(house, tenant, "m1", "YES")
    assert listed(house, tenant) == [], "too late"
    again = ask(house, tenant)
    assert again.status_code == 202
    assert again.json()["consent_pending_id"] != first["consent_pending_id"]


def test_whoever_has_opted_in_is_not_asked(house: House, tenant: Tenant) -> None:
    record(house, tenant)
    answer = ask(house, tenant)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "consent_pending_id": None,
            "confirmation_message_id": None,
            "expires_at": None,
            "reused": False,
            "already_opted_in": True,
        },
    )
    assert house.outbound(tenant) == []


def test_whoever_opted_out_may_not_be_asked(house: House, tenant: Tenant) -> None:
    text(house, tenant, "m1", "STOP")
    before = house.outbound(tenant)
    answer = ask(house, tenant)
    assert (answer.status_code, answer.json()["error"]["code"]) == (453, "CONSENT_REQUIRED")
    assert house.outbound(tenant) == before


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"confirmation_text": ""}, "confirmation_text"),
        ({"confirmation_text": "x" * 1601}, "confirmation_text"),
        ({"agreement_text": None}, "agreement_text"),
        ({"contact_number": "x"}, "contact_number"),
        ({"phone_number_id": "x"}, "phone_number_id"),
        ({"contact": CONTACT}, "contact"),
    ],
)
def test_each_wrong_field_of_a_question_is_named(
    house: House, tenant: Tenant, changes: dict[str, Any], wrong: str
) -> None:
    answer = ask(house, tenant, **changes)
    assert (answer.status_code, set(answer.json()["error"]["details"])) == (422, {wrong})


# Everywhere


ROUTES = [
    ("POST", "/v1/consent", "consent:write"),
    ("GET", "/v1/consent", "consent:read"),
    ("GET", f"/v1/consent/{UNKNOWN}/history", "consent:read"),
    ("DELETE", f"/v1/consent/{UNKNOWN}", "consent:write"),
    ("POST", "/v1/consent/double-opt-in", "consent:write"),
    ("POST", "/v1/consent/hosted", "consent:write"),
]


def test_each_route_wants_a_key_with_its_scope(house: House, tenant: Tenant) -> None:
    for method, path, scope in ROUTES:
        other = "consent:read" if scope == "consent:write" else "consent:write"
        issued = house.wait(house.directory.create_api_key(tenant.org.org_id, "t", [other, "messages:read"], None))
        refused = house.http.request(method, path, headers={"Authorization": f"Bearer {issued.plaintext}"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN"), path
        refused = house.http.request(method, path)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "UNAUTHORIZED"), path


def test_what_is_another_organizations_is_not_found(house: House, tenant: Tenant) -> None:
    made = record(house, tenant)
    other = house.tenant()
    for method, path in (("GET", f"/v1/consent/{made['id']}/history"), ("DELETE", f"/v1/consent/{made['id']}")):
        for auth, wanted in ((other.auth, made["id"]), (tenant.auth, UNKNOWN)):
            answer = house.http.request(method, path.replace(made["id"], wanted), headers=auth)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
        answer = house.http.request(method, path.replace(made["id"], "no-uuid"), headers=tenant.auth)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_FAILED")
        answer = house.http.request(method, path, params={"x": 1}, headers=tenant.auth)
        assert answer.status_code == 422
    text_fields = {"confirmation_text": "x", "agreement_text": "x"}
    for path, body in [
        ("/v1/consent", {"opted_in": True, "evidence": EVIDENCE}),
        ("/v1/consent", {"opted_in": False}),
        ("/v1/consent/double-opt-in", text_fields),
        ("/v1/consent/hosted", {"agreement_text": "x"}),
    ]:
        for number_id in (tenant.number.id, uuid7(1, 1)):
            asked = {"phone_number_id": number_id, "contact_number": CONTACT, **body}
            assert house.http.post(path, json=asked, headers=other.auth).status_code == 404
    assert listed(house, other) == []
    assert [consent["opted_in"] for consent in listed(house, tenant)] == [True]


@pytest.mark.parametrize("path", ["", "/double-opt-in", "/hosted"])
def test_a_body_is_an_object_of_at_most_a_mebibyte(house: House, tenant: Tenant, path: str) -> None:
    answer = house.http.post(f"/v1/consent{path}", content=b"[" * 100_000, headers=tenant.auth)
    assert (answer.status_code, answer.json()["error"]["details"]) == (422, {"body": "must be a JSON object"})
    answer = house.http.post(f"/v1/consent{path}", content=b" " * ((1 << 20) + 1), headers=tenant.auth)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_every_change_is_in_the_audit_log_without_what_was_said(house: House, tenant: Tenant) -> None:
    made = record(house, tenant)
    house.http.delete(f"/v1/consent/{made['id']}", headers=tenant.auth)
    ask(house, tenant, contact_number="+15554443334")
    rows = house.wait(
        house.store.fetch("SELECT action, actor_kind, payload FROM audit_log WHERE action LIKE 'consent%'")
    )
    assert sorted((row[0], row[1]) for row in rows) == [
        ("consent.asked", "api_key"),
        ("consent.recorded", "api_key"),
        ("consent.recorded", "api_key"),
    ]
    assert "agree" not in "".join(row[2] for row in rows)
