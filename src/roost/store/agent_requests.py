"""Dialect B's requests: one text to several recipients, and what became of each."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from roost.core.agent_request import Recipient, public_request_id, tally
from roost.core.ids import id_text
from roost.store.notifications import News, notify
from roost.store.sql import load
from roost.store.transaction import Reader, Transaction

_SQL = load("agent_requests.sql")


class AgentRequest(NamedTuple):
    """A request as it stands. Times are microseconds since 1970; `created_at` is the position that `id` encodes."""

    id: str
    agent_id: str
    recipients: tuple[Recipient, ...]
    memo: str | None
    created_at: int
    updated_at: int


async def request_of_quote(reader: Reader, org_id: str, quote_id: str) -> str | None:
    """The id of the request that a quote became."""
    rows = await reader.fetch(_SQL["request_of_quote"], UUID(org_id), quote_id)
    return id_text(rows[0][0]) if rows else None


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


async def note_settled_messages(tx: Transaction, keys: Iterable[tuple[UUID, UUID]]) -> None:
    """The same for the requests of messages, (organization, id) each; most messages are of none."""
    rows = await tx.joined(_SQL["requests_of_messages"], "org_id uuid, message_id uuid", list(keys))
    for org_id, request_id in sorted({(id_text(row[0]), id_text(row[1])) for row in rows}):
        await note_settled(tx, org_id, request_id)


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


def _recipient(kept: dict[str, str], messages: dict[str, Any]) -> Recipient:
    to_number, from_number, message_id = kept["to"], kept["from"], kept.get("message_id")
    if message_id is None:
        return Recipient(to_number, from_number, None, "failed", kept["error"])
    if message_id not in messages:  # swept: a message that is as old as its request may go a moment before it
        return Recipient(to_number, from_number, message_id, "failed", "EXPIRED", "it is no longer kept")
    status, code, description, *_ = messages[message_id]
    return Recipient(to_number, from_number, message_id, status, code, description)
