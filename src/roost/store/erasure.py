"""Erasing a contact: the words and media of its messages go, both ways; the rows and its consent stay."""

from typing import NamedTuple
from uuid import UUID

from roost.core.ids import FIRST_ID, id_text
from roost.store.audit import Actor, audited
from roost.store.base import Statement, Store
from roost.store.events import never_left, tell_steps
from roost.store.media import forget_media
from roost.store.sql import ERASURE
from roost.store.transaction import Transaction

#: Messages per transaction, so that intake never waits long.
BATCH = 500


class Erased(NamedTuple):
    """What was erased; `audit_id` is the last entry's."""

    inbound: int
    outbound: int
    erased_at: int
    audit_id: str


async def erase_contact(store: Store, org_id: str, contact: str, actor: Actor) -> Erased:
    """Erase what is stored of the contact's messages with the organization; what is queued to it is cancelled.

    Messages that arrive meanwhile may stay. Every transaction has its own entry in the audit log, with what it erased.
    """
    inbound, outbound = 0, 0
    batch = _Batch(store, org_id, contact, actor)
    while True:
        found_in, found_out, entry = await store.transact(batch.erase)
        inbound, outbound = inbound + len(found_in), outbound + len(found_out)
        if max(len(found_in), len(found_out)) < BATCH:
            return Erased(inbound, outbound, entry[1][7], id_text(entry[1][1]))
        batch.go_on_after(found_in, found_out)


class _Batch:
    """One transaction after another."""

    def __init__(self, store: Store, org_id: str, contact: str, actor: Actor) -> None:
        self._store = store
        self._org_id = org_id
        self._contact = contact
        self._actor = actor
        self._last_in, self._last_out = FIRST_ID, FIRST_ID

    def go_on_after(self, inbound: list[str], outbound: list[str]) -> None:
        """What comes next, so that nothing is looked at twice."""
        self._last_in, self._last_out = (inbound or [self._last_in])[-1], (outbound or [self._last_out])[-1]

    async def erase(self, transaction: Transaction) -> tuple[list[str], list[str], Statement]:
        """The ids that were erased, inbound and outbound, and the entry that says so."""
        await transaction.lock(self._org_id)
        await self._cancel(transaction)
        inbound = await self._inbound(transaction)
        outbound = await self._outbound(transaction)
        payload = {"inbound_redacted": len(inbound), "outbound_redacted": len(outbound)}
        what = (self._actor, "contact.erased", "contact", self._contact, payload)
        entry = audited(self._store, self._org_id, *what)
        await transaction.fetch(entry[0], *entry[1])
        return inbound, outbound, entry

    async def _cancel(self, transaction: Transaction) -> None:
        pair = (UUID(self._org_id), self._contact)
        reason = "the contact was erased"
        cancelled = await transaction.fetch(ERASURE["cancel_messages_to_contact"], *pair, reason)
        for name in ("empty_outbox_to_contact", "withdraw_leases_to_contact"):
            await transaction.fetch(ERASURE[name], *pair)
        keys = [(UUID(self._org_id), UUID(id_text(row[0]))) for row in cancelled]
        await tell_steps(transaction, dict.fromkeys(keys, never_left("CANCELED", reason)))

    async def _inbound(self, transaction: Transaction) -> list[str]:
        org_id = UUID(self._org_id)
        rows = await transaction.fetch(ERASURE["inbound_of_contact"], org_id, self._contact, UUID(self._last_in), BATCH)
        ids = [id_text(row[0]) for row in rows]
        await transaction.many(ERASURE["erase_inbound"], [(org_id, UUID(message_id), b"") for message_id in ids])
        await forget_media(transaction, self._org_id, ids)
        if self._last_in == FIRST_ID:
            for name in ("erase_routed_deliveries", "erase_parts"):
                await transaction.fetch(ERASURE[name], org_id, self._contact, b"")
        return ids

    async def _outbound(self, transaction: Transaction) -> list[str]:
        org_id = UUID(self._org_id)
        rows = await transaction.fetch(
            ERASURE["outbound_of_contact"], org_id, self._contact, UUID(self._last_out), BATCH
        )
        ids = [id_text(row[0]) for row in rows]
        await transaction.many(ERASURE["erase_outbound"], [(org_id, UUID(message_id)) for message_id in ids])
        await forget_media(transaction, self._org_id, ids)
        sent = [(org_id, UUID(id_text(account)), carrier_id, b"") for _, account, carrier_id in rows if carrier_id]
        await transaction.many(ERASURE["erase_receipts"], sent)
        return ids
