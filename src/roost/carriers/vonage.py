"""Vonage, the SMS API: callbacks by GET or POST, as a form or JSON, with a signature among the parameters; texts in parts.

Facts: Vonage's SMS API documentation: "Inbound SMS", "Delivery receipts", "Signing messages", "Messaging Opted-out Numbers" and
"Troubleshooting SMS", as noted at each rule.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from roost.carriers.contract import Accepted, Field, Finding, IntakeRequest, LastLook, OutgoingText, SendFailed
from roost.carriers.fields import instant, object_of, text
from roost.carriers.forms import form_bytes, pairs_of, raw_of
from roost.carriers.outside import Outside
from roost.carriers.refusals import accepted_id, fields_of, refusal
from roost.core.account import CarrierAccount
from roost.core.message import CarrierEvent, InboundEvent, PartEvent, ReceiptEvent, UnknownEvent
from roost.core.numbers import is_toll_free
from roost.core.segments import segments

NAME = "vonage"
FIELDS = (
    Field("signature_secret", "the account's signature secret", "receive", rotates=True),
    Field("signature_method", "md5hash, md5, sha1, sha256 or sha512, as the account has it; else any of them"),
    Field("api_key", "the API key", "send"),
    Field("api_secret", "the API secret", "send"),
    Field("opt_out_replies", "on: Vonage itself answers STOP and START (Opt-Out Assist), so that we do not"),
    Field("api_url", "instead of Vonage's own SMS API"),
)
MENU = "API Settings > SMS settings: Inbound SMS webhook and Delivery receipts webhook"
METHODS = frozenset({"GET", "POST"})
EMPTY_ANSWER = False
#: "Illegal number: User has requested not to receive messages." ("Messaging Opted-out Numbers")
OPTED_OUT_CODES = frozenset({"9"})

API_URL = "https://rest.nexmo.com"
#: `status` of a delivery receipt: Vonage's word -> ours. ("Delivery receipts")
STATUSES = {
    "accepted": "sent",
    "buffered": "sent",
    "delivered": "delivered",
    "expired": "undelivered",
    "failed": "failed",
    "rejected": "failed",
    "unknown": "unconfirmed",
}
#: `timestamp` is when Vonage began to push, and it pushes again for 24 hours, so that an older one may be good: what was stored
#: is not stored twice. ("Inbound SMS")
PAST_SECONDS, FUTURE_SECONDS = 25 * 3600, 300
#: `status` of an answer: throttled, too many binds; an error inside; a key or secret that is wrong. ("SMS API error codes")
_BUSY, _INSIDE, _CREDENTIALS = frozenset({"1", "10"}), frozenset({"5"}), frozenset({"4", "14", "32"})
#: A longer `callback` is refused. (SMS API reference)
_MAX_CALLBACK = 100


def verify(request: IntakeRequest, account: CarrierAccount, now: int) -> bool:
    """`sig` covers every other parameter, in the order of their names. ("Manually generate a signature")"""
    fields = _fields(raw_of(request))
    given, timestamp = fields.pop("sig", "").lower().encode("utf-8", "surrogatepass"), fields.get("timestamp", "")
    covered = "".join(f"&{name}={value.translate(_COVERED)}" for name, value in sorted(fields.items()))
    signed = covered.encode("utf-8", "surrogateescape") if _is_text(covered) else b""
    method = account.newest("signature_method").lower()
    matched = False
    for secret in account.every("signature_secret"):
        for name in (method,) if method else SIGNATURES:
            matched |= name in SIGNATURES and hmac.compare_digest(
                given, SIGNATURES[name](secret.encode(), signed).encode()
            )
    young = timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12
    age = now - int(timestamp) * 1_000_000 if young else 0
    return matched and young and bool(signed) and -FUTURE_SECONDS * 1_000_000 <= age <= PAST_SECONDS * 1_000_000


#: What separates parameters stands as an underscore in their values.
_COVERED = str.maketrans("&=", "__")


def _hmac(digest: str) -> Any:
    return lambda secret, signed: hmac.new(secret, signed, digest).hexdigest()


SIGNATURES: Mapping[str, Any] = {
    "md5hash": lambda secret, signed: hashlib.md5(signed + secret, usedforsecurity=False).hexdigest(),
    **{digest: _hmac(digest) for digest in ("md5", "sha1", "sha256", "sha512")},
}


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _fields(raw: bytes) -> dict[str, str]:
    """Of JSON, or of a form or query."""
    if raw.lstrip()[:1] == b"{":
        try:
            return {name: _written(value) for name, value in object_of(raw).items()}
        except ValueError:
            return {}
    return dict(pairs_of(raw))


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else text(value)


def parse(request: IntakeRequest) -> list[CarrierEvent]:
    """One event."""
    raw = raw_of(request)
    fields = _fields(raw)
    if "status" in fields and ("err-code" in fields or "scts" in fields):
        return [_receipt(fields, raw)]
    if fields.get("type") not in ("text", "unicode") or not fields.get("msisdn"):
        return [UnknownEvent("unknown_event", raw)]
    return [_inbound(fields, raw)]


def _inbound(fields: Mapping[str, str], raw: bytes) -> CarrierEvent:
    to = fields.get("to", "")
    alone = InboundEvent(
        carrier_message_id=fields.get("messageId", ""),
        from_number=international(fields["msisdn"]),
        to_numbers=tuple(dict.fromkeys(filter(None, (international(to), to)))),
        body=fields.get("text", ""),
        raw=raw,
        carrier_received_at=_time(fields),
    )
    total, number = fields.get("concat-total", ""), fields.get("concat-part", "")
    if fields.get("concat", "").lower() != "true" or not (_is_small(total) and _is_small(number)):
        return alone
    return PartEvent(alone, fields.get("concat-ref", ""), int(total), int(number))


def _receipt(fields: Mapping[str, str], raw: bytes) -> CarrierEvent:
    word, code = fields["status"].lower(), fields.get("err-code", "")
    if word not in STATUSES:
        return UnknownEvent("unknown_event", raw)
    return ReceiptEvent(
        carrier_message_id=fields.get("messageId", ""),
        recipient=international(fields.get("msisdn", "")),
        event=STATUSES[word],
        raw=raw,
        error_code=code if code not in ("", "0") else None,
        carrier_time=_time(fields),
        tag=fields.get("client-ref") or None,
        opted_out=code in OPTED_OUT_CODES,
    )


def international(number: str) -> str:
    """With its plus, which Vonage leaves out; short codes and names as they are."""
    number = number.strip()
    return f"+{number}" if number.isascii() and number.isdigit() and 7 <= len(number) <= 15 else number


def _time(fields: Mapping[str, str]) -> int | None:
    return instant(f"{fields.get('message-timestamp', '').strip().replace(' ', 'T')}Z")  # "YYYY-MM-DD HH:MM:SS", UTC


def _is_small(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 4


def can_send(account: CarrierAccount) -> bool:
    """Whether the account has an API key and its secret."""
    return bool(account.newest("api_key") and account.newest("api_secret"))


def answers_opt_outs(number: str, account: CarrierAccount) -> bool:
    """Where Opt-Out Assist is switched on, and on toll-free numbers the network does. ("Opt-Out Assist")"""
    return is_toll_free(number) or account.newest("opt_out_replies").lower() == "on"


def media_auth(url: str, account: CarrierAccount) -> tuple[str, str] | None:
    """None: the SMS API has no media."""
    return None


async def send(text: OutgoingText, account: CarrierAccount, outside: Outside, last_look: LastLook) -> Accepted:
    """POST /sms/json: 200 with a status for each part, of which 0 is yes. (SMS API reference)"""
    if text.media:
        raise SendFailed(
            "refused", "MEDIA_NOT_SUPPORTED", "the SMS API sends texts alone; vonage_messages sends pictures"
        )
    fields = {
        "api_key": account.newest("api_key"),
        "api_secret": account.newest("api_secret"),
        "from": text.from_number.removeprefix("+"),
        "to": text.to_number.removeprefix("+"),
        "text": text.body,
        "type": "text" if segments(text.body).encoding == "GSM-7" else "unicode",
        "client-ref": text.message_id,
    }
    callback = outside.callback_url(account) or ""
    if 0 < len(callback) <= _MAX_CALLBACK:
        fields["callback"] = callback
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    url = f"{_api(account)}/sms/json"
    answer = await outside.request("POST", url, headers=headers, last_look=last_look, data=form_bytes(fields.items()))
    parts = fields_of(answer).get("messages")
    if answer.status != 200:
        raise refusal(answer)
    first = parts[0] if isinstance(parts, list) and parts and isinstance(parts[0], dict) else {}
    status = str(first.get("status", ""))
    if status == "0":  # a long text has an id for each part: we call it by the first
        return Accepted(accepted_id(first.get("message-id")))
    raise _refused(status, str(first.get("error-text", "")))


def _refused(status: str, description: str) -> SendFailed:
    if status in _BUSY:
        return SendFailed("not_sent", status, "the carrier asks to wait")
    if status in _INSIDE or not status:
        return SendFailed("uncertain", status or "UNREADABLE_ANSWER", "the carrier failed")
    if status in _CREDENTIALS:
        return SendFailed("refused", "CARRIER_CREDENTIALS_REFUSED", "the carrier refused the account's API credentials")
    return SendFailed("refused", status[:64], description[:255] or "the carrier refused it")


async def look_up(text: OutgoingText, sent_at: int, account: CarrierAccount, outside: Outside) -> frozenset[str]:
    """Nothing: its record, the Reports API, is a product of its own that has to be bought."""
    return frozenset()


#: As for `look_up`.
backfill = None


async def check(account: CarrierAccount, numbers: Sequence[str], webhook_url: str, outside: Outside) -> list[Finding]:
    """Whether the API takes the key and secret, by asking for the balance."""
    if not can_send(account):
        return [Finding(True, "the account only receives: it has no API key to look at")]
    params = {"api_key": account.newest("api_key"), "api_secret": account.newest("api_secret")}
    answer = await outside.request("GET", f"{_api(account)}/account/get-balance", params=params)
    if answer.status in (401, 403):
        return [Finding(False, "Vonage refuses the API key or its secret")]
    return [Finding(answer.status == 200, f"Vonage's API answers {answer.status} to the account's key and secret")]


def _api(account: CarrierAccount) -> str:
    return (account.newest("api_url") or API_URL).rstrip("/")
