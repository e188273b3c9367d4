"""Twilio: callbacks are forms, signed with the account's auth token over the URL and every field.

Facts: Twilio's "Webhooks security", "Messaging webhooks", "Messages resource", "Media subresource", "Advanced Opt-Out" and "Error
and warning dictionary", and the request validator of its Python library, as noted at each rule.
"""

import email.utils
import hashlib
import hmac
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import parse_qs

from roost.carriers.contract import Accepted, Field, Finding, IntakeRequest, LastLook, OutgoingText, SendFailed
from roost.carriers.fields import https_host
from roost.carriers.fields import text as text_of
from roost.carriers.forms import form_bytes, numbered, pairs_of, raw_of
from roost.carriers.outside import Answer, Outside
from roost.carriers.refusals import accepted_id, fields_of, refusal
from roost.core.account import CarrierAccount
from roost.core.message import CarrierEvent, InboundEvent, ReceiptEvent, UnknownEvent
from roost.core.numbers import is_toll_free
from roost.core.optout import Keyword
from roost.core.times import rfc3339

NAME = "twilio"
FIELDS = (
    Field("auth_token", "the auth token, which signs what it sends us", "receive", rotates=True),
    Field("account_sid", "the account SID (AC...)", "send"),
    Field("api_key", "an API key's SID (SK...), to send with instead of the auth token"),
    Field("api_secret", "that key's secret"),
    Field("messaging_service_sid", "the Messaging Service (MG...) that the numbers are in"),
    Field(
        "opt_out_replies", "off: Twilio's own answers to STOP, START and HELP are switched off, so that we give ours"
    ),
    Field("api_url", "where the API is, such as https://api.dublin.ie1.twilio.com"),
)
#: "Webhooks (HTTP callbacks)": POST, or GET where a number is configured so.
MENU = "Phone Numbers > Manage > Active numbers > your number > Messaging Configuration: A message comes in"
METHODS = frozenset({"POST", "GET"})
#: What is in the answer would be read as instructions (TwiML).
EMPTY_ANSWER = True

#: MessageStatus ("Messages resource", message status values): Twilio's word -> ours.
STATUSES = {
    "accepted": "sending",
    "scheduled": "sending",
    "queued": "sending",
    "sending": "sending",
    "sent": "sent",
    "delivered": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "failed",
    "read": "read",
}
#: OptOutType of Advanced Opt-Out, whose words and languages are the account's own.
_UNDERSTOOD = {"STOP": Keyword("opt_out", "STOP"), "START": Keyword("opt_in", "START"), "HELP": Keyword("help", "HELP")}
#: Attempt to send to unsubscribed recipient. ("Error dictionary", 21610)
OPTED_OUT_CODES = frozenset({"21610"})
_API_URL = "https://api.twilio.com"
_DIGESTS = {"HMAC_SHA1": hashlib.sha1, "HMAC_SHA256": hashlib.sha256}
_INBOUND = ("received", "receiving")
#: How far around the time of a text the carrier's record is searched, how much of it, and how large a page of it may be.
_BEFORE_US, _AFTER_US = 60 * 1_000_000, 300 * 1_000_000
_LOOKED_AT, _MAX_PAGE_BYTES = 100, 4 << 20
_DAY_US = 24 * 3600 * 1_000_000


def verify(request: IntakeRequest, account: CarrierAccount, now: int = 0) -> bool:
    """X-Twilio-Signature: base64 of the HMAC over the URL, then each field's name and value, sorted and once each.

    Twilio does not say whether the port is part of the URL, so that both are tried, as its library does. ("Webhooks security")
    """
    digest = _DIGESTS.get(_algorithm(request.headers.get("x-twilio-webhooks-signature-settings", "")))
    given = request.headers.get("x-twilio-signature", "").encode("utf-8", "surrogateescape")
    body_hash = parse_qs(request.query).get("bodySHA256", [""])[0]
    is_whole = not body_hash or hmac.compare_digest(hashlib.sha256(request.body).hexdigest(), body_hash.lower())
    fields = set(pairs_of(request.body)) if request.method != "GET" and not body_hash else set()
    signed = "".join(name + value for name, value in sorted(fields)).encode("utf-8", "surrogateescape")
    matched = False
    for token in account.every("auth_token") if digest else ():
        for url in _with_and_without_port(request.url):
            made = hmac.new(token.encode(), url.encode("utf-8", "surrogateescape") + signed, digest or hashlib.sha1)
            matched |= hmac.compare_digest(b64encode(made.digest()), given)
    return matched and is_whole


def _algorithm(settings: str) -> str:
    """`key=...,algorithm=HMAC_SHA256`; without it SHA-1."""
    pairs = dict(part.strip().split("=", 1) for part in settings.split(",") if "=" in part)
    return pairs.get("algorithm", "HMAC_SHA1").upper()


def _with_and_without_port(url: str) -> tuple[str, str]:
    head, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    bare = host if host.endswith("]") or ":" not in host else host.rpartition(":")[0]
    other = bare if bare != host else f"{host}:{443 if head == 'https' else 80}"
    return url, f"{head}{separator}{user}{at}{other}{slash}{path}"


def parse(request: IntakeRequest) -> list[CarrierEvent]:
    """One event. What is new among the fields is left alone, as Twilio adds some without notice."""
    raw = raw_of(request)
    fields = dict(reversed(pairs_of(raw)))
    word = fields.get("MessageStatus") or fields.get("SmsStatus") or ""
    if word in STATUSES:
        return [_receipt(fields, STATUSES[word], raw)]
    if word in _INBOUND or (not word and "From" in fields and "Body" in fields):
        return [_inbound(fields, raw)]
    return [UnknownEvent("unknown_event", raw)]


def _receipt(fields: dict[str, str], event: str, raw: bytes) -> ReceiptEvent:
    code = fields.get("ErrorCode", "")
    return ReceiptEvent(
        carrier_message_id=fields.get("MessageSid") or fields.get("SmsSid", ""),
        recipient=fields.get("To", ""),
        event=event,
        raw=raw,
        error_code=code or None,
        description=fields.get("ErrorMessage") or None,
        opted_out=code in OPTED_OUT_CODES,
    )


def _inbound(fields: dict[str, str], raw: bytes, received_at: int | None = None) -> InboundEvent:
    segments = fields.get("NumSegments", "")
    return InboundEvent(
        carrier_message_id=fields.get("MessageSid") or fields.get("SmsMessageSid") or fields.get("SmsSid", ""),
        from_number=fields.get("From", ""),
        to_numbers=(fields["To"],) if fields.get("To") else (),
        body=fields.get("Body", ""),
        raw=raw,
        media=numbered(fields, "MediaUrl"),
        segment_count=int(segments) if segments.isascii() and segments.isdigit() and len(segments) < 6 else None,
        carrier_received_at=received_at,
        understood=_UNDERSTOOD.get(fields.get("OptOutType", "").upper()),
    )


def can_send(account: CarrierAccount) -> bool:
    """Whether it says which account it is; the auth token is a credential of the API as well."""
    return bool(account.newest("account_sid"))


def answers_opt_outs(number: str, account: CarrierAccount) -> bool:
    """By default everywhere; on toll-free numbers the network does, whatever is configured. ("Support for opt-out keywords")"""
    return is_toll_free(number) or account.newest("opt_out_replies") != "off"


def media_auth(url: str, account: CarrierAccount) -> tuple[str, str] | None:
    """The API credential, on the API's own hosts alone, which redirect to a signed address elsewhere. ("Media subresource")"""
    host = https_host(url)
    own = host == "api.twilio.com" or (host.startswith("api.") and host.endswith(".twilio.com"))
    return _credential(account) if own and can_send(account) else None


async def send(text: OutgoingText, account: CarrierAccount, outside: Outside, last_look: LastLook) -> Accepted:
    """POST to the account's messages: 201 with its SID is yes. ("Create a Message resource")"""
    callback = outside.callback_url(account)
    fields = [("To", text.to_number), ("From", text.from_number), ("Body", text.body)]
    fields += [("MediaUrl", url) for url in text.media]
    fields += [("MessagingServiceSid", sid) for sid in account.every("messaging_service_sid")]
    fields += [("StatusCallback", callback)] if callback else []
    answer = await outside.request(
        "POST",
        _messages(account),
        auth=_credential(account),
        last_look=last_look,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        data=form_bytes((name, value) for name, value in fields if value),
    )
    if 200 <= answer.status < 300:
        return Accepted(accepted_id(fields_of(answer).get("sid")))
    raise _refusal(answer)


async def look_up(text: OutgoingText, sent_at: int, account: CarrierAccount, outside: Outside) -> frozenset[str]:
    """Those of the time with the very same text. ("Read multiple Message resources"; newest first)"""
    query = {"To": text.to_number, "From": text.from_number, "PageSize": str(_LOOKED_AT)}
    _, records = await _page(f"{_messages(account)}", query, account, outside)
    return frozenset(
        record["sid"]
        for record in records
        if text_of(record.get("direction")).startswith("outbound")
        and record.get("body") == text.body
        and text_of(record.get("num_media")) in ("", str(len(text.media)))
        and sent_at - _BEFORE_US <= (_time(record, "date_created") or 0) <= sent_at + _AFTER_US
    )


async def backfill(account: CarrierAccount, since: int, outside: Outside) -> AsyncIterator[list[CarrierEvent]]:
    """The inbound ones of the record, which has no filter for them; of a whole day at least. ("Read multiple ...")"""
    query: dict[str, str] | None = {"DateSent>": rfc3339(since)[:10], "PageSize": str(_LOOKED_AT)}
    url = _messages(account)
    while url:
        url, records = await _page(url, query, account, outside)
        query = None
        came = [record for record in records if record.get("direction") == "inbound"]
        yield [
            await _missed(record, account, outside)
            for record in came
            if max(_time(record, "date_created") or since, _time(record, "date_sent") or since) >= since
        ]


async def _missed(record: dict[str, Any], account: CarrierAccount, outside: Outside) -> InboundEvent:
    """As its callback would have brought it."""
    names = {"MessageSid": "sid", "From": "from", "To": "to", "Body": "body", "NumSegments": "num_segments"}
    fields = {ours: text_of(record.get(theirs)) for ours, theirs in names.items()} | {"SmsStatus": "received"}
    if text_of(record.get("num_media")) not in ("", "0"):
        path = f"/2010-04-01/Accounts/{account.newest('account_sid')}/Messages/{fields['MessageSid']}/Media"
        _, media = await _page(f"{_base(account)}{path}.json", None, account, outside, "media_list")
        fields |= {f"MediaUrl{n}": f"{_API_URL}{path}/{medium['sid']}" for n, medium in enumerate(media)}
    return _inbound(fields, form_bytes(fields.items()), _time(record, "date_created"))


async def check(account: CarrierAccount, numbers: Sequence[str], webhook_url: str, outside: Outside) -> list[Finding]:
    """Whether the API takes the credential, and where each number delivers. ("IncomingPhoneNumber resource")"""
    if not can_send(account):
        return [Finding(True, "the account only receives: it has no account SID to ask the API with")]
    url = f"{_base(account)}/2010-04-01/Accounts/{account.newest('account_sid')}/IncomingPhoneNumbers.json"
    found = []
    try:
        for number in numbers:
            _, records = await _page(url, {"PhoneNumber": number}, account, outside, "incoming_phone_numbers")
            found.append(_number_finding(number, records, webhook_url))
        await _page(_messages(account), {"PageSize": "1"}, account, outside)
    except SendFailed as error:
        if error.outcome != "refused":
            raise
        return [Finding(False, f"Twilio refuses the account SID or its credential ({error.code})")]
    return [Finding(True, "Twilio takes the account's credential"), *found]


def _number_finding(number: str, records: list[dict[str, Any]], webhook_url: str) -> Finding:
    if not records:
        return Finding(False, f"{number} is not a number of this Twilio account")
    delivers_to = next((url for record in records if (url := text_of(record.get("sms_url")))), "nowhere")
    if delivers_to == webhook_url:
        return Finding(True, f"{number} delivers here")
    return Finding(
        False, f"{number} delivers to {delivers_to}; set {webhook_url}, or let its Messaging Service deliver there"
    )


async def _page(
    url: str, query: dict[str, str] | None, account: CarrierAccount, outside: Outside, name: str = "messages"
) -> tuple[str, list[dict[str, Any]]]:
    """(the next page's address or nothing, the records that have a SID). Raises SendFailed."""
    answer = await outside.request("GET", url, auth=_credential(account), params=query, max_bytes=_MAX_PAGE_BYTES)
    if answer.status != 200:
        raise _refusal(answer)
    fields = fields_of(answer)
    records, onwards = fields.get(name), text_of(fields.get("next_page_uri"))
    if not isinstance(records, list):
        raise SendFailed("uncertain", "UNREADABLE_ANSWER", "the carrier's record cannot be read")
    good = [record for record in records if isinstance(record, dict) and isinstance(record.get("sid"), str)]
    return (f"{_base(account)}{onwards}" if onwards.startswith("/") else ""), good


def _base(account: CarrierAccount) -> str:
    return (account.newest("api_url") or _API_URL).rstrip("/")


def _messages(account: CarrierAccount) -> str:
    return f"{_base(account)}/2010-04-01/Accounts/{account.newest('account_sid')}/Messages.json"


def _credential(account: CarrierAccount) -> tuple[str, str]:
    key, secret = account.newest("api_key"), account.newest("api_secret")
    return (key, secret) if key and secret else (account.newest("account_sid"), account.newest("auth_token"))


def _refusal(answer: Answer) -> SendFailed:
    fields = fields_of(answer)
    code, message = text_of(fields.get("code")), text_of(fields.get("message"))
    return refusal(answer, code, message, opted_out=code in OPTED_OUT_CODES)


def _time(record: dict[str, Any], name: str) -> int | None:
    """RFC 2822, as the API writes times; None where there is none."""
    try:
        return int(email.utils.parsedate_to_datetime(text_of(record.get(name))).timestamp()) * 1_000_000
    except (ValueError, OverflowError):
        return None
