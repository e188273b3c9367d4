"""Sinch: callbacks of its SMS API are one JSON object, with Basic credentials or an HMAC; a send is a batch of one.

Facts: Sinch's SMS API reference: "Webhooks", "Inbounds", "Batches", "Delivery reports", and its SDK for the signature
(`sinch.domains.authentication`). Basic and HMAC are both switched on by Sinch, for the service plan's callback URL.
"""

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from roost.carriers.contract import (
    BASIC,
    Accepted,
    Field,
    Finding,
    IntakeRequest,
    LastLook,
    OutgoingText,
    SendFailed,
    verify_basic,
)
from roost.carriers.fields import ids_of, instant, items_of, object_of, objects, texts
from roost.carriers.fields import text as text_of
from roost.carriers.outside import Answer, Outside
from roost.carriers.refusals import accepted_id, fields_of, refusal
from roost.core.account import CarrierAccount
from roost.core.message import CarrierEvent, InboundEvent, ReceiptEvent, UnknownEvent
from roost.core.times import rfc3339

NAME = "sinch"
FIELDS = (
    *BASIC,
    Field(
        "webhook_secret", "the secret that its callbacks are signed with, where Sinch switched that on", rotates=True
    ),
    Field("service_plan_id", "the service plan", "send"),
    Field("api_token", "the service plan's API token", "send", rotates=True),
    Field("api_url", "where its API is: https://REGION.sms.api.sinch.com/xms/v1, if not in the region us"),
)
MENU = "SMS > Service APIs > your service plan: Callback URL; have the user and password set by your account manager"
METHODS = frozenset({"POST"})
EMPTY_ANSWER = False

#: Delivery report statuses: Sinch's word -> ours. ("Delivery reports")
STATUSES = {
    "QUEUED": "sending",
    "DISPATCHED": "sent",
    "DELIVERED": "delivered",
    "ABORTED": "failed",
    "CANCELLED": "failed",
    "REJECTED": "failed",
    "FAILED": "undelivered",
    "EXPIRED": "undelivered",
    "DELETED": "undelivered",
    "UNKNOWN": "unconfirmed",
}
#: Codes below this one say that it is on its way or there. ("Delivery report error codes")
_FIRST_FAILURE = 402
#: It documents no code for a contact that opted out.
OPTED_OUT_CODES: frozenset[str] = frozenset()
_API_URL = "https://us.sms.api.sinch.com/xms/v1"
#: A callback is tried for 22 h 45 min, and nobody says that it is signed anew each time; a 4xx is not tried again, so that one
#: refused as stale would be lost. A replay changes nothing here.
_OLDEST_SECONDS, _FUTURE_SECONDS = 24 * 3600, 300
_BEFORE_US, _AFTER_US = 60 * 1_000_000, 300 * 1_000_000
#: The rate is too high; or nobody is at home: it was not taken.
_BUSY = frozenset({429, 503})
_PAGE, _MAX_PAGES, _PAGE_BYTES = 100, 1000, 4 * 1024 * 1024


def verify(request: IntakeRequest, account: CarrierAccount, now: int) -> bool:
    """Basic credentials, or the HMAC where the account has its secret; in constant time."""
    return verify_basic(request, account, now) | _is_signed(request, account, now)


def _is_signed(request: IntakeRequest, account: CarrierAccount, now: int) -> bool:
    """HMAC-SHA256 over `body.nonce.timestamp`, in base64."""
    name = "x-sinch-webhook-signature"
    nonce, signed_at = (request.headers.get(f"{name}-{part}", "") for part in ("nonce", "timestamp"))
    if not (signed_at.isascii() and signed_at.isdigit() and len(signed_at) <= 12):
        return False
    age = now // 1_000_000 - int(signed_at)
    given = request.headers.get(name, "").encode("latin-1", "replace")
    signed = b".".join((request.body, nonce.encode("latin-1", "replace"), signed_at.encode()))
    matched = False
    for secret in account.every("webhook_secret"):
        expected = b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256))
        matched |= hmac.compare_digest(given, expected)
    return matched and -_FUTURE_SECONDS <= age <= _OLDEST_SECONDS


def parse(request: IntakeRequest) -> list[CarrierEvent]:
    """A text, or what became of a batch: one receipt for each recipient."""
    found = [event for raw in items_of(request.body) for event in _events(raw)]
    return found or [UnknownEvent("empty", request.body)]


def _events(raw: bytes) -> Sequence[CarrierEvent]:
    try:
        event = object_of(raw)
    except ValueError:
        return [UnknownEvent("not_json", raw)]
    match event.get("type"):
        case "mo_text" | "mo_media":
            return [_inbound(event, raw)]
        case "recipient_delivery_report_sms" | "recipient_delivery_report_mms":
            receipts = list(_receipts(event, event, texts(event.get("recipient")), raw))
        case "delivery_report_sms" | "delivery_report_mms":
            # A summary names no recipients, and a batch of ours has one alone.
            receipts = [
                receipt
                for status in objects(event.get("statuses"))
                for receipt in _receipts(event, status, texts(status.get("recipients")) or ("",), raw)
            ]
        case _:
            # mo_binary too: nobody can read it as a text, and so it is kept to the byte.
            receipts = []
    return receipts or [UnknownEvent("unknown_event", raw)]


def _inbound(event: dict[str, Any], raw: bytes) -> InboundEvent:
    body = event.get("body")
    parts = body if isinstance(body, dict) else {}
    return InboundEvent(
        carrier_message_id=text_of(event.get("id")),
        from_number=_with_plus(text_of(event.get("from"))),
        to_numbers=tuple(dict.fromkeys(filter(None, (_with_plus(text_of(event.get("to"))), text_of(event.get("to")))))),
        body=text_of(body) or text_of(parts.get("message")) or text_of(parts.get("subject")),
        raw=raw,
        # What Sinch could not keep has a code other than 0, and no URL. ("MMS media error codes")
        media=tuple(filter(None, (text_of(each.get("url")) for each in objects(parts.get("media"))))),
        carrier_received_at=instant(event.get("received_at")),
        is_mms=event.get("type") == "mo_media",
    )


def _receipts(
    event: dict[str, Any], status: dict[str, Any], recipients: Sequence[str], raw: bytes
) -> Iterator[ReceiptEvent]:
    word, code = text_of(status.get("status")).upper(), text_of(status.get("code"))
    if word in STATUSES:
        for recipient in recipients:
            yield ReceiptEvent(
                carrier_message_id=text_of(event.get("batch_id")),
                recipient=_with_plus(recipient),
                event=STATUSES[word],
                raw=raw,
                error_code=code if code.isdigit() and int(code[:9]) >= _FIRST_FAILURE else None,
                carrier_time=instant(event.get("operator_status_at")) or instant(event.get("at")),
                tag=text_of(event.get("client_reference")) or None,
            )


def _with_plus(number: str) -> str:
    """Sinch writes numbers as digits alone; what is shorter is a short code."""
    return f"+{number}" if number.isascii() and number.isdigit() and len(number) > 8 and number[0] != "0" else number


def can_send(account: CarrierAccount) -> bool:
    """Whether the account has a service plan and its token."""
    return bool(account.newest("service_plan_id") and account.newest("api_token"))


def answers_opt_outs(number: str, account: CarrierAccount) -> bool:
    """Never: it documents no answer of its own to STOP and START."""
    return False


def media_auth(url: str, account: CarrierAccount) -> tuple[str, str] | None:
    """None: media are in a store whose addresses need no credential. ("Inbounds")"""
    return None


async def send(text: OutgoingText, account: CarrierAccount, outside: Outside, last_look: LastLook) -> Accepted:
    """POST /batches: 201 with the batch's id is yes. ("Batches")"""
    if len(text.media) > 1:
        raise SendFailed("refused", "TOO_MANY_MEDIA", "Sinch sends one medium in a message")
    wanted: dict[str, Any] = {
        "from": text.from_number.removeprefix("+"),
        "to": [text.to_number.removeprefix("+")],
        "type": "mt_media" if text.media else "mt_text",
        "body": {"url": text.media[0], **({"message": text.body} if text.body else {})} if text.media else text.body,
        "delivery_report": "per_recipient",
        "client_reference": text.message_id,  # said back in each delivery report
    }
    if url := outside.callback_url(account):
        wanted["callback_url"] = url
    answer = await _ask("POST", "/batches", account, outside, last_look=last_look, json=wanted)
    if not 200 <= answer.status < 300:
        raise _refusal(answer)
    return Accepted(accepted_id(fields_of(answer).get("id")))


async def look_up(text: OutgoingText, sent_at: int, account: CarrierAccount, outside: Outside) -> frozenset[str]:
    """The batch that has our id as its reference. ("Batches", "List batches")"""
    query = {
        "client_reference": text.message_id,
        "start_date": rfc3339(sent_at - _BEFORE_US),
        "end_date": rfc3339(sent_at + _AFTER_US),
    }
    answer = await _ask("GET", "/batches", account, outside, params=query)
    if answer.status != 200:
        raise _refusal(answer)
    batches = objects(fields_of(answer).get("batches"))
    return ids_of([each for each in batches if each.get("client_reference") == text.message_id], "id")


async def backfill(account: CarrierAccount, since: int, outside: Outside) -> AsyncIterator[list[CarrierEvent]]:
    """The inbound messages, as their callbacks had them; Sinch keeps them for 14 days. ("List incoming messages")"""
    for page in range(_MAX_PAGES):
        query = {"page": str(page), "page_size": str(_PAGE), "start_date": rfc3339(since)}
        answer = await _ask("GET", "/inbounds", account, outside, params=query, max_bytes=_PAGE_BYTES)
        if answer.status != 200:
            raise _refusal(answer)
        found = objects(fields_of(answer).get("inbounds"))
        if found:
            yield [event for each in found for event in _events(json.dumps(each).encode())]
        if len(found) < _PAGE:
            return


async def check(account: CarrierAccount, numbers: Sequence[str], webhook_url: str, outside: Outside) -> list[Finding]:
    """Whether the API takes the token; where it delivers, its API does not tell."""
    if not can_send(account):
        return [
            Finding(True, "without a service plan's API token nothing can be asked of Sinch; the account only receives")
        ]
    answer = await _ask("GET", "/batches", account, outside, params={"page_size": "1"})
    if answer.status in (401, 403):
        return [Finding(False, "Sinch refuses the API token, or the service plan is another's or in another region")]
    if answer.status != 200:
        return [Finding(False, f"Sinch's API answers {answer.status} to the API token")]
    return [
        Finding(True, "Sinch's API takes the token"),
        Finding(True, f"not to be seen from here: whether the service plan's callback URL is {webhook_url}"),
    ]


async def _ask(method: str, path: str, account: CarrierAccount, outside: Outside, **options: Any) -> Answer:
    base = (account.newest("api_url") or _API_URL).rstrip("/")
    url = f"{base}/{quote(account.newest('service_plan_id'), safe='')}{path}"
    return await outside.request(
        method, url, headers={"Authorization": f"Bearer {account.newest('api_token')}"}, **options
    )


def _refusal(answer: Answer) -> SendFailed:
    """{"code", "text"} says why. ("HTTP status codes")"""
    said = fields_of(answer)
    code = text_of(said.get("code"))
    if code and answer.status == 403:  # such as a number that is not the service plan's
        answer = answer._replace(status=400)
    return refusal(answer, code, text_of(said.get("text")), busy=_BUSY)
