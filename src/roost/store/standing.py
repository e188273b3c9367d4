"""How a message and its outbox row stand, read and written in a transaction that holds the organization's counter."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from roost.core.delivery import Progress
from roost.core.ids import id_text
from roost.store.events import Key, Step, tell_steps
from roost.store.sql import load
from roost.store.transaction import Transaction

_SQL = load("outbox.sql")
_KEYS = "org_id uuid, message_id uuid"
_PROGRESS = (
    f"{_KEYS}, status text, carrier_message_id text, sent_at bigint, delivered_at bigint, error_code text, "
    "error_description text"
)


class OutboxStanding(NamedTuple):
    """`lease` is whose it is, or was."""

    state: str
    lease: str | None
    withdrawn: str | None
    attempts: int
    progress: Progress

    def step(self, reached: Progress) -> Step:
        """From how it stands to what it has reached."""
        return Step(self.progress.status, reached)


async def standings_of(tx: Transaction, keys: Iterable[Key]) -> dict[str, OutboxStanding]:
    """By message id; where nothing is to be done about a message any more, it has none."""
    found = {}
    for message_id, state, lease, withdrawn, attempts, *progress in await tx.joined(
        _SQL["standings"], _KEYS, sorted(set(keys))
    ):
        owner = None if lease is None else id_text(lease)
        found[id_text(message_id)] = OutboxStanding(state, owner, withdrawn, attempts, Progress(*progress))
    return found


async def standing_of(tx: Transaction, org_id: str, message_id: str) -> OutboxStanding | None:
    """None when nothing is to be done about it any more."""
    return (await standings_of(tx, [(UUID(org_id), UUID(message_id))])).get(message_id)


async def keep(tx: Transaction, steps: Mapping[Key, Step]) -> None:
    """Store how far messages have come, and tell it."""
    await tx.joined(_SQL["keep_progress"], _PROGRESS, [(*key, *step.reached) for key, step in steps.items()])
    await tell_steps(tx, steps)


async def forget(tx: Transaction, keys: Iterable[Key]) -> None:
    """Nothing is to be done about them any more."""
    await tx.joined(_SQL["settle"], _KEYS, list(keys))
