"""Telnyx: what it delivers, how it signs it, and what it says to what we send."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from telnyx import Telnyx
from telnyx.types import DeliveryUpdateWebhookEvent, InboundMessageWebhookEvent

from roost.carriers import telnyx
from roost.carriers.contract import IntakeRequest, OutgoingText
from roost.core.account import CarrierAccount
from roost.core.message import InboundEvent, ReceiptEvent, UnknownEvent
from roost.core.times import parse_instant
from support import telnyx as wire
from support.databases import Database
from support.house import House, Tenant
from support.outbound import CONTACT, is_settled, send, until
from support.reaching_out import reaching_out
from support.scripted_api import Asked, Said, ScriptedApi

NUMBER, OTHER = "+15551112222", "+15551113333"
NOW = 1_777_204_860_000_000
ACCOUNT = CarrierAccount("01900000-0000-7000-8000-000000000001", "o", "telnyx", wire.secrets())
BODY = wire.body(wire.inbound("m-1", NUMBER))


def parse(value: Any, url: str = "") -> list[Any]:
    return telnyx.parse(IntakeRequest({}, value if isinstance(value, bytes) else wire.body(value), url))


def is_believed(body: bytes, headers: dict[str, str], now: int = NOW, account: CarrierAccount = ACCOUNT) -> bool:
    return telnyx.verify(IntakeRequest(headers, body), account, now)


def flipped(headers: dict[str, str], bit: int) -> dict[str, str]:
    signature = bytearray(base64.b64decode(headers["telnyx-signature-ed25519"]))
    signature[bit // 8] ^= 1 << bit % 8
    return {**headers, "telnyx-signature-ed25519": base64.b64encode(signature).decode()}


SIGNED = wire.signed(BODY, NOW)
REFUSED: dict[str, tuple[bytes, dict[str, str], int]] = {
    "no signature": (BODY, {}, NOW),
    "no timestamp": (BODY, {"telnyx-signature-ed25519": SIGNED["telnyx-signature-ed25519"]}, NOW),
    "another key's": (BODY, wire.signed(BODY, NOW, wire.OTHER_KEY), NOW),
    "one bit of the body changed": (bytes([BODY[0] ^ 1]) + BODY[1:], SIGNED, NOW),
    "one bit of the signature changed": (BODY, flipped(SIGNED, 0), NOW),
    "the signature's last bit changed": (BODY, flipped(SIGNED, 511), NOW),
    "another timestamp": (BODY, {**SIGNED, "telnyx-timestamp": str(NOW // 1_000_000 + 1)}, NOW),
    "stale": (BODY, SIGNED, NOW + 301_000_000),
    "from the future": (BODY, SIGNED, NOW - 301_000_000),
    "a signature that is no base64": (BODY, {**SIGNED, "telnyx-signature-ed25519": "não"}, NOW),
    "a short signature": (BODY, {**SIGNED, "telnyx-signature-ed25519": "AAAA"}, NOW),
    "a timestamp that is none": (BODY, {**SIGNED, "telnyx-timestamp": "now"}, NOW),
    "a timestamp of other digits": (BODY, {**SIGNED, "telnyx-timestamp": "١٧٧"}, NOW),
    "a timestamp without end": (BODY, {**SIGNED, "telnyx-timestamp": "1" * 5000}, NOW),
}


@pytest.mark.parametrize(("body", "headers", "now"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_signed_by_the_account_just_now_is_refused(body: bytes, headers: dict[str, str], now: int) -> None:
    assert not is_believed(body, headers, now)


def test_a_signature_holds_for_five_minutes_and_while_any_of_the_keys_is_good() -> None:
    for off in (-300_000_000, 0, 300_000_000):
        assert is_believed(BODY, SIGNED, NOW + off)
    rotated = ACCOUNT._replace(secrets={"public_key": [wire.public(wire.OTHER_KEY), "broken", wire.public(wire.KEY)]})
    assert is_believed(BODY, SIGNED, account=rotated)
    assert is_believed(BODY, wire.signed(BODY, NOW, wire.OTHER_KEY), account=rotated)
    assert not is_believed(BODY, SIGNED, account=ACCOUNT._replace(secrets={}))


def test_telnyx_sdk_believes_what_we_sign_and_refuses_what_we_refuse() -> None:
    client = Telnyx(api_key="k", public_key=wire.public(wire.KEY))
    now = time.time_ns() // 1000
    headers = wire.signed(BODY, now)
    assert client.webhooks.unwrap(BODY.decode(), headers=headers)
    assert is_believed(BODY, headers, now)
    for bad in (flipped(headers, 9), wire.signed(BODY, now - 302_000_000), wire.signed(BODY, now, wire.OTHER_KEY)):
        with pytest.raises(ValueError, match=r"Signature|timestamp"):
            client.webhooks.unwrap(BODY.decode(), headers=bad)
        assert not is_believed(BODY, bad, now)


def test_telnyx_models_read_our_payloads() -> None:
    received = InboundMessageWebhookEvent.model_validate(wire.inbound("m-1", NUMBER, cc=[{"phone_number": OTHER}]))
    assert received.data is not None
    assert received.data.payload is not None
    assert (received.data.payload.id, received.data.payload.text) == ("m-1", "Hello from Telnyx!")
    told = DeliveryUpdateWebhookEvent.model_validate(wire.status("message.finalized", "m-2", {CONTACT: "delivered"}))
    assert told.data is not None
    assert told.data.payload is not None
    assert told.data.payload.to is not None
    assert told.data.payload.to[0].status == "delivered"


def test_a_text_is_read_with_all_that_telnyx_says_of_it() -> None:
    [event] = parse(wire.inbound("m-1", NUMBER))
    at = parse_instant("2026-04-26T12:01:00.247Z")[0]
    assert event == InboundEvent("m-1", "+13125000000", (NUMBER,), "Hello from Telnyx!", BODY, (NUMBER,), (), 1, at)


def test_a_group_text_is_for_our_number_and_names_everybody_but_its_sender() -> None:
    everybody = [{"phone_number": number, "status": ""} for number in ("+13125000000", OTHER, NUMBER)]
    media = [{"url": "https://media.telnyx.com/a.jpg", "content_type": "image/jpeg", "size": 9, "hash_sha256": "x"}]
    [event] = parse(wire.inbound("m-1", NUMBER, "", cc=everybody, media=media, type="MMS", subject="Look"))
    assert (event.to_numbers, event.recipients) == ((NUMBER, OTHER), (NUMBER, OTHER))
    assert (event.media, event.body, event.is_mms) == (("https://media.telnyx.com/a.jpg",), "Look", True)


ERROR = {"code": "40300", "title": "Blocked due to STOP message", "detail": "d", "meta": {"url": "u"}}
STATUSES: list[tuple[str, str, str, tuple[dict[str, Any], ...], bool]] = [
    ("message.sent", "queued", "sent", (), False),
    ("message.sent", "sent", "sent", (), False),
    ("message.finalized", "delivered", "delivered", (), False),
    ("message.finalized", "delivery_failed", "undelivered", ({"code": "40008", "title": "Undeliverable"},), False),
    ("message.finalized", "sending_failed", "failed", ({"code": "40001", "title": "x"}, ERROR), True),
    ("message.finalized", "delivery_unconfirmed", "unconfirmed", (), False),
    ("message.finalized", "expired", "failed", (), False),
]


@pytest.mark.parametrize(("word", "status", "event", "errors", "is_opted_out"), STATUSES)
def test_a_status_is_read_as_ours(
    word: str, status: str, event: str, errors: tuple[dict[str, Any], ...], is_opted_out: bool
) -> None:
    payload = wire.status(word, "m-1", {CONTACT: status, OTHER: status}, errors)
    receipts = parse(payload, "https://roost.example.com/carriers/telnyx/1?message=ours")
    assert [receipt.recipient for receipt in receipts] == [CONTACT, OTHER]
    for receipt in receipts:
        assert isinstance(receipt, ReceiptEvent)
        assert (receipt.event, receipt.tag, receipt.opted_out) == (event, "ours", is_opted_out)
        assert receipt.error_code == ("40300" if is_opted_out else errors[0]["code"] if errors else None)


UNKNOWN: list[Any] = [
    b"", b"no json", b"[]", b"7", b"{}", b'{"data": 7}', b'{"data": {"event_type": "message.received"}}',
    wire.status("message.finalized", "m", {CONTACT: "teleported"}), wire.status("message.sent", "m", {}),
    wire.status("message.link_click", "m", {CONTACT: "delivered"}), b"\xff\xfe", b"[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("body", UNKNOWN, ids=range(len(UNKNOWN)))
def test_what_is_not_understood_is_kept_to_the_byte(body: Any) -> None:
    [event] = parse(body)
    assert isinstance(event, UnknownEvent)
    assert event.raw == (body if isinstance(body, bytes) else wire.body(body))


@pytest.mark.parametrize(
    "changes",
    [{"from": None}, {"to": None}, {"to": [7, {}]}, {"media": {"url": 7}}, {"cc": "x", "parts": "many"}, {"id": 7}],
)
def test_an_odd_text_never_raises(changes: dict[str, Any]) -> None:
    [event] = parse(wire.inbound("m-1", NUMBER, **changes))
    assert isinstance(event, InboundEvent)


def test_telnyx_confirms_stop_itself_unless_the_account_says_that_it_does_not() -> None:
    assert telnyx.answers_opt_outs(NUMBER, ACCOUNT)
    assert not telnyx.answers_opt_outs(NUMBER, ACCOUNT._replace(secrets={"opt_out_replies": "off"}))


class Api:
    """Telnyx's API: `messages` are those it took; `profile` is how the number's messaging profile is set up."""

    def __init__(self) -> None:
        self.profile: dict[str, Any] = {
            "id": wire.PROFILE,
            "name": "Roost",
            "enabled": True,
            "webhook_api_version": "2",
        }
        self.numbers: dict[str, str | None] = {}
        self.records: list[dict[str, Any]] = []

    def __call__(self, asked: Asked) -> Said:
        if asked.headers.get("Authorization") != f"Bearer {wire.API_KEY}":
            return error(401, "10009", "Authentication failed")
        match asked.method, asked.path.removeprefix("/v2/").split("/"):
            case "POST", ["messages"]:
                to = [{"phone_number": asked.fields["to"], "status": "queued"}]
                return Said(200, {"data": {"record_type": "message", "id": "tx-1", "to": to, "parts": 1}})
            case "GET", ["detail_records"]:
                return Said(200, {"data": self.records, "meta": {"total_results": len(self.records)}})
            case "GET", ["messaging_phone_numbers", number] if number in self.numbers:
                found = {"phone_number": number, "messaging_profile_id": self.numbers[number]}
                return Said(200, {"data": found})
            case "GET", ["messaging_profiles", _]:
                return Said(200, {"data": self.profile})
            case "GET", ["messaging_profiles"]:
                return Said(200, {"data": [self.profile]})
        return error(404, "10005", "Resource not found")


def error(status: int, code: str, title: str) -> Said:
    return Said(status, {"errors": [{"code": code, "title": title, "detail": f"{title}."}]})


@pytest.fixture
def carrier() -> Iterator[ScriptedApi]:
    with ScriptedApi(Api()) as listening:
        yield listening


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    running = House(
        database, tmp_path / "data", working=True, segments_per_second=0, public_url="https://roost.example.com"
    ).start()
    yield running
    running.stop()


@pytest.fixture
def tenant(house: House, carrier: ScriptedApi) -> Tenant:
    return house.tenant(
        carrier="telnyx", secrets=wire.secrets(api_key=[wire.API_KEY], api_url=f"{carrier.base_url}/v2/")
    )


def deliver(house: House, tenant: Tenant, payload: Any, query: str = "") -> Any:
    body = wire.body(payload)
    answer = house.http.post(tenant.webhook + query, content=body, headers=wire.signed(body, house.clock()))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_we_send_is_asked_as_documented_and_moves_on_with_what_telnyx_says(
    house: House, tenant: Tenant, carrier: ScriptedApi
) -> None:
    message_id = send(house, tenant, body="Hi", media=["https://example.com/a.jpg"])
    [asked] = carrier.wait_for(1)
    url = f"https://roost.example.com{tenant.webhook}?message={message_id}"
    assert (asked.path, asked.fields) == (
        "/v2/messages",
        {
            "from": tenant.number.number,
            "to": CONTACT,
            "text": "Hi",
            "media_urls": ["https://example.com/a.jpg"],
            "webhook_url": url,
        },
    )
    assert until(house, tenant, message_id, is_settled).carrier_message_id == "tx-1"
    told = wire.status("message.finalized", "tx-1", {CONTACT: "delivered"})
    assert deliver(house, tenant, told)["receipts"] == 1
    assert until(house, tenant, message_id, lambda stand: stand.status == "delivered").delivered_at


def test_what_was_perhaps_sent_is_known_by_its_receipt(house: House, tenant: Tenant, carrier: ScriptedApi) -> None:
    carrier.script.append(Said(None))
    message_id = send(house, tenant)
    until(house, tenant, message_id, lambda stand: stand.state == "uncertain")
    told = wire.status("message.sent", "tx-9", {CONTACT: "sent"})
    deliver(house, tenant, told, f"?message={message_id}")
    stand = until(house, tenant, message_id, is_settled)
    assert (stand.status, stand.carrier_message_id) == ("sent", "tx-9")


def test_check_says_what_is_wrong_with_the_set_up() -> None:
    api = Api()
    with ScriptedApi(api) as carrier:
        good = wire.secrets(api_key=[wire.API_KEY], api_url=carrier.base_url + "/v2")
        url = "https://roost.example.com/carriers/telnyx/1"

        def checked(secrets: dict[str, Any] = good, numbers: tuple[str, ...] = (NUMBER,)) -> list[tuple[bool, str]]:
            account = ACCOUNT._replace(secrets=secrets)
            found = reaching_out(lambda outside: telnyx.check(account, numbers, url, outside))
            return [(finding.good, finding.text) for finding in found]

        [(fine, text)] = checked()
        assert (fine, "not among" in text) == (False, True)
        api.numbers = {NUMBER: None}
        [(fine, text)] = checked()
        assert (fine, "no messaging profile" in text) == (False, True)
        api.numbers = {NUMBER: wire.PROFILE}
        [(fine, text)] = checked()
        assert (fine, url in text) == (False, True)
        api.profile.update(webhook_url=url, webhook_api_version="1", enabled=False)
        assert ["version" in text or "disabled" in text for _, text in checked()] == [True, True]
        api.profile.update(webhook_api_version="2", enabled=True)
        assert [fine for fine, _ in checked()] == [fine for fine, _ in checked(numbers=())] == [True]
        carrier.script.append(Said(500))
        [(fine, text)] = checked()
        assert (fine, "answers 500" in text) == (False, True)
        wrong = checked({**good, "api_key": ["old"], "public_key": ["short"]})
        assert ["32 bytes" in text or "refuses the API key" in text for _, text in wrong] == [True, True]
        [(fine, text)] = checked(wire.secrets())
        assert (fine, "only receives" in text) == (True, True)


def test_its_record_has_what_was_sent_to_the_contact_at_the_time() -> None:
    api = Api()
    with ScriptedApi(api) as carrier:
        account = ACCOUNT._replace(secrets=wire.secrets(api_key=[wire.API_KEY], api_url=carrier.base_url + "/v2"))
        text = OutgoingText("ours", NUMBER, CONTACT, "Hi", (), False)

        def looked_up() -> frozenset[str]:
            return reaching_out(lambda outside: telnyx.look_up(text, NOW, account, outside))

        assert looked_up() == set()
        api.records = [{"uuid": "tx-1", "direction": "outbound"}, {"uuid": "tx-2"}, {}]
        assert looked_up() == {"tx-1", "tx-2"}
        assert carrier.asked[0].query["filter[created_at][gte]"] == "2026-04-26T12:00:00.000000Z"
