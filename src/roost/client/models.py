"""What the server tells, typed. A field that a newer server adds is ignored; one that comes by `include` is None without it."""

from datetime import datetime
from typing import Any, Literal

import msgspec

Channel = Literal["sms", "mms"]
Status = Literal["queued", "sending", "sent", "delivered", "undelivered", "failed"]
#: Nothing follows these.
FINAL_STATUSES: frozenset[Status] = frozenset({"delivered", "undelivered", "failed"})
Method = Literal["checkbox", "sms_keyword", "written", "verbal", "attested", "double_opt_in", "hosted_form"]

_ENDS = {"from_number": "from", "to_number": "to"}


class OptOut(msgspec.Struct, frozen=True):
    """`keyword` is the canonical upper-case word, None when none was detected."""

    detected: bool
    keyword: str | None


class Code(msgspec.Struct, frozen=True):
    """A one-time code as one types it; the service's name and the domain where the text has them."""

    code: str
    service: str | None
    domain: str | None


class FoundCode(Code, frozen=True, rename=_ENDS):
    """The newest one-time code of a number, and the text that it came in."""

    message_id: str
    from_number: str
    to_number: str
    received_at: datetime


class InboundMessage(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    rename={
        **_ENDS,
        "carrier_message_id": "bandwidth_message_id",
        "carrier_received_at": "bandwidth_received_at",
    },
):
    """A text that came. Everything after `received_at` comes by `include` only."""

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
    carrier_received_at: datetime
    received_at: datetime
    blocked: bool | None = None
    suspected: bool | None = None
    recipients: tuple[str, ...] | None = None
    otp: Code | None = None
    thread_id: str | None = None
    related_outbound_id: str | None = None
    agent_id: str | None = None


class SendError(msgspec.Struct, frozen=True):
    """Why a message failed; the carrier's own code and words, or ours."""

    code: str
    description: str | None


class OutboundMessage(
    msgspec.Struct, frozen=True, omit_defaults=True, rename={**_ENDS, "carrier_message_id": "bandwidth_message_id"}
):
    """A text that is sent. `send` answers without what is known afterwards; the last three come by `include` only."""

    id: str
    from_number: str
    to_number: str
    text: str
    channel: Channel
    priority: Literal["default", "high"]
    status: Status
    tag: str | None
    created_at: datetime
    carrier_message_id: str | None = None
    segment_count: int | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    error: SendError | None = None
    media_urls: tuple[str, ...] | None = None
    thread_id: str | None = None


class Thread(msgspec.Struct, frozen=True):
    """What one of our numbers and a contact wrote to each other without a break of 24 hours."""

    id: str
    phone_number_id: str
    number: str
    contact_number: str
    started_at: datetime
    last_message_at: datetime


class ThreadMessage(msgspec.Struct, frozen=True, rename=_ENDS):
    """A message of a thread; `status` is None for an inbound one, `related_outbound_id` for an outbound one."""

    id: str
    direction: Literal["inbound", "outbound"]
    from_number: str
    to_number: str
    text: str
    channel: Channel
    media_urls: tuple[str, ...]
    status: Status | None
    related_outbound_id: str | None
    created_at: datetime


class Number(msgspec.Struct, frozen=True, omit_defaults=True):
    """A number of ours. The last three come by `include` only."""

    id: str
    number: str
    number_type: Literal["local", "toll_free", "short_code"]
    inbound_url: str | None
    status_url: str | None
    label: str
    campaign_id: str | None
    sms_enabled: bool
    mms_enabled: bool
    created_at: datetime
    updated_at: datetime
    agent: str | None = None
    carrier_account_id: str | None = None
    segments_per_second: float | None = None


class Consent(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a contact last told one of our numbers. The last two come with `record` only."""

    id: str
    org_id: str
    phone_number_id: str
    contact_number: str
    opted_in: bool
    opted_in_at: datetime | None
    opted_out_at: datetime | None
    source: str
    created_at: datetime
    updated_at: datetime
    agreement_text_hash: str | None = None
    already_opted_in: bool | None = None


class ConsentEvent(msgspec.Struct, frozen=True):
    """An entry of a consent's ledger; `raw_event_id` is the inbound message that is the evidence."""

    id: str
    event: str
    source: str
    keyword: str | None
    consent_method: str | None
    raw_event_id: str | None
    occurred_at: datetime
    agreement_text_hash: str | None
    evidence_captured_at: datetime | None
    evidence_ip_address: str | None
    evidence_user_agent: str | None
    evidence_agreement_text: str | None
    evidence_form_url: str | None


class Challenge(msgspec.Struct, frozen=True):
    """A double opt-in. `reused`: one was open already, and no second text is sent."""

    consent_pending_id: str | None
    confirmation_message_id: str | None
    expires_at: datetime | None
    reused: bool
    already_opted_in: bool


class ConsentForm(msgspec.Struct, frozen=True):
    """A form's address, for whoever is to agree."""

    token: str
    url: str
    expires_at: datetime


class InboxMessage(msgspec.Struct, frozen=True, rename=_ENDS):
    """An inbound message as its agent sees it (dialect B)."""

    id: str
    from_number: str
    to_number: str
    body: str
    num_media: int
    media_urls: tuple[str, ...] | None
    thread_id: str | None
    related_outbound_id: str | None
    received_at: datetime
    created_at: datetime


class AgentRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an agent asked to send (dialect B). `result` comes with `completed` and `failed`, as the server tells it."""

    request_id: str
    status: Literal["pending", "processing", "completed", "failed"]
    result: dict[str, Any] | None = None
    error: str | None = None
    error_code: str | None = None
