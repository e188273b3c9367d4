"""The one shape of everything that is pushed, whichever way it goes out: `{"id", "type", "created_at", "data"}`."""

from typing import Any, Literal

import msgspec

from roost.api.agentmessage import InboundMessageBody, message_body
from roost.api.consent_bodies import ConsentChangedBody, changed_body
from roost.api.http import encode_json
from roost.api.outbound import OutboundMessageBody, outbound_body
from roost.core.events import AccountEvent, Event, Received, StatusChanged
from roost.core.ids import position_of
from roost.core.media_urls import MediaUrls
from roost.core.times import rfc3339

#: What a pushed message tells beyond its documented fields; each is an `include` of the dialect's own.
RECEIVED = ("agent_id", "otp", "related_outbound_id", "suspected", "thread_id")
STATUS = ("error", "thread_id")


class MessageReceived(msgspec.Struct):
    """A text came. `id` is the message's own."""

    id: str
    type: Literal["message.received"]
    created_at: str
    data: InboundMessageBody


class MessageStatus(msgspec.Struct):
    """An outbound message moved on: `data` is as it stood then."""

    id: str
    type: Literal["message.status"]
    created_at: str
    data: OutboundMessageBody


class ConsentChange(msgspec.Struct):
    """Something was said about consent. `id` is that of the entry in its history."""

    id: str
    type: Literal["consent.changed"]
    created_at: str
    data: ConsentChangedBody


class Happened(msgspec.Struct):
    """Something happened to what the organization has besides messages; only webhooks tell of it."""

    id: str
    type: str
    created_at: str
    data: dict[str, Any]


Envelope = MessageReceived | MessageStatus | ConsentChange | Happened
ENVELOPES = (MessageReceived, MessageStatus, ConsentChange)


def envelope(event: Event, urls: MediaUrls) -> Envelope:
    """The event as it is pushed: `id` is its place in the organization's order, and `created_at` the time in it."""
    created_at = rfc3339(position_of(event.id))
    if isinstance(event, Received):
        return MessageReceived(event.id, "message.received", created_at, message_body(event.message, urls, RECEIVED))
    if isinstance(event, StatusChanged):
        return MessageStatus(event.id, "message.status", created_at, outbound_body(event.message, urls, STATUS))
    if isinstance(event, AccountEvent):
        return Happened(event.id, event.type, created_at, dict(event.data))
    return ConsentChange(event.id, "consent.changed", created_at, changed_body(event))


def encode(event: Event, urls: MediaUrls, event_id: str | None = None) -> bytes:
    """The same as JSON, in one line; under another id where one is given, for what is told anew."""
    found = envelope(event, urls)
    if event_id is not None:
        found.id = event_id
    return encode_json(found)
