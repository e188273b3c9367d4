"""Bandwidth: callbacks are a JSON array of events, authenticated with Basic credentials; there is no signature.

Facts: Bandwidth's Messaging API reference, "Messaging callbacks" (inbound and status), as noted at each rule.
"""

from roost.carriers.contract import IntakeRequest, verify_basic
from roost.carriers.fields import events_of, instant, object_of, text, texts, whole_number
from roost.core.account import CarrierAccount
from roost.core.message import CarrierEvent, InboundEvent, ReceiptEvent, UnknownEvent

NAME = "bandwidth"

#: Status callbacks (StatusCallbackTypeEnum): Bandwidth's word -> ours.
STATUSES = {
    "message-sending": "sending",
    "message-sent": "sent",
    "message-delivered": "delivered",
    "message-failed": "failed",
    "message-read": "read",
}


#: As set in the application's InboundCallbackCreds and OutboundCallbackCreds.
verify = verify_basic


def parse(request: IntakeRequest) -> list[CarrierEvent]:
    """Every item of the array: a batch may hold several, of both directions."""
    return events_of(request.body, _event)


def _event(raw: bytes) -> CarrierEvent:
    try:
        event = object_of(raw)
    except ValueError:
        return UnknownEvent("not_json", raw)
    word, message = event.get("type"), event.get("message")
    if not isinstance(word, str) or not isinstance(message, dict):
        return UnknownEvent("unknown_event", raw)
    message_id = text(message.get("id"))
    # Inbound and status callbacks may reach the same URL, so a status is known by its type alone.
    if word in STATUSES:
        return ReceiptEvent(
            carrier_message_id=message_id,
            # A group text gets one status per recipient: the top-level `to` says whose.
            recipient=text(event.get("to")),
            event=STATUSES[word],
            raw=raw,
            error_code=text(event.get("errorCode")) or None,
            description=text(event.get("description")) or None,
            carrier_time=instant(event.get("time")),
        )
    if word != "message-received" or message.get("direction", "in") != "in":
        return UnknownEvent("unknown_event", raw)
    recipients = texts(message.get("to"))
    return InboundEvent(
        carrier_message_id=message_id,
        from_number=text(message.get("from")),
        # `owner` is the number that this copy of a group text belongs to; each number of ours gets a copy of its own.
        to_numbers=tuple(dict.fromkeys(filter(None, (text(message.get("owner")), text(event.get("to")), *recipients)))),
        body=text(message.get("text")),
        raw=raw,
        recipients=recipients,
        media=texts(message.get("media")),
        segment_count=whole_number(message.get("segmentCount")),
        # The event's `time` is when Bandwidth made the callback; `message.time` is when it received the text.
        carrier_received_at=instant(message.get("time")) or instant(event.get("time")),
    )


def can_send(account: CarrierAccount) -> bool:
    """Always."""
    return True


def answers_opt_outs(number: str) -> bool:
    """Never."""
    return False
