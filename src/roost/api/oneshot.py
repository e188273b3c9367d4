"""Dialect B (OneShot): an agent's own inbox, by wallet.

Parameters -> `InboxQuery`, page -> JSON. The wire shapes are the seed document's, key for key.
"""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import parse_qs

import msgspec

from roost.api.listing import MAX_WAIT
from roost.core.ids import floor_of, parse_ulid, ulid_of
from roost.core.inbox import InboxQuery, Page
from roost.core.media_urls import MediaUrls
from roost.core.message import SHORT_REMEMBERED, InboundMessage
from roost.core.numbers import is_sender, repair_plus
from roost.core.times import parse_any_instant, rfc3339
from roost.errors import Refusal

DEFAULT_LIMIT, MAX_LIMIT = 50, 100
#: Messages are gone after this, at the minute, also where the organization keeps longer for dialect A.
RETENTION_US = 30 * 24 * 3600 * 1_000_000

_MINUTE_US = 60 * 1_000_000
_PREFIX = "msg_"


class InboxMessage(msgspec.Struct, frozen=True, gc=False, rename={"from_number": "from", "to_number": "to"}):
    """An inbound message; `media_urls` is null when there is no media."""

    id: str
    from_number: str
    to_number: str
    body: str
    num_media: int
    media_urls: tuple[str, ...] | None
    thread_id: str | None
    related_outbound_id: str | None
    received_at: str
    created_at: str


class Inbox(msgspec.Struct):
    """`count` is the number of messages in this answer."""

    messages: list[InboxMessage]
    count: int


def parse_list(query_string: bytes, org_id: str, agent_id: str, now_us: int) -> InboxQuery:
    """Newest first. With `since`, the oldest that came after it, so that a poller who goes on from there loses none.

    Unknown parameters are ignored, as in the original. Refuses with 400 `invalid_request`.
    """
    values = parse_qs(query_string.decode("latin-1"), keep_blank_values=True)
    since = _since(values["since"][-1]) if "since" in values else None
    oldest = now_us - RETENTION_US
    # Without `since` the bound is moved by whole minutes, so that the same question stays the same query for a while;
    # what has run out since is at the end of the page and left out of it below.
    above = oldest // _MINUTE_US * _MINUTE_US if since is None else max(oldest, since + 1)
    return InboxQuery(
        org_id=org_id,
        agent_id=agent_id,
        limit=limit_of(values),
        from_number=_sender(values["from"][-1]) if "from" in values else None,
        # Strictly after `since`, whose own microsecond is therefore left out.
        above=floor_of(above),
        ascending=since is not None,
    )


def wait_of(query_string: bytes) -> int:
    """How many seconds the answer may wait for something new: ours. Refuses with 400 `invalid_request`."""
    if b"wait=" not in query_string:
        return 0
    text = parse_qs(query_string.decode("latin-1")).get("wait", ["0"])[-1]
    if not (text.isascii() and text.isdigit()):
        raise _invalid(f"wait must be a whole number of seconds; more than {MAX_WAIT} counts as {MAX_WAIT}.")
    return min(int(text[-9:]), MAX_WAIT) if len(text) <= 9 else MAX_WAIT


def new_after(query: InboxQuery, now_us: int) -> str:
    """After which id a message is new to who waits for one."""
    return max(query.above, floor_of(now_us - RETENTION_US))


def list_body(page: Page, query: InboxQuery, now_us: int, urls: MediaUrls) -> Inbox:
    """Always listed newest first."""
    listed = reversed(page.messages) if query.ascending else page.messages
    messages = [message_body(message, urls) for message in listed if message.received_at >= now_us - RETENTION_US]
    return Inbox(messages, len(messages))


def limit_of(values: Mapping[str, list[str]]) -> int:
    """The page size that a query asks for. Refuses with 400 `invalid_request`."""
    return _limit(values["limit"][-1]) if "limit" in values else DEFAULT_LIMIT


def message_body(message: InboundMessage, urls: MediaUrls) -> InboxMessage:
    """The seeded keys."""
    if message.is_short:
        return _short_body(message)
    return _body(message, urls.of(message.org_id, message.id, message.media) if message.media else None)


def _body(message: InboundMessage, media_urls: tuple[str, ...] | None) -> InboxMessage:
    received_at = rfc3339(message.received_at)
    return InboxMessage(
        public_id(message.id),
        message.from_number,
        message.to_number,
        message.body,
        len(message.media),
        media_urls,
        public_id(message.thread_id) if message.thread_id else None,
        public_id(message.related_outbound_id) if message.related_outbound_id else None,
        received_at,
        received_at,
    )


@lru_cache(maxsize=SHORT_REMEMBERED)
def _short_body(message: InboundMessage) -> InboxMessage:
    return _body(message, None)


def public_id(message_id: str) -> str:
    """`msg_` and the same 128 bits as a ULID."""
    return _PREFIX + ulid_of(message_id)


def path_id(text: str) -> str:
    """A message's id in the path; one that cannot be ours is not found."""
    message_id = parse_ulid(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) else None
    if message_id is None:
        raise not_found()
    return message_id


def is_visible(message: InboundMessage, agent_id: str, now_us: int) -> bool:
    """Whether the message came to this agent and is not past its retention."""
    return message.agent_id == agent_id and message.received_at >= now_us - RETENTION_US


def not_found() -> Refusal:
    """Unknown, gone, or another agent's: the same answer."""
    return Refusal(404, "not_found", "Message not found: it may be another agent's, or older than 30 days.")


def _invalid(message: str) -> Refusal:
    return Refusal(400, "invalid_request", message)


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and text.strip("0")):
        raise _invalid(f"limit must be a positive whole number; more than {MAX_LIMIT} counts as {MAX_LIMIT}.")
    significant = text.lstrip("0")
    return min(int(significant), MAX_LIMIT) if len(significant) <= 3 else MAX_LIMIT


def _since(text: str) -> int:
    try:
        return parse_any_instant(text)
    except (ValueError, OverflowError):
        raise _invalid("since must be an ISO 8601 time such as 2024-01-15T10:30:00Z.") from None


def _sender(text: str) -> str:
    sender = repair_plus(text)
    if not is_sender(sender):
        raise _invalid("from must be a sender's phone number such as +14155551234 (write + as %2B).")
    return sender
