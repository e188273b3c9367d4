"""Consent that does not come by text: attested by the organization, given in the hosted form, revoked, asked for."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from roost.core.consent import Consent, is_challenged, is_lifted
from roost.core.organization import Settings
from roost.core.outbound import Send
from roost.store.audit import Actor, audited
from roost.store.base import Store
from roost.store.consent import (
    CHALLENGE_US,
    Evidence,
    Pair,
    consent_by_id,
    consent_of,
    open_challenge,
    own_number,
    pair_of,
    record_opt_in,
    record_opt_out,
    standing_consent,
)
from roost.store.sending import SendRefused, accept
from roost.store.transaction import Transaction


class OptedOut(Exception):
    """The contact opted out, and what was brought does not lift that."""


class Captured(NamedTuple):
    """How it stands now, and whether it stood so already: then nothing was recorded."""

    consent: Consent
    already: bool


class Capture:
    """Writes consent over one store; every change is in the audit log too."""

    def __init__(self, store: Store, actor: Actor, settings: Settings) -> None:
        self._store = store
        self._actor = actor
        self._settings = settings

    async def pair(self, org_id: str, phone_number_id: str, contact_number: str) -> Pair | None:
        """Between the organization's number and the contact; None when the number is not the organization's."""
        number = await own_number(self._store, org_id, phone_number_id)
        return Pair(org_id, phone_number_id, number, contact_number) if number else None

    async def opt_in(self, pair: Pair, evidence: Evidence) -> Captured:
        """Record that the contact agreed. Raises OptedOut unless it says when, and that was after any opt-out."""

        async def work(tx: Transaction) -> Captured:
            standing = await self._standing(tx, pair)
            if standing is not None and standing.state == "opted_out":
                if evidence.carrier_at is None or not is_lifted(standing, evidence.carrier_at):
                    raise OptedOut
            elif standing is not None and standing.state == "opted_in":
                return Captured(standing, True)
            made = await record_opt_in(tx, pair, evidence, self._settings.opt_out_scope)
            await self._log(tx, "consent.recorded", made, {"opted_in": True, "source": evidence.source})
            return Captured(made, False)

        return await self._store.transact(work)

    async def opt_out(self, pair: Pair, evidence: Evidence) -> Captured:
        """Record that the contact wants no texts from the number."""

        async def work(tx: Transaction) -> Captured:
            await tx.lock(pair.org_id)
            standing = await consent_of(tx, pair.org_id, pair.number, pair.contact_number)
            if standing is not None and standing.state == "opted_out":
                return Captured(standing, True)
            return Captured(await self._revoked(tx, pair, evidence), False)

        return await self._store.transact(work)

    async def revoke(self, org_id: str, consent_id: str) -> Consent | None:
        """Opt the contact out, unless that is how it stands; None when the organization has no such consent."""

        async def work(tx: Transaction) -> Consent | None:
            await tx.lock(org_id)
            standing = await consent_by_id(tx, org_id, consent_id)
            if standing is None or standing.state == "opted_out":
                return standing
            return await self._revoked(tx, pair_of(standing), Evidence("api"))

        return await self._store.transact(work)

    async def challenge(self, pair: Pair, question: Send, agreement_text: str) -> Captured:
        """Ask the contact by text, unless they were asked or have opted in already. Raises OptedOut and SendRefused."""

        async def work(tx: Transaction) -> Captured:
            standing = await self._standing(tx, pair)
            if standing is not None and standing.state == "opted_out":
                raise OptedOut
            if standing is not None and (standing.state == "opted_in" or is_challenged(standing, tx.now())):
                return Captured(standing, True)
            # A question that leaves later than it can be answered would only confuse.
            asked = question._replace(expires_at=tx.now() + CHALLENGE_US)
            (message,) = await accept(tx, [(asked, self._settings)])
            if isinstance(message, SendRefused):
                raise message
            made = await open_challenge(tx, pair, message.id, agreement_text)
            await self._log(tx, "consent.asked", made, {"message_id": message.id})
            return Captured(made, False)

        return await self._store.transact(work)

    async def _standing(self, tx: Transaction, pair: Pair) -> Consent | None:
        await tx.lock(pair.org_id)
        return await standing_consent(tx, pair, self._settings.opt_out_scope)

    async def _revoked(self, tx: Transaction, pair: Pair, evidence: Evidence) -> Consent:
        made = await record_opt_out(tx, pair, evidence, self._settings.opt_out_scope)
        await self._log(tx, "consent.recorded", made, {"opted_in": False, "source": evidence.source})
        return made

    async def _log(self, tx: Transaction, action: str, consent: Consent, payload: Mapping[str, Any]) -> None:
        sql, args = audited(self._store, consent.org_id, self._actor, action, "consent", consent.id, payload)
        await tx.fetch(sql, *args)
