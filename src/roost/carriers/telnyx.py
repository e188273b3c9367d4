"""Telnyx: callbacks are one JSON event, signed with Ed25519; what it sends is reported with the state of each recipient.

Facts: Telnyx's developer documentation: "Receiving Webhooks for Messaging", "Group Messaging", "Advanced Opt-In/Out",
"Messaging Error Codes", and the API reference ("Send a message", "Retrieve a messaging profile", "Detail Records").
"""

import binascii
from base64 import b64decode
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, quote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from roost.carriers.contract import Accepted, Field, Finding, IntakeRequest, LastLook, OutgoingText, SendFailed
from roost.carriers.fields import ids_of, instant, items_of, object_of, objects, whole_number
from roost.carriers.fields import text as text_of
from roost.carriers.outside import Answer, Outside
from roost.carriers.refusals import accepted_id, fields_of, refusal
from roost.core.account import CarrierAccount
from roost.core.message import CarrierEvent, InboundEvent, ReceiptEvent, UnknownEvent
from roost.core.times import rfc3339

NAME = "telnyx"
FIELDS = (
    Field("public_key", "the account's public key, in base64", "receive", rotates=True),
    Field("api_key", "the API key", "send", rotates=True),
    Field("messaging_profile_id", "the messaging profile, for senders that are names"),
    Field("opt_out_replies", "off: its messaging profile does not answer STOP and START itself, so that we do"),
    Field("api_url", "where its API is, if not at https://api.telnyx.com/v2"),
)
MENU = "Messaging > your messaging profile > Inbound Settings: Send a webhook to this URL; Webhook API Version 2"
METHODS = frozenset({"POST"})
EMPTY_ANSWER = False

#: `to[].status` when a message is final: Telnyx's word -> ours. ("Receiving Webhooks for Messaging")
STATUSES = {
    "queued": "sending",
    "sending": "sending",
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "expired": "failed",
    "sending_failed": "failed",
    "delivery_failed": "undelivered",
    "delivery_unconfirmed": "unconfirmed",
}
#: Blocked due to STOP message. ("Advanced Opt-In/Out")
OPTED_OUT_CODES = frozenset({"40300"})
_API_URL = "https://api.telnyx.com/v2"
_TOLERANCE_SECONDS = 300
#: Telnyx says nothing of ours back but the URL that a message's events are to be sent to.
_TAG = "message"
_BEFORE_US, _AFTER_US = 60 * 1_000_000, 300 * 1_000_000
_MAX_CHECKED = 20
#: The rate is too high; or nobody is at home: it was not taken.
_BUSY = frozenset({429, 503})


def verify(request: IntakeRequest, account: CarrierAccount, now: int) -> bool:
    """Ed25519 over `timestamp|body`, no more than 5 minutes off. ("Receiving Webhooks for Messaging")"""
    signed_at = request.headers.get("telnyx-timestamp", "")
    if not (signed_at.isascii() and signed_at.isdigit() and len(signed_at) <= 12):
        return False
    if abs(int(signed_at) - now // 1_000_000) > _TOLERANCE_SECONDS:
        return False
    signature = _bytes_of(request.headers.get("telnyx-signature-ed25519", ""))
    signed = signed_at.encode() + b"|" + request.body
    # Neither key nor signature is a secret, so that the time this takes tells nothing.
    return any(_is_signed(signed, signature, key) for key in account.every("public_key"))


def _is_signed(signed: bytes, signature: bytes, key: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(_bytes_of(key)).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _bytes_of(encoded: str) -> bytes:
    try:
        return b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""


def parse(request: IntakeRequest) -> list[CarrierEvent]:
    """A text, or what became of one for each of its recipients."""
    [tag, *_] = parse_qs(request.query).get(_TAG, [""])
    found = [event for raw in items_of(request.body) for event in _events(raw, tag)]
    return found or [UnknownEvent("empty", request.body)]


def _events(raw: bytes, tag: str) -> Sequence[CarrierEvent]:
    try:
        event = object_of(raw).get("data")
    except ValueError:
        return [UnknownEvent("not_json", raw)]
    payload = event.get("payload") if isinstance(event, dict) else None
    if not isinstance(event, dict) or not isinstance(payload, dict):
        return [UnknownEvent("unknown_event", raw)]
    word, occurred_at = event.get("event_type"), instant(event.get("occurred_at"))
    if word == "message.received":
        return [_inbound(payload, occurred_at, raw)]
    # "sent" is said once the network has it, whatever `to[].status` still says in it.
    if word in ("message.sent", "message.finalized"):
        return _receipts(payload, "sent" if word == "message.sent" else None, occurred_at, tag, raw)
    return [UnknownEvent("unknown_event", raw)]


def _inbound(payload: dict[str, Any], occurred_at: int | None, raw: bytes) -> InboundEvent:
    sender, ours = _number(payload.get("from")), [number for number, _ in _people(payload.get("to"))]
    # In a group text `to` is our number, and `cc` is everybody. ("Group Messaging")
    others = [number for number, _ in _people(payload.get("cc")) if number != sender]
    recipients = tuple(dict.fromkeys(ours + others))
    return InboundEvent(
        # The payload's: the event's own id is another one with every event about the same message.
        carrier_message_id=text_of(payload.get("id")),
        from_number=sender,
        to_numbers=recipients,
        body=text_of(payload.get("text")) or text_of(payload.get("subject")),
        raw=raw,
        recipients=recipients,
        media=tuple(filter(None, (text_of(each.get("url")) for each in objects(payload.get("media"))))),
        segment_count=whole_number(payload.get("parts")),
        carrier_received_at=instant(payload.get("received_at")) or occurred_at,
        is_mms=payload.get("type") == "MMS",
    )


def _receipts(
    payload: dict[str, Any], said: str | None, occurred_at: int | None, tag: str, raw: bytes
) -> Sequence[CarrierEvent]:
    codes = {text_of(error.get("code")): text_of(error.get("title")) for error in objects(payload.get("errors"))}
    code = next((code for code in codes if code in OPTED_OUT_CODES), next(iter(codes), ""))
    receipts: list[CarrierEvent] = [
        ReceiptEvent(
            carrier_message_id=text_of(payload.get("id")),
            recipient=number,
            event=said or STATUSES[status],
            raw=raw,
            error_code=code or None,
            description=codes.get(code) or None,
            carrier_time=occurred_at,
            tag=tag or None,
            opted_out=code in OPTED_OUT_CODES,
        )
        for number, status in _people(payload.get("to"))
        if said or status in STATUSES
    ]
    return receipts or [UnknownEvent("unknown_event", raw)]


def _people(value: Any) -> list[tuple[str, str]]:
    """(number, status) of each that is named."""
    people = value if isinstance(value, list) else [value]
    named = [(_number(each), text_of(each.get("status")) if isinstance(each, dict) else "") for each in people]
    return [person for person in named if person[0]]


def _number(value: Any) -> str:
    return text_of(value.get("phone_number")) if isinstance(value, dict) else text_of(value)


def can_send(account: CarrierAccount) -> bool:
    """Whether the account has an API key."""
    return bool(account.newest("api_key"))


def answers_opt_outs(number: str, account: CarrierAccount) -> bool:
    """Its messaging profiles do, and block what is sent after a STOP, ours too. ("Advanced Opt-In/Out")"""
    return account.newest("opt_out_replies").lower() != "off"


def media_auth(url: str, account: CarrierAccount) -> tuple[str, str] | None:
    """None: media need no credential, but their links expire soon. ("Receive SMS and MMS Messages")"""
    return None


async def send(text: OutgoingText, account: CarrierAccount, outside: Outside, last_look: LastLook) -> Accepted:
    """POST /messages: 200 with the message's id is yes. ("Send a message")"""
    wanted: dict[str, Any] = {"from": text.from_number, "to": text.to_number}
    if text.body:
        wanted["text"] = text.body
    if text.media:
        wanted["media_urls"] = list(text.media)
    if profile := account.newest("messaging_profile_id"):
        wanted["messaging_profile_id"] = profile
    if url := outside.callback_url(account):
        wanted["webhook_url"] = f"{url}?{_TAG}={text.message_id}"
    answer = await _ask("POST", "/messages", account, outside, last_look=last_look, json=wanted)
    if not 200 <= answer.status < 300:
        raise _refusal(answer)
    return Accepted(accepted_id(_data(answer).get("id")))


async def look_up(text: OutgoingText, sent_at: int, account: CarrierAccount, outside: Outside) -> frozenset[str]:
    """Those of the time. ("Detail Records": `uuid` is the message's id)"""
    query = {
        "filter[record_type]": "messaging",
        "filter[direction]": "outbound",
        "filter[cli]": text.from_number,
        "filter[cld]": text.to_number,
        "filter[created_at][gte]": rfc3339(sent_at - _BEFORE_US),
        "filter[created_at][lte]": rfc3339(sent_at + _AFTER_US),
    }
    answer = await _ask("GET", "/detail_records", account, outside, params=query)
    if answer.status != 200:
        raise _refusal(answer)
    return ids_of(objects(fields_of(answer).get("data")), "uuid")


#: Its detail records do not hold the texts.
backfill = None


async def check(account: CarrierAccount, numbers: Sequence[str], webhook_url: str, outside: Outside) -> list[Finding]:
    """The public keys, the API key, the messaging profile of each number, and where that delivers."""
    found = [
        Finding(
            False, "a public key is not 32 bytes in base64: copy it from Telnyx's portal, Account, Keys & Credentials"
        )
        for key in account.every("public_key")
        if len(_bytes_of(key)) != 32
    ]
    if not can_send(account):
        return [*found, Finding(True, "without an API key nothing can be asked of Telnyx; the account only receives")]
    if not numbers:
        answer = await _ask("GET", "/messaging_profiles", account, outside)
        return [*found, _credential(answer)]
    profiles: dict[str, str] = {}
    for number in numbers[:_MAX_CHECKED]:
        answer = await _ask("GET", f"/messaging_phone_numbers/{quote(number)}", account, outside)
        if answer.status in (401, 403):
            return [*found, _credential(answer)]
        profile = _data(answer).get("messaging_profile_id")
        if answer.status == 404:
            found.append(Finding(False, f"{number} is not among the numbers of this Telnyx account"))
        elif answer.status == 200 and not isinstance(profile, str):
            found.append(Finding(False, f"{number} has no messaging profile: give it one under Numbers, Messaging"))
        elif isinstance(profile, str):
            profiles.setdefault(profile, number)
        else:
            found.append(Finding(False, f"Telnyx answers {answer.status} when asked about {number}"))
    for profile, number in profiles.items():
        answer = await _ask("GET", f"/messaging_profiles/{quote(profile)}", account, outside)
        found += _profile(_data(answer), number, webhook_url)
    return found


def _profile(data: dict[str, Any], number: str, webhook_url: str) -> list[Finding]:
    name = f'the messaging profile "{text_of(data.get("name"))}" of {number}'
    findings = []
    if data.get("webhook_url") != webhook_url:
        findings.append(Finding(False, f"{name} delivers elsewhere: set its webhook URL to {webhook_url}"))
    if data.get("webhook_api_version") not in (None, "2"):
        findings.append(Finding(False, f"{name} speaks an old API version: set its webhook API version to 2"))
    if data.get("enabled") is False:
        findings.append(Finding(False, f"{name} is disabled"))
    return findings or [Finding(True, f"{name} delivers here")]


def _credential(answer: Answer) -> Finding:
    if answer.status in (401, 403):
        return Finding(
            False, "Telnyx refuses the API key: create another one in its portal, and give it to carrier rotate"
        )
    return Finding(answer.status == 200, f"Telnyx's API answers {answer.status} to the API key")


def _data(answer: Answer) -> dict[str, Any]:
    data = fields_of(answer).get("data")
    return data if isinstance(data, dict) else {}


async def _ask(method: str, path: str, account: CarrierAccount, outside: Outside, **options: Any) -> Answer:
    url = (account.newest("api_url") or _API_URL).rstrip("/") + path
    return await outside.request(
        method, url, headers={"Authorization": f"Bearer {account.newest('api_key')}"}, **options
    )


def _refusal(answer: Answer) -> SendFailed:
    """Its errors are a list; the first is the reason. ("Messaging Error Codes")"""
    [error, *_] = objects(fields_of(answer).get("errors")) or [{}]
    code = text_of(error.get("code"))
    description = text_of(error.get("detail")) or text_of(error.get("title"))
    if code and answer.status == 403:  # not only for a wrong key: a blocked contact is "forbidden" as well
        answer = answer._replace(status=400)
    return refusal(answer, code, description, opted_out=code in OPTED_OUT_CODES, busy=_BUSY)
