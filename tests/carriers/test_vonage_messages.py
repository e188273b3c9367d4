"""Vonage's Messages API: what it delivers, how it signs it, and what it says to what we send."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from vonage_jwt.verify_jwt import verify_signature
from vonage_messages.models import MmsImage, MmsResource, Sms

from roost.carriers import vonage_messages
from roost.carriers.contract import IntakeRequest
from roost.core.account import CarrierAccount
from roost.core.message import InboundEvent, ReceiptEvent, UnknownEvent
from support.databases import Database
from support.house import House, Tenant
from support.outbound import CONTACT as TO
from support.outbound import is_settled, send, until
from support.scripted_api import Asked, Said, ScriptedApi
from support.vonage import CONTACT, OLDER, SECRET, SMS_SECRETS, deliver_message, message, status, token

NUMBER = "+447700900000"
ACCOUNT = CarrierAccount("", "", "vonage_messages", SMS_SECRETS)
NOW = 1_790_000_000_000_000
PICTURE = "https://api-us.nexmo.com/v3/media/1"


def accepted(asked: Asked) -> Said:
    return Said(202, {"message_uuid": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"})


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with ScriptedApi(accepted) as listening:
        yield listening


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    running = House(database, tmp_path / "data", working=True, segments_per_second=0).start()
    yield running
    running.stop()


@pytest.fixture
def tenant(house: House, api: ScriptedApi) -> Tenant:
    return house.tenant(carrier="vonage_messages", number=NUMBER, secrets={**SMS_SECRETS, "api_url": api.base_url})


def test_a_text_comes_back_as_it_was_delivered(house: House, tenant: Tenant) -> None:
    assert deliver_message(house, tenant, message("u1", NUMBER)).json()["stored"] == 1
    assert deliver_message(house, tenant, message("u1", NUMBER)).json()["duplicates"] == 1
    [text] = house.inbound(tenant)
    assert (text["from"], text["to"], text["body"]) == (CONTACT, NUMBER, "Hello from Vonage!")
    assert (text["channel"], text["segment_count"], text["bandwidth_message_id"]) == ("sms", 2, "u1")
    assert text["bandwidth_received_at"] == "2026-01-01T14:00:00Z"


def mms(**changes: Any) -> dict[str, Any]:
    return message("u1", NUMBER, **{"channel": "mms", "text": None, "sms": None, **changes})


IMAGE = {"url": PICTURE, "name": "a.jpg", "caption": "Look"}
TEXTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("a picture", mms(message_type="image", image=IMAGE), {"body": "Look", "media": (PICTURE,), "is_mms": True}),
    ("a picture alone", mms(message_type="image", image={"url": PICTURE}), {"body": "", "media": (PICTURE,)}),
    ("a video", mms(message_type="video", video={"url": PICTURE}), {"media": (PICTURE,)}),
    (
        "several",
        mms(message_type="content", content=[{"type": "image", **IMAGE}, {"type": "file", "url": "https://x.com/2"}]),
        {"body": "Look", "media": (PICTURE, "https://x.com/2")},
    ),
    ("words by MMS", mms(message_type="text", text="hi"), {"body": "hi", "is_mms": True, "media": ()}),
    ("a picture that is none", mms(message_type="image", image="x"), {"media": ()}),
    ("a broken date", message("u1", NUMBER, timestamp="soon"), {"carrier_received_at": None}),
    ("a short code", message("u1", NUMBER, **{"from": "68849"}), {"from_number": "68849"}),
    ("another count", message("u1", NUMBER, sms={"num_messages": "many"}), {"segment_count": None}),
]


@pytest.mark.parametrize(("event", "expected"), [each[1:] for each in TEXTS], ids=[each[0] for each in TEXTS])
def test_every_form_of_text_is_a_message(event: dict[str, Any], expected: dict[str, Any]) -> None:
    [text] = vonage_messages.parse(IntakeRequest({}, json.dumps(event).encode()))
    assert isinstance(text, InboundEvent)
    assert {name: getattr(text, name) for name in expected} == expected
    assert vonage_messages.parse(IntakeRequest({}, text.raw)) == [text]


ERROR = {"type": "https://developer.vonage.com/api-errors/messages#1000", "title": "1000", "detail": "Throttled"}
REFUSED = {**ERROR, "detail": "User has requested not to receive messages from a specific service."}
STATUSES: list[tuple[str, dict[str, Any], str, str | None, bool]] = [
    ("submitted", {}, "sent", None, False),
    ("delivered", {}, "delivered", None, False),
    ("read", {}, "read", None, False),
    ("rejected", {"error": ERROR}, "failed", "1000", False),
    ("rejected", {"error": REFUSED}, "failed", "1000", True),
    ("undeliverable", {"error": "x"}, "undelivered", None, False),
]


@pytest.mark.parametrize(("word", "changes", "event", "code", "opted_out"), STATUSES)
def test_every_status_is_a_receipt(word: str, changes: Any, event: str, code: str | None, opted_out: bool) -> None:
    [told] = vonage_messages.parse(IntakeRequest({}, json.dumps(status("u1", word, **changes)).encode()))
    assert isinstance(told, ReceiptEvent)
    assert (told.carrier_message_id, told.recipient, told.event, told.tag) == ("u1", CONTACT, event, "our-id")
    assert (told.error_code, told.opted_out) == (code, opted_out)


UNKNOWN: list[bytes] = [
    b"",
    b"[]",
    b"<html>",
    json.dumps(message("u1", NUMBER, channel="whatsapp")).encode(),
    json.dumps(message("u1", NUMBER, message_type=None)).encode(),
    json.dumps(status("u1", "thought")).encode(),
]


@pytest.mark.parametrize(
    "body", UNKNOWN, ids=["empty", "an array", "no JSON", "another channel", "no type", "a new status"]
)
def test_what_is_not_known_is_kept(body: bytes) -> None:
    assert [type(event) for event in vonage_messages.parse(IntakeRequest({}, body))] == [UnknownEvent]


BODY = json.dumps(message("u1", NUMBER)).encode()
GOOD = token(BODY, NOW)
#: The Authorization header.
HEADERS: list[tuple[str, str, bool]] = [
    ("good", f"Bearer {GOOD}", True),
    ("in lower case", f"bearer {GOOD}", True),
    ("of an older secret", f"Bearer {token(BODY, NOW, OLDER)}", True),
    ("a day old", f"Bearer {token(BODY, NOW - 86_400_000_000)}", True),
    ("two days old", f"Bearer {token(BODY, NOW - 172_800_000_000)}", False),
    ("of tomorrow", f"Bearer {token(BODY, NOW + 86_400_000_000)}", False),
    ("of another secret", f"Bearer {token(BODY, NOW, 'c' * 64)}", False),
    ("of another body", f"Bearer {token(b'{}', NOW)}", False),
    ("without a hash", f"Bearer {token(BODY, NOW, payload_hash=None)}", False),
    ("without a time", f"Bearer {token(BODY, NOW, iat=None)}", False),
    ("signed otherwise", f"Bearer {token(BODY, NOW, algorithm='HS512')}", False),
    ("unsigned", f"Bearer {GOOD.rpartition('.')[0]}.", False),
    ("none", "", False),
    ("no token", "Bearer x", False),
    ("odd", "Bearer \u00e9.\u00e9.\u00e9", False),
    ("Basic", f"Basic {GOOD}", False),
]


@pytest.mark.parametrize(("header", "good"), [each[1:] for each in HEADERS], ids=[each[0] for each in HEADERS])
def test_a_token_counts_for_its_body_and_its_time(header: str, good: bool) -> None:
    request = IntakeRequest({"authorization": header} if header else {}, BODY)
    assert vonage_messages.verify(request, ACCOUNT, NOW) is good
    assert not vonage_messages.verify(request, ACCOUNT._replace(secrets={}), NOW)
    if good and "older" not in header:
        assert not vonage_messages.verify(request._replace(body=BODY + b" "), ACCOUNT, NOW)


def test_the_sdk_takes_the_same_token() -> None:
    assert verify_signature(token(BODY, 1_700_000_000_000_000), SECRET)
    assert not verify_signature(GOOD, "c" * 64)


def test_without_a_good_token_nothing_is_stored(house: House, tenant: Tenant) -> None:
    headers = {"Authorization": f"Bearer {token(b'{}', house.clock())}"}
    assert house.http.post(tenant.webhook, content=BODY, headers=headers).status_code == 401
    assert house.http.get(tenant.webhook).status_code == 405
    assert house.inbound(tenant) == []


def test_a_text_is_sent_as_documented_and_its_statuses_move_it_on(
    house: House, tenant: Tenant, api: ScriptedApi
) -> None:
    message_id = send(house, tenant, body="Hi \N{WAVING HAND SIGN}")
    [asked] = api.wait_for(1)
    assert asked.path == "/v1/messages"
    assert asked.headers["Authorization"].startswith("Basic ")
    model = Sms(to=TO[1:], from_=NUMBER[1:], text="Hi \N{WAVING HAND SIGN}", client_ref=message_id)
    assert asked.fields == model.model_dump(by_alias=True, exclude_none=True, mode="json")
    stand = until(house, tenant, message_id, is_settled)
    assert (stand.status, stand.carrier_message_id) == ("sent", "aaaaaaaa-bbbb-cccc-dddd-0123456789ab")
    deliver_message(house, tenant, status("aaaaaaaa-bbbb-cccc-dddd-0123456789ab", "delivered", client_ref=message_id))
    assert until(house, tenant, message_id, lambda stand: stand.status == "delivered")


def test_pictures_are_sent_with_the_words_as_a_caption(house: House, tenant: Tenant, api: ScriptedApi) -> None:
    first, second = "https://example.com/a.jpg", "https://example.com/b.jpg"
    one = send(house, tenant, body="Look", media=[first])
    api.wait_for(1)
    model = MmsImage(to=TO[1:], from_=NUMBER[1:], image=MmsResource(url=first, caption="Look"), client_ref=one)
    assert api.asked[0].fields == model.model_dump(by_alias=True, exclude_none=True, mode="json")
    send(house, tenant, body="", media=[first, second])
    asked = api.wait_for(2)[1].fields
    assert (asked["channel"], asked["message_type"]) == ("mms", "content")
    assert asked["content"] == [{"type": "image", "url": first}, {"type": "image", "url": second}]


ANSWERS: list[tuple[str, Said, str | None, str, str | None]] = [
    ("invalid", Said(422, {"title": "Invalid params", "detail": "bad to"}), None, "failed", "Invalid params"),
    ("no money", Said(402, {"title": "Low balance"}), None, "failed", "Low balance"),
    ("a wrong secret", Said(401, {"title": "Unauthorized"}), None, "failed", "CARRIER_CREDENTIALS_REFUSED"),
    ("too many", Said(429, {"title": "Rate Limit Hit"}), "waiting", "sending", None),
    ("an error inside", Said(500), "uncertain", "sending", None),
    ("no id", Said(202, {}), "uncertain", "sending", None),
    ("no answer", Said(None), "uncertain", "sending", None),
]


@pytest.mark.parametrize("case", ANSWERS, ids=[each[0] for each in ANSWERS])
def test_every_answer_has_its_outcome(house: House, tenant: Tenant, api: ScriptedApi, case: tuple[Any, ...]) -> None:
    _, said, state, message_status, code = case
    api.script.append(said)
    message_id = send(house, tenant)
    api.wait_for(1)
    stand = until(house, tenant, message_id, lambda stand: stand.state == state)
    assert (stand.status, stand.error_code) == (message_status, code)


MEDIA = [
    (PICTURE, True),
    ("https://messages-media.vonage.com/1", True),
    ("http://api.nexmo.com/1", False),
    ("https://nexmo.com.example.com/1", False),
    ("https://evilnexmo.com/1", False),
    ("https://example.com/.nexmo.com", False),
    ("https://api.nexmo.com@example.com/", False),
]


@pytest.mark.parametrize(("url", "own"), MEDIA)
def test_the_credential_goes_to_vonages_own_hosts_alone(url: str, own: bool) -> None:
    assert vonage_messages.media_auth(url, ACCOUNT) == (("abcd1234", "s3:cret") if own else None)
    assert vonage_messages.media_auth(url, ACCOUNT._replace(secrets={})) is None


def test_the_set_up_is_looked_at(house: House, api: ScriptedApi) -> None:
    account = ACCOUNT._replace(secrets={**SMS_SECRETS, "api_url": api.base_url})
    api.script.extend([Said(200, {}), Said(401), Said(500)])
    for good in (True, False, False):
        [finding] = house.wait(vonage_messages.check(account, [], "", house.outside))
        assert finding.good is good
    assert api.asked[0].path == "/v2/applications"
