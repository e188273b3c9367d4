"""Outbound messages: what is sent, and how far it has come."""

from typing import Literal, NamedTuple

from roost.core.message import Channel

Status = Literal["queued", "sending", "sent", "delivered", "undelivered", "failed"]
Priority = Literal["default", "high"]
Purpose = Literal["message", "auto_reply", "double_opt_in"]

STATUSES: tuple[Status, ...] = ("queued", "sending", "sent", "delivered", "failed", "undelivered")
#: Nobody knows yet whether a carrier takes it.
UNSETTLED: tuple[Status, ...] = ("queued", "sending")
MAX_TEXT = 1600
MAX_TAG = 64
MAX_MEDIA = 10
THREAD_US = 24 * 3600 * 1_000_000
"""A thread lives this long after its last message, and a reply answers what was sent no longer ago than this."""

_RANKS: dict[str, int] = {"queued": 0, "sending": 1, "sent": 2, "delivered": 3, "undelivered": 3, "failed": 3}
#: A carrier's word for what became of a message -> our status; a word that is not here changes nothing.
_FROM_EVENT: dict[str, Status] = {
    "sending": "sending",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
}


class OutboundMessage(NamedTuple):
    """A stored outbound message. Times are microseconds since 1970; `created_at` is the position that `id` encodes."""

    id: str
    created_at: int
    org_id: str
    phone_number_id: str
    carrier_account_id: str
    agent_id: str | None
    request_id: str | None
    from_number: str
    to_number: str
    body: str
    channel: Channel
    media: tuple[str, ...]
    priority: Priority
    tag: str | None
    purpose: Purpose
    status: Status
    error_code: str | None
    error_description: str | None
    segment_count: int
    carrier_message_id: str | None
    sent_at: int | None
    delivered_at: int | None
    thread_id: str


class Send(NamedTuple):
    """One text to one contact, as it was asked for and checked for form."""

    org_id: str
    from_number: str
    to_number: str
    body: str
    media: tuple[str, ...] = ()
    priority: Priority = "default"
    tag: str | None = None
    agent_id: str | None = None
    """The agent that sends, which must hold the number; None: the organization."""
    request_id: str | None = None
    purpose: Purpose = "message"
    expires_at: int | None = None
    """The carrier must have it by then, or it never leaves."""


def advanced(status: Status, event: str) -> Status:
    """The status after the carrier said `event`: it never moves backwards, and what is final stays as it is."""
    reached = _FROM_EVENT.get(event)
    return reached if reached is not None and _RANKS[reached] > _RANKS[status] else status


def is_final(status: Status) -> bool:
    """Whether nothing more will become of it."""
    return _RANKS[status] == 3
