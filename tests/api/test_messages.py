"""POST /v1/messages: what is accepted, what is refused, and what stands in the lists afterwards."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from support.house import House, Tenant
from support.payloads import bandwidth_inbound

CONTACT = "+15554443333"


def write_first(house: House, tenant: Tenant, text: str = "Hi, is the flat still free?", sender: str = CONTACT) -> str:
    """The contact texts; the id of the message."""
    count = len(house.inbound(tenant, limit=100))
    answer = house.deliver(tenant, [bandwidth_inbound(f"in-{count}", tenant.number.number, text=text, sender=sender)])
    message_id: str = answer.json()["ids"][0]
    return message_id


@pytest.fixture
def tenant(house: House) -> Tenant:
    """An organization that a contact has texted."""
    made = house.tenant()
    write_first(house, made)
    return made


def test_a_message_is_accepted_with_the_documented_keys(house: House, tenant: Tenant) -> None:
    answer = house.send(tenant, CONTACT, "hello from roost", tag="order-7421", priority="high")
    assert answer.status_code == 202
    body = answer.json()
    created_at, message_id = body["data"].pop("created_at"), body["data"].pop("id")
    assert body == {
        "success": True,
        "data": {
            "from": tenant.number.number,
            "to": CONTACT,
            "text": "hello from roost",
            "channel": "sms",
            "priority": "high",
            "status": "queued",
            "tag": "order-7421",
        },
    }
    got = house.http.get(f"/v1/messages/{message_id}", headers=tenant.auth).json()["data"]
    assert (got["id"], got["created_at"], got["segment_count"]) == (message_id, created_at, 1)
    assert set(got) == {
        "id", "from", "to", "text", "channel", "priority", "status", "tag", "created_at", "bandwidth_message_id",
        "segment_count", "sent_at", "delivered_at",
    }  # fmt: skip


def test_a_picture_makes_it_an_mms_and_needs_no_words(house: House, tenant: Tenant) -> None:
    answer = house.send(tenant, CONTACT, "", media=["https://example.com/garden.jpg"])
    assert (answer.status_code, answer.json()["data"]["channel"]) == (202, "mms")
    assert house.outbound(tenant)[0]["media_urls"] == ["https://example.com/garden.jpg"]


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"from": None}, {"from": "is required"}),
        ({"to": None}, {"to": "is required"}),
        ({"text": None}, {"text": "is required"}),
        ({"text": ""}, {"text": "must be 1..1600 chars"}),
        ({"text": "x" * 1601}, {"text": "must be 1..1600 chars"}),
        ({"text": 7}, {"text": "must be 1..1600 chars"}),
        ({"text": "a\0b"}, {"text": "must not contain NUL or lone surrogates"}),
        ({"to": "555-444-3333"}, {"to": "must be E.164"}),
        ({"to": "68849"}, {"to": "must be E.164"}),
        ({"from": "+15559990000"}, {"from": "must be a number of the organization"}),
        ({"priority": "urgent"}, {"priority": "must be one of default, high"}),
        ({"tag": "x" * 65}, {"tag": "must be 1..64 chars"}),
        ({"media": "https://example.com/a.jpg"}, {"media": "must be a list of at most 10 URLs or ids"}),
        ({"media": ["https://example.com/a.jpg"] * 11}, {"media": "must be a list of at most 10 URLs or ids"}),
        ({"media": ["file:///etc/passwd"]}, {"media": "must be public http or https URLs, or ids of uploaded media"}),
        ({"txt": "hello"}, {"txt": "is not a field of this request; it takes from, media, media_id, priority, tag, text, to"}),
        ({"to": "nobody", "text": ""}, {"to": "must be E.164", "text": "must be 1..1600 chars"}),
    ],
)  # fmt: skip
def test_a_wrong_field_is_refused_with_what_to_do_about_it(
    house: House, tenant: Tenant, changes: dict[str, Any], details: dict[str, str]
) -> None:
    body = {"from": tenant.number.number, "to": CONTACT, "text": "hello", **changes}
    body = {name: value for name, value in body.items() if value is not None}
    answer = house.http.post("/v1/messages", json=body, headers=tenant.auth)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["code"], error["message"], error["details"]) == ("VALIDATION_FAILED", "validation failed", details)
    assert house.outbound(tenant) == []


@pytest.mark.parametrize("body", [b"[]", b"{", b'"text"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(house: House, tenant: Tenant, body: bytes) -> None:
    answer = house.http.post("/v1/messages", content=body, headers=tenant.auth)
    assert (answer.status_code, answer.json()["error"]["details"]) == (422, {"body": "must be a JSON object"})


def test_another_organizations_number_is_not_ours_to_send_from(house: House, tenant: Tenant) -> None:
    other = house.tenant()
    answer = house.send(tenant, CONTACT, **{"from": other.number.number})
    assert (answer.status_code, answer.json()["error"]["details"]) == (
        422,
        {"from": "must be a number of the organization"},
    )


def test_a_contact_who_never_wrote_may_not_be_texted(house: House) -> None:
    tenant = house.tenant()
    answer = house.send(tenant, CONTACT)
    assert (answer.status_code, answer.json()["error"]["code"]) == (453, "CONSENT_REQUIRED")
    assert house.outbound(tenant) == []


@pytest.mark.parametrize("only", ["Please stop texting me", "STOP"])
def test_a_text_that_asks_to_be_left_alone_grants_nothing(house: House, only: str) -> None:
    tenant = house.tenant()
    write_first(house, tenant, only)
    assert house.send(tenant, CONTACT).status_code == 453


def test_ordinary_text_after_a_stop_grants_nothing(house: House, tenant: Tenant) -> None:
    for text in ("STOP", "ok thanks", "yes"):
        write_first(house, tenant, text)
        if text != "yes":
            assert house.send(tenant, CONTACT).status_code == 453, text
    assert house.send(tenant, CONTACT).status_code == 202  # YES after an opt-out is an opt-in


def test_who_wrote_to_another_number_has_not_written_to_this_one(house: House, tenant: Tenant) -> None:
    second = house.wait(
        house.directory.add_number(tenant.org.org_id, "+15550009999", tenant.account.id, tenant.agent.id, "")
    )
    assert second is not None
    assert house.send(tenant, CONTACT, **{"from": "+15550009999"}).status_code == 453


def test_the_list_is_newest_first_and_its_cursor_is_in_the_header(house: House, tenant: Tenant) -> None:
    ids = [house.sent(tenant, CONTACT, f"text {index}", tag=f"t{index % 2}") for index in range(7)]
    seen, cursor = [], None
    while True:
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        answer = house.http.get("/v1/messages", params=params, headers=tenant.auth)
        assert answer.json()["meta"] == {"total": 0, "limit": 3, "offset": 0, "next_cursor": None}
        seen += [message["id"] for message in answer.json()["data"]]
        cursor = answer.headers.get("X-Next-Cursor")
        if cursor is None:
            break
    assert seen == ids[::-1]


@pytest.mark.parametrize(
    ("params", "matches"),
    [
        ({"tag": "a"}, lambda message: message["tag"] == "a"),
        ({"to": CONTACT}, lambda message: message["to"] == CONTACT),
        ({"to": "+15550001111"}, lambda message: False),
        ({"from": "{ours}"}, lambda message: True),
        ({"from": "{ours}", "to": CONTACT}, lambda message: message["to"] == CONTACT),
        ({"status": "queued"}, lambda message: message["status"] == "queued"),
        ({"status": "failed"}, lambda message: message["status"] == "failed"),
        ({"status": "failed", "tag": "a"}, lambda message: message["status"] == "failed" and message["tag"] == "a"),
    ],
)
def test_filters_combine(
    house: House, tenant: Tenant, params: dict[str, str], matches: Callable[[dict[str, Any]], bool]
) -> None:
    other = "+15557778888"
    write_first(house, tenant, sender=other)
    for index in range(8):
        message_id = house.sent(tenant, (CONTACT, other)[index % 2], tag="ab"[index // 4])
        if index % 3 == 0:
            house.http.delete(f"/v1/messages/{message_id}", headers=tenant.auth)
    everything = house.outbound(tenant)
    filters = {name: value.format(ours=tenant.number.number) for name, value in params.items()}
    assert house.outbound(tenant, **filters) == [message for message in everything if matches(message)]


PARAMETERS = ("cursor", "from", "include", "limit", "offset", "status", "tag", "to")


@pytest.mark.parametrize(
    ("params", "details"),
    [
        ({"limit": "201"}, {"limit": "must be a whole number from 1 to 200"}),
        ({"limit": "0"}, {"limit": "must be a whole number from 1 to 200"}),
        ({"status": "lost"}, {"status": "must be one of queued, sending, sent, delivered, failed, undelivered"}),
        ({"tag": ""}, {"tag": "must be 1..64 chars"}),
        ({"to": "+1 555"}, {"to": "must be E.164 (write + as %2B), a short code or a sender name"}),
        ({"cursor": "x"}, {"cursor": "must be the next cursor of this list with the same filters; begin again without it"}),
        ({"color": "red"}, {"color": f"is not a parameter of this route; it takes {', '.join(PARAMETERS)}"}),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_refused(
    house: House, tenant: Tenant, params: dict[str, str], details: dict[str, str]
) -> None:
    answer = house.http.get("/v1/messages", params=params, headers=tenant.auth)
    assert (answer.status_code, answer.json()["error"]["details"]) == (422, details)


def test_a_queued_message_can_be_canceled_once_and_for_all(house: House, tenant: Tenant) -> None:
    message_id = house.sent(tenant, CONTACT)
    for _ in range(2):
        answer = house.http.delete(f"/v1/messages/{message_id}", headers=tenant.auth)
        assert (answer.status_code, answer.json()["data"]["status"]) == (200, "failed")
        assert answer.json()["data"]["error"]["code"] == "CANCELED"


def test_another_organizations_message_is_not_found(house: House, tenant: Tenant) -> None:
    message_id = house.sent(tenant, CONTACT)
    other = house.tenant()
    for method in ("GET", "DELETE"):
        answer = house.http.request(method, f"/v1/messages/{message_id}", headers=other.auth)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert house.outbound(tenant)[0]["status"] == "queued"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/messages", "messages:send"),
        ("GET", "/v1/messages", "messages:read"),
        ("GET", "/v1/messages/{id}", "messages:read"),
        ("DELETE", "/v1/messages/{id}", "messages:send"),
        ("GET", "/v1/threads", "messages:read"),
        ("GET", "/v1/threads/{id}/messages", "messages:read"),
    ],
)
def test_every_route_needs_a_key_with_its_scope(
    house: House, tenant: Tenant, method: str, path: str, scope: str
) -> None:
    message_id = house.sent(tenant, CONTACT)
    url = path.format(id=message_id)
    lacking = house.wait(house.directory.create_api_key(tenant.org.org_id, "lacking", ["org:read"], None)).plaintext
    answer = house.http.request(method, url, headers={"Authorization": f"Bearer {lacking}"})
    assert (answer.status_code, answer.json()["error"]["message"]) == (403, "missing required scope")
    assert house.http.request(method, url).status_code == 401
    holding = house.wait(house.directory.create_api_key(tenant.org.org_id, "holding", [scope], None)).plaintext
    assert house.http.request(method, url, headers={"Authorization": f"Bearer {holding}"}).status_code not in (401, 403)


@pytest.mark.parametrize("path", ["/v1/messages/42", "/v1/threads/42/messages"])
def test_an_id_that_is_no_uuid_is_a_400(house: House, tenant: Tenant, path: str) -> None:
    answer = house.http.get(path, headers=tenant.auth)
    assert (answer.status_code, answer.json()["error"]["details"]) == (400, {"id": "must be a UUID"})


NEW_YORK = "+12125550123"
#: 2026-11-22T02:30:00Z is 21:30 in New York the evening before; its quiet hours end at 08:00, which is 13:00Z.
EVENING_US, MORNING_US = 1_795_314_600_000_000, 1_795_352_400_000_000


@pytest.mark.parametrize(("mode", "status"), [("reject", 422), ("defer", 202)])
def test_at_night_a_message_is_refused_or_waits_for_the_morning(house: House, mode: str, status: int) -> None:
    house.clock.frozen_us = EVENING_US
    tenant = house.tenant()
    changes = {"quiet_hours": {"enabled": True, "mode": mode}}
    assert house.http.patch("/v1/organization", json=changes, headers=tenant.auth).status_code == 200
    write_first(house, tenant, sender=NEW_YORK)
    answer = house.send(tenant, NEW_YORK)
    assert answer.status_code == status, answer.text
    if status == 422:
        assert answer.json()["error"]["code"] == "QUIET_HOURS"
        house.clock.frozen_us = MORNING_US
        assert house.send(tenant, NEW_YORK).status_code == 202
    else:
        sql = "SELECT state, due_at FROM outbox WHERE message_id = $1"
        row = house.wait(house.store.fetch(sql, UUID(answer.json()["data"]["id"])))[0]
        assert tuple(row) == ("waiting", MORNING_US)


def test_a_stop_is_confirmed_at_night_too(house: House) -> None:
    house.clock.frozen_us = EVENING_US
    tenant = house.tenant()
    changes = {"quiet_hours": {"enabled": True}}
    assert house.http.patch("/v1/organization", json=changes, headers=tenant.auth).status_code == 200
    write_first(house, tenant, "STOP", sender=NEW_YORK)
    assert [message["status"] for message in house.outbound(tenant)] == ["queued"]


def test_an_account_that_only_receives_says_so(house: House) -> None:
    tenant = house.tenant(secrets={})
    write_first(house, tenant)
    answer = house.send(tenant, CONTACT)
    wanted = "is on a carrier account that only receives; add the account's API credentials to send"
    assert (answer.status_code, answer.json()["error"]["details"]) == (422, {"from": wanted})


def test_the_same_idempotency_key_accepts_once(house: House, tenant: Tenant) -> None:
    headers = {**tenant.auth, "Idempotency-Key": "order-7421"}
    body = {"from": tenant.number.number, "to": CONTACT, "text": "hello"}
    first, second = (house.http.post("/v1/messages", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(house.outbound(tenant)) == 1
    other = house.http.post("/v1/messages", json={**body, "text": "bye"}, headers=headers)
    assert (other.status_code, list(other.json()["error"]["details"])) == (422, ["idempotency_key"])


def test_a_refusal_is_not_replayed(house: House) -> None:
    tenant = house.tenant()
    headers = {**tenant.auth, "Idempotency-Key": "order-7421"}
    body = {"from": tenant.number.number, "to": CONTACT, "text": "hello"}
    assert house.http.post("/v1/messages", json=body, headers=headers).status_code == 453
    write_first(house, tenant)
    assert house.http.post("/v1/messages", json=body, headers=headers).status_code == 202
