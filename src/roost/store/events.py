"""The event log, written: each event in the transaction of what it tells, at a position of the organization's counter.

An inbound message is its own event, and has no row here.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from roost.core.consent import Consent
from roost.core.consent import Event as ConsentStep
from roost.core.delivery import Progress
from roost.core.ids import id_text
from roost.core.outbound import UNSETTLED, Status
from roost.store.agent_requests import note_settled_messages
from roost.store.sql import load
from roost.store.transaction import Row, Transaction

_SQL = load("events.sql")
_WANTED = "org_id uuid, id uuid, type text, subject_id uuid, data text"

Key = tuple[UUID, UUID]
"""Of a message: its organization's id and its own."""


class Step(NamedTuple):
    """How far a message has come, and what its status was before."""

    before: Status
    reached: Progress


def never_left(code: str, description: str) -> Step:
    """Of a message that was still to be sent, and fails for this instead."""
    return Step("queued", Progress("failed", error_code=code, error_description=description))


async def tell_steps(tx: Transaction, steps: Mapping[Key, Step]) -> None:
    """To be called in every transaction that changes the status of outbound messages, after it did.

    Who follows the organization gets an event for each whose status is another now; an agent is told once nothing of its
    request is left to be done. The caller holds the organizations' counters.
    """
    await _add(
        tx,
        [
            (
                org_id,
                UUID(tx.new_id(tx.take(id_text(org_id)))),
                "message.status",
                message_id,
                _json(step.reached._asdict()),
            )
            for (org_id, message_id), step in steps.items()
            if step.reached.status != step.before
        ],
    )
    await note_settled_messages(tx, [key for key, step in steps.items() if step.reached.status not in UNSETTLED])


async def tell_account(tx: Transaction, org_id: str, kind: str, subject_id: str, data: Mapping[str, Any]) -> None:
    """Something that only webhooks tell of, such as `api_key.created`: where nobody is told, nothing is written.

    Never give it a secret.
    """
    if await tx.fetch(_SQL["has_endpoint"], UUID(org_id)):
        event_id = tx.new_id(await tx.position(org_id))
        said = _json({"id": subject_id, "org_id": org_id, **data})
        await _add(tx, [(UUID(org_id), UUID(event_id), kind, UUID(subject_id), said)])


async def tell_consent(
    tx: Transaction,
    entry_id: str,
    consent: Consent,
    event: ConsentStep,
    keyword: str | None,
    consent_method: str | None,
    message_id: str | None,
) -> None:
    """What the ledger's entry `entry_id` says; it was made at a position of its own, which is the event's too."""
    said = {"event": event, "keyword": keyword, "consent_method": consent_method, "message_id": message_id}
    standing = {name: value for name, value in consent._asdict().items() if not name.startswith("challenge_")}
    row = (
        UUID(consent.org_id),
        UUID(entry_id),
        "consent.changed",
        UUID(consent.id),
        _json({**said, "consent": standing}),
    )
    await _add(tx, [row])


async def _add(tx: Transaction, rows: Sequence[Row]) -> None:
    await tx.joined(_SQL["add_events"], _WANTED, rows)


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in values.items() if value is not None}, separators=(",", ":"))
