"""Dialect A, statement by statement: the seed document, and what was decided where it is silent."""

from typing import Any

import pytest

from roost.core.ids import parse_ulid
from support.house import House, Tenant
from support.payloads import bandwidth_inbound

LIST = "/v1/inbound-messages"
KEYS = {
    "id", "org_id", "phone_number_id", "from", "to", "body", "channel", "media_urls", "segment_count", "opt_out",
    "bandwidth_message_id", "bandwidth_received_at", "received_at",
}  # fmt: skip


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(number="+15551112222")


def arrive(house: House, tenant: Tenant, count: int, **changes: Any) -> list[str]:
    """Deliver `count` texts in one batch; their ids, oldest first."""
    number = tenant.number.number
    batch = [
        bandwidth_inbound(f"{changes.get('sender', '')}{n}", number, text=f"text {n}", **changes) for n in range(count)
    ]
    ids: list[str] = house.deliver(tenant, batch).json()["ids"]
    assert len(ids) == count
    return ids


def test_the_answer_has_exactly_the_seeded_keys(house: House, tenant: Tenant) -> None:
    arrive(house, tenant, 1)
    answer = house.http.get(LIST, headers=tenant.auth)
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"success", "data", "meta"}
    assert body["success"] is True
    assert body["meta"] == {"total": 0, "limit": 20, "offset": 0, "next_cursor": None}
    assert set(body["data"][0]) == KEYS
    assert body["data"][0]["opt_out"] == {"detected": False, "keyword": None}
    assert body["data"][0]["received_at"].endswith("Z")
    assert len(body["data"][0]["received_at"]) == len("2026-04-26T12:01:00.123456Z")


def test_an_empty_inbox_is_an_empty_page(house: House, tenant: Tenant) -> None:
    assert house.http.get(LIST, headers=tenant.auth).json() == {
        "success": True,
        "data": [],
        "meta": {"total": 0, "limit": 20, "offset": 0, "next_cursor": None},
    }


def test_messages_come_newest_first_and_twenty_by_default(house: House, tenant: Tenant) -> None:
    ids = arrive(house, tenant, 25)
    listed = house.http.get(LIST, headers=tenant.auth).json()
    assert [message["id"] for message in listed["data"]] == ids[::-1][:20]
    assert isinstance(listed["meta"]["next_cursor"], str)


@pytest.mark.parametrize("limit", [1, 7, 24, 25, 26, 100])
def test_a_walk_by_cursor_sees_everything_once_and_ends_with_null(house: House, tenant: Tenant, limit: int) -> None:
    ids = arrive(house, tenant, 25)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = house.http.get(LIST, params={"limit": limit, **cursor}, headers=tenant.auth).json()
        assert page["meta"]["limit"] == limit
        assert len(page["data"]) <= limit
        seen += [message["id"] for message in page["data"]]
        if page["meta"]["next_cursor"] is None:
            break
        cursor = {"cursor": page["meta"]["next_cursor"]}
    assert seen == ids[::-1]


def test_what_arrives_during_a_walk_neither_repeats_nor_hides_anything(house: House, tenant: Tenant) -> None:
    ids = arrive(house, tenant, 6)
    first = house.http.get(LIST, params={"limit": 3}, headers=tenant.auth).json()
    arrive(house, tenant, 3, sender="+15550009999")
    rest = house.http.get(
        LIST, params={"limit": 50, "cursor": first["meta"]["next_cursor"]}, headers=tenant.auth
    ).json()
    assert [message["id"] for message in first["data"] + rest["data"]] == ids[::-1]


def test_after_reads_forwards_and_its_cursors_go_on_forwards(house: House, tenant: Tenant) -> None:
    ids = arrive(house, tenant, 10)
    page = house.http.get(LIST, params={"after": ids[2], "limit": 4}, headers=tenant.auth).json()
    assert [message["id"] for message in page["data"]] == ids[3:7]
    params = {"after": ids[2], "limit": 4, "cursor": page["meta"]["next_cursor"]}
    rest = house.http.get(LIST, params=params, headers=tenant.auth).json()
    assert [message["id"] for message in rest["data"]] == ids[7:]
    assert rest["meta"]["next_cursor"] is None
    assert house.inbound(tenant, after=ids[-1]) == []
    assert [each["id"] for each in house.inbound(tenant, after="00000000-0000-0000-0000-000000000000")] == ids


def test_since_is_inclusive_to_the_microsecond(house: House, tenant: Tenant) -> None:
    ids = arrive(house, tenant, 3)
    middle = house.http.get(f"{LIST}/{ids[1]}", headers=tenant.auth).json()["data"]["received_at"]
    assert [each["id"] for each in house.inbound(tenant, since=middle)] == [ids[2], ids[1]]
    finer = middle.replace("Z", "1Z")  # a tenth of a microsecond later
    assert [each["id"] for each in house.inbound(tenant, since=finer)] == [ids[2]]
    assert len(house.inbound(tenant, since="1970-01-01T00:00:00Z")) == 3
    assert house.inbound(tenant, since="9999-12-31T23:59:59Z") == []


@pytest.fixture
def assorted(house: House, tenant: Tenant) -> dict[str, str]:
    """Five texts that differ in everything that can be filtered; name -> id."""
    other = house.wait(
        house.directory.add_number(tenant.org.org_id, "+15551113333", tenant.account.id, tenant.agent.id, "second")
    )
    assert other is not None
    texts = {
        "plain": bandwidth_inbound("1", "+15551112222", text="Hello", sender="+15554443333"),
        "stop": bandwidth_inbound("2", "+15551112222", text="Stop.", sender="+15554443333"),
        "picture": bandwidth_inbound("3", "+15551112222", media=["https://example.com/a.jpg"], sender="+15556667777"),
        "code": bandwidth_inbound("4", "+15551113333", text="482913", sender="68849"),
        "name": bandwidth_inbound("5", "+15551113333", text="Your parcel", sender="SUPPORT"),
    }
    ids = house.deliver(tenant, list(texts.values())).json()["ids"]
    named = dict(zip(texts, ids, strict=True))
    named["second number"] = other.id
    return named


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"from": "+15554443333"}, ["stop", "plain"]),
        ({"from": "68849"}, ["code"]),
        ({"from": "SUPPORT"}, ["name"]),
        ({"from": "support"}, []),
        ({"to": "+15551113333"}, ["name", "code"]),
        ({"to": "+15559999999"}, []),
        ({"channel": "mms"}, ["picture"]),
        ({"channel": "sms"}, ["name", "code", "stop", "plain"]),
        ({"opt_out": "true"}, ["stop"]),
        ({"opt_out": "True"}, ["stop"]),
        ({"opt_out": "false"}, ["name", "code", "picture", "plain"]),
        ({"from": "+15554443333", "opt_out": "false"}, ["plain"]),
        ({"from": "+15554443333", "to": "+15551113333"}, []),
        ({"channel": "sms", "to": "+15551113333", "opt_out": "false", "from": "68849"}, ["code"]),
        ({"phone_number_id": "00000000-0000-7000-8000-000000000000"}, []),
        ({"offset": "0"}, ["name", "code", "picture", "stop", "plain"]),
    ],
)
def test_filters_combine(
    house: House, tenant: Tenant, assorted: dict[str, str], params: dict[str, str], expected: list[str]
) -> None:
    assert [each["id"] for each in house.inbound(tenant, **params)] == [assorted[name] for name in expected]


def test_a_number_is_found_by_its_id_in_either_case(house: House, tenant: Tenant, assorted: dict[str, str]) -> None:
    for spelling in (assorted["second number"], assorted["second number"].upper()):
        found = house.inbound(tenant, phone_number_id=spelling)
        assert [each["id"] for each in found] == [assorted["name"], assorted["code"]]


def test_a_plus_that_was_not_escaped_still_finds_its_sender(
    house: House, tenant: Tenant, assorted: dict[str, str]
) -> None:
    answer = house.http.get(f"{LIST}?from=+15554443333", headers=tenant.auth)
    assert [each["id"] for each in answer.json()["data"]] == [assorted["stop"], assorted["plain"]]


def test_pictures_and_opt_outs_are_shown(house: House, tenant: Tenant, assorted: dict[str, str]) -> None:
    shown = {each["id"]: each for each in house.inbound(tenant)}
    assert house.shows(tenant, shown[assorted["picture"]], 1)
    assert shown[assorted["picture"]]["channel"] == "mms"
    assert shown[assorted["stop"]]["opt_out"] == {"detected": True, "keyword": "STOP"}
    assert shown[assorted["code"]]["from"] == "68849"


def test_extras_appear_only_when_asked_for(house: House, tenant: Tenant) -> None:
    group = ["+15551112222", "+15558880000"]
    payload = bandwidth_inbound("g", "+15551112222", text="please stop texting me")
    payload["message"]["to"] = group
    house.deliver(tenant, [payload])
    [message] = house.inbound(tenant, include="suspected,recipients")
    assert set(message) == KEYS | {"suspected", "recipients"}
    assert (message["suspected"], message["recipients"], message["channel"]) == (True, group, "mms")
    assert message["opt_out"] == {"detected": False, "keyword": None}
    one = house.http.get(f"{LIST}/{message['id']}?include=suspected", headers=tenant.auth).json()["data"]
    assert set(one) == KEYS | {"suspected"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=abc", "limit"),
        ("limit=", "limit"),
        ("limit=1.0", "limit"),
        ("limit=%D9%A3", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=5&limit=6", "limit"),
        ("offset=20", "offset"),
        ("channel=rcs", "channel"),
        ("channel=SMS", "channel"),
        ("opt_out=maybe", "opt_out"),
        ("opt_out=1", "opt_out"),
        ("since=yesterday", "since"),
        ("since=2026-04-26", "since"),
        ("since=1700000000", "since"),
        ("phone_number_id=7", "phone_number_id"),
        ("after=7", "after"),
        ("from=", "from"),
        ("from=%00", "from"),
        ("from=" + "9" * 16, "from"),
        ("from=%2B0155544433", "from"),
        ("from=%2B1%20(555)%20444-3333", "from"),
        ("from=555-444-3333", "from"),
        ("from=" + "x" * 256, "from"),
        ("to=a%0Ab", "to"),
        ("cursor=", "cursor"),
        ("cursor=abc", "cursor"),
        ("include=codes", "include"),
        ("fron=%2B15554443333", "fron"),
        ("From=%2B15554443333", "From"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(house: House, tenant: Tenant, query: str, field: str) -> None:
    answer = house.http.get(f"{LIST}?{query}", headers=tenant.auth)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["code"], error["message"]) == ("VALIDATION_FAILED", "validation failed")
    assert list(error["details"]) == [field]
    assert isinstance(error["details"][field], str)


def test_every_wrong_parameter_is_named_at_once(house: House, tenant: Tenant) -> None:
    answer = house.http.get(f"{LIST}?limit=0&channel=fax&colour=red", headers=tenant.auth)
    assert set(answer.json()["error"]["details"]) == {"limit", "channel", "colour"}


def test_a_cursor_is_good_only_for_the_filters_it_was_made_with(house: House, tenant: Tenant) -> None:
    arrive(house, tenant, 5)
    page = house.http.get(LIST, params={"limit": 2, "channel": "sms"}, headers=tenant.auth).json()
    cursor = page["meta"]["next_cursor"]
    good = house.http.get(LIST, params={"limit": 3, "channel": "sms", "cursor": cursor}, headers=tenant.auth)
    assert len(good.json()["data"]) == 3, "another limit is no other query"
    for params in ({}, {"channel": "mms"}, {"channel": "sms", "opt_out": "false"}):
        refused = house.http.get(LIST, params={"cursor": cursor, **params}, headers=tenant.auth)
        assert (refused.status_code, list(refused.json()["error"]["details"])) == (422, ["cursor"])


def test_another_organizations_cursor_is_refused(house: House, tenant: Tenant) -> None:
    arrive(house, tenant, 3)
    cursor = house.http.get(LIST, params={"limit": 1}, headers=tenant.auth).json()["meta"]["next_cursor"]
    refused = house.http.get(LIST, params={"cursor": cursor}, headers=house.tenant().auth)
    assert (refused.status_code, list(refused.json()["error"]["details"])) == (422, ["cursor"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer am_live_" + "0" * 34},
        {"Authorization": "Basic dTpw"},
        {"Authorization": "Bearer \xff\xfe"},
        {"X-Api-Key": "am_live_" + "0" * 34},
    ],
)
def test_without_a_good_key_nothing_is_read(house: House, tenant: Tenant, headers: dict[str, str]) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = house.http.get(f"{LIST}?limit=0", headers=raw)  # 401 comes before 422
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert error == {"code": "UNAUTHORIZED", "message": "authentication failed", "request_id": error["request_id"]}


def test_a_key_without_the_scope_is_refused_before_its_parameters_are_read(house: House, tenant: Tenant) -> None:
    issued = house.wait(house.directory.create_api_key(tenant.org.org_id, "other", ["numbers:read"], None))
    answer = house.http.get(f"{LIST}?limit=0", headers={"Authorization": f"Bearer {issued.plaintext}"})
    assert answer.status_code == 403
    error = answer.json()["error"]
    assert error == {"code": "FORBIDDEN", "message": "missing required scope", "request_id": error["request_id"]}


def test_a_key_past_its_expiry_is_refused(house: House, tenant: Tenant) -> None:
    issued = house.wait(house.directory.create_api_key(tenant.org.org_id, "brief", ["messages:read"], 60_000_000))
    headers = {"Authorization": f"bearer {issued.plaintext}"}  # the scheme's case does not matter (RFC 9110, 11.1)
    assert house.http.get(LIST, headers=headers).status_code == 200
    house.clock.offset_us = 61_000_000
    assert house.http.get(LIST, headers=headers).status_code == 401


def test_a_request_id_is_a_ulid_in_body_and_header(house: House, tenant: Tenant) -> None:
    refused = house.http.get(LIST)
    request_id = refused.json()["error"]["request_id"]
    assert parse_ulid(request_id) is not None
    assert refused.headers["x-request-id"] == request_id
    answered = house.http.get(LIST, headers=tenant.auth)
    assert parse_ulid(answered.headers["x-request-id"]) is not None
    assert answered.headers["x-request-id"] != request_id


def test_one_message_is_got_in_its_envelope(house: House, tenant: Tenant) -> None:
    [message_id] = arrive(house, tenant, 1)
    answer = house.http.get(f"{LIST}/{message_id}", headers=tenant.auth)
    assert answer.json() == {"success": True, "data": house.inbound(tenant)[0]}
    assert house.http.get(f"{LIST}/{message_id.upper()}", headers=tenant.auth).json() == answer.json()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("01900000-0000-7000-8000-000000000000", 404, "NOT_FOUND"),
        ("not-a-uuid", 400, "VALIDATION_FAILED"),
        ("%00", 400, "VALIDATION_FAILED"),
        ("01900000-0000-7000-8000-000000000000?colour=red", 422, "VALIDATION_FAILED"),
    ],
)
def test_a_message_that_cannot_be_got(house: House, tenant: Tenant, path: str, status: int, code: str) -> None:
    answer = house.http.get(f"{LIST}/{path}", headers=tenant.auth)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_another_organizations_messages_are_not_found(house: House, tenant: Tenant) -> None:
    [mine] = arrive(house, tenant, 1)
    other = house.tenant()
    [theirs] = arrive(house, other, 1)
    assert house.http.get(f"{LIST}/{theirs}", headers=tenant.auth).status_code == 404
    assert [each["id"] for each in house.inbound(tenant)] == [mine]
    assert [each["id"] for each in house.inbound(other)] == [theirs]
    assert house.inbound(tenant, phone_number_id=other.number.id) == []
    assert house.inbound(tenant, after=theirs) == [], "another's id is a place in time and nothing more"
