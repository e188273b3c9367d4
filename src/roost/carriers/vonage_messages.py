"""Vonage, the Messages API: callbacks are JSON with a signed token; it sends and receives pictures.

Facts: Vonage's Messages API documentation: "Signed webhooks", "Messages API Status Callbacks" and the API reference, as noted at
each rule.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from roost.carriers.contract import Accepted, Field, Finding, IntakeRequest, LastLook, OutgoingText
from roost.carriers.fields import https_host, instant, object_of, text, whole_number
from roost.carriers.outside import Outside
from roost.carriers.refusals import accepted_id, fields_of, refusal
from roost.carriers.vonage import FUTURE_SECONDS, PAST_SECONDS, answers_opt_outs, can_send, international
from roost.core import jwt
from roost.core.account import CarrierAccount
from roost.core.message import CarrierEvent, InboundEvent, ReceiptEvent, UnknownEvent

NAME = "vonage_messages"
FIELDS = (
    Field("signature_secret", "the account's signature secret", "receive", rotates=True),
    Field("api_key", "the API key", "send"),
    Field("api_secret", "the API secret", "send"),
    Field("opt_out_replies", "on: Vonage itself answers STOP and START (Opt-Out Assist), so that we do not"),
    Field("api_url", "instead of Vonage's own Messages API"),
)
MENU = "Applications > your application > Messages: Inbound URL and Status URL"
METHODS = frozenset({"POST"})
EMPTY_ANSWER = False
OPTED_OUT_CODES: frozenset[str] = frozenset()

__all__ = ["answers_opt_outs", "can_send"]  # the same for both

API_URL = "https://api.nexmo.com"
#: Status callbacks: Vonage's word -> ours. ("Callback Statuses")
STATUSES = {
    "submitted": "sent",
    "delivered": "delivered",
    "read": "read",
    "rejected": "failed",
    "undeliverable": "undelivered",
}
#: What has a URL, by the names of `message_type` and of the field.
MEDIA = ("image", "video", "audio", "file", "vcard")
CHANNELS = frozenset({"sms", "mms"})
_OWN_HOSTS = (".nexmo.com", ".vonage.com")
#: As the refusal of an opted-out contact reads. ("SMS delivery error codes", 9)
_OPTED_OUT = "not to receive messages"


def verify(request: IntakeRequest, account: CarrierAccount, now: int) -> bool:
    """A bearer token, signed HS256 with the secret, that names the hash of this very body. ("Signed webhooks")"""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    claims: dict[str, Any] = {}
    for secret in account.every("signature_secret"):
        try:
            claims = jwt.verify(secret.encode(), token.strip())
        except (ValueError, RecursionError):
            continue
    if scheme.lower() != "bearer" or not isinstance(claims, dict):
        return False
    issued_at = whole_number(claims.get("iat")) or 0
    age = now - issued_at * 1_000_000
    return (
        text(claims.get("payload_hash")).lower() == hashlib.sha256(request.body).hexdigest()
        and -FUTURE_SECONDS * 1_000_000 <= age <= PAST_SECONDS * 1_000_000
    )


def parse(request: IntakeRequest) -> list[CarrierEvent]:
    """One event."""
    raw = request.body
    try:
        event = object_of(raw)
    except ValueError:
        return [UnknownEvent("not_json", raw)]
    if text(event.get("status")).lower() in STATUSES:
        return [_receipt(event, raw)]
    if text(event.get("channel")).lower() not in CHANNELS or not event.get("message_type"):
        return [UnknownEvent("unknown_event", raw)]
    return [_inbound(event, raw)]


def _inbound(event: Mapping[str, Any], raw: bytes) -> InboundEvent:
    items = [event.get(name) for name in MEDIA]
    content = event.get("content")
    media = [item for item in (*items, *(content if isinstance(content, list) else ())) if isinstance(item, dict)]
    captions = [caption for item in media if (caption := text(item.get("caption")))]
    to, parts = text(event.get("to")), event.get("sms")
    return InboundEvent(
        carrier_message_id=text(event.get("message_uuid")),
        from_number=international(text(event.get("from"))),
        to_numbers=tuple(dict.fromkeys(filter(None, (international(to), to)))),
        body=text(event.get("text")) or "\n".join(captions),
        raw=raw,
        media=tuple(url for item in media if (url := text(item.get("url")))),
        segment_count=_count(parts.get("num_messages")) if isinstance(parts, dict) else None,
        carrier_received_at=instant(event.get("timestamp")),
        is_mms=text(event.get("channel")).lower() == "mms",
    )


def _receipt(event: Mapping[str, Any], raw: bytes) -> ReceiptEvent:
    error = event.get("error")
    reason: Mapping[str, Any] = error if isinstance(error, dict) else {}
    description = text(reason.get("detail"))
    return ReceiptEvent(
        carrier_message_id=text(event.get("message_uuid")),
        recipient=international(text(event.get("to"))),
        event=STATUSES[text(event.get("status")).lower()],
        raw=raw,
        error_code=text(reason.get("title")) or None,
        description=description or None,
        carrier_time=instant(event.get("timestamp")),
        tag=text(event.get("client_ref")) or None,
        opted_out=_OPTED_OUT in description.lower(),
    )


def _count(value: Any) -> int | None:
    digits = text(value)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 4 else None


def media_auth(url: str, account: CarrierAccount) -> tuple[str, str] | None:
    """The API key and secret, on Vonage's own hosts alone."""
    own = https_host(url).endswith(_OWN_HOSTS)
    return _credential(account) if own and can_send(account) else None


async def send(text: OutgoingText, account: CarrierAccount, outside: Outside, last_look: LastLook) -> Accepted:
    """POST /v1/messages: 202 with the message's id is yes. (Messages API reference)"""
    wanted: dict[str, Any] = {
        "from": text.from_number.removeprefix("+"),
        "to": text.to_number.removeprefix("+"),
        "channel": "mms" if text.media else "sms",
        "client_ref": text.message_id,  # said back in each status callback
        **_content(text),
    }
    callback = outside.callback_url(account)
    if callback:
        wanted["webhook_url"] = callback
    answer = await outside.request(
        "POST", f"{_api(account)}/v1/messages", auth=_credential(account), last_look=last_look, json=wanted
    )
    fields = fields_of(answer)
    if 200 <= answer.status < 300:
        return Accepted(accepted_id(fields.get("message_uuid")))
    raise refusal(answer, str(fields.get("title", "")), str(fields.get("detail", "")))


def _content(wanted: OutgoingText) -> dict[str, Any]:
    """A text, a picture with it as its caption, or several."""
    if not wanted.media:
        return {"message_type": "text", "text": wanted.body}
    images: list[dict[str, str]] = [{"url": url} for url in wanted.media]
    if wanted.body:
        images[0]["caption"] = wanted.body
    if len(images) == 1:
        return {"message_type": "image", "image": images[0]}
    return {"message_type": "content", "content": [{"type": "image", **image} for image in images]}


async def look_up(text: OutgoingText, sent_at: int, account: CarrierAccount, outside: Outside) -> frozenset[str]:
    """Nothing: its record, the Reports API, is a product of its own that has to be bought."""
    return frozenset()


#: As for `look_up`.
backfill = None


async def check(account: CarrierAccount, numbers: Sequence[str], webhook_url: str, outside: Outside) -> list[Finding]:
    """Whether the API takes the key and secret, by asking for an application."""
    if not can_send(account):
        return [Finding(True, "the account only receives: it has no API key to look at")]
    url = f"{_api(account)}/v2/applications"
    answer = await outside.request("GET", url, auth=_credential(account), params={"page_size": "1"})
    if answer.status in (401, 403):
        return [Finding(False, "Vonage refuses the API key or its secret")]
    return [Finding(answer.status == 200, f"Vonage's API answers {answer.status} to the account's key and secret")]


def _credential(account: CarrierAccount) -> tuple[str, str]:
    return account.newest("api_key"), account.newest("api_secret")


def _api(account: CarrierAccount) -> str:
    return (account.newest("api_url") or API_URL).rstrip("/")
