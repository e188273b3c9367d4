"""Bandwidth: callbacks are a JSON array of events, authenticated with Basic credentials; there is no signature.

Facts: Bandwidth's Messaging API reference: "Messaging callbacks" (inbound and status), "Create Message", "List Messages" and
"Messaging errors", as noted at each rule.
"""

import html
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec

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
from roost.carriers.fields import events_of, https_host, ids_of, instant, objects, only_item, text
from roost.carriers.outside import Answer, Outside
from roost.carriers.refusals import accepted_id, fields_of, refusal
from roost.carriers.shapes import Texts, Whole, reader
from roost.core.account import CarrierAccount
from roost.core.message import CarrierEvent, InboundEvent, ReceiptEvent, UnknownEvent
from roost.core.numbers import is_toll_free
from roost.core.times import rfc3339_short

NAME = "bandwidth"
FIELDS = (
    *BASIC,
    Field("account_id", "the account", "send"),
    Field("application_id", "the messaging application", "send"),
    Field("api_user", "the API user", "send"),
    Field("api_password", "its password", "send"),
    Field("dashboard_url", "where its account API is, if not at https://api.bandwidth.com/api"),
)
MENU = "Applications > your application: Inbound callback URL and Status callback URL, with this user and password for both"
METHODS = frozenset({"POST"})
EMPTY_ANSWER = False

#: Status callbacks (StatusCallbackTypeEnum): Bandwidth's word -> ours.
STATUSES = {
    "message-sending": "sending",
    "message-sent": "sent",
    "message-delivered": "delivered",
    "message-failed": "failed",
    "message-read": "read",
}
#: destination-rejected-due-to-user-opt-out. ("Messaging errors")
OPTED_OUT_CODES = frozenset({"4775"})
#: No delivery receipt came in time: whether it was delivered is not known. ("Messaging errors")
UNCONFIRMED = "9902"
_OPTED_OUT_TYPE = "destination-rejected-due-to-user-opt-out"
_DASHBOARD_URL = "https://api.bandwidth.com/api"
_MEDIA_HOST = "messaging.bandwidth.com"
#: The rate or the queue is full; or nobody is at home: it was not taken.
_BUSY = frozenset({429, 503})
#: How far around the time of a text the carrier's record is searched.
_BEFORE_US, _AFTER_US = 60 * 1_000_000, 300 * 1_000_000


#: As set in the application's InboundCallbackCreds and OutboundCallbackCreds.
verify = verify_basic


def parse(request: IntakeRequest) -> list[CarrierEvent]:
    """Every item of the array: a batch may hold several, of both directions."""
    try:
        [event] = _read_array(request.body)
    except (ValueError, RecursionError):  # it holds several, or what is odd
        return events_of(request.body, _event)
    return [_meant(event, only_item(request.body))]


class _Message(msgspec.Struct, rename={"from_number": "from", "segment_count": "segmentCount"}):
    id: str = ""
    time: str = ""
    to: Texts = ()
    from_number: str = ""
    text: str = ""
    media: Texts = ()
    owner: str = ""
    direction: str = "in"
    segment_count: Whole = None
    tag: str = ""


class _Event(msgspec.Struct, rename={"error_code": "errorCode"}):
    type: str = ""
    time: str = ""
    to: str = ""
    description: str = ""
    error_code: str = ""
    message: _Message | None = None


_read = reader(_Event)
_read_array = msgspec.json.Decoder(list[_Event]).decode


def _event(raw: bytes) -> CarrierEvent:
    try:
        event = _read(raw)
    except ValueError:
        return UnknownEvent("not_json", raw)
    return _meant(event, raw)


def _meant(event: _Event, raw: bytes) -> CarrierEvent:
    message = event.message
    if message is None:
        return UnknownEvent("unknown_event", raw)
    # Inbound and status callbacks may reach the same URL, so a status is known by its type alone.
    if event.type in STATUSES:
        return ReceiptEvent(
            carrier_message_id=message.id,
            # A group text gets one status per recipient: the top-level `to` says whose.
            recipient=event.to,
            event="unconfirmed" if event.error_code == UNCONFIRMED else STATUSES[event.type],
            raw=raw,
            error_code=event.error_code or None,
            description=event.description or None,
            carrier_time=instant(event.time),
            tag=message.tag or None,
            opted_out=event.error_code in OPTED_OUT_CODES,
        )
    if event.type != "message-received" or message.direction != "in":
        return UnknownEvent("unknown_event", raw)
    return InboundEvent(
        carrier_message_id=message.id,
        from_number=message.from_number,
        # `owner` is the number that this copy of a group text belongs to; each number of ours gets a copy of its own.
        to_numbers=tuple(dict.fromkeys(filter(None, (message.owner, event.to, *message.to)))),
        body=message.text,
        raw=raw,
        recipients=message.to,
        media=message.media,
        segment_count=message.segment_count,
        # The event's `time` is when Bandwidth made the callback; `message.time` is when it received the text.
        carrier_received_at=instant(message.time) or instant(event.time),
    )


def can_send(account: CarrierAccount) -> bool:
    """Whether the account has all that the API asks for."""
    return all(account.newest(field.name) for field in FIELDS if field.needed == "send")


def answers_opt_outs(number: str, account: CarrierAccount) -> bool:
    """On toll-free numbers the network does; on others nobody does. (Bandwidth support, "opt-out messaging")"""
    return is_toll_free(number)


def media_auth(url: str, account: CarrierAccount) -> tuple[str, str] | None:
    """The API credential, on Bandwidth's own host alone. ("Get Media")"""
    own = https_host(url) == _MEDIA_HOST
    return (account.newest("api_user"), account.newest("api_password")) if own and can_send(account) else None


async def send(text: OutgoingText, account: CarrierAccount, outside: Outside, last_look: LastLook) -> Accepted:
    """POST to the account's messages: 202 with the message's id is yes. ("Create Message")"""
    wanted: dict[str, Any] = {
        "applicationId": account.newest("application_id"),
        "to": [text.to_number],
        "from": text.from_number,
        "tag": text.message_id,  # said back in each status callback
    }
    if text.body:
        wanted["text"] = text.body
    if text.media:
        wanted["media"] = list(text.media)
    if text.high_priority:
        wanted["priority"] = "high"
    url, credential = _messages(account, outside)
    answer = await outside.request("POST", url, auth=credential, last_look=last_look, json=wanted)
    if 200 <= answer.status < 300:
        return Accepted(accepted_id(fields_of(answer).get("id")))
    raise _refusal(answer)


async def look_up(text: OutgoingText, sent_at: int, account: CarrierAccount, outside: Outside) -> frozenset[str]:
    """Those of the time. ("List Messages": messageId; it does not tell tags)"""
    query = {
        "sourceTn": text.from_number,
        "destinationTn": text.to_number,
        "messageDirection": "OUTBOUND",
        "fromDateTime": rfc3339_short((sent_at - _BEFORE_US) // 1000 * 1000),
        "toDateTime": rfc3339_short((sent_at + _AFTER_US) // 1000 * 1000),
    }
    url, credential = _messages(account, outside)
    answer = await outside.request("GET", url, auth=credential, params=query)
    if answer.status != 200:
        raise _refusal(answer)
    return ids_of(objects(fields_of(answer).get("messages")), "messageId")


#: Bandwidth does not store texts.
backfill = None


async def check(account: CarrierAccount, numbers: Sequence[str], webhook_url: str, outside: Outside) -> list[Finding]:
    """Whether the API takes the account's credential, and where the application delivers. ("How to manage Applications")"""
    if not can_send(account):
        return [Finding(True, "without an API credential nothing can be asked of Bandwidth; the account only receives")]
    url, credential = _messages(account, outside)
    answer = await outside.request(
        "GET", url, auth=credential, params={"sourceTn": next(iter(numbers), "+10000000000")}
    )
    if answer.status in (401, 403):
        return [Finding(False, "Bandwidth refuses the API user or its password, or the account id is another's")]
    if answer.status != 200:
        return [Finding(False, f"Bandwidth's Messaging API answers {answer.status} to the API user")]
    base = (account.newest("dashboard_url") or _DASHBOARD_URL).rstrip("/")
    ids = (quote(account.newest(name), safe="") for name in ("account_id", "application_id"))
    answer = await outside.request("GET", "{}/accounts/{}/applications/{}".format(base, *ids), auth=credential)
    taken = Finding(True, "Bandwidth's Messaging API takes the API user")
    if answer.status == 404:
        return [taken, Finding(False, "the account has no application with the application id")]
    if answer.status != 200:  # the user may send, and need not be one who may look at applications
        return [taken, Finding(True, f"not to be seen from here: whether the application delivers to {webhook_url}")]
    return [taken, *_application(answer.body.decode("utf-8", "replace"), account, webhook_url)]


def _application(xml: str, account: CarrierAccount, webhook_url: str) -> list[Finding]:
    findings = []
    users = {user for user, _ in account.secrets.get("basic", ())}
    for direction, what in (("Inbound", "inbound"), ("Outbound", "status")):
        url = _element(xml, f"{direction}CallbackUrl")
        user = _element(_element(xml, f"{direction}CallbackCreds"), "UserId")
        if url != webhook_url:
            findings.append(
                Finding(False, f"the application's {what} callback URL is {url or 'not set'}: set it to {webhook_url}")
            )
        elif user not in users:
            findings.append(
                Finding(False, f"the application's {what} callbacks come without the user that carrier add printed")
            )
    return findings or [Finding(True, "the application delivers here, with the right user")]


def _element(xml: str, name: str) -> str:
    """What is between an element's tags, which have no attributes here. No parser: nobody else's XML is believed so far."""
    found = re.search(f"<{name}>(.*?)</{name}>", xml, re.DOTALL)
    return html.unescape(found[1]).strip() if found else ""


def _messages(account: CarrierAccount, outside: Outside) -> tuple[str, tuple[str, str]]:
    """The address of the account's messages, and the credential."""
    url = f"{outside.config.bandwidth_url}/users/{account.newest('account_id')}/messages"
    return url, (account.newest("api_user"), account.newest("api_password"))


def _refusal(answer: Answer) -> SendFailed:
    fields = fields_of(answer)
    code, description = text(fields.get("type")), text(fields.get("description"))
    opted_out = code == _OPTED_OUT_TYPE or text(fields.get("errorCode")) in OPTED_OUT_CODES
    return refusal(answer, code, description, opted_out=opted_out, busy=_BUSY)
