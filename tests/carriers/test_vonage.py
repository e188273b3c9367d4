"""Vonage's SMS API: what it delivers, how it signs it, and what it says to what we send."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qsl, urlencode

import pytest
from vonage_http_client.auth import Auth
from vonage_sms.requests import SmsMessage

from roost.carriers import vonage
from roost.carriers.contract import IntakeRequest
from roost.core.account import CarrierAccount
from roost.core.message import InboundEvent, PartEvent, ReceiptEvent, UnknownEvent
from support.databases import Database
from support.house import House, Tenant
from support.outbound import CONTACT as TO
from support.outbound import is_settled, send, until
from support.scripted_api import Asked, Said, ScriptedApi
from support.vonage import CONTACT, OLDER, SECRET, SMS_SECRETS, Method, deliver, inbound, parts, receipt, signed

NUMBER = "+447700900000"
ACCOUNT = CarrierAccount("", "", "vonage", SMS_SECRETS)
NOW = 1_790_000_000_000_000


def accepted(asked: Asked) -> Said:
    """As documented: 200 with a status for each part."""
    if asked.method == "GET":
        return Said(200, {"value": 10.28, "autoReload": False})
    return Said(200, answer("0"))


def answer(status: str, **more: str) -> dict[str, Any]:
    part = {
        "to": "447700900000",
        "message-id": "0A0000000123ABCD1",
        "status": status,
        "remaining-balance": "3.14",
        **more,
    }
    return {"message-count": "1", "messages": [part]}


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
    return house.tenant(carrier="vonage", number=NUMBER, secrets={**SMS_SECRETS, "api_url": api.base_url + "/"})


@pytest.mark.parametrize("how", ["get", "form", "json"])
def test_a_text_comes_by_get_as_a_form_or_as_json(house: House, tenant: Tenant, how: str) -> None:
    text = inbound("0C000000217B7F02", NUMBER, "Hi \N{WAVING HAND SIGN} & = + %20", type="unicode")
    said = deliver(house, tenant, text, how)
    assert (said.status_code, said.json()["stored"]) == (200, 1), said.text
    assert deliver(house, tenant, text, how).json()["duplicates"] == 1
    [message] = house.inbound(tenant)
    assert (message["from"], message["to"], message["body"]) == (CONTACT, NUMBER, "Hi \N{WAVING HAND SIGN} & = + %20")
    assert message["bandwidth_received_at"] == "2026-01-01T12:00:00Z"
    assert message["bandwidth_message_id"] == "0C000000217B7F02"


def request(fields: dict[str, str], how: str = "form") -> IntakeRequest:
    if how == "get":
        return IntakeRequest({}, b"", f"https://roost.example.com/carriers/vonage/1?{urlencode(fields)}", "GET")
    return IntakeRequest({}, json.dumps(fields).encode() if how == "json" else urlencode(fields).encode())


@pytest.mark.parametrize("how", ["get", "form", "json"])
@pytest.mark.parametrize("method", get_args(Method))
def test_every_kind_of_signature_is_as_the_sdk_has_it(method: Method, how: str) -> None:
    fields = signed(inbound("1", NUMBER, "a & b = c \N{SNOWMAN}", new="x=&y", blank=""), NOW, method)
    assert vonage.verify(request(fields, how), ACCOUNT, NOW)
    fixed = ACCOUNT._replace(secrets={**SMS_SECRETS, "signature_method": method})
    assert vonage.verify(request(fields, how), fixed, NOW)
    other = ACCOUNT._replace(secrets={**SMS_SECRETS, "signature_method": "sha1" if method != "sha1" else "sha512"})
    assert not vonage.verify(request(fields, how), other, NOW), "the account says which one"
    assert not vonage.verify(request({**fields, "text": "changed"}, how), ACCOUNT, NOW)
    assert not vonage.verify(request({**fields, "more": "1"}, how), ACCOUNT, NOW)
    if method != "md5hash":
        auth = Auth(api_key="abcd1234", signature_secret=SECRET, signature_method=method)
        assert auth.check_signature(dict(fields)), "the SDK says the same"


def test_an_older_secret_counts_as_long_as_it_is_kept() -> None:
    fields = signed(inbound("1", NUMBER), NOW, secret=OLDER)
    assert vonage.verify(request(fields), ACCOUNT, NOW)
    assert not vonage.verify(request(fields), ACCOUNT._replace(secrets={"signature_secret": [SECRET]}), NOW)
    assert not vonage.verify(request(fields), ACCOUNT._replace(secrets={}), NOW)


@pytest.mark.parametrize(
    ("seconds", "good"), [(0, True), (24 * 3600, True), (26 * 3600, False), (-200, True), (-400, False)]
)
def test_a_signature_is_good_for_as_long_as_vonage_tries(seconds: int, good: bool) -> None:
    assert vonage.verify(request(signed(inbound("1", NUMBER), NOW - seconds * 1_000_000)), ACCOUNT, NOW) is good


WRONG: list[tuple[str, dict[str, str]]] = [
    ("no signature", {"sig": ""}),
    ("another's", {"sig": "0" * 64}),
    ("half of it", {"sig": "0" * 32}),
    ("no hex", {"sig": "\u00e9"}),
    ("no timestamp", {"timestamp": ""}),
    ("a timestamp that is none", {"timestamp": "soon"}),
    ("a timestamp without end", {"timestamp": "1" * 5000}),
]


@pytest.mark.parametrize("how", ["get", "form", "json"])
@pytest.mark.parametrize("changes", [each[1] for each in WRONG], ids=[each[0] for each in WRONG])
def test_what_is_no_signature_is_refused(changes: dict[str, str], how: str) -> None:
    assert not vonage.verify(request({**signed(inbound("1", NUMBER), NOW), **changes}, how), ACCOUNT, NOW)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b"\xff", b'{"sig": "\\ud800"}', b"&&&", b"sig=%ff&timestamp=1"]
)
def test_verifying_and_reading_never_raise(body: bytes) -> None:
    assert not vonage.verify(IntakeRequest({}, body), ACCOUNT, NOW)
    assert [type(event) for event in vonage.parse(IntakeRequest({}, body))] == [UnknownEvent]


def test_without_a_good_signature_nothing_is_stored(house: House, tenant: Tenant) -> None:
    fields = signed(inbound("1", NUMBER), house.clock(), secret="wrong")
    for said in (
        house.http.post(tenant.webhook, data=fields),
        house.http.post(tenant.webhook, json=fields),
        house.http.get(f"{tenant.webhook}?{urlencode(fields)}"),
        house.http.get(tenant.webhook),
    ):
        assert said.status_code == 401
    assert house.inbound(tenant) == []


TEXTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("a short code", {"to": "68849", "msisdn": "12345"}, {"to_numbers": ("68849",), "from_number": "12345"}),
    ("a name", {"msisdn": "BANK"}, {"from_number": "BANK"}),
    ("a broken date", {"message-timestamp": "soon"}, {"carrier_received_at": None}),
    ("no text", {"text": ""}, {"body": ""}),
    ("a number with its plus", {"to": NUMBER}, {"to_numbers": (NUMBER,)}),
]


@pytest.mark.parametrize("how", ["get", "form", "json"])
@pytest.mark.parametrize(("changes", "expected"), [each[1:] for each in TEXTS], ids=[each[0] for each in TEXTS])
def test_an_odd_text_is_a_text_that_can_be_read_again(changes: Any, expected: Any, how: str) -> None:
    [text] = vonage.parse(request({**inbound("1", NUMBER), **changes}, how))
    assert isinstance(text, InboundEvent)
    assert {name: getattr(text, name) for name in expected} == expected
    assert vonage.parse(IntakeRequest({}, text.raw)) == [text]


def test_a_part_is_one() -> None:
    [part] = vonage.parse(request(parts("p", NUMBER, "one", "two")[1], "json"))
    assert isinstance(part, PartEvent)
    assert part[1:] == ("12", 2, 2)
    assert (part.text.carrier_message_id, part.text.body) == ("p-2", "two")


STATUSES = [
    ("accepted", "0", "sent", False),
    ("buffered", "0", "sent", False),
    ("delivered", "0", "delivered", False),
    ("expired", "2", "undelivered", False),
    ("failed", "9", "failed", True),
    ("rejected", "9", "failed", True),
    ("rejected", "6", "failed", False),
    ("unknown", "1", "unconfirmed", False),
]


@pytest.mark.parametrize(("word", "code", "event", "opted_out"), STATUSES)
def test_every_status_is_a_receipt(word: str, code: str, event: str, opted_out: bool) -> None:
    [told] = vonage.parse(request(receipt("m1", word, code, **{"client-ref": "our-id"}), "get"))
    assert isinstance(told, ReceiptEvent)
    assert (told.carrier_message_id, told.recipient, told.event, told.tag) == ("m1", CONTACT, event, "our-id")
    assert (told.error_code, told.opted_out) == (None if code == "0" else code, opted_out)


UNKNOWN: list[dict[str, str]] = [
    {**inbound("1", NUMBER), "type": "binary", "data": "0011", "udh": "050003"},
    {**inbound("1", NUMBER), "msisdn": ""},
    receipt("m1", "thought", "0"),
    {"hello": "world"},
]


@pytest.mark.parametrize("fields", UNKNOWN, ids=["binary", "no sender", "a new status", "something else"])
def test_what_is_not_known_is_kept(house: House, tenant: Tenant, fields: dict[str, str]) -> None:
    assert deliver(house, tenant, fields).json()["unrouted"] == 1


def test_a_text_is_sent_as_documented_and_its_receipts_move_it_on(
    house: House, tenant: Tenant, api: ScriptedApi
) -> None:
    message_id = send(house, tenant, body="Hi \N{WAVING HAND SIGN} & you")
    [asked] = api.wait_for(1)
    assert asked.path == "/sms/json"
    model = SmsMessage(
        to=TO[1:], from_=NUMBER[1:], text="Hi \N{WAVING HAND SIGN} & you", client_ref=message_id, type="unicode"
    )
    wanted = model.model_dump(by_alias=True, exclude_none=True)
    assert asked.fields == {**wanted, "api_key": "abcd1234", "api_secret": "s3:cret"}
    stand = until(house, tenant, message_id, is_settled)
    assert (stand.status, stand.carrier_message_id) == ("sent", "0A0000000123ABCD1")
    # A long text has an id for each part, and is called by the first.
    deliver(house, tenant, receipt("0A0000000123ABCD2", "failed", "1", **{"client-ref": message_id}), "get")
    deliver(house, tenant, receipt("0A0000000123ABCD1", "delivered", "0", **{"client-ref": message_id}), "get")
    assert until(house, tenant, message_id, lambda stand: stand.status == "delivered")
    send(house, tenant, body="plain")
    assert api.wait_for(2)[1].fields["type"] == "text"


def test_a_receipt_that_the_contact_opted_out_is_an_opt_out(house: House, tenant: Tenant, api: ScriptedApi) -> None:
    message_id = send(house, tenant)
    until(house, tenant, message_id, is_settled)
    deliver(house, tenant, receipt("0A0000000123ABCD1", "failed", "9", msisdn=TO[1:]))
    assert until(house, tenant, message_id, is_settled).error_code == "9"
    assert house.send(tenant, TO).status_code == 453


#: An answer; the outbox row's state, the message's status and its code after it.
ANSWERS: list[tuple[str, Said, str | None, str, str | None]] = [
    ("throttled", Said(200, answer("1")), "waiting", "sending", None),
    ("missing parameters", Said(200, answer("2", **{"error-text": "Missing to"})), None, "failed", "2"),
    ("wrong credentials", Said(200, answer("4")), None, "failed", "CARRIER_CREDENTIALS_REFUSED"),
    ("an error inside", Said(200, answer("5")), "uncertain", "sending", None),
    ("barred", Said(200, answer("7")), None, "failed", "7"),
    ("no money", Said(200, answer("9")), None, "failed", "9"),
    ("no id", Said(200, {"messages": [{"status": "0"}]}), "uncertain", "sending", None),
    ("no messages", Said(200, {"messages": []}), "uncertain", "sending", None),
    ("no JSON", Said(200, b"<html>"), "uncertain", "sending", None),
    ("too many", Said(429), "waiting", "sending", None),
    ("HTTP 401", Said(401), None, "failed", "CARRIER_CREDENTIALS_REFUSED"),
    ("HTTP 500", Said(500), "uncertain", "sending", None),
    ("no answer", Said(None), "uncertain", "sending", None),
]


@pytest.mark.parametrize("case", ANSWERS, ids=[each[0] for each in ANSWERS])
def test_every_answer_has_its_outcome(house: House, tenant: Tenant, api: ScriptedApi, case: tuple[Any, ...]) -> None:
    _, said, state, status, code = case
    api.script.append(said)
    message_id = send(house, tenant)
    api.wait_for(1)
    stand = until(house, tenant, message_id, lambda stand: stand.state == state)
    assert (stand.status, stand.error_code) == (status, code)


def test_a_picture_is_refused(house: House, tenant: Tenant, api: ScriptedApi) -> None:
    stand = until(house, tenant, send(house, tenant, media=["https://example.com/a.jpg"]), is_settled)
    assert (stand.status, stand.error_code) == ("failed", "MEDIA_NOT_SUPPORTED")
    assert api.asked == []


def test_the_set_up_is_looked_at(house: House, api: ScriptedApi) -> None:
    account = ACCOUNT._replace(secrets={**SMS_SECRETS, "api_url": api.base_url})
    api.script.extend([Said(200, {"value": 1}), Said(401), Said(500)])
    for good in (True, False, False):
        [finding] = house.wait(vonage.check(account, [], "", house.outside))
        assert finding.good is good
    assert api.asked[0].path == "/account/get-balance"
    [finding] = house.wait(vonage.check(account._replace(secrets={}), [], "", house.outside))
    assert finding.good
    assert vonage.media_auth("https://api.nexmo.com/x", ACCOUNT) is None
    assert not vonage.answers_opt_outs(NUMBER, ACCOUNT)
    assert vonage.answers_opt_outs(NUMBER, ACCOUNT._replace(secrets={"opt_out_replies": "on"}))
    assert vonage.answers_opt_outs("+18005551234", ACCOUNT)


def test_the_payloads_are_those_of_a_query() -> None:
    """What a GET brings is kept as it came."""
    fields = signed(inbound("1", NUMBER, "a b"), NOW)
    [text] = vonage.parse(request(fields, "get"))
    assert dict(parse_qsl(text.raw.decode())) == fields
