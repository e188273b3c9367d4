"""What readers follow: the events of one organization, in its one order, and which of them somebody wants."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from roost.core.consent import Consent
from roost.core.consent import Event as ConsentStep
from roost.core.message import Channel, InboundMessage
from roost.core.outbound import OutboundMessage

EventType = Literal["message.received", "message.status", "consent.changed"]
EVENT_TYPES: tuple[EventType, ...] = ("message.received", "message.status", "consent.changed")


class Received(NamedTuple):
    """A text came. The event's id is the message's own."""

    id: str
    message: InboundMessage
    type: EventType = "message.received"


class StatusChanged(NamedTuple):
    """A carrier, a worker or somebody of the organization moved an outbound message on.

    `message` is as it stood then, but for its words and media, which are as they are now.
    """

    id: str
    message: OutboundMessage
    type: EventType = "message.status"


class ConsentChanged(NamedTuple):
    """Something was said about consent. The event's id is the ledger entry's own, and `consent` is as it stood then.

    `message_id` is the inbound message that is the evidence.
    """

    id: str
    consent: Consent
    event: ConsentStep
    keyword: str | None
    consent_method: str | None
    message_id: str | None
    type: EventType = "consent.changed"


class AccountEvent(NamedTuple):
    """Something happened to what the organization has besides messages, such as `api_key.created`. Webhook endpoints may be told
    of it, and nobody else is."""

    id: str
    type: str
    subject_id: str
    data: Mapping[str, Any]


Event = Received | StatusChanged | ConsentChanged | AccountEvent


def number_of(event: Event) -> str | None:
    """The id of our number that it is about."""
    if isinstance(event, AccountEvent):
        return None
    return event.consent.phone_number_id if isinstance(event, ConsentChanged) else event.message.phone_number_id


class Interest(NamedTuple):
    """Which events somebody wants. A filter of None does not filter; an event that lacks what is asked about does not match.

    `agent_id` narrows to the agent's own messages. `blocked` takes texts of blocked senders too, which are never pushed.
    """

    types: frozenset[str] = frozenset(EVENT_TYPES)
    agent_id: str | None = None
    from_number: str | None = None
    to_number: str | None = None
    phone_number_id: str | None = None
    channel: Channel | None = None
    opt_out: bool | None = None
    blocked: bool = False

    def matches(self, event: Event) -> bool:
        """Whether the event is wanted."""
        if event.type not in self.types:
            return False
        if isinstance(event, ConsentChanged | AccountEvent):
            asks_of_messages = (self.agent_id, self.from_number, self.to_number, self.channel, self.opt_out)
            return asks_of_messages == _NOTHING and self.phone_number_id in (None, number_of(event))
        message = event.message
        if isinstance(message, InboundMessage):
            if message.blocked and not self.blocked:
                return False
            if self.opt_out not in (None, message.opt_out_keyword is not None):
                return False
        elif self.opt_out is not None:
            return False
        return (
            self.agent_id in (None, message.agent_id)
            and self.from_number in (None, message.from_number)
            and self.to_number in (None, message.to_number)
            and self.phone_number_id in (None, message.phone_number_id)
            and self.channel in (None, message.channel)
        )


_NOTHING = (None,) * 5
EVERYTHING = Interest()
