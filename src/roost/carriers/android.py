"""SMS Gateway for Android: somebody's own phone and SIM card, with an app on it; its webhooks are signed JSON.

Facts: the app's documentation: "Webhooks" (events, payload signing, retries), "MMS Support", "Sending Messages" and "Status
Tracking", as noted at each rule.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

from roost.carriers.contract import Accepted, Field, Finding, IntakeRequest, LastLook, OutgoingText, SendFailed
from roost.carriers.fields import instant, items_of, object_of, text, whole_number
from roost.carriers.outside import Answer, Outside
from roost.carriers.refusals import fields_of, refusal
from roost.core.account import CarrierAccount
from roost.core.message import CarrierEvent, InboundEvent, ReceiptEvent, UnknownEvent

NAME = "android"
FIELDS = (
    Field("signing_key", "the app's Settings > Webhooks > Signing Key", "receive", rotates=True),
    Field("api_user", "the user on the app's Home tab", "send"),
    Field("api_password", "its password", "send"),
    Field("api_url", "http://PHONE:8080 where the phone is the server; else the app's cloud"),
    Field("sims", "numbers of the SIM cards in their order, with commas between, where there are several"),
)
MENU = "each webhook that you register for the app, with ?number= and your number behind it (%2B15551112222)"
METHODS = frozenset({"POST"})
EMPTY_ANSWER = False
OPTED_OUT_CODES: frozenset[str] = frozenset()

API_URL = "https://api.sms-gate.app/3rdparty/v1"
#: "Supported events": what is a text, and where its words are.
TEXTS = {"sms:received": ("message",), "mms:received": ("subject",), "mms:downloaded": ("body", "subject")}
#: The app's word -> ours, and where the time is.
STATUSES = {
    "sms:sent": ("sent", "sentAt"),
    "sms:delivered": ("delivered", "deliveredAt"),
    "sms:failed": ("failed", "failedAt"),
    "sms:cancelled": ("failed", "cancelledAt"),
}
#: The phone is alive, which is no event of anybody's.
SIGNS_OF_LIFE = frozenset({"system:ping", "app:started"})
#: Several events of a kind in one webhook, where the app's settings say so.
BATCHES = {f"{kind}:batch:{word}": f"{kind}:{word}" for kind, word in (each.split(":") for each in TEXTS)}
#: What has to be registered for, one webhook each. ("Register Your Webhook Endpoint")
WANTED = ("sms:received", "mms:downloaded", "sms:sent", "sms:delivered", "sms:failed")
#: A signature is made anew with each try, so that it is young. ("Payload Signing", best practices)
WINDOW_SECONDS = 300
#: From here on the app's own limits and delays do not hold. ("Message Priority")
_HIGH_PRIORITY = 100


def verify(request: IntakeRequest, account: CarrierAccount, now: int) -> bool:
    """X-Signature is hex(HMAC-SHA256(signing key, body + X-Timestamp)). ("Payload Signing")"""
    given = request.headers.get("x-signature", "").strip().lower().encode()
    timestamp = request.headers.get("x-timestamp", "").strip()
    matched = False
    for key in account.every("signing_key"):
        digest = hmac.new(key.encode(), request.body + timestamp.encode(), hashlib.sha256).hexdigest()
        matched |= hmac.compare_digest(given, digest.encode())
    young = timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12
    return matched and young and abs(now - int(timestamp) * 1_000_000) <= WINDOW_SECONDS * 1_000_000


def parse(request: IntakeRequest) -> list[CarrierEvent]:
    """One event, or the several of a batch, as the app sends them where it is told to."""
    # Many a phone does not know its number (`recipient` is null), so that the webhook's URL may say it: one for each SIM.
    numbers = [number.replace(" ", "+") for number in parse_qs(request.query).get("number", ())]
    items = items_of(request.body)
    return [event for raw in items for event in _events(raw, numbers)] if items else [UnknownEvent("empty", b"[]")]


def _events(raw: bytes, numbers: Sequence[str]) -> list[CarrierEvent]:
    try:
        event = object_of(raw)
    except ValueError:
        return [UnknownEvent("not_json", raw)]
    word, payload = text(event.get("event")), event.get("payload")
    if word in SIGNS_OF_LIFE:
        return []
    if word in BATCHES and isinstance(payload, dict) and isinstance(payload.get("messages"), list):
        # What is kept of each is what the app would have sent of it alone, so that it can be read again.
        alone = [{**event, "event": BATCHES[word], "payload": each} for each in payload["messages"]]
        return [_event(BATCHES[word], each["payload"], json.dumps(each).encode(), numbers) for each in alone]
    return [_event(word, payload, raw, numbers)]


def _event(word: str, payload: Any, raw: bytes, numbers: Sequence[str]) -> CarrierEvent:
    if not isinstance(payload, dict) or word not in (*TEXTS, *STATUSES):
        return UnknownEvent("unknown_event", raw)
    phone_number = text(
        payload.get("phoneNumber")
    )  # the contact's, in both directions; older versions have nothing else
    if word in STATUSES:
        status, time_field = STATUSES[word]
        message_id, reason = text(payload.get("messageId")), text(payload.get("reason"))
        return ReceiptEvent(
            carrier_message_id=message_id,
            recipient=text(payload.get("recipient")) or phone_number,
            event=status,
            raw=raw,
            description=reason or None,
            carrier_time=instant(payload.get(time_field)),
            tag=message_id or None,  # we name a message ourselves when we send it
        )
    sim = whole_number(payload.get("simNumber")) or 1
    candidates = (text(payload.get("recipient")), *numbers[sim - 1 : sim], *numbers[:1])
    received_at = text(payload.get("receivedAt"))
    return InboundEvent(
        # "Generated based on the message content and not guaranteed to be unique": with its time it is.
        carrier_message_id=" ".join(filter(None, (text(payload.get("messageId")), received_at))),
        from_number=text(payload.get("sender")) or phone_number,
        to_numbers=tuple(dict.fromkeys(filter(None, candidates))),
        body=next(filter(None, (text(payload.get(name)) for name in TEXTS[word])), ""),
        raw=raw,
        carrier_received_at=instant(received_at),
        is_mms=word != "sms:received",
    )


def can_send(account: CarrierAccount) -> bool:
    """Whether the account has the app's credential."""
    return bool(account.newest("api_user") and account.newest("api_password"))


def answers_opt_outs(number: str, account: CarrierAccount) -> bool:
    """A phone answers nobody by itself."""
    return False


def media_auth(url: str, account: CarrierAccount) -> tuple[str, str] | None:
    """None: pictures stay on the phone."""
    return None


async def send(text: OutgoingText, account: CarrierAccount, outside: Outside, last_look: LastLook) -> Accepted:
    """POST to the messages, with our own id: 202 is yes. ("Sending Messages")"""
    if text.media:
        raise SendFailed("refused", "MEDIA_NOT_SUPPORTED", "a phone sends texts alone")
    wanted: dict[str, Any] = {
        "id": text.message_id,
        "textMessage": {"text": text.body},
        "phoneNumbers": [text.to_number],
        "withDeliveryReport": True,
        "priority": _HIGH_PRIORITY if text.high_priority else 0,
    }
    sims = [number.strip() for number in account.newest("sims").split(",")]
    if text.from_number in sims:
        wanted["simNumber"] = sims.index(text.from_number) + 1
    answer = await _ask(outside, "POST", account, "messages", last_look=last_look, json=wanted)
    if 200 <= answer.status < 300:
        return Accepted(text.message_id)
    raise _refused(answer)


async def look_up(text: OutgoingText, sent_at: int, account: CarrierAccount, outside: Outside) -> frozenset[str]:
    """The message of our id. ("Status Tracking", REST API)"""
    answer = await _ask(outside, "GET", account, f"messages/{text.message_id}")
    if answer.status == 200:
        return frozenset((text.message_id,))
    if answer.status == 404:
        return frozenset()
    raise _refused(answer)


#: The record has beginnings of texts only; the app itself tries for two days. ("Retry Policy")
backfill = None


async def check(account: CarrierAccount, numbers: Sequence[str], webhook_url: str, outside: Outside) -> list[Finding]:
    """Whether the app takes the credential, and which events it delivers to us."""
    if not can_send(account):
        return [Finding(True, "the account only receives: it has no API credential to look at")]
    answer = await _ask(outside, "GET", account, "webhooks")
    if answer.status in (401, 403):
        return [Finding(False, "the app refuses the user or the password: they are on its Home tab")]
    if answer.status != 200:
        return [Finding(False, f"the app's API answers {answer.status} when it is asked for its webhooks")]
    try:
        hooks = [object_of(item) for item in items_of(answer.body)]
    except ValueError:
        return [Finding(False, "what is at the API's address is not the app: it answers with something else")]
    ours = {hook.get("event") for hook in hooks if text(hook.get("url")).partition("?")[0] == webhook_url}
    return [
        Finding(word in ours, f"{word} {'is' if word in ours else 'is not'} delivered to {webhook_url}")
        for word in WANTED
    ]


async def _ask(outside: Outside, method: str, account: CarrierAccount, path: str, **options: Any) -> Answer:
    url = (account.newest("api_url") or API_URL).rstrip("/")
    credential = (account.newest("api_user"), account.newest("api_password"))
    return await outside.request(method, f"{url}/{path}", auth=credential, **options)


def _refused(answer: Answer) -> SendFailed:
    if answer.status == 409:  # it has a message of our id already, which a look-up will find
        return SendFailed("uncertain", "HTTP_409", "the app has it already")
    return refusal(answer, description=text(fields_of(answer).get("message")), busy=frozenset({429, 503}))
