"""Dialect A's consent as JSON: consents, their ledger, a double opt-in, a hosted form."""

from typing import Any, Literal

import msgspec

from roost.api.answers import moment
from roost.api.listing import ListMeta
from roost.core.consent import Consent, Event
from roost.core.events import ConsentChanged
from roost.core.times import rfc3339
from roost.store.consent import ConsentEvent


class ConsentBody(msgspec.Struct):
    """What a contact last told one of our numbers. `source`: api, inbound_reply, inbound_message, hosted_form, carrier."""

    id: str
    org_id: str
    phone_number_id: str
    contact_number: str
    opted_in: bool
    opted_in_at: str | None
    opted_out_at: str | None
    source: str
    created_at: str
    updated_at: str


class RecordedBody(ConsentBody):
    """`already_opted_in`: it stood so already, and nothing was recorded; then the hash is that of its last event."""

    agreement_text_hash: str | None
    already_opted_in: bool


class ConsentChangedBody(ConsentBody):
    """What was said about a consent, and how it stood then; `message_id` is the inbound message that is the evidence."""

    event: Event
    keyword: str | None
    consent_method: str | None
    message_id: str | None


class ConsentEventBody(msgspec.Struct):
    """An entry of the ledger; `raw_event_id` is the inbound message that is the evidence."""

    id: str
    event: Event
    source: str
    keyword: str | None
    consent_method: str | None
    raw_event_id: str | None
    occurred_at: str
    agreement_text_hash: str | None
    evidence_captured_at: str | None
    evidence_ip_address: str | None
    evidence_user_agent: str | None
    evidence_agreement_text: str | None
    evidence_form_url: str | None


class ChallengeBody(msgspec.Struct):
    """A double opt-in. `reused`: one was open already, and no second text is sent."""

    consent_pending_id: str | None
    confirmation_message_id: str | None
    expires_at: str | None
    reused: bool
    already_opted_in: bool


class HostedFormBody(msgspec.Struct):
    """The form's address, for whoever is to agree."""

    token: str
    url: str
    expires_at: str


class ConsentList(msgspec.Struct):
    success: Literal[True]
    data: list[ConsentBody]
    meta: ListMeta


class ConsentHistory(msgspec.Struct):
    success: Literal[True]
    data: list[ConsentEventBody]
    meta: ListMeta


def consent_body(consent: Consent) -> ConsentBody:
    """The documented keys."""
    return ConsentBody(**_common(consent))


def changed_body(change: ConsentChanged) -> ConsentChangedBody:
    """A change as it is pushed."""
    return ConsentChangedBody(
        **_common(change.consent),
        event=change.event,
        keyword=change.keyword,
        consent_method=change.consent_method,
        message_id=change.message_id,
    )


def recorded_body(consent: Consent, agreement_text_hash: str | None, *, already: bool) -> RecordedBody:
    """What `POST /v1/consent` answers."""
    standing = already and consent.state == "opted_in"
    return RecordedBody(**_common(consent), agreement_text_hash=agreement_text_hash, already_opted_in=standing)


def challenge_body(consent: Consent, *, already: bool) -> ChallengeBody:
    """What `POST /v1/consent/double-opt-in` answers."""
    expires_at = moment(consent.challenge_expires_at)
    opted_in = consent.state == "opted_in"
    reused = already and not opted_in
    return ChallengeBody(consent.challenge_id, consent.challenge_message_id, expires_at, reused, opted_in)


def event_body(event: ConsentEvent) -> ConsentEventBody:
    """An entry of the ledger."""
    said, details = event.evidence, event.evidence.details or {}
    return ConsentEventBody(
        event.id,
        event.event,
        said.source,
        said.keyword,
        said.consent_method,
        said.message_id,
        rfc3339(event.occurred_at),
        said.agreement_text_hash,
        details.get("captured_at"),
        details.get("ip_address"),
        details.get("user_agent"),
        details.get("agreement_text"),
        details.get("form_url"),
    )


def _common(consent: Consent) -> dict[str, Any]:
    return {
        "id": consent.id,
        "org_id": consent.org_id,
        "phone_number_id": consent.phone_number_id,
        "contact_number": consent.contact_number,
        "opted_in": consent.state == "opted_in",
        "opted_in_at": moment(consent.opted_in_at),
        "opted_out_at": moment(consent.opted_out_at),
        "source": consent.source,
        "created_at": rfc3339(consent.created_at),
        "updated_at": rfc3339(consent.updated_at),
    }


def form_body(token: str, public_url: str, expires_at: int) -> HostedFormBody:
    """What `POST /v1/consent/hosted` answers."""
    return HostedFormBody(token, f"{public_url}/consent/{token}", rfc3339(expires_at))
