"""What Bandwidth delivers, posted to the real URL."""

from typing import Any
from uuid import UUID

import pytest

from roost.core.ids import id_text
from support.house import House, Tenant
from support.payloads import bandwidth_inbound, bandwidth_status

NUMBER = "+15551112222"


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(number=NUMBER)


def waiting(house: House, tenant: Tenant) -> list[tuple[str, str | None, bytes]]:
    """Unrouted deliveries: (reason, number, raw)."""
    sql = "SELECT reason, to_number, raw FROM unrouted_deliveries WHERE org_id = $1 ORDER BY id"
    rows = house.wait(house.store.fetch(sql, UUID(tenant.org.org_id)))
    return [(reason, number, bytes(raw)) for reason, number, raw in rows]


def test_a_text_comes_back_as_it_was_delivered(house: House, tenant: Tenant) -> None:
    answer = house.deliver(tenant, [bandwidth_inbound("bw-1700000001-def", NUMBER, text="STOP")])
    assert answer.status_code == 200
    [message] = house.inbound(tenant)
    assert message == {
        "id": answer.json()["ids"][0],
        "org_id": tenant.org.org_id,
        "phone_number_id": tenant.number.id,
        "from": "+15554443333",
        "to": NUMBER,
        "body": "STOP",
        "channel": "sms",
        "media_urls": [],
        "segment_count": 1,
        "opt_out": {"detected": True, "keyword": "STOP"},
        "bandwidth_message_id": "bw-1700000001-def",
        "bandwidth_received_at": "2026-04-26T12:01:00Z",
        "received_at": message["received_at"],
    }


def test_every_item_of_a_batch_is_handled_in_order(house: House, tenant: Tenant) -> None:
    batch = [
        bandwidth_inbound("1", NUMBER, text="first"),
        bandwidth_status("message-delivered", "out-1", "+15554443333", NUMBER),
        {"type": "suggestion-response", "message": {"id": "rbm-1"}, "new": True},
        bandwidth_inbound("2", "+15559999999", text="not our number"),
        bandwidth_inbound("3", NUMBER, text="second"),
    ]
    answer = house.deliver(tenant, batch).json()
    assert (answer["stored"], answer["duplicates"], answer["unrouted"], answer["receipts"]) == (2, 0, 2, 1)
    assert [message["body"] for message in house.inbound(tenant)] == ["second", "first"]
    assert {(reason, number) for reason, number, _ in waiting(house, tenant)} == {
        ("unknown_event", None),
        ("unknown_number", "+15559999999"),
    }


ODD: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("a sender's name", {"sender": "SUPPORT"}, {"from": "SUPPORT"}),
    ("a short code", {"sender": "68849"}, {"from": "68849"}),
    ("no text", {"text": None}, {"body": ""}),
    ("a time that is none", {"time": "yesterday"}, {"bandwidth_received_at": "2026-04-26T12:01:01Z"}),
    ("a finer time", {"time": "2026-04-26T12:01:00.5Z"}, {"bandwidth_received_at": "2026-04-26T12:01:00.5Z"}),
    ("another segment count", {"segmentCount": 3}, {"segment_count": 3}),
    ("a segment count that is none", {"segmentCount": "many"}, {"segment_count": 1}),
    ("media", {"media": ["https://example.com/a.jpg", "https://example.com/b.smil"]}, {"channel": "mms"}),
    ("media that are none", {"media": None}, {"channel": "sms", "media_urls": []}),
    (
        "fields that are new",
        {"channel": "SMS", "content": {"text": "x"}, "priority": "high"},
        {"body": "Hey, check this out!"},
    ),
    ("a number as its sender", {"sender": 15554443333}, {"from": "15554443333"}),
    ("an emoji", {"text": "\N{WAVING HAND SIGN}"}, {"body": "\N{WAVING HAND SIGN}"}),
    ("markup", {"text": "<script>alert(1)</script>'; DROP TABLE numbers;--"}, {"segment_count": 1}),
]


@pytest.mark.parametrize(("changes", "expected"), [odd[1:] for odd in ODD], ids=[odd[0] for odd in ODD])
def test_an_odd_text_is_kept_as_a_message(
    house: House, tenant: Tenant, changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert house.deliver(tenant, [bandwidth_inbound("1", NUMBER, **changes)]).json()["stored"] == 1
    [message] = house.inbound(tenant)
    assert {name: message[name] for name in expected} == expected


def test_a_text_without_any_time_gets_ours(house: House, tenant: Tenant) -> None:
    event = bandwidth_inbound("1", NUMBER, time=None)
    event["time"] = "soon"
    house.deliver(tenant, [event])
    [message] = house.inbound(tenant)
    assert message["bandwidth_received_at"] == message["received_at"]


def test_a_group_text_keeps_all_its_recipients(house: House, tenant: Tenant) -> None:
    everybody = ["+15558880000", NUMBER, "+15558880001"]
    event = bandwidth_inbound("g-1", NUMBER)
    event["message"]["to"] = everybody
    house.deliver(tenant, [event])
    [message] = house.inbound(tenant, include="recipients")
    assert (message["to"], message["recipients"], message["channel"]) == (NUMBER, everybody, "mms")


def test_each_of_our_numbers_in_a_group_gets_its_own_copy(house: House, tenant: Tenant) -> None:
    second = "+15551113333"
    house.wait(house.directory.add_number(tenant.org.org_id, second, tenant.account.id, None, ""))
    copies = []
    for message_id, owner in (("g-1", NUMBER), ("g-2", second)):
        event = bandwidth_inbound(message_id, owner)
        event["message"]["to"] = [NUMBER, second]
        copies.append(event)
    house.deliver(tenant, copies)
    assert {message["to"] for message in house.inbound(tenant)} == {NUMBER, second}


def test_receipts_are_kept_though_nothing_matches_them_yet(house: House, tenant: Tenant) -> None:
    events = ["message-sending", "message-sent", "message-delivered", "message-read"]
    batch = [bandwidth_status(event, "out-1", "+15554443333", NUMBER) for event in events]
    batch.append(bandwidth_status("message-failed", "out-2", "+15554443333", NUMBER, errorCode=4775))
    assert house.deliver(tenant, batch).json()["receipts"] == 5
    assert house.deliver(tenant, batch).json()["receipts"] == 5, "a replay is acknowledged"
    rows = house.wait(
        house.store.fetch(
            "SELECT carrier_message_id, recipient, event, error_code, carrier_account_id FROM delivery_receipts "
            "WHERE org_id = $1 ORDER BY carrier_message_id, received_at, event",
            UUID(tenant.org.org_id),
        )
    )
    kept = [(*row[:4], id_text(row[4])) for row in rows]
    assert sorted(kept) == sorted(
        [("out-1", "+15554443333", word, None, tenant.account.id) for word in ("sending", "sent", "delivered", "read")]
        + [("out-2", "+15554443333", "failed", "4775", tenant.account.id)]
    )
    assert house.inbound(tenant) == [], "a receipt is no message"


def test_our_own_outbound_texts_never_come_back_as_inbound(house: House, tenant: Tenant) -> None:
    house.deliver(tenant, [bandwidth_inbound("1", NUMBER, direction="out")])
    assert house.inbound(tenant) == []
    assert [reason for reason, _, _ in waiting(house, tenant)] == ["unknown_event"]


BODIES = [
    ("no JSON", b"To: +15551112222\r\n\r\nhello", "not_json"),
    ("nothing", b"", "not_json"),
    ("an empty array", b"[]", "empty"),
    ("a number", b"42", "not_json"),
    ("null", b"null", "not_json"),
    ("a broken array", b'[{"type": "message-received", ', "not_json"),
    ("deep nesting", b"[" * 100_000, "not_json"),
    ("a deep object", b'{"type":' * 50_000, "not_json"),
    ("an event of no type", b'{"message": {"id": "1"}}', "unknown_event"),
    ("bytes that are no UTF-8", b"\xff\xfe\x00", "not_json"),
    (
        "no sender",
        b'[{"type": "message-received", "message": {"id": "1", "to": ["+15551112222"]}}]',
        "malformed_sender",
    ),
]


@pytest.mark.parametrize(("body", "reason"), [each[1:] for each in BODIES], ids=[each[0] for each in BODIES])
def test_what_cannot_be_understood_is_acknowledged_and_kept_to_the_byte(
    house: House, tenant: Tenant, body: bytes, reason: str
) -> None:
    for _ in range(2):  # a replay is kept once
        answer = house.http.post(tenant.webhook, content=body, auth=("carrier", "s3cret:with:colons"))
        assert answer.status_code == 200
        assert answer.json()["unrouted"] == 1
    [(kept_reason, _, raw)] = waiting(house, tenant)
    assert kept_reason == reason
    assert raw in (body, body.strip(b"[]"))


@pytest.mark.parametrize(
    "around", [b"[%b]", b" [\r\n\t%b ]\n", b"[ %b , {} ]", b"%b"], ids=["alone", "spaced", "of two", "bare"]
)
@pytest.mark.parametrize(("text", "body"), [(b"x", "x"), (b"\\ud83d x", "\ufffd x")], ids=["plain", "odd"])
def test_the_raw_event_is_kept_to_the_byte(house: House, tenant: Tenant, around: bytes, text: bytes, body: str) -> None:
    item = b'{"type":"message-received",  "message":{"id":"1","from":"+1555","to":["+15551112222"],"text":"%b"}}' % text
    house.http.post(tenant.webhook, content=around % item, auth=("carrier", "s3cret:with:colons"))
    sql = "SELECT raw FROM inbound_messages WHERE org_id = $1"
    assert [bytes(row[0]) for row in house.wait(house.store.fetch(sql, UUID(tenant.org.org_id)))] == [item]
    assert house.inbound(tenant)[0]["body"] == body


CREDENTIALS: list[tuple[str, dict[str, str]]] = [
    ("none", {}),
    ("another user", {"Authorization": "Basic b3RoZXI6czNjcmV0OndpdGg6Y29sb25z"}),
    ("another password", {"Authorization": "Basic Y2Fycmllcjpvb3Bz"}),
    ("a prefix", {"Authorization": "Basic Y2Fycmllcjo="}),
    ("no base64", {"Authorization": "Basic !!!"}),
    ("another scheme", {"Authorization": "Bearer Y2FycmllcjpzM2NyZXQ6d2l0aDpjb2xvbnM="}),
    ("an empty one", {"Authorization": "Basic"}),
]


@pytest.mark.parametrize("headers", [each[1] for each in CREDENTIALS], ids=[each[0] for each in CREDENTIALS])
def test_without_a_good_credential_nothing_is_stored(house: House, tenant: Tenant, headers: dict[str, str]) -> None:
    answer = house.http.post(tenant.webhook, json=[bandwidth_inbound("1", NUMBER)], headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "UNAUTHORIZED"
    assert answer.headers["www-authenticate"] == 'Basic realm="roost"'
    assert house.inbound(tenant) == []
    assert waiting(house, tenant) == []


def test_credentials_can_be_rotated(house: House, tenant: Tenant) -> None:
    both = house.wait(
        house.directory.add_carrier_account(
            tenant.org.org_id, "bandwidth", "", {"basic": [["old", "one"], ["new", "two"]]}
        )
    )
    for credential, status in ((("old", "one"), 200), (("new", "two"), 200), (("old", "two"), 401)):
        path = f"/carriers/bandwidth/{both.id}"
        assert house.http.post(path, json=[], auth=credential).status_code == status


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/carriers/bandwidth/01900000-0000-7000-8000-000000000000", 401),
        ("/carriers/bandwidth/7", 401),
        ("/carriers/loopback/{account}", 401),
        ("/carriers/carrierpigeon/{account}", 404),
        ("/carriers/bandwidth", 404),
    ],
)
def test_only_the_accounts_own_url_takes_deliveries(house: House, tenant: Tenant, path: str, status: int) -> None:
    answer = house.http.post(
        path.format(account=tenant.account.id),
        json=[bandwidth_inbound("1", NUMBER)],
        auth=("carrier", "s3cret:with:colons"),
    )
    assert answer.status_code == status
    assert house.inbound(tenant) == []


@pytest.mark.parametrize("chunked", [False, True])
def test_more_than_a_mebibyte_is_refused_and_exactly_one_is_taken(house: House, tenant: Tenant, chunked: bool) -> None:
    def post(size: int) -> int:
        body = b" " * size
        content = iter([body[:1000], body[1000:]]) if chunked else body
        return house.http.post(tenant.webhook, content=content, auth=("carrier", "s3cret:with:colons")).status_code

    assert post(1 << 20) == 200
    assert post((1 << 20) + 1) == 413


def test_a_text_for_another_organizations_number_is_unrouted_here_and_nothing_there(
    house: House, tenant: Tenant
) -> None:
    stranger = house.tenant()
    answer = house.deliver(stranger, [bandwidth_inbound("1", NUMBER)]).json()
    assert (answer["stored"], answer["unrouted"]) == (0, 1)
    assert house.inbound(tenant) == []
    assert house.inbound(stranger) == []
    assert [(reason, number) for reason, number, _ in waiting(house, stranger)] == [("unknown_number", NUMBER)]
    assert waiting(house, tenant) == []
