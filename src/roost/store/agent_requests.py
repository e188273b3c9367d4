"""Dialect B's requests: one text to several recipients, accepted whole in one transaction, and what became of them."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from roost.core.agent_request import Recipient, public_request_id, tally
from roost.core.ids import id_text, position_of
from roost.core.organization import Settings
from roost.core.outbound import OutboundMessage, Send
from roost.store.base import Store
from roost.store.consent import Reader
from roost.store.notifications import News, notify
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


class AgentRequest(NamedTuple):
    """A request as it stands. Times are microseconds since 1970; `created_at` is the position that `id` encodes."""

    id: str
    agent_id: str
    recipients: tuple[Recipient, ...]
    memo: str | None
    created_at: int
    updated_at: int


async def number_towards(store: Store, org_id: str, agent_id: str, contact_number: str) -> str | None:
    """The agent's number that last spoke with a contact, whoever of both it was; else its oldest. None: it has none."""
    rows = await store.fetch(_SQL["numbers_towards"], UUID(org_id), UUID(agent_id), contact_number)
    # The first of those that never spoke stays: max takes the earliest of equals, and rows come oldest first.
    return max(rows, key=_last_spoke)[0] if rows else None


async def request_of_quote(reader: Reader, org_id: str, quote_id: str) -> str | None:
    """The id of the request that a quote became."""
    rows = await reader.fetch(_SQL["request_of_quote"], UUID(org_id), quote_id)
    return id_text(rows[0][0]) if rows else None


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


async def get_request(reader: Reader, org_id: str, request_id: str) -> AgentRequest | None:
    """One of the organization's."""
    rows = await reader.fetch(_SQL["request"], UUID(org_id), UUID(request_id))
    if not rows:
        return None
    _, agent_id, recipients, memo, created_at, completed_at = rows[0]
    messages = await reader.fetch(_SQL["messages_of_request"], UUID(org_id), UUID(request_id))
    found = {id_text(message_id): told for message_id, *told in messages}
    times = [
        created_at,
        completed_at,
        *(at for _, _, _, *sent_and_delivered in found.values() for at in sent_and_delivered),
    ]
    return AgentRequest(
        request_id,
        id_text(agent_id),
        tuple(_recipient(each, found) for each in json.loads(recipients)),
        memo,
        created_at,
        max(at for at in times if at is not None),
    )


async def note_settled(tx: Transaction, org_id: str, request_id: str) -> None:
    """Tell the agent, once, when nothing of its request is still to be handed to a carrier.

    To be called in every transaction that changes the status of one of the request's messages, after it did. The caller
    holds the organization's counter, so that of two messages that are settled at once one sees the other.
    """
    if not await tx.fetch(_SQL["complete_request"], UUID(org_id), UUID(request_id), tx.now()):
        return
    request = await get_request(tx, org_id, request_id)
    assert request is not None, "it was completed just now"
    await notify(tx, org_id, request.agent_id, _news(request), await tx.position(org_id))


def _news(request: AgentRequest) -> News:
    counts = tally(request.recipients)
    metadata = {
        "request_id": public_request_id(request.id),
        "tool": "sms",
        "status": counts.outcome,
        **counts._asdict(),
    }
    if counts.status == "failed":
        return News("job_failed", "SMS failed", f"None of {counts.total} could be sent.", metadata)
    return News("sms_completed", "SMS sent", f"{counts.sent} of {counts.total} sent.", metadata)


def _last_spoke(row: Row) -> int:
    """When a number last spoke with the contact; 0: never."""
    return max((position_of(id_text(message_id)) for message_id in row[1:] if message_id is not None), default=0)


def _recipient(kept: dict[str, str], messages: dict[str, Any]) -> Recipient:
    to_number, from_number, message_id = kept["to"], kept["from"], kept.get("message_id")
    if message_id is None:
        return Recipient(to_number, from_number, None, "failed", kept["error"])
    status, code, description, *_ = messages[message_id]
    return Recipient(to_number, from_number, message_id, status, code, description)
