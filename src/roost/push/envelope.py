"""The one shape of everything that is pushed, whichever way it goes out: `{"id", "type", "created_at", "data"}`."""

import msgspec

from roost.api.agentmessage import InboundMessageBody, message_body
from roost.api.consent_bodies import ConsentChangedBody, changed_body
from roost.api.http import encode_json
from roost.api.outbound import OutboundMessageBody, outbound_body
from roost.core.events import Event, EventType, Received, StatusChanged
from roost.core.ids import position_of
from roost.core.media_urls import MediaUrls
from roost.core.times import rfc3339

#: What a pushed message tells beyond its documented fields; each is an `include` of the dialect's own.
RECEIVED = ("agent_id", "otp", "related_outbound_id", "suspected", "thread_id")
STATUS = ("error", "thread_id")


class Envelope(msgspec.Struct):
    """An event. `id` is its place in the organization's order, and `created_at` the time in it.

    `data` is dialect A's inbound message, its outbound message, or its consent with what was said about it.
    """

    id: str
    type: EventType
    created_at: str
    data: InboundMessageBody | OutboundMessageBody | ConsentChangedBody


def envelope(event: Event, urls: MediaUrls) -> Envelope:
    """The event as it is pushed."""
    return Envelope(event.id, event.type, rfc3339(position_of(event.id)), _data(event, urls))


def encode(event: Event, urls: MediaUrls) -> bytes:
    """The same as JSON, in one line."""
    return encode_json(envelope(event, urls))


def _data(event: Event, urls: MediaUrls) -> InboundMessageBody | OutboundMessageBody | ConsentChangedBody:
    if isinstance(event, Received):
        return message_body(event.message, urls, RECEIVED)
    if isinstance(event, StatusChanged):
        return outbound_body(event.message, urls, STATUS)
    return changed_body(event)
