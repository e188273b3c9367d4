"""Sinch: what it delivers, how it shows who it is, and what it says to what we send."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sinch.domains.sms.models.v1.response import BatchDeliveryReport, RecipientDeliveryReport
from sinch.domains.sms.models.v1.shared import MOMediaMessage, MOTextMessage
from sinch.domains.sms.sinch_events.v1.sms_sinch_event import SmsSinchEvent

from roost.carriers import sinch
from roost.carriers.contract import IntakeRequest, OutgoingText, SendFailed
from roost.carriers.outside import Outside
from roost.core.account import CarrierAccount
from roost.core.message import InboundEvent, ReceiptEvent, UnknownEvent
from roost.core.times import parse_instant
from support import sinch as wire
from support.credentials import BASIC
from support.databases import Database
from support.house import House, Tenant
from support.outbound import CONTACT, is_settled, send, until
from support.reaching_out import reaching_out
from support.scripted_api import Asked, Said, ScriptedApi

NUMBER = "+15551112222"
NOW = 1_777_204_860_000_000
DAY = 24 * 3600 * 1_000_000
ACCOUNT = CarrierAccount("a", "o", "sinch", wire.secrets(basic=[list(BASIC)]))
BODY = wire.body(wire.inbound("m-1", NUMBER))
SIGNATURE = "x-sinch-webhook-signature"
SIGNED = wire.signed(BODY, NOW)


def parse(value: Any) -> list[Any]:
    return sinch.parse(IntakeRequest({}, value if isinstance(value, bytes) else wire.body(value)))


def is_believed(body: bytes, headers: dict[str, str], now: int = NOW, account: CarrierAccount = ACCOUNT) -> bool:
    return sinch.verify(IntakeRequest(headers, body), account, now)


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


REFUSED: dict[str, tuple[bytes, dict[str, str], int]] = {
    "no credential": (BODY, {}, NOW),
    "another secret's": (BODY, wire.signed(BODY, NOW, wire.OTHER_SECRET), NOW),
    "one bit of the body changed": (bytes([BODY[0] ^ 1]) + BODY[1:], SIGNED, NOW),
    "one character of the signature changed": (
        BODY,
        {**SIGNED, SIGNATURE: ("B" if SIGNED[SIGNATURE][0] == "A" else "A") + SIGNED[SIGNATURE][1:]},
        NOW,
    ),
    "another nonce": (BODY, {**SIGNED, f"{SIGNATURE}-nonce": "x"}, NOW),
    "another timestamp": (BODY, {**SIGNED, f"{SIGNATURE}-timestamp": str(NOW // 1_000_000 + 1)}, NOW),
    "no timestamp": (BODY, {name: value for name, value in SIGNED.items() if "timestamp" not in name}, NOW),
    "stale": (BODY, SIGNED, NOW + DAY + 1_000_000),
    "from the future": (BODY, SIGNED, NOW - 301_000_000),
    "a signature that is no ASCII": (BODY, {**SIGNED, SIGNATURE: "né"}, NOW),
    "a wrong password": (BODY, basic(BASIC[0], "x"), NOW),
}


@pytest.mark.parametrize(("body", "headers", "now"), REFUSED.values(), ids=REFUSED)
def test_who_does_not_show_that_it_is_sinch_is_refused(body: bytes, headers: dict[str, str], now: int) -> None:
    assert not is_believed(body, headers, now)


def test_a_signature_or_a_basic_credential_is_believed_as_long_as_sinch_tries_again() -> None:
    assert is_believed(BODY, basic(*BASIC))
    assert is_believed(BODY, SIGNED)
    assert is_believed(BODY, SIGNED, NOW + 81_920_000_000), "its last try"
    rotated = ACCOUNT._replace(secrets={"webhook_secret": [wire.OTHER_SECRET, wire.SECRET]})
    assert is_believed(BODY, SIGNED, account=rotated)
    assert is_believed(BODY, wire.signed(BODY, NOW, wire.OTHER_SECRET), account=rotated)
    assert not is_believed(BODY, wire.signed(BODY, NOW, ""), account=ACCOUNT._replace(secrets={}))


def test_sinch_sdk_believes_what_we_sign_and_refuses_what_we_refuse() -> None:
    event = SmsSinchEvent(wire.SECRET)
    assert event.validate_authentication_header(SIGNED, BODY.decode())
    for name in ("another secret's", "another nonce", "one character of the signature changed", "no timestamp"):
        body, headers, _ = REFUSED[name]
        assert not event.validate_authentication_header(headers, body.decode()), name


MEDIA = {
    "subject": "Look",
    "message": "A cat",
    "media": [
        {"url": "https://s3.example.com/a.jpg", "content_type": "image/jpeg", "status": "Uploaded", "code": 0},
        {"url": None, "content_type": "image/png", "status": "Failed", "code": 2},
    ],
}
FULL = {"code": 0, "count": 2, "recipients": ["15554443333", "15557770000"], "status": "Delivered"}


def test_sinch_sdk_reads_our_payloads() -> None:
    event = SmsSinchEvent(wire.SECRET)
    assert isinstance(event.parse_event(wire.inbound("m-1", NUMBER)), MOTextMessage)
    picture = event.parse_event(wire.inbound("m-1", NUMBER, MEDIA, type="mo_media"))
    assert isinstance(picture, MOMediaMessage)
    assert picture.body.media is not None
    assert isinstance(event.parse_event(wire.recipient_report(CONTACT, "Delivered", 0)), RecipientDeliveryReport)
    assert isinstance(event.parse_event(wire.batch_report(FULL)), BatchDeliveryReport)


def test_a_text_is_read_with_numbers_as_ours_are_written() -> None:
    [event] = parse(wire.inbound("m-1", NUMBER))
    at = parse_instant("2026-04-26T12:01:00.247Z")[0]
    assert event == InboundEvent(
        "m-1", "+16051234567", (NUMBER, NUMBER[1:]), "This is a test message.", BODY, carrier_received_at=at
    )


@pytest.mark.parametrize(
    ("sender", "expected"), [("54321", "54321"), ("ACME", "ACME"), ("+46701234567", "+46701234567")]
)
def test_a_sender_that_is_no_number_stays_as_it_is(sender: str, expected: str) -> None:
    [event] = parse(wire.inbound("m-1", NUMBER, **{"from": sender}))
    assert event.from_number == expected


def test_a_picture_is_read_with_its_words_and_without_what_sinch_could_not_keep() -> None:
    [event] = parse(wire.inbound("m-1", NUMBER, MEDIA, type="mo_media"))
    assert (event.body, event.media, event.is_mms) == ("A cat", ("https://s3.example.com/a.jpg",), True)


STATUSES = [
    ("Queued", 400, "sending", None),
    ("Dispatched", 401, "sent", None),
    ("Delivered", 0, "delivered", None),
    ("Aborted", 402, "failed", "402"),
    ("Rejected", 408, "failed", "408"),
    ("Failed", 404, "undelivered", "404"),
    ("Expired", 406, "undelivered", "406"),
    ("Unknown", 418, "unconfirmed", "418"),
]


@pytest.mark.parametrize(("status", "code", "event", "error"), STATUSES)
def test_a_report_is_read_as_ours(status: str, code: int, event: str, error: str | None) -> None:
    alone = wire.recipient_report(CONTACT, status, code)
    whole = wire.batch_report({"code": code, "count": 1, "recipients": [CONTACT[1:]], "status": status})
    for payload in (alone, {**alone, "type": "recipient_delivery_report_mms"}, whole):
        [receipt] = parse(payload)
        assert isinstance(receipt, ReceiptEvent)
        assert (receipt.carrier_message_id, receipt.recipient, receipt.tag) == (wire.BATCH, CONTACT, "ours")
        assert (receipt.event, receipt.error_code) == (event, error)


def test_a_report_of_several_recipients_is_one_receipt_each_and_a_summary_names_nobody() -> None:
    assert [receipt.recipient for receipt in parse(wire.batch_report(FULL))] == [CONTACT, "+15557770000"]
    [receipt] = parse(wire.batch_report({"code": 0, "count": 1, "status": "Delivered"}))
    assert (receipt.recipient, receipt.event) == ("", "delivered")


UNKNOWN: list[Any] = [
    b"", b"no json", b"[]", b"{}", b'{"type": 7}', wire.batch_report(), wire.recipient_report(CONTACT, "Teleported", 1),
    wire.inbound("m", NUMBER, "AGYGAA==", type="mo_binary", udh="050003ed0201"), b"\xff", b"[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("body", UNKNOWN, ids=range(len(UNKNOWN)))
def test_what_is_not_understood_is_kept_to_the_byte(body: Any) -> None:
    [event] = parse(body)
    assert isinstance(event, UnknownEvent)
    assert event.raw == (body if isinstance(body, bytes) else wire.body(body))


@pytest.mark.parametrize("changes", [{"from": None}, {"to": None}, {"body": 7}, {"body": {"media": 7}}, {"id": None}])
def test_an_odd_text_never_raises(changes: dict[str, Any]) -> None:
    [event] = parse({**wire.inbound("m-1", NUMBER), **changes})
    assert isinstance(event, InboundEvent)


class Api:
    """Sinch's SMS API: `batches` are those it took, `inbounds` what its numbers received, newest first."""

    def __init__(self) -> None:
        self.batches: list[dict[str, Any]] = []
        self.inbounds: list[dict[str, Any]] = []

    def __call__(self, asked: Asked) -> Said:
        if asked.headers.get("Authorization") != f"Bearer {wire.TOKEN}":
            return Said(401, b"")
        match asked.method, asked.path.removeprefix(f"/xms/v1/{wire.PLAN}/"):
            case "POST", "batches":
                batch = {"id": wire.BATCH, "created_at": "2026-04-26T12:00:00Z", "canceled": False, **asked.fields}
                self.batches.append(batch)
                return Said(201, batch)
            case "GET", "batches":
                return Said(200, {"count": len(self.batches), "page": 0, "page_size": 30, "batches": self.batches})
            case "GET", "inbounds":
                page, size = int(asked.query["page"]), int(asked.query["page_size"])
                found = self.inbounds[page * size :][:size]
                return Said(
                    200, {"count": len(self.inbounds), "page": page, "page_size": len(found), "inbounds": found}
                )
        return Said(404, b"")


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


def secrets_of(carrier: ScriptedApi, **changes: Any) -> dict[str, Any]:
    return wire.secrets(
        service_plan_id=wire.PLAN, **{"api_token": [wire.TOKEN], **changes}, api_url=f"{carrier.base_url}/xms/v1"
    )


@pytest.fixture
def tenant(house: House, carrier: ScriptedApi) -> Tenant:
    return house.tenant(carrier="sinch", secrets=secrets_of(carrier))


def test_a_text_is_stored_once_whichever_way_sinch_shows_who_it_is(house: House, tenant: Tenant) -> None:
    payload = wire.inbound("m-1", tenant.number.number, "STOP")
    body = wire.body(payload)
    answer = house.http.post(tenant.webhook, content=body, headers=wire.signed(body, house.clock()))
    assert answer.json()["stored"] == 1
    assert house.deliver(tenant, payload).json()["duplicates"] == 1
    assert house.http.post(tenant.webhook, content=body).status_code == 401
    [message] = house.inbound(tenant)
    assert (message["from"], message["opt_out"]["keyword"]) == ("+16051234567", "STOP")


def test_what_we_send_is_asked_as_documented_and_moves_on_with_what_sinch_says(
    house: House, tenant: Tenant, carrier: ScriptedApi
) -> None:
    message_id = send(house, tenant, body="Hi")
    [asked] = carrier.wait_for(1)
    assert asked.fields == {
        "from": tenant.number.number[1:],
        "to": [CONTACT[1:]],
        "type": "mt_text",
        "body": "Hi",
        "delivery_report": "per_recipient",
        "client_reference": message_id,
        "callback_url": f"https://roost.example.com{tenant.webhook}",
    }
    until(house, tenant, message_id, is_settled)
    told = wire.recipient_report(CONTACT, "Delivered", 0, client_reference=message_id)
    assert house.deliver(tenant, told).json()["receipts"] == 1
    assert until(house, tenant, message_id, lambda stand: stand.status == "delivered").delivered_at
    send(house, tenant, body="", media=["https://example.com/a.jpg"])
    assert carrier.wait_for(2)[1].fields["body"] == {"url": "https://example.com/a.jpg"}
    several = send(house, tenant, media=["https://example.com/a.jpg", "https://example.com/b.jpg"])
    assert until(house, tenant, several, is_settled).error_code == "TOO_MANY_MEDIA"


def account_of(carrier: ScriptedApi, **changes: Any) -> CarrierAccount:
    return ACCOUNT._replace(secrets=secrets_of(carrier, **changes))


def test_what_was_perhaps_sent_is_found_by_our_own_id(carrier: ScriptedApi) -> None:
    text = OutgoingText("ours", NUMBER, CONTACT, "Hi", (), False)

    def looked_up() -> frozenset[str]:
        return reaching_out(lambda outside: sinch.look_up(text, NOW, account_of(carrier), outside))

    assert looked_up() == set()
    carrier.script.append(Said(200, {"batches": [{"id": "x", "client_reference": "another"}, {"id": "y"}]}))
    assert looked_up() == set()
    carrier.script.append(
        Said(200, {"batches": [{"client_reference": "ours"}, {"id": [], "client_reference": "ours"}]})
    )
    assert looked_up() == set()
    carrier.script.append(Said(200, {"batches": [{"id": wire.BATCH, "client_reference": "ours"}]}))
    assert looked_up() == {wire.BATCH}
    assert carrier.asked[0].query["start_date"] == "2026-04-26T12:00:00.000000Z"


def test_what_came_while_we_were_away_is_read_page_by_page_with_its_callbacks_ids() -> None:
    api = Api()
    api.inbounds = [wire.inbound(f"m-{count}", NUMBER, type="mo_text") for count in range(150)]
    api.inbounds[7] = wire.inbound("b", NUMBER, "AA==", type="mo_binary", udh="00")

    with ScriptedApi(api) as carrier:

        async def every(outside: Outside) -> list[list[Any]]:
            return [page async for page in sinch.backfill(account_of(carrier), NOW, outside)]

        pages = reaching_out(every)
        assert carrier.asked[0].query["start_date"] == "2026-04-26T12:01:00.000000Z"
        assert [len(page) for page in pages] == [100, 50]
        assert pages[1][49].carrier_message_id == "m-149"
        assert isinstance(pages[0][7], UnknownEvent)
        carrier.script.append(Said(401))
        with pytest.raises(SendFailed):
            reaching_out(every)


def test_check_says_what_is_wrong_with_the_set_up(carrier: ScriptedApi) -> None:
    def checked(account: CarrierAccount) -> list[tuple[bool, str]]:
        found = reaching_out(lambda outside: sinch.check(account, [NUMBER], "https://roost.example.com/x", outside))
        return [(finding.good, finding.text) for finding in found]

    assert [good for good, _ in checked(account_of(carrier))] == [True, True]
    [(good, text)] = checked(account_of(carrier, api_token=["old"]))
    assert (good, "refuses the API token" in text) == (False, True)
    carrier.script.append(Said(500))
    assert not checked(account_of(carrier))[0][0]
    [(good, text)] = checked(ACCOUNT)
    assert (good, "only receives" in text) == (True, True)
