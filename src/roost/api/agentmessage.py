"""Dialect A (AgentMessage): an organization's inbound messages, by API key.

Parameters -> `InboxQuery`, page -> JSON. The wire shapes are the seed document's, key for key.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec

from roost.api import queries
from roost.api.bodies import invalid
from roost.core.ids import LAST_ID, floor_of, parse_uuid
from roost.core.inbox import InboxQuery, Page
from roost.core.message import Channel, InboundMessage
from roost.core.paging import InvalidCursor, decode_cursor, encode_cursor
from roost.core.times import rfc3339, rfc3339_short
from roost.errors import Refusal

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
INCLUDES = ("blocked", "recipients", "suspected")


class OptOut(msgspec.Struct, frozen=True, gc=False):
    """`keyword` is the canonical upper-case word, null when none was detected."""

    detected: bool
    keyword: str | None


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


class Meta(msgspec.Struct):
    """`total` and `offset` are always 0 under cursor paging; `limit` echoes the limit in force."""

    total: int
    limit: int
    offset: int
    next_cursor: str | None


class InboundMessageList(msgspec.Struct):
    success: Literal[True]
    data: list[InboundMessageBody]
    meta: Meta


class InboundMessageOne(msgspec.Struct):
    success: Literal[True]
    data: InboundMessageBody


class ListRequest(NamedTuple):
    """The query string of a list, checked; everything but the cursor, which needs a key to be read."""

    from_number: str | None = None
    to_number: str | None = None
    phone_number_id: str | None = None
    channel: Channel | None = None
    opt_out: bool | None = None
    since: int | None = None
    after: str | None = None
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    include: tuple[str, ...] = ()

    def binding(self, org_id: str) -> str:
        """What a cursor is good for: all but the limit and the extras."""
        return json.dumps([org_id, *self[:7]])

    def query(self, org_id: str, cursor_key: bytes) -> InboxQuery:
        """Newest first; after a given message, oldest first. Refuses a cursor that was made for another query."""
        above = floor_of(self.since or 0)
        below = LAST_ID
        ascending = self.after is not None
        if self.after is not None:
            above = max(above, self.after)
        if self.cursor is not None:
            try:
                seen = decode_cursor(cursor_key, self.binding(org_id), self.cursor)
            except InvalidCursor:
                raise invalid(
                    {"cursor": "must be a next_cursor of this list with the same filters; begin again without it"}
                ) from None
            above, below = (seen, below) if ascending else (above, seen)
        return InboxQuery(
            org_id=org_id,
            limit=self.limit,
            from_number=self.from_number,
            to_number=self.to_number,
            phone_number_id=self.phone_number_id,
            channel=self.channel,
            opt_out=self.opt_out,
            above=above,
            below=below,
            ascending=ascending,
        )


def parse_list(query_string: bytes) -> ListRequest:
    """Refuses with 422 and what to do about each parameter that is wrong: a misspelt filter must not widen the result.

    Pollers ask the same again and again, so that short query strings are read once.
    """
    return _parse_remembered(query_string) if len(query_string) <= 256 else _parse(query_string)


def _parse(query_string: bytes) -> ListRequest:
    values = queries.parse_query(query_string, _READERS)
    values.pop("offset", None)
    renamed = {_FIELDS.get(name, name): value for name, value in values.items()}
    return ListRequest(**renamed)


_parse_remembered = lru_cache(maxsize=4096)(_parse)


def list_body(page: Page, request: ListRequest, cursor_key: bytes) -> InboundMessageList:
    """One page in the envelope."""
    next_cursor = None
    if page.has_more:
        next_cursor = _cursor_after(cursor_key, request, page.messages[-1].org_id, page.messages[-1].id)
    data = [message_body(message, request.include) for message in page.messages]
    return InboundMessageList(True, data, Meta(0, request.limit, 0, next_cursor))


@lru_cache(maxsize=4096)
def _cursor_after(cursor_key: bytes, request: ListRequest, org_id: str, last_id: str) -> str:
    return encode_cursor(cursor_key, request.binding(org_id), last_id)


def one_body(message: InboundMessage, include: tuple[str, ...] = ()) -> InboundMessageOne:
    """A single message, in its documented envelope."""
    return InboundMessageOne(True, message_body(message, include))


def message_body(message: InboundMessage, include: tuple[str, ...] = ()) -> InboundMessageBody:
    """The seeded keys, and what `include` asks for."""
    (
        message_id, received_at, org_id, phone_number_id, _, from_number, to_number, text, channel, media, recipients,
        segment_count, keyword, suspected, carrier_message_id, carrier_received_at, *_,
    ) = message  # fmt: skip
    body = InboundMessageBody(
        message_id,
        org_id,
        phone_number_id,
        from_number,
        to_number,
        text,
        channel,
        media,
        segment_count,
        _opt_out(keyword),
        carrier_message_id,
        # A carrier that gave no time that can be read: ours stands in.
        rfc3339(received_at) if carrier_received_at is None else rfc3339_short(carrier_received_at),
        rfc3339(received_at),
    )
    if "blocked" in include:
        body.blocked = message.blocked
    if "suspected" in include:
        body.suspected = suspected
    if "recipients" in include:
        body.recipients = recipients or (to_number,)
    return body


def path_id(text: str) -> str:
    """A message's id in the path. Refuses with 400."""
    message_id = parse_uuid(text)
    if message_id is None:
        raise Refusal(400, "VALIDATION_FAILED", "validation failed", details={"id": "must be a UUID"})
    return message_id


def parse_include(query_string: bytes) -> tuple[str, ...]:
    """The `include` of a single message, the only parameter it takes. Refuses with 422."""
    include: tuple[str, ...] = queries.parse_query(query_string, {"include": _include}).get("include", ())
    return include


def not_found() -> Refusal:
    """Unknown, or another organization's: the same answer."""
    return Refusal(404, "NOT_FOUND", "not found")


@lru_cache(maxsize=256)
def _opt_out(keyword: str | None) -> OptOut:
    return OptOut(keyword is not None, keyword)


def _offset(text: str) -> int:
    if text != "0":
        raise ValueError("must be 0 or left out; go on with cursor")
    return 0


def _channel(text: str) -> str:
    if text not in ("sms", "mms"):
        raise ValueError("must be sms or mms")
    return text


def _include(text: str) -> tuple[str, ...]:
    names = tuple(sorted(set(text.split(","))))
    if not set(names) <= set(INCLUDES):
        raise ValueError(f"must be a list of {', '.join(INCLUDES)}, separated by commas")
    return names


_READERS: dict[str, Callable[[str], Any]] = {
    "cursor": queries.cursor,
    "limit": queries.limit(MAX_LIMIT),
    "offset": _offset,
    "from": queries.sender,
    "to": queries.sender,
    "phone_number_id": queries.uuid,
    "channel": _channel,
    "opt_out": queries.boolean,
    "since": queries.since,
    "after": queries.uuid,
    "include": _include,
}
_FIELDS = {"from": "from_number", "to": "to_number"}
