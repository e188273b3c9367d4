"""Consent: how it stands between a contact and a number of ours, and the ledger of what was said, which only grows.

A text, a form, an API call or the carrier may say it: all of them come here, in a transaction that holds the
organization's counter, so that no send is accepted beside it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from roost.core.consent import Consent, Event, State, is_challenged, is_lifted
from roost.core.ids import LAST_ID, id_text
from roost.core.organization import OptOutScope
from roost.store.events import never_left, tell_account, tell_consent, tell_steps
from roost.store.sql import load
from roost.store.transaction import Reader, Row, Transaction

_SQL = load("consent.sql")
#: What a contact has to answer a double opt-in.
CHALLENGE_US = 24 * 3600 * 1_000_000


class Pair(NamedTuple):
    """A number of ours and a contact: consent is between the two, kept by the number's text and not by its row."""

    org_id: str
    phone_number_id: str
    number: str
    contact_number: str


class Evidence(NamedTuple):
    """How something was said; what is not known is None.

    `message_id` is the inbound message that says it; `carrier_at` when the carrier had it, or when it was captured
    elsewhere; `details` are the documented fields of an attested capture.
    """

    source: str
    consent_method: str | None = None
    keyword: str | None = None
    message_id: str | None = None
    carrier_at: int | None = None
    agreement_text_hash: str | None = None
    details: Mapping[str, str] | None = None


class ConsentEvent(NamedTuple):
    """An entry of the ledger. Times are microseconds since 1970."""

    id: str
    event: Event
    evidence: Evidence
    occurred_at: int


async def consent_of(reader: Reader, org_id: str, number: str, contact_number: str) -> Consent | None:
    """How it stands between them; None when nothing was ever recorded."""
    rows = await reader.fetch(_SQL["consent"], UUID(org_id), contact_number, number)
    return consent_row(rows[0]) if rows else None


async def standing_consent(reader: Reader, pair: Pair, scope: OptOutScope) -> Consent | None:
    """What a keyword is heard against: with the organization's scope, an opt-out from another number stands here too."""
    standing = await consent_of(reader, pair.org_id, pair.number, pair.contact_number)
    if scope == "number" or (standing is not None and standing.state == "opted_out"):
        return standing
    elsewhere = await _opted_out(reader, pair)
    return max(elsewhere, key=lambda each: each.opted_out_carrier_at or 0) if elsewhere else standing


async def consent_by_id(reader: Reader, org_id: str, consent_id: str) -> Consent | None:
    """One of the organization's."""
    rows = await reader.fetch(_SQL["consent_by_id"], UUID(org_id), UUID(consent_id))
    return consent_row(rows[0]) if rows else None


async def own_number(reader: Reader, org_id: str, phone_number_id: str) -> str | None:
    """The number with this id, if it is the organization's."""
    rows = await reader.fetch(_SQL["own_number"], UUID(org_id), UUID(phone_number_id))
    return str(rows[0][0]) if rows else None


async def history(
    reader: Reader, org_id: str, consent_id: str, limit: int, below: str = LAST_ID
) -> tuple[list[ConsentEvent], bool]:
    """The ledger of one consent, newest first, and whether there is more."""
    rows = await reader.fetch(_SQL["events"], UUID(org_id), UUID(consent_id), UUID(below), limit + 1)
    return [_event(row) for row in rows[:limit]], len(rows) > limit


async def record_opt_in(tx: Transaction, pair: Pair, evidence: Evidence, scope: OptOutScope = "number") -> Consent:
    """The contact may be texted from the number; with the organization's scope its opt-outs elsewhere are lifted too.

    Whether the opt-in counts at all is the caller's decision (`core.consent.hear`); an opt-out elsewhere that is newer
    in the carrier's time stays.
    """
    made = await _opt_in(tx, pair, evidence)
    if scope == "organization":
        for other in await _opted_out(tx, pair):
            if is_lifted(other, evidence.carrier_at):
                await _opt_in(tx, pair_of(other), evidence)
    return made


async def record_opt_out(tx: Transaction, pair: Pair, evidence: Evidence, scope: OptOutScope = "number") -> Consent:
    """The contact may not be texted from the number, and what is queued to it from there never leaves.

    With the organization's scope that holds for what is queued from any of its numbers.
    """
    position = await tx.position(pair.org_id)
    standing = await consent_of(tx, pair.org_id, pair.number, pair.contact_number)
    again = standing is not None and standing.state == "opted_out"
    made = _begun(tx, pair, standing, position, "opted_out", evidence)
    # The newest word in the carrier's time: only an opt-in after it lifts it. Our own time where no carrier brought it.
    said_at = position if evidence.carrier_at is None else evidence.carrier_at
    made = made._replace(
        opted_out_at=standing.opted_out_at if standing and again else position,
        opted_out_carrier_at=max(said_at, made.opted_out_carrier_at or said_at),
    )
    await _keep(tx, made, "reconfirm" if again else "opt_out", evidence)
    await _withdraw(tx, pair, scope, again=again)
    return made


async def record_implied(
    tx: Transaction, org_id: str, number: str, phone_number_id: str, contact_number: str, message_id: str
) -> Consent:
    """The contact texted this number first, and so may be answered: the text is the evidence."""
    evidence = Evidence("inbound_message", "written", message_id=message_id)
    return await _opt_in(tx, Pair(org_id, phone_number_id, number, contact_number), evidence)


async def open_challenge(tx: Transaction, pair: Pair, message_id: str, agreement_text: str) -> Consent:
    """A double opt-in: the contact was asked by `message_id`, and has a day to answer.

    The caller knows that the contact is neither opted in nor opted out, and that none is open.
    """
    position = await tx.position(pair.org_id)
    standing = await consent_of(tx, pair.org_id, pair.number, pair.contact_number)
    evidence = Evidence("api", "double_opt_in")
    made = _begun(tx, pair, standing, position, "pending", evidence)._replace(
        challenge_id=tx.new_id(position),
        challenge_message_id=message_id,
        challenge_agreement=agreement_text,
        challenge_expires_at=position + CHALLENGE_US,
    )
    ran_out = standing is not None and standing.challenge_id is not None
    await _keep(tx, made, "expired" if ran_out else None, evidence)
    if standing is not None and standing.challenge_id is not None:
        await _tell_pending(tx, "consent_pending.expired", standing.challenge_id, made)
    return made


async def _opt_in(tx: Transaction, pair: Pair, evidence: Evidence) -> Consent:
    position = await tx.position(pair.org_id)
    standing = await consent_of(tx, pair.org_id, pair.number, pair.contact_number)
    answered = None
    if standing is not None and evidence.keyword is not None and is_challenged(standing, position):
        answered, agreed = standing.challenge_id, hash_of(standing.challenge_agreement or "")
        evidence = evidence._replace(consent_method="double_opt_in", agreement_text_hash=agreed)
    again = standing is not None and standing.state == "opted_in"
    made = _begun(tx, pair, standing, position, "opted_in", evidence)._replace(
        opted_in_at=standing.opted_in_at if standing and again else position,
        opted_out_at=None,
        opted_out_carrier_at=None,
    )
    await _keep(tx, made, "reconfirm" if again else "opt_in", evidence)
    if answered is not None:
        await _tell_pending(tx, "consent_pending.confirmed", answered, made)
    return made


async def _tell_pending(tx: Transaction, kind: str, challenge_id: str, consent: Consent) -> None:
    """What became of a double opt-in, by the id that it was answered with."""
    about = {
        "consent_id": consent.id,
        "phone_number_id": consent.phone_number_id,
        "contact_number": consent.contact_number,
    }
    await tell_account(tx, consent.org_id, kind, challenge_id, about)


def _begun(
    tx: Transaction, pair: Pair, standing: Consent | None, position: int, state: State, evidence: Evidence
) -> Consent:
    """The consent after something was said, no challenge open, its times as they were."""
    return Consent(
        id=standing.id if standing else tx.new_id(position),
        org_id=pair.org_id,
        phone_number_id=pair.phone_number_id,
        contact_number=pair.contact_number,
        number=pair.number,
        state=state,
        opted_in_at=standing.opted_in_at if standing else None,
        opted_out_at=standing.opted_out_at if standing else None,
        opted_out_carrier_at=standing.opted_out_carrier_at if standing else None,
        source=evidence.source,
        consent_method=evidence.consent_method or (standing.consent_method if standing else "attested"),
        challenge_id=None,
        challenge_message_id=None,
        challenge_agreement=None,
        challenge_expires_at=None,
        created_at=standing.created_at if standing else position,
        updated_at=position,
    )


async def _keep(tx: Transaction, consent: Consent, event: Event | None, evidence: Evidence) -> None:
    await tx.fetch(_SQL["keep_consent"], *(_bound(name, value) for name, value in consent._asdict().items()))
    if event is None:
        return
    entry_id = tx.new_id(consent.updated_at)
    await tx.fetch(
        _SQL["add_event"],
        UUID(consent.org_id),
        UUID(entry_id),
        UUID(consent.id),
        event,
        evidence.source,
        evidence.keyword,
        UUID(evidence.message_id) if evidence.message_id else None,
        evidence.consent_method,
        json.dumps(evidence.details) if evidence.details else None,
        evidence.agreement_text_hash,
        evidence.carrier_at,
        consent.updated_at,
    )
    said = (evidence.keyword, evidence.consent_method, evidence.message_id)
    await tell_consent(tx, entry_id, consent, event, *said)


async def _withdraw(tx: Transaction, pair: Pair, scope: OptOutScope, *, again: bool) -> None:
    """Cancel what is queued to the contact; what is leased is withdrawn, what was perhaps sent stays as it is.

    `again`: the opt-out stood before, and the one confirmation of it may still be on its way.
    """
    dropped, withdrawn = [], []
    for message_id, state, from_number, purpose in await tx.fetch(
        _SQL["pending_sends"], UUID(pair.org_id), pair.contact_number
    ):
        if (scope == "number" and from_number != pair.number) or (again and purpose == "auto_reply"):
            continue
        key = (UUID(pair.org_id), UUID(id_text(message_id)))
        if state in ("queued", "waiting", "held"):
            dropped.append(key)
        elif state == "leased":
            withdrawn.append(key)
    await tx.many(_SQL["drop_send"], dropped)
    await tx.many(_SQL["fail_send"], dropped)
    await tx.many(_SQL["withdraw_send"], withdrawn)
    await tell_steps(tx, dict.fromkeys(dropped, never_left("CONSENT_REQUIRED", "the contact opted out")))


async def _opted_out(reader: Reader, pair: Pair) -> list[Consent]:
    return [consent_row(row) for row in await reader.fetch(_SQL["opted_out"], UUID(pair.org_id), pair.contact_number)]


def pair_of(consent: Consent) -> Pair:
    """Between whom it is."""
    return Pair(consent.org_id, consent.phone_number_id, consent.number, consent.contact_number)


_IDS = {"id", "org_id", "phone_number_id", "challenge_id", "challenge_message_id"}


def _bound(name: str, value: Any) -> Any:
    return UUID(value) if name in _IDS and value is not None else value


def consent_row(row: Row) -> Consent:
    """A row of the columns of `consents`, in the order of `Consent`."""
    named: dict[str, Any] = dict(zip(Consent._fields, row, strict=True))
    return Consent(**{**named, **{name: id_text(named[name]) for name in _IDS if named[name] is not None}})


def _event(row: Row) -> ConsentEvent:
    event_id, event, source, keyword, message_id, method, details, agreed, carrier_at, occurred_at = row
    message = None if message_id is None else id_text(message_id)
    said = Evidence(source, method, keyword, message, carrier_at, agreed, json.loads(details) if details else None)
    return ConsentEvent(id_text(event_id), event, said, occurred_at)


def hash_of(agreement_text: str) -> str:
    """SHA-256 of the agreement's text in UTF-8, as hex."""
    return hashlib.sha256(agreement_text.encode()).hexdigest()
