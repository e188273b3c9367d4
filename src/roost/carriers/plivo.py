"""Plivo: callbacks are forms, signed with the auth token over the URL and a nonce (V2), or over the fields as well (V3).

Facts: Plivo's "Handling incoming messages", "Message status callbacks", "Signature validation", "Messages", "DND service" and
the signature code of its Python library, as noted at each rule.
"""

import hashlib
import hmac
import json
from base64 import b64encode
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from roost.carriers.contract import Accepted, Field, Finding, IntakeRequest, LastLook, OutgoingText, SendFailed
from roost.carriers.fields import https_host
from roost.carriers.fields import text as text_of
from roost.carriers.forms import numbered, pairs_of, raw_of
from roost.carriers.outside import Answer, Outside
from roost.carriers.refusals import accepted_id, fields_of, refusal
from roost.core.account import CarrierAccount
from roost.core.message import CarrierEvent, InboundEvent, ReceiptEvent, UnknownEvent
from roost.core.numbers import is_short_code, is_toll_free, repair_plus
from roost.core.optout import Keyword
from roost.core.times import rfc3339

NAME = "plivo"
FIELDS = (
    Field("auth_token", "the auth token, which signs what it sends us, and sends", "receive", rotates=True),
    Field("auth_id", "the auth id (MA...)", "send"),
    Field("opt_out_replies", "on: Plivo confirms STOP itself on every number, so that we do not"),
    Field("api_url", "where the API is"),
)
MENU = (
    "Messaging > Applications > your application: Message URL, POST; then Phone Numbers > your number: that application"
)
METHODS = frozenset({"POST", "GET"})
#: What is in the answer would be read as XML instructions.
EMPTY_ANSWER = True

#: Status ("Message status callbacks"): Plivo's word -> ours.
STATUSES = {
    "queued": "sending",
    "sent": "sent",
    "delivered": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "rejected": "failed",
    "read": "read",
}
#: Blocked, because the contact sent STOP to that number. ("DND service")
OPTED_OUT_CODES = frozenset({"200"})
_NO_ERROR = "000"
#: MessageIntent ("Handling incoming messages").
_UNDERSTOOD = {
    "optout": Keyword("opt_out", "STOP"),
    "optin": Keyword("opt_in", "START"),
    "help": Keyword("help", "HELP"),
}
_API_URL = "https://api.plivo.com"
_MEDIA_HOSTS = ("api.plivo.com", "media.plivo.com")
#: How far around the time of a text the carrier's record is searched; the most that a page of it has.
_BEFORE_US, _AFTER_US = 60 * 1_000_000, 300 * 1_000_000
_PAGE = 20
_MAX_PAGE_BYTES = 1 << 20


def verify(request: IntakeRequest, account: CarrierAccount, now: int = 0) -> bool:
    """V3 where the request has one, as that covers the fields; else V2. -Ma- is the main account's. ("Signature validation")"""
    version = "v3" if any(f"x-plivo-signature-{which}v3" in request.headers for which in ("", "ma-")) else "v2"
    nonce = request.headers.get(f"x-plivo-signature-{version}-nonce", "")
    given = [
        each.strip().encode("utf-8", "surrogateescape")
        for which in ("", "ma-")
        for each in request.headers.get(f"x-plivo-signature-{which}{version}", "").split(",")[:10]
    ]
    signed = (f"{_signed_v3(request)}.{nonce}" if version == "v3" else f"{_bare(request.url)}{nonce}").encode(
        "utf-8", "surrogateescape"
    )
    matched = False
    for token in account.every("auth_token") if nonce else ():
        made = b64encode(hmac.digest(token.encode(), signed, hashlib.sha256))
        for each in given:
            matched |= bool(token) and hmac.compare_digest(made, each)
    return matched


def _bare(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]


def _signed_v3(request: IntakeRequest) -> str:
    """The URL, its query sorted, and a form's names and values sorted, as Plivo's library puts them together."""
    query = "&".join(f"{name}={value}" for name, value in _sorted(urlsplit(request.url).query.encode()))
    form = "".join(name + value for name, value in _sorted(request.body)) if request.method != "GET" else ""
    between = "." if query and form else ""
    return f"{_bare(request.url)}{'?' if query or form else ''}{query}{between}{form}"


def _sorted(raw: bytes) -> list[tuple[str, str]]:
    values = defaultdict(list)
    for name, value in pairs_of(raw):
        values[name].append(value)
    return [(name, value) for name in sorted(values) for value in sorted(values[name])]


def parse(request: IntakeRequest) -> list[CarrierEvent]:
    """One event: a status has a Status, a text a Type."""
    raw = raw_of(request)
    fields = dict(reversed(pairs_of(raw)))
    status = fields.get("Status", "")
    if status in STATUSES:
        return [_receipt(fields, STATUSES[status], raw)]
    if status or not fields.get("From") or not {"Type", "Text", "Body"} & fields.keys():
        return [UnknownEvent("unknown_event", raw)]
    units = fields.get("Units", "")
    return [
        InboundEvent(
            carrier_message_id=fields.get("MessageUUID", ""),
            from_number=_e164(fields["From"]),
            to_numbers=(_e164(fields["To"]),) if fields.get("To") else (),
            # Of an SMS it is Text, of an MMS Body. ("Handling incoming messages")
            body=fields.get("Text") or fields.get("Body", ""),
            raw=raw,
            # Documented from Media1 on, and seen from Media0 on.
            media=numbered(fields, "Media"),
            segment_count=int(units) if units.isascii() and units.isdigit() and len(units) < 6 else None,
            is_mms=fields.get("Type") == "mms",
            understood=_UNDERSTOOD.get(fields.get("MessageIntent", "").lower()),
        )
    ]


def _receipt(fields: dict[str, str], event: str, raw: bytes) -> ReceiptEvent:
    code = fields.get("ErrorCode", "")
    return ReceiptEvent(
        carrier_message_id=fields.get("MessageUUID", ""),
        recipient=_e164(fields.get("To", "")),
        event=event,
        raw=raw,
        error_code=code if code != _NO_ERROR and code else None,
        opted_out=code in OPTED_OUT_CODES,
    )


def _e164(text: str) -> str:
    """Plivo leaves out the "+"; short codes and names have none."""
    bare = text.isascii() and text.isdigit() and not is_short_code(text)
    return f"+{text}" if bare else repair_plus(text)


def can_send(account: CarrierAccount) -> bool:
    """Whether it says which account it is; the auth token is the API's credential as well."""
    return bool(account.newest("auth_id"))


def answers_opt_outs(number: str, account: CarrierAccount) -> bool:
    """The network on toll-free numbers; elsewhere Plivo blocks, and lets one confirmation of ours through. ("DND service")"""
    return is_toll_free(number) or account.newest("opt_out_replies") == "on"


def media_auth(url: str, account: CarrierAccount) -> tuple[str, str] | None:
    """The API credential, on Plivo's own hosts alone."""
    return _credential(account) if https_host(url) in _MEDIA_HOSTS and can_send(account) else None


async def send(text: OutgoingText, account: CarrierAccount, outside: Outside, last_look: LastLook) -> Accepted:
    """POST to the account's messages: 202 with a list of one id is yes. ("Send a message")"""
    wanted: dict[str, Any] = {
        "src": text.from_number.removeprefix("+"),
        "dst": text.to_number.removeprefix("+"),
        "text": text.body,
        "type": "mms" if text.media else "sms",
    }
    if text.media:
        wanted["media_urls"] = list(text.media)
    callback = outside.callback_url(account)
    if callback:
        wanted |= {"url": callback, "method": "POST"}
    url = _url(account, "Message/")
    answer = await outside.request("POST", url, auth=_credential(account), last_look=last_look, json=wanted)
    if 200 <= answer.status < 300:
        ids = fields_of(answer).get("message_uuid")
        return Accepted(accepted_id(ids[0] if isinstance(ids, list) and ids else ids))
    raise _refusal(answer)


async def look_up(text: OutgoingText, sent_at: int, account: CarrierAccount, outside: Outside) -> frozenset[str]:
    """Those of the time: records have no text. ("List all messages")"""
    query = {
        "message_direction": "outbound",
        "from_number": text.from_number,
        "to_number": text.to_number,
        "message_time__gte": _time(sent_at - _BEFORE_US),
        "message_time__lte": _time(sent_at + _AFTER_US),
    }
    records = await _page(query, account, outside)
    return frozenset(record["message_uuid"] for record in records)


async def backfill(account: CarrierAccount, since: int, outside: Outside) -> AsyncIterator[list[CarrierEvent]]:
    """What Plivo gave up delivering. Its record has no texts: an operator is told who wrote, and when.

    A message with an empty text in its place could have been a STOP, and would keep the text out if it came after all.
    """
    names = ("message_uuid", "from_number", "to_number", "message_type", "message_time")
    offset = 0
    while True:
        query = {"message_direction": "inbound", "message_state": "undelivered", "message_time__gte": _time(since)}
        records = await _page({**query, "offset": str(offset)}, account, outside)
        yield [
            UnknownEvent("text_missed", json.dumps({name: text_of(record.get(name)) for name in names}).encode())
            for record in records
        ]
        offset += len(records)
        if len(records) < _PAGE:
            return


async def check(account: CarrierAccount, numbers: Sequence[str], webhook_url: str, outside: Outside) -> list[Finding]:
    """Whether the API takes the credential, and where the application of each number delivers. ("Number", "Application")"""
    if not can_send(account):
        return [Finding(True, "the account only receives: it has no auth id to ask the API with")]
    answer = await outside.request("GET", _url(account, ""), auth=_credential(account))
    if answer.status != 200:
        return [Finding(False, f"Plivo refuses the auth id or the auth token (HTTP {answer.status})")]
    found = [Finding(True, "Plivo takes the account's credential")]
    for number in numbers:
        url = _url(account, f"Number/{number.removeprefix('+')}/")
        record = fields_of(await outside.request("GET", url, auth=_credential(account)))
        path = text_of(record.get("application"))
        if not path.startswith("/v1/Account/"):
            found.append(Finding(False, f"{number} has no application at Plivo, or is not a number of this account"))
            continue
        application = fields_of(await outside.request("GET", _base(account) + path, auth=_credential(account)))
        told = text_of(application.get("message_url")) or "nowhere"
        good = told == webhook_url
        found.append(Finding(good, f"{number} delivers to {told}" + ("" if good else f"; set {webhook_url}")))
    return found


async def _page(query: dict[str, str], account: CarrierAccount, outside: Outside) -> list[dict[str, Any]]:
    """The records that have an id. Raises SendFailed."""
    answer = await outside.request(
        "GET",
        _url(account, "Message/"),
        auth=_credential(account),
        params={**query, "limit": str(_PAGE)},
        max_bytes=_MAX_PAGE_BYTES,
    )
    records = fields_of(answer).get("objects")
    if answer.status != 200:
        raise _refusal(answer)
    if not isinstance(records, list):
        raise SendFailed("uncertain", "UNREADABLE_ANSWER", "the carrier's record cannot be read")
    return [each for each in records if isinstance(each, dict) and isinstance(each.get("message_uuid"), str)]


def _base(account: CarrierAccount) -> str:
    return (account.newest("api_url") or _API_URL).rstrip("/")


def _url(account: CarrierAccount, path: str) -> str:
    return f"{_base(account)}/v1/Account/{account.newest('auth_id')}/{path}"


def _credential(account: CarrierAccount) -> tuple[str, str]:
    return account.newest("auth_id"), account.newest("auth_token")


def _refusal(answer: Answer) -> SendFailed:
    error = fields_of(answer).get("error")
    return refusal(answer, "", error if isinstance(error, str) else json.dumps(error) if error else "")


def _time(us: int) -> str:
    """As the record is asked: UTC, without a zone. ("List all messages")"""
    return rfc3339(us)[:19].replace("T", " ")
