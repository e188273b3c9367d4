"""Events: what happened, as it is pushed by the stream and by webhooks alike."""

from datetime import datetime
from typing import Any, ClassVar, Literal, get_args

import msgspec

from roost.client.models import Consent, InboundMessage, OutboundMessage
from roost.client.resource import decoded

EventType = Literal["message.received", "message.status", "consent.changed"]


class ConsentChange(Consent, frozen=True, kw_only=True):
    """A consent as it stood then, and what was said about it; `message_id` is the inbound message that is the evidence."""

    event: str
    keyword: str | None = None
    consent_method: str | None = None
    message_id: str | None = None


class MessageReceived(msgspec.Struct, frozen=True, tag_field="type", tag="message.received"):
    """A text came."""

    type: ClassVar[EventType] = "message.received"

    id: str
    created_at: datetime
    data: InboundMessage


class MessageStatus(msgspec.Struct, frozen=True, tag_field="type", tag="message.status"):
    """An outbound message went on; `data` is as it stood then."""

    type: ClassVar[EventType] = "message.status"

    id: str
    created_at: datetime
    data: OutboundMessage


class ConsentChanged(msgspec.Struct, frozen=True, tag_field="type", tag="consent.changed"):
    """Something was said about consent."""

    type: ClassVar[EventType] = "consent.changed"

    id: str
    created_at: datetime
    data: ConsentChange


class UnknownEvent(msgspec.Struct, frozen=True):
    """Of a type that this client does not know; a newer server's."""

    id: str
    type: str
    created_at: datetime
    data: dict[str, Any]


Event = MessageReceived | MessageStatus | ConsentChanged | UnknownEvent
_KNOWN = frozenset(get_args(EventType))


class _Typed(msgspec.Struct):
    type: str


def read_event(body: bytes) -> Event:
    """The event in a frame of the stream, or in a webhook's body that was verified when it came. Raises BrokenAnswer."""
    if decoded(body, _Typed).type not in _KNOWN:
        return decoded(body, UnknownEvent)
    known: Event = decoded(body, MessageReceived | MessageStatus | ConsentChanged)  # type: ignore[arg-type]
    return known
