"""How a message and its outbox row stand, read and written in a transaction that holds the organization's counter."""

from typing import NamedTuple
from uuid import UUID

from roost.core.delivery import Progress
from roost.core.ids import id_text
from roost.store.agent_requests import note_settled_messages
from roost.store.sql import load
from roost.store.transaction import Transaction

_SQL = load("outbox.sql")


class OutboxStanding(NamedTuple):
    """`lease` is whose it is, or was; `has_receipts`: some came under the carrier's id that was asked with."""

    state: str
    lease: str | None
    withdrawn: str | None
    attempts: int
    has_receipts: bool
    progress: Progress


async def standing_of(
    tx: Transaction, org_id: str, message_id: str, carrier_message_id: str = ""
) -> OutboxStanding | None:
    """None when nothing is to be done about it any more."""
    rows = await tx.fetch(_SQL["standing"], UUID(org_id), UUID(message_id), carrier_message_id)
    if not rows:
        return None
    state, lease, withdrawn, attempts, has_receipts, *progress = rows[0]
    owner = None if lease is None else id_text(lease)
    return OutboxStanding(state, owner, withdrawn, attempts, bool(has_receipts), Progress(*progress))


async def keep(tx: Transaction, org_id: str, message_id: str, progress: Progress) -> None:
    """Store how far the message has come."""
    await tx.fetch(_SQL["keep_progress"], UUID(org_id), UUID(message_id), *progress)
    await note_settled_messages(tx, [(UUID(org_id), UUID(message_id))])


async def forget(tx: Transaction, org_id: str, message_id: str) -> None:
    """Nothing is to be done about it any more."""
    await tx.fetch(_SQL["settle"], UUID(org_id), UUID(message_id))
