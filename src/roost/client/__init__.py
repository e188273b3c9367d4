"""The Python client of a Roost server: `Roost` and `AsyncRoost`. It imports nothing of the server.

from roost.client import Roost

with Roost("http://127.0.0.1:8080", api_key="am_live_...") as roost:
    sent = roost.messages.send("+14155551234", "Shall we say 3 pm?", from_number="+15551112222")
    reply = roost.messages.wait_for_reply(sent, timeout=600)
"""

from roost.client.clients import AsyncRoost, Roost
from roost.client.errors import (
    ApiError,
    BadRequest,
    BrokenAnswer,
    Conflict,
    ConnectionFailed,
    ConsentRequired,
    Forbidden,
    Gone,
    Invalid,
    InvalidSignature,
    NotFound,
    RateLimited,
    RoostError,
    ServerError,
    TimedOut,
    Unauthorized,
)
from roost.client.events import (
    ConsentChanged,
    Event,
    EventType,
    MessageReceived,
    MessageStatus,
    UnknownEvent,
    read_event,
)
from roost.client.inbound import BEGINNING
from roost.client.models import InboundMessage, OutboundMessage
from roost.client.retry import Retry
from roost.client.webhooks import verify_webhook

__all__ = [
    "BEGINNING",
    "ApiError",
    "AsyncRoost",
    "BadRequest",
    "BrokenAnswer",
    "Conflict",
    "ConnectionFailed",
    "ConsentChanged",
    "ConsentRequired",
    "Event",
    "EventType",
    "Forbidden",
    "Gone",
    "InboundMessage",
    "Invalid",
    "InvalidSignature",
    "MessageReceived",
    "MessageStatus",
    "NotFound",
    "OutboundMessage",
    "RateLimited",
    "Retry",
    "Roost",
    "RoostError",
    "ServerError",
    "TimedOut",
    "Unauthorized",
    "UnknownEvent",
    "read_event",
    "verify_webhook",
]
