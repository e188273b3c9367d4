"""What a carrier tells us, and what we make of it."""

import hashlib
from typing import Literal, NamedTuple

from roost.core.media import MAX_MEDIA
from roost.core.optout import Keyword, is_suspected, keyword
from roost.core.segments import segments
from roost.core.text import storable

Channel = Literal["sms", "mms"]

# An index entry of PostgreSQL holds 2,704 bytes at most, so what is indexed is bounded.
MAX_INDEXED = 255
MAX_SEGMENTS = 1000
#: How many characters a short text has: most carriers take no longer ones.
MAX_SHORT = 1600
#: Of how many short texts it is remembered what was made of them: 8 MiB, if they have 140 characters.
SHORT_REMEMBERED = 4096


class InboundEvent(NamedTuple):
    """A text as the carrier delivered it, in our words; its fields may be odd, `raw` is what came, to the byte."""

    carrier_message_id: str
    from_number: str
    to_numbers: tuple[str, ...]
    """Where it may have been sent to, likeliest first: the first that the account holds is the one."""
    body: str
    raw: bytes
    recipients: tuple[str, ...] = ()
    """Every number that a group text went to; empty unless there are several."""
    media: tuple[str, ...] = ()
    segment_count: int | None = None
    carrier_received_at: int | None = None
    is_mms: bool = False
    """The carrier says so; what has media or several recipients is one anyway."""
    understood: Keyword | None = None
    """What the carrier took it for and acted on: its own keywords may be more than ours."""


class ReceiptEvent(NamedTuple):
    """A delivery receipt (DLR): what the carrier says became of an outbound message."""

    carrier_message_id: str
    recipient: str
    event: str
    raw: bytes
    error_code: str | None = None
    description: str | None = None
    carrier_time: int | None = None
    tag: str | None = None
    """What we gave the carrier to say back: our own id of the message."""
    opted_out: bool = False
    """The carrier did not deliver it because the contact told it to stop."""


class UnknownEvent(NamedTuple):
    """Something authentic that could not be understood: kept for an operator to see."""

    reason: str
    raw: bytes


class PartEvent(NamedTuple):
    """One part of a text that the carrier delivers in several; `text` is the part as if it were all."""

    text: InboundEvent
    reference: str
    """What the parts of one text share, with their sender and number; a sender uses it again later."""
    total: int
    number: int
    """From 1."""


CarrierEvent = InboundEvent | ReceiptEvent | PartEvent | UnknownEvent


class Draft(NamedTuple):
    """An inbound message before its place is known: everything that can be decided from the text alone."""

    carrier_message_id: str
    from_number: str
    to_numbers: tuple[str, ...]
    recipients: tuple[str, ...]
    body: str
    channel: Channel
    media: tuple[str, ...]
    segment_count: int
    keyword: Keyword | None
    suspected: bool
    carrier_received_at: int | None
    raw: bytes

    @property
    def opt_out_keyword(self) -> str | None:
        """The canonical word, where the text is an opt-out."""
        return self.keyword.keyword if self.keyword is not None and self.keyword.kind == "opt_out" else None


class InboundMessage(NamedTuple):
    """A stored inbound message. Times are microseconds since 1970; `received_at` is the position that `id` encodes."""

    id: str
    received_at: int
    org_id: str
    phone_number_id: str
    agent_id: str | None
    from_number: str
    to_number: str
    body: str
    channel: Channel
    media: tuple[str, ...]
    recipients: tuple[str, ...]
    segment_count: int
    opt_out_keyword: str | None
    suspected: bool
    carrier_message_id: str
    carrier_received_at: int | None
    thread_id: str | None
    related_outbound_id: str | None
    blocked: bool
    """Whether its sender was on a block list."""

    @property
    def is_short(self) -> bool:
        """Without media and of few characters: what is made of it is small, and depends on nothing else."""
        return not (self.media or self.recipients) and len(self.body) <= MAX_SHORT


def draft(event: InboundEvent, opt_out_words: frozenset[str] = frozenset()) -> Draft | UnknownEvent:
    """Decide channel, segments and keyword of a text; a sender too long to index is kept as an unknown event.

    `opt_out_words` are those that the organization added.
    """
    sender = storable(event.from_number)
    if not sender or len(sender) > MAX_INDEXED:
        return UnknownEvent("malformed_sender", event.raw)
    body = storable(event.body)
    # Bandwidth counts one segment for any MMS and lists several recipients only there: a group text is an MMS.
    channel: Channel = "mms" if event.is_mms or event.media or len(event.recipients) > 1 else "sms"
    media = tuple(map(storable, event.media[:MAX_MEDIA])) if event.media else ()
    found = keyword(body, opt_out_words) or event.understood
    opted_out = found is not None and found.kind == "opt_out"
    return Draft(  # in the order of its fields: by their names it takes twice as long, for each text
        carrier_key(event.carrier_message_id, event.raw),
        sender,
        tuple([storable(number)[:MAX_INDEXED] for number in event.to_numbers]),
        tuple(map(storable, event.recipients)) if len(event.recipients) > 1 else (),
        body,
        channel,
        media,
        _segment_count(event.segment_count, channel, body),
        found,
        not opted_out and is_suspected(body),
        event.carrier_received_at,
        event.raw,
    )


def carrier_key(carrier_message_id: str, raw: bytes) -> str:
    """The carrier's id for one message, fit for an index; a missing one is never equal to another missing one."""
    if not carrier_message_id:
        return f"sha256:{hashlib.sha256(raw).hexdigest()}"
    text = storable(carrier_message_id)
    if len(text) > MAX_INDEXED:
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return text


def _segment_count(claimed: int | None, channel: Channel, body: str) -> int:
    if channel == "mms":
        return 1
    if claimed is not None and 1 <= claimed <= MAX_SEGMENTS:
        return claimed
    return segments(body).segment_count
