"""Dialect A (AgentMessage): an organization's inbound messages, by API key.

Parameters -> `InboxQuery`, page -> JSON. The wire shapes are the seed document's, key for key.
"""

from functools import lru_cache
from typing import Literal

import msgspec

from roost.api import listing, queries
from roost.api.bodies import one_of, uuid
from roost.api.listing import Asked, ListMeta
from roost.core.ids import FIRST_ID, LAST_ID, floor_of
from roost.core.inbox import InboxQuery, Page
from roost.core.media_urls import MediaUrls
from roost.core.message import SHORT_REMEMBERED, Channel, InboundMessage
from roost.core.otp import find_otp
from roost.core.times import rfc3339, rfc3339_short

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
INCLUDES = ("agent_id", "blocked", "otp", "recipients", "related_outbound_id", "suspected", "thread_id")
LIST = "inbound messages"


class OptOut(msgspec.Struct, frozen=True, gc=False):
    """`keyword` is the canonical upper-case word, null when none was detected."""

    detected: bool
    keyword: str | None


class OtpBody(msgspec.Struct, frozen=True):
    """A one-time code as one types it; the service's name and the domain where the text has them."""

    code: str
    service: str | None
    domain: str | None


class InboundMessageBody(
    msgspec.Struct,
    gc=False,
    rename={
        "from_number": "from",
        "to_number": "to",
        "carrier_message_id": "bandwidth_message_id",
        "carrier_received_at": "bandwidth_received_at",
    },
):
    """An inbound message. The two `bandwidth_` fields are the carrier's id and time, whichever carrier it was."""

    id: str
    org_id: str
    phone_number_id: str
    from_number: str
    to_number: str
    body: str
    channel: Channel
    media_urls: tuple[str, ...]
    segment_count: int
    opt_out: OptOut
    carrier_message_id: str
    carrier_received_at: str
    received_at: str
    blocked: bool | msgspec.UnsetType = msgspec.UNSET
    suspected: bool | msgspec.UnsetType = msgspec.UNSET
    recipients: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    otp: OtpBody | msgspec.UnsetType | None = msgspec.UNSET
    thread_id: str | msgspec.UnsetType | None = msgspec.UNSET
    related_outbound_id: str | msgspec.UnsetType | None = msgspec.UNSET
    agent_id: str | msgspec.UnsetType | None = msgspec.UNSET


class InboundMessageList(msgspec.Struct):
    success: Literal[True]
    data: list[InboundMessageBody]
    meta: ListMeta


class InboundMessageOne(msgspec.Struct):
    success: Literal[True]
    data: InboundMessageBody


def parse_list(query_string: bytes) -> Asked:
    """Refuses with 422 and what to do about each parameter that is wrong: a misspelt filter must not widen the result.

    Pollers ask the same again and again, so that short query strings are read once.
    """
    return _parse_remembered(query_string) if len(query_string) <= 256 else _parse(query_string)


def _parse(query_string: bytes) -> Asked:
    return listing.parse_list(query_string, _READERS, DEFAULT_LIMIT)


_parse_remembered = lru_cache(maxsize=4096)(_parse)


def inbox_query(asked: Asked, org_id: str, cursor_key: bytes) -> InboxQuery:
    """Newest first; after a given message, oldest first. Refuses a cursor that was made for another query."""
    filters = asked.filters
    above, below = max(floor_of(filters.get("since", 0)), filters.get("after", FIRST_ID)), LAST_ID
    ascending = "after" in filters
    if ascending:
        above = asked.seen(cursor_key, LIST, org_id, above)
    else:
        below = asked.seen(cursor_key, LIST, org_id)
    return InboxQuery(
        org_id=org_id,
        limit=asked.limit,
        from_number=filters.get("from"),
        to_number=filters.get("to"),
        phone_number_id=filters.get("phone_number_id"),
        channel=filters.get("channel"),
        opt_out=filters.get("opt_out"),
        above=above,
        below=below,
        ascending=ascending,
    )


def new_after(asked: Asked, query: InboxQuery) -> str | None:
    """After which id a message is new to who waits for one; None: the page is of the past, to which nothing comes.

    `since` is inclusive, and repeats the one message that is known already: it is not new.
    """
    if query.ascending:
        return query.above
    if asked.cursor is not None:
        return None
    return floor_of(asked.filters["since"] + 1) if "since" in asked.filters else FIRST_ID


def list_body(page: Page, asked: Asked, org_id: str, cursor_key: bytes, urls: MediaUrls) -> InboundMessageList:
    """One page in the envelope."""
    data = [message_body(message, urls, asked.include) for message in page.messages]
    last_id = page.messages[-1].id if page.has_more else None
    return InboundMessageList(True, data, asked.meta_after(cursor_key, LIST, org_id, last_id))


def one_body(message: InboundMessage, urls: MediaUrls, include: tuple[str, ...] = ()) -> InboundMessageOne:
    """A single message, in its documented envelope."""
    return InboundMessageOne(True, message_body(message, urls, include))


def message_body(message: InboundMessage, urls: MediaUrls, include: tuple[str, ...] = ()) -> InboundMessageBody:
    """The seeded keys, and what `include` asks for."""
    if message.is_short and not include:
        return _short_body(message)
    body = _body(message, urls.of(message.org_id, message.id, message.media) if message.media else ())
    _add(body, message, include)
    return body


def _body(message: InboundMessage, media_urls: tuple[str, ...]) -> InboundMessageBody:
    (
        message_id, received_at, org_id, phone_number_id, _, from_number, to_number, text, channel, _, _,
        segment_count, keyword, _, carrier_message_id, carrier_received_at, *_,
    ) = message  # fmt: skip
    return InboundMessageBody(
        message_id,
        org_id,
        phone_number_id,
        from_number,
        to_number,
        text,
        channel,
        media_urls,
        segment_count,
        _opt_out(keyword),
        carrier_message_id,
        # A carrier that gave no time that can be read: ours stands in.
        rfc3339(received_at) if carrier_received_at is None else rfc3339_short(carrier_received_at),
        rfc3339(received_at),
    )


@lru_cache(maxsize=SHORT_REMEMBERED)
def _short_body(message: InboundMessage) -> InboundMessageBody:
    return _body(message, ())


def _add(body: InboundMessageBody, message: InboundMessage, include: tuple[str, ...]) -> None:
    if "agent_id" in include:
        body.agent_id = message.agent_id
    if "blocked" in include:
        body.blocked = message.blocked
    if "otp" in include:
        found = find_otp(message.body)
        body.otp = None if found is None else OtpBody(*found)
    if "recipients" in include:
        body.recipients = message.recipients or (message.to_number,)
    if "related_outbound_id" in include:
        body.related_outbound_id = message.related_outbound_id
    if "suspected" in include:
        body.suspected = message.suspected
    if "thread_id" in include:
        body.thread_id = message.thread_id


def parse_include(query_string: bytes) -> tuple[str, ...]:
    """The `include` of a single message, the only parameter it takes. Refuses with 422."""
    return listing.parse_list(query_string, {"include": _include}, 1, paged=False).include


@lru_cache(maxsize=256)
def _opt_out(keyword: str | None) -> OptOut:
    return OptOut(keyword is not None, keyword)


_include = queries.some_of(*INCLUDES)
_READERS: queries.Readers = {
    "limit": queries.limit(MAX_LIMIT),
    "from": queries.sender,
    "to": queries.sender,
    "phone_number_id": uuid,
    "channel": one_of("sms", "mms"),
    "opt_out": queries.boolean,
    "since": queries.since,
    "after": uuid,
    "include": _include,
    "wait": queries.seconds(listing.MAX_WAIT),
}
