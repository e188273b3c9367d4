"""What would become of a send, before it is asked for: decided as `accept` decides, and nothing is written."""

from typing import NamedTuple
from uuid import UUID

from roost.core.organization import Settings
from roost.core.outbound import Send
from roost.store.base import Store
from roost.store.sending import Found, SendRefused, decide, find
from roost.store.sql import load

_SQL = load("foresight.sql")
#: Counting what is ahead ends here.
MOST_AHEAD = 1000


class Foreseen(NamedTuple):
    """`reason` is why it would be refused (as `SendRefused` has it), or None; then the rest says how it would leave."""

    reason: str | None
    opted_out: bool = False
    """The contact said so, to this number."""
    state: str = "queued"
    """As in the outbox: `waiting` until `due_at`, or `held` for an operator."""
    due_at: int = 0
    ahead: int = 0
    """How many texts of the number leave before it, up to `MOST_AHEAD`."""


async def foresee(store: Store, send: Send, settings: Settings) -> Foreseen:
    """Of one send that is well-formed, without its media."""
    [found] = await find(store, [send])
    opted_out = found.standing.state == "opted_out"
    try:
        state, due_at = decide(send, settings, found, store.clock())
    except SendRefused as refused:
        return Foreseen(refused.reason, opted_out)
    return Foreseen(None, opted_out, state, due_at, await _ahead(store, send, found))


async def _ahead(store: Store, send: Send, found: Found) -> int:
    assert found.phone_number_id is not None
    rows = await store.fetch(_SQL["ahead"], UUID(send.org_id), UUID(found.phone_number_id), MOST_AHEAD)
    return int(rows[0][0])
