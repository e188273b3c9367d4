"""Sending for an agent: from which of its numbers, and all of a request in one transaction."""

import json
from collections.abc import Sequence
from uuid import UUID

from roost.core.ids import id_text, position_of
from roost.core.organization import Settings
from roost.core.outbound import OutboundMessage, Send
from roost.store.agent_requests import request_of_quote
from roost.store.base import Store
from roost.store.sending import SendRefused, accept
from roost.store.sql import load
from roost.store.transaction import Row, Transaction

_SQL = load("agent_requests.sql")

#: A text to one recipient with the settings that hold for it, or why it cannot be sent at all.
Planned = tuple[Send, Settings | SendRefused]


class AllRefused(Exception):
    """No recipient may be texted; nothing was stored. `reasons` are those of `SendRefused`, one for each."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(", ".join(sorted(set(reasons))))
        self.reasons = reasons


async def number_towards(store: Store, org_id: str, agent_id: str, contact_number: str) -> str | None:
    """The agent's number that last spoke with a contact, whoever of both it was; else its oldest. None: it has none."""
    rows = await store.fetch(_SQL["numbers_towards"], UUID(org_id), UUID(agent_id), contact_number)
    # The first of those that never spoke stays: max takes the earliest of equals, and rows come oldest first.
    return max(rows, key=_last_spoke)[0] if rows else None


async def accept_request(
    tx: Transaction, org_id: str, agent_id: str, planned: Sequence[Planned], quote_id: str | None, memo: str | None
) -> str:
    """The id of the request with all of its messages; of the one that the quote has become already, if it has.

    Raises AllRefused.
    """
    await tx.lock(org_id)  # so that a quote that is executed twice at once is executed one after the other
    made = await request_of_quote(tx, org_id, quote_id) if quote_id else None
    if made is not None:
        return made
    position = await tx.position(org_id)
    request_id = tx.new_id(position)
    recipients = await _accept_each(tx, request_id, planned)
    reasons = [str(recipient["error"]) for recipient in recipients if "error" in recipient]
    if len(reasons) == len(recipients):
        raise AllRefused(reasons)
    ids = (UUID(org_id), UUID(request_id), UUID(agent_id))
    await tx.fetch(_SQL["add_request"], *ids, quote_id, json.dumps(recipients), memo, position)
    return request_id


async def _accept_each(tx: Transaction, request_id: str, planned: Sequence[Planned]) -> list[dict[str, str]]:
    """As the column `recipients` keeps them."""
    sends = [
        (send._replace(request_id=request_id), settings) for send, settings in planned if isinstance(settings, Settings)
    ]
    accepted = iter(await accept(tx, sends))
    recipients = []
    for send, settings in planned:
        outcome = next(accepted) if isinstance(settings, Settings) else settings
        recipient = {"to": send.to_number, "from": send.from_number}
        if isinstance(outcome, OutboundMessage):
            recipient["message_id"] = outcome.id
        else:
            recipient["error"] = outcome.reason
        recipients.append(recipient)
    return recipients


def _last_spoke(row: Row) -> int:
    """When a number last spoke with the contact; 0: never."""
    return max((position_of(id_text(message_id)) for message_id in row[1:] if message_id is not None), default=0)
