"""Unrouted deliveries: what a carrier delivered with a good credential but nobody could place."""

from typing import Any, NamedTuple
from uuid import UUID

from roost.core.account import CarrierAccount
from roost.core.ids import id_text
from roost.core.message import Draft
from roost.store.audit import OPERATOR, Actor, audited
from roost.store.base import Store
from roost.store.sql import QUERIES


class UnroutedDelivery(NamedTuple):
    """`raw` is what came, to the byte; `to_number` where it was sent to, where that could be read."""

    org_id: str
    id: str
    carrier_account_id: str
    reason: str
    to_number: str | None
    received_at: int
    raw: bytes
    routed_at: int | None
    message_id: str | None


async def list_unrouted(store: Store, org_id: str, limit: int) -> list[UnroutedDelivery]:
    """Those of one organization that still wait, oldest first."""
    return [_delivery(row) for row in await store.fetch(QUERIES["unrouted"], UUID(org_id), limit)]


async def unrouted_delivery(store: Store, org_id: str, delivery_id: str) -> UnroutedDelivery | None:
    """One, routed or not."""
    rows = await store.fetch(QUERIES["unrouted_one"], UUID(org_id), UUID(delivery_id))
    return _delivery(rows[0]) if rows else None


async def message_of_key(store: Store, account: CarrierAccount, draft: Draft) -> str | None:
    """The message that a carrier message became, at one of the numbers it was sent to."""
    key = (UUID(account.org_id), UUID(account.id), draft.carrier_message_id)
    rows = await store.fetch(QUERIES["messages_of_carrier_id"], *key)
    return next((id_text(message_id) for message_id, number in rows if number in draft.to_numbers), None)


async def mark_routed(store: Store, delivery: UnroutedDelivery, message_id: str, actor: Actor = OPERATOR) -> None:
    """It no longer waits: an operator routed it."""
    key = (UUID(delivery.org_id), UUID(delivery.id))
    what = ("unrouted_delivery.routed", "unrouted_delivery", delivery.id, {"message_id": message_id})
    await store.write(
        (QUERIES["mark_routed"], (*key, store.clock(), UUID(message_id))),
        audited(store, delivery.org_id, actor, *what),
    )


def _delivery(row: tuple[Any, ...]) -> UnroutedDelivery:
    org_id, delivery_id, account_id, reason, to_number, received_at, raw, routed_at, message_id = row
    ids = (id_text(org_id), id_text(delivery_id), id_text(account_id))
    routed = id_text(message_id) if message_id is not None else None
    return UnroutedDelivery(*ids, reason, to_number, received_at, bytes(raw), routed_at, routed)
