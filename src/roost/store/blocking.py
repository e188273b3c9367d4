"""The block list: senders whose texts an organization wants stored and marked, and never pushed."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from roost.core.ids import LAST_ID, id_text
from roost.store.audit import Actor, audited
from roost.store.base import Row, Store
from roost.store.sql import load
from roost.store.transaction import Transaction

_SQL = load("blocking.sql")


class BlockedSender(NamedTuple):
    """A sender that is blocked on one number of ours, or on all of the organization's where the number is None."""

    id: str
    org_id: str
    sender: str
    number: str | None
    phone_number_id: str | None
    reason: str | None
    created_at: int


async def block(
    store: Store, actor: Actor, org_id: str, sender: str, number: str | None, reason: str | None
) -> tuple[BlockedSender, bool]:
    """The entry, and whether it is new: one that is there stays as it is."""

    async def work(tx: Transaction) -> tuple[BlockedSender, bool]:
        now = tx.now()
        entry_id = tx.new_id()
        row = (UUID(org_id), sender, number or "", UUID(entry_id), reason, now)
        is_new = bool(await tx.fetch(_SQL["block"], *row))
        if is_new:
            await _log(tx, store, org_id, actor, "sender.blocked", entry_id, {"number": number})
        found = await tx.fetch(_SQL["blocked"], UUID(org_id), sender, number or "")
        return _entry(found[0]), is_new

    return await store.transact(work)


async def unblock(store: Store, actor: Actor, org_id: str, entry_id: str) -> bool:
    """Whether there was such an entry."""

    async def work(tx: Transaction) -> bool:
        found = bool(await tx.fetch(_SQL["unblock"], UUID(org_id), UUID(entry_id)))
        if found:
            await _log(tx, store, org_id, actor, "sender.unblocked", entry_id)
        return found

    return await store.transact(work)


async def block_list(store: Store, org_id: str, limit: int, below: str = LAST_ID) -> tuple[list[BlockedSender], bool]:
    """One page, newest first, and whether there is more."""
    rows = await store.fetch(_SQL["block_list"], UUID(org_id), UUID(below), limit + 1)
    return [_entry(row) for row in rows[:limit]], len(rows) > limit


async def _log(
    tx: Transaction,
    store: Store,
    org_id: str,
    actor: Actor,
    action: str,
    entry_id: str,
    payload: Mapping[str, Any] | None = None,
) -> None:
    sql, args = audited(store, org_id, actor, action, "blocked_sender", entry_id, payload)
    await tx.fetch(sql, *args)


def _entry(row: Row) -> BlockedSender:
    entry_id, org_id, sender, number, number_id, reason, created_at = row
    found = None if number_id is None else id_text(number_id)
    return BlockedSender(id_text(entry_id), id_text(org_id), sender, number or None, found, reason, created_at)
