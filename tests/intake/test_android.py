"""What SMS Gateway for Android delivers, posted to the real URL."""

import json
from typing import Any
from uuid import UUID

import pytest
from android_sms_gateway import webhooks

from roost.carriers import android
from roost.carriers.contract import IntakeRequest
from roost.core.account import CarrierAccount
from roost.core.message import InboundEvent, ReceiptEvent, UnknownEvent
from support.android import (
    KEY,
    SECRETS,
    deliver,
    event,
    mms_downloaded,
    mms_received,
    received,
    signed,
    status,
)
from support.house import House, Tenant

NUMBER, CONTACT = "+15551112222", "+15554443333"
ACCOUNT = CarrierAccount("", "", "android", SECRETS)


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(carrier="android", number=NUMBER, secrets=SECRETS)


def waiting(house: House, tenant: Tenant) -> list[tuple[str, str | None]]:
    sql = "SELECT reason, to_number FROM unrouted_deliveries WHERE org_id = $1 ORDER BY id"
    return [tuple(row) for row in house.wait(house.store.fetch(sql, UUID(tenant.org.org_id)))]


def parsed(payload: Any, query: str = "") -> list[Any]:
    url = f"https://roost.example.com/carriers/android/1{query}"
    return android.parse(IntakeRequest({}, json.dumps(payload).encode(), url))


def test_a_text_comes_back_as_it_was_delivered_and_a_replay_changes_nothing(house: House, tenant: Tenant) -> None:
    text = received("abc123", NUMBER, "STOP")
    answer = deliver(house, tenant, text)
    assert answer.status_code == 200, answer.text
    assert deliver(house, tenant, {**text, "id": "another", "webhookId": "twin"}).json()["duplicates"] == 1
    [message] = house.inbound(tenant)
    assert message == {
        "id": answer.json()["ids"][0],
        "org_id": tenant.org.org_id,
        "phone_number_id": tenant.number.id,
        "from": CONTACT,
        "to": NUMBER,
        "body": "STOP",
        "channel": "sms",
        "media_urls": [],
        "segment_count": 1,
        "opt_out": {"detected": True, "keyword": "STOP"},
        "bandwidth_message_id": "abc123 2026-06-22T15:46:11.000+07:00",
        "bandwidth_received_at": "2026-06-22T08:46:11Z",
        "received_at": message["received_at"],
    }


def test_two_texts_that_the_app_calls_the_same_are_two(house: House, tenant: Tenant) -> None:
    """Its message id is a small hash of the content."""
    deliver(house, tenant, received("abc123", NUMBER, "ok"))
    deliver(house, tenant, received("abc123", NUMBER, "yes", receivedAt="2026-06-22T15:46:12.000+07:00"))
    assert [message["body"] for message in house.inbound(tenant)] == ["yes", "ok"]


#: What the phone says of its number, what the webhook's URL says, the SIM; what the text is tried to be routed to.
NUMBERS: list[tuple[str, str | None, str, int | None, tuple[str, ...]]] = [
    ("the phone knows it", NUMBER, "", 1, (NUMBER,)),
    ("nobody knows it", None, "", 1, ()),
    ("the URL knows it", None, "?number=%2B15551112222", 1, (NUMBER,)),
    ("the URL with a plus", None, "?number=+15551112222", None, (NUMBER,)),
    ("the second SIM", None, "?number=%2B15550000000&number=%2B15551112222", 2, (NUMBER, "+15550000000")),
    ("a SIM that the URL does not name", None, "?number=%2B15551112222", 3, (NUMBER,)),
    ("in a national form", "5551112222", "?number=%2B15551112222", 1, ("5551112222", NUMBER)),
    ("other parameters", NUMBER, "?key=x&number=", 1, (NUMBER,)),
]


@pytest.mark.parametrize(
    ("recipient", "query", "sim", "expected"), [each[1:] for each in NUMBERS], ids=[each[0] for each in NUMBERS]
)
def test_where_a_text_was_sent_to(
    recipient: str | None, query: str, sim: int | None, expected: tuple[str, ...]
) -> None:
    [text] = parsed(received("1", recipient, simNumber=sim), query)
    assert isinstance(text, InboundEvent)
    assert text.to_numbers == expected


def test_a_phone_that_does_not_know_its_number_is_routed_by_the_urls(house: House, tenant: Tenant) -> None:
    assert deliver(house, tenant, received("1", None), query="?number=%2B15551112222").json()["stored"] == 1
    assert deliver(house, tenant, received("2", None)).json()["unrouted"] == 1
    assert waiting(house, tenant) == [("unknown_number", None)]


def without(payload: Any, *names: str) -> Any:
    return {**payload, "payload": {name: value for name, value in payload["payload"].items() if name not in names}}


TEXTS: list[tuple[str, Any, dict[str, Any]]] = [
    (
        "of an older version",
        without(received("1", NUMBER), "sender", "recipient"),
        {"from_number": CONTACT, "is_mms": False},
    ),
    (
        "of a newer one",
        without(received("1", NUMBER), "phoneNumber"),
        {"from_number": CONTACT, "to_numbers": (NUMBER,)},
    ),
    ("a sender's name", received("1", NUMBER, sender="BANK"), {"from_number": "BANK"}),
    ("a broken date", received("1", NUMBER, receivedAt="soon"), {"carrier_received_at": None}),
    ("no message", received("1", NUMBER, message=None), {"body": ""}),
    ("a message that is none", received("1", NUMBER, message=["x"]), {"body": ""}),
    ("MMS", mms_downloaded("9", NUMBER), {"body": "Look at this", "is_mms": True, "media": ()}),
    ("MMS with a subject alone", mms_downloaded("9", NUMBER, body=None), {"body": "Photo", "is_mms": True}),
    ("MMS that was not downloaded", mms_received("9", NUMBER), {"body": "Photo attachment", "is_mms": True}),
]


@pytest.mark.parametrize(("payload", "expected"), [each[1:] for each in TEXTS], ids=[each[0] for each in TEXTS])
def test_every_form_of_text_is_a_message(payload: Any, expected: dict[str, Any]) -> None:
    [text] = parsed(payload)
    assert isinstance(text, InboundEvent)
    assert {name: getattr(text, name) for name in expected} == expected
    assert android.parse(IntakeRequest({}, text.raw)) == [text], "it can be read again"


@pytest.mark.parametrize(
    ("word", "expected"),
    [("sms:sent", "sent"), ("sms:delivered", "delivered"), ("sms:failed", "failed"), ("sms:cancelled", "failed")],
)
def test_every_status_is_a_receipt_with_our_own_id(word: str, expected: str) -> None:
    [receipt] = parsed(status(word, "0190-our-id", CONTACT, NUMBER, reason="RESULT_ERROR_LIMIT_EXCEEDED"))
    assert isinstance(receipt, ReceiptEvent)
    assert receipt[:3] == ("0190-our-id", CONTACT, expected)
    assert (receipt.tag, receipt.description) == ("0190-our-id", "RESULT_ERROR_LIMIT_EXCEEDED")
    assert receipt.carrier_time == 1787462190000000
    [older] = parsed(without(status(word, "1", CONTACT, NUMBER), "sender", "recipient"))
    assert older.recipient == CONTACT


UNKNOWN: list[tuple[str, Any]] = [
    ("a data SMS", event("sms:data-received", {"messageId": "1", "data": "AAE=", "sender": CONTACT})),
    ("a word that is new", event("sms:thought", {"messageId": "1"})),
    ("no payload", event("sms:received", None)),  # type: ignore[arg-type]
    ("no word", {"payload": {}}),
    ("a word that is none", event(["sms:received"], {})),  # type: ignore[arg-type]
    ("a batch that is none", event("sms:batch:received", {"messages": "x"})),
    ("an array of nothing", []),
    ("no object", 7),
]


@pytest.mark.parametrize("payload", [each[1] for each in UNKNOWN], ids=[each[0] for each in UNKNOWN])
def test_what_is_not_known_is_kept(payload: Any) -> None:
    [kept] = parsed(payload)
    assert isinstance(kept, UnknownEvent)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"event"', b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_kept(house: House, tenant: Tenant, body: bytes) -> None:
    # What the signature covers is text: bytes that are none are signed as they are.
    answer = deliver(house, tenant, body)
    assert (answer.status_code, answer.json()["unrouted"]) == (200, 1)


@pytest.mark.parametrize("word", ["system:ping", "app:started"])
def test_a_sign_of_life_is_acknowledged_and_nothing_else(house: House, tenant: Tenant, word: str) -> None:
    assert deliver(house, tenant, event(word, {"health": {}})).json()["unrouted"] == 0
    assert waiting(house, tenant) == []


def test_each_of_a_batch_is_a_message_that_can_be_read_again(house: House, tenant: Tenant) -> None:
    messages = [received(str(n), NUMBER, f"text {n}")["payload"] for n in range(3)]
    batch = event("sms:batch:received", {"messages": [*messages, 7]})
    answer = deliver(house, tenant, batch).json()
    assert (answer["stored"], answer["unrouted"]) == (3, 1)
    assert [message["body"] for message in house.inbound(tenant)] == ["text 2", "text 1", "text 0"]
    for text in parsed(batch)[:3]:
        assert android.parse(IntakeRequest({}, text.raw)) == [text]


#: Headers instead of the right ones; "" leaves one out.
WRONG: list[tuple[str, dict[str, str]]] = [
    ("no signature", {"X_Signature": ""}),
    ("no timestamp", {"X_Timestamp": ""}),
    ("neither", {"X_Signature": "", "X_Timestamp": ""}),
    ("another's", {"X_Signature": "0" * 64}),
    ("half of it", {"X_Signature": "0" * 32}),
    ("no hex", {"X_Signature": "\u00e9" * 64}),
    ("another timestamp", {"X_Timestamp": "1700000000"}),
    ("a timestamp that is none", {"X_Timestamp": "soon"}),
    ("a timestamp without end", {"X_Timestamp": "1" * 5000}),
    ("a timestamp in other digits", {"X_Timestamp": "\u0661\u0662".encode().decode("latin-1")}),
]


@pytest.mark.parametrize("headers", [each[1] for each in WRONG], ids=[each[0] for each in WRONG])
def test_without_a_good_signature_nothing_is_stored(house: House, tenant: Tenant, headers: dict[str, str]) -> None:
    body = json.dumps(received("1", NUMBER)).encode()
    given = {**signed(body, house.clock()), **{name.replace("_", "-"): value for name, value in headers.items()}}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value]
    answer = house.http.post(tenant.webhook, content=body, headers=raw)
    assert answer.status_code == 401
    assert (house.inbound(tenant), waiting(house, tenant)) == ([], [])


@pytest.mark.parametrize(
    ("name", "changes"),
    [("the newest key", {}), ("an older one", {"key": "older"}), ("early", {"late": -299}), ("late", {"late": 299})],
)
def test_a_good_signature_counts(name: str, changes: dict[str, Any]) -> None:
    now, body = 1_790_000_000_000_000, b'{"a": "\xc3\xa9"}'
    headers = signed(body, now + changes.get("late", 0) * 1_000_000, changes.get("key", KEY))
    request = IntakeRequest({key.lower(): value for key, value in headers.items()}, body)
    assert android.verify(request, ACCOUNT, now)
    assert android.verify(
        request._replace(headers={**request.headers, "x-signature": headers["X-Signature"].upper()}), ACCOUNT, now
    )
    assert not android.verify(request._replace(body=body + b" "), ACCOUNT, now)
    assert not android.verify(request, CarrierAccount("", "", "android", {}), now)


@pytest.mark.parametrize("late", [-301, 301, 86_400])
def test_a_signature_that_is_not_of_this_time_does_not(late: int) -> None:
    now, body = 1_790_000_000_000_000, b"{}"
    headers = {key.lower(): value for key, value in signed(body, now - late * 1_000_000).items()}
    assert not android.verify(IntakeRequest(headers, body), ACCOUNT, now)


def test_the_apps_own_client_reads_our_payloads() -> None:
    sms = webhooks.SmsReceivedPayload.from_dict(received("1", NUMBER)["payload"])
    assert (sms.sender, sms.recipient, sms.message) == (CONTACT, NUMBER, "Android is always a sweet treat!")
    mms = webhooks.MmsDownloadedPayload.from_dict(mms_downloaded("1", NUMBER)["payload"])
    assert (mms.sender, mms.body, mms.attachments[0].content_type) == (CONTACT, "Look at this", "image/jpeg")
    assert webhooks.MmsReceivedPayload.from_dict(mms_received("1", NUMBER)["payload"]).subject == "Photo attachment"
