"""Dialect A's outbound side: a body to a `Send`, an outbound message or a thread to JSON."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from roost.api.bodies import Fields, PhoneNumber, e164, one_of, string
from roost.api.listing import Asked, ListMeta, parse_list
from roost.api.queries import Readers, limit, sender, some_of
from roost.core.ids import parse_uuid
from roost.core.media import UPLOAD_PREFIX
from roost.core.media_urls import MediaUrls
from roost.core.message import Channel
from roost.core.outbound import MAX_MEDIA, MAX_TAG, MAX_TEXT, STATUSES, OutboundMessage, Priority, Send, Status
from roost.core.times import rfc3339, rfc3339_short
from roost.store.outbound import OutboundQuery, Thread, ThreadMessage

MAX_URL = 4096
_TOO_MANY = f"must be a list of at most {MAX_MEDIA} URLs or ids"


class SendBody(msgspec.Struct, forbid_unknown_fields=True, rename={"from_number": "from", "to_number": "to"}):
    """A text to send, which only media may be without. `media`, which make it an MMS, are public URLs or ids of
    uploads; `media_id` is one such id alone.
    """

    from_number: PhoneNumber
    to_number: PhoneNumber
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)] = ""
    media: Annotated[list[str], msgspec.Meta(max_length=MAX_MEDIA)] = []
    media_id: UUID | None = None
    priority: Priority = "default"
    tag: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TAG)] | None = None


class AcceptedBody(msgspec.Struct, rename={"from_number": "from", "to_number": "to"}):
    """A message that was accepted; it is sent afterwards."""

    id: str
    from_number: str
    to_number: str
    text: str
    channel: Channel
    priority: Priority
    status: Status
    tag: str | None
    created_at: str


class ErrorBody(msgspec.Struct):
    """Why a message failed; the carrier's own code and words, or ours."""

    code: str
    description: str | None


class OutboundMessageBody(
    msgspec.Struct,
    rename={"from_number": "from", "to_number": "to", "carrier_message_id": "bandwidth_message_id"},
):
    """An outbound message. `bandwidth_message_id` is the carrier's id, whichever carrier it is."""

    id: str
    from_number: str
    to_number: str
    text: str
    channel: Channel
    priority: Priority
    status: Status
    tag: str | None
    created_at: str
    carrier_message_id: str | None
    segment_count: int
    sent_at: str | None
    delivered_at: str | None
    error: ErrorBody | msgspec.UnsetType | None = msgspec.UNSET
    media_urls: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    thread_id: str | msgspec.UnsetType = msgspec.UNSET


class Accepted(msgspec.Struct):
    success: Literal[True]
    data: AcceptedBody


class OutboundMessageOne(msgspec.Struct):
    success: Literal[True]
    data: OutboundMessageBody


class OutboundMessageList(msgspec.Struct):
    success: Literal[True]
    data: list[OutboundMessageBody]
    meta: ListMeta


class ThreadBody(msgspec.Struct):
    """A thread: what one of our numbers and a contact wrote to each other without a break of 24 hours."""

    id: str
    phone_number_id: str
    number: str
    contact_number: str
    started_at: str
    last_message_at: str


class ThreadMessageBody(msgspec.Struct, rename={"from_number": "from", "to_number": "to"}):
    """A message of a thread; `status` is null for an inbound one, `related_outbound_id` for an outbound one."""

    id: str
    direction: Literal["inbound", "outbound"]
    from_number: str
    to_number: str
    text: str
    channel: Channel
    media_urls: tuple[str, ...]
    status: Status | None
    related_outbound_id: str | None
    created_at: str


class ThreadList(msgspec.Struct):
    success: Literal[True]
    data: list[ThreadBody]
    meta: ListMeta


class ThreadMessageList(msgspec.Struct):
    success: Literal[True]
    data: list[ThreadMessageBody]
    meta: ListMeta


def parse_send(values: dict[str, Any], org_id: str) -> Send:
    """Refuses with 422 and what to do about each field."""
    fields = Fields(values)
    no_media: tuple[str, ...] = ()
    media = fields.take("media", _media, no_media) + fields.take("media_id", _media_id, no_media)
    if len(media) > MAX_MEDIA:
        fields.details["media"] = _TOO_MANY
    send = Send(
        org_id=org_id,
        from_number=fields.need("from", e164, ""),
        to_number=fields.need("to", e164, ""),
        # A picture needs no words.
        body=fields.take("text", string(0, MAX_TEXT), "") if media else fields.need("text", string(1, MAX_TEXT), ""),
        media=media,
        priority=fields.take("priority", one_of("default", "high"), "default"),
        tag=fields.take("tag", string(1, MAX_TAG), None),
    )
    if send.from_number and send.from_number == send.to_number:
        fields.details["to"] = "must be another number than from"
    fields.check()
    return send


def parse_messages_list(query_string: bytes) -> Asked:
    """`GET /v1/messages`. Refuses with 422; an unknown parameter too."""
    return parse_list(query_string, _MESSAGE_READERS, 50)


def parse_threads_list(query_string: bytes) -> Asked:
    """`GET /v1/threads`."""
    return parse_list(query_string, {"contact_number": sender, "limit": limit(100)}, 20)


def parse_thread_messages(query_string: bytes) -> Asked:
    """`GET /v1/threads/{id}/messages`."""
    return parse_list(query_string, {"limit": limit(200)}, 50)


def parse_message_include(query_string: bytes) -> tuple[str, ...]:
    """The `include` of a single message, the only parameter it takes."""
    return parse_list(query_string, {"include": _include}, 1, paged=False).include


def outbound_query(asked: Asked, org_id: str, below: str) -> OutboundQuery:
    """The store's query."""
    filters = asked.filters
    return OutboundQuery(
        org_id, asked.limit, filters.get("status"), filters.get("from"), filters.get("to"), filters.get("tag"), below
    )


def accepted_body(message: OutboundMessage) -> Accepted:
    """The documented nine keys."""
    return Accepted(
        True,
        AcceptedBody(
            message.id,
            message.from_number,
            message.to_number,
            message.body,
            message.channel,
            message.priority,
            message.status,
            message.tag,
            rfc3339(message.created_at),
        ),
    )


def outbound_body(message: OutboundMessage, urls: MediaUrls, include: tuple[str, ...] = ()) -> OutboundMessageBody:
    """The documented keys, and what `include` asks for."""
    body = OutboundMessageBody(
        message.id,
        message.from_number,
        message.to_number,
        message.body,
        message.channel,
        message.priority,
        message.status,
        message.tag,
        rfc3339(message.created_at),
        message.carrier_message_id,
        message.segment_count,
        None if message.sent_at is None else rfc3339_short(message.sent_at),
        None if message.delivered_at is None else rfc3339_short(message.delivered_at),
    )
    if "error" in include:
        body.error = ErrorBody(message.error_code, message.error_description) if message.error_code else None
    if "media_urls" in include:
        body.media_urls = urls.outbound(message.org_id, message.id, message.media)
    if "thread_id" in include:
        body.thread_id = message.thread_id
    return body


def thread_body(thread: Thread) -> ThreadBody:
    """A thread as JSON."""
    return ThreadBody(
        thread.id,
        thread.phone_number_id,
        thread.number,
        thread.contact_number,
        rfc3339(thread.started_at),
        rfc3339(thread.last_message_at),
    )


def thread_message_body(message: ThreadMessage, org_id: str, urls: MediaUrls) -> ThreadMessageBody:
    """A message of a thread as JSON."""
    show = urls.of if message.direction == "inbound" else urls.outbound
    return ThreadMessageBody(
        message.id,
        "inbound" if message.direction == "inbound" else "outbound",
        message.from_number,
        message.to_number,
        message.body,
        "mms" if message.channel == "mms" else "sms",
        show(org_id, message.id, message.media),
        message.status,
        message.related_outbound_id,
        rfc3339(message.at),
    )


def _media(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not len(value) <= MAX_MEDIA:
        raise ValueError(_TOO_MANY)
    return tuple(map(_medium, value))


def _medium(value: Any) -> str:
    if isinstance(value, str) and _is_url(value):
        return value
    media_id = parse_uuid(value) if isinstance(value, str) else None
    if media_id is None:
        raise ValueError("must be public http or https URLs, or ids of uploaded media")
    return UPLOAD_PREFIX + media_id


def _media_id(value: Any) -> tuple[str, ...]:
    media_id = parse_uuid(value) if isinstance(value, str) else None
    if media_id is None:
        raise ValueError("must be the id of an uploaded medium")
    return (UPLOAD_PREFIX + media_id,)


def _is_url(text: str) -> bool:
    if len(text) > MAX_URL or not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _tag(text: str) -> str:
    if not 1 <= len(text) <= MAX_TAG or "\x00" in text:
        raise ValueError(f"must be 1..{MAX_TAG} chars")
    return text


INCLUDES = ("error", "media_urls", "thread_id")
_include = some_of(*INCLUDES)
_MESSAGE_READERS: Readers = {
    "limit": limit(200),
    "status": one_of(*STATUSES),
    "from": sender,
    "to": sender,
    "tag": _tag,
    "include": _include,
}
