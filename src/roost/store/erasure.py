"""Erasing a contact: the words and media of its messages go, both ways; the rows and its consent stay."""

import json
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

import structlog

from roost.core.ids import FIRST_ID, id_text
from roost.store.audit import Actor, audited
from roost.store.base import Statement, Store
from roost.store.events import never_left, tell_steps
from roost.store.indexing import SEARCH, hold_feed
from roost.store.media import forget_media
from roost.store.sql import ERASURE
from roost.store.transaction import Transaction

#: Messages per transaction, so that intake never waits long.
BATCH = 500

log = structlog.get_logger(__name__)

IsTheirs = Callable[[str, bytes], bool]
"""Whether a delivery that could not be placed, of a carrier by this name, is a text of the contact's."""


class Erased(NamedTuple):
    """What was erased; `audit_id` is the last entry's."""

    inbound: int
    outbound: int
    erased_at: int
    audit_id: str


async def erase_contact(store: Store, org_id: str, contact: str, actor: Actor, is_theirs: IsTheirs) -> Erased:
    """Erase what is stored of the contact's messages with the organization; what is queued to it is cancelled.

    Messages that arrive meanwhile may stay. Every transaction has its own entry in the audit log, with what it erased.
    """
    await _erase_unrouted(store, org_id, is_theirs)
    inbound, outbound = 0, 0
    batch = _Batch(store, org_id, contact, actor)
    while True:
        found, entry = await store.transact(batch.erase)
        inbound, outbound = inbound + len(found.inbound), outbound + found.outbound_with_words
        if max(len(found.inbound), len(found.outbound)) < BATCH:
            break
        batch.go_on_after(found)
    if not await store.leave_no_trace():
        log.warning("erased_words_in_log", org_id=org_id)
    return Erased(inbound, outbound, entry[1][7], id_text(entry[1][1]))


async def _erase_unrouted(store: Store, org_id: str, is_theirs: IsTheirs) -> None:
    last_id = FIRST_ID
    while True:
        rows = await store.fetch(ERASURE["unrouted_with_words"], UUID(org_id), UUID(last_id), BATCH)
        theirs = [UUID(id_text(row[0])) for row in rows if is_theirs(row[1], bytes(row[2]))]
        if theirs:
            statement, now = ERASURE["erase_unrouted"], store.clock()
            await store.write(*((statement, (UUID(org_id), each, b"", now)) for each in theirs))
        if len(rows) < BATCH:
            return
        last_id = id_text(rows[-1][0])


class _Found(NamedTuple):
    """What one transaction went through: ids in order; what has no words any more is among the outbound ones too."""

    inbound: list[str]
    outbound: list[str]
    outbound_with_words: int


class _Batch:
    """One transaction after another."""

    def __init__(self, store: Store, org_id: str, contact: str, actor: Actor) -> None:
        self._store = store
        self._org_id = org_id
        self._contact = contact
        self._actor = actor
        self._last_in, self._last_out = FIRST_ID, FIRST_ID

    def go_on_after(self, found: _Found) -> None:
        """What comes next, so that nothing is looked at twice."""
        self._last_in, self._last_out = (found.inbound or [self._last_in])[-1], (found.outbound or [self._last_out])[-1]

    async def erase(self, transaction: Transaction) -> tuple[_Found, Statement]:
        """What was erased, and the entry that says so."""
        await transaction.lock(self._org_id)
        await hold_feed(transaction, self._org_id)
        await self._cancel(transaction)
        inbound = await self._inbound(transaction)
        outbound, with_words = await self._outbound(transaction)
        payload = {"inbound_redacted": len(inbound), "outbound_redacted": with_words}
        what = (self._actor, "contact.erased", "contact", self._contact, payload)
        entry = audited(self._store, self._org_id, *what)
        await transaction.fetch(entry[0], *entry[1])
        return _Found(inbound, outbound, with_words), entry

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
        await transaction.many(SEARCH["forget_words"], [(org_id, UUID(message_id)) for message_id in ids])
        await forget_media(transaction, self._org_id, ids)
        if self._last_in == FIRST_ID:
            for name in ("erase_routed_deliveries", "erase_parts"):
                await transaction.fetch(ERASURE[name], org_id, self._contact, b"")
            await transaction.fetch(ERASURE["erase_answers"], org_id, self._contact)
        return ids

    async def _outbound(self, transaction: Transaction) -> tuple[list[str], int]:
        org_id = UUID(self._org_id)
        bounds = (org_id, self._contact, UUID(self._last_out), BATCH)
        rows = await transaction.fetch(ERASURE["outbound_of_contact"], *bounds)
        erased = [(org_id, UUID(id_text(message_id))) for message_id, _, _, has_words in rows if has_words]
        await transaction.many(ERASURE["erase_outbound"], erased)
        await transaction.many(SEARCH["forget_words"], erased)
        await forget_media(transaction, self._org_id, [str(message_id) for _, message_id in erased])
        sent = [(org_id, UUID(id_text(account)), carrier_id, b"") for _, account, carrier_id, _ in rows if carrier_id]
        await transaction.many(ERASURE["erase_receipts"], sent)
        if self._last_out == FIRST_ID:
            await transaction.fetch(ERASURE["erase_memos"], org_id, _like(json.dumps(self._contact)))
        return [id_text(row[0]) for row in rows], len(erased)


def _like(text: str) -> str:
    """A pattern for what contains the text, with ! before what would be a pattern of its own."""
    return "%" + "".join(f"!{each}" if each in "!%_" else each for each in text) + "%"
