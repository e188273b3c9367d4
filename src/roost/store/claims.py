"""Claims: each message of a queue is with one worker at a time, and is done once. See decision 0027."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from uuid import UUID

from roost.core.claims import MAX_LEASED, Claimed, Held, Reason, Settling, Standing, Wanted, choose, refusal
from roost.core.ids import id_text
from roost.core.message import InboundMessage
from roost.store.base import Store
from roost.store.claimable import Claimable
from roost.store.listing import SOME_COLUMNS, SOME_SQL, message_of
from roost.store.sql import load
from roost.store.transaction import Reader, Transaction

_SQL = load("claims.sql")
_TAKEN = "claim_org uuid, claim_id uuid, claim_queue text, claim_fence bigint, claim_until bigint"
_NAMED = "claim_org uuid, claim_id uuid, claim_queue text"

Noted = Callable[[Transaction, Claimed], Awaitable[None]]
"""What else is to be written in the transaction that claims."""


class QueueFull(Exception):
    """So many messages of the queue are leased that no other is."""


async def claim(store: Store, wanted: Wanted, noted: Noted | None = None) -> Claimed:
    """Lease the oldest messages that nobody has and nobody is done with. Raises StoreUnavailable and QueueFull.

    Where there are none nothing is written.
    """
    wanted = wanted._replace(above=max(wanted.above, await store.kept.above(wanted.org_id)))
    if not await Claimable(store, wanted).has_any(store.clock()):
        return Claimed()
    claimed = None
    while claimed is None:
        claimed = await store.transact(partial(_claim, wanted=wanted, noted=noted))
    return claimed


async def _claim(tx: Transaction, wanted: Wanted, noted: Noted | None) -> Claimed | None:
    """None: all that it passed is taken, and there is more."""
    org_id, view = UUID(wanted.org_id), Claimable(tx, wanted)
    [(fence,)] = await tx.fetch(_SQL["next_fence"], org_id, wanted.queue, tx.now())
    now = tx.now()
    [(leased,)] = await tx.fetch(_SQL["leased"], org_id, wanted.queue, MAX_LEASED)
    returned = await view.returned(now, wanted.limit)
    passed, has_more = await view.passed(wanted.limit)
    choice = choose(returned, passed, wanted.limit, MAX_LEASED - leased)
    if choice.through is not None:
        place = (org_id, wanted.queue, wanted.filters.name, UUID(choice.through))
        await tx.fetch(_SQL["keep_place"], *place)
    if not choice.taken:
        if leased >= MAX_LEASED and any(is_free for _, is_free in passed):
            raise QueueFull
        return None if has_more else Claimed()
    until = now + wanted.lease_us
    ids = [UUID(each) for each in choice.taken]
    await tx.joined(_SQL["take"], _TAKEN, [(org_id, each, wanted.queue, fence, until) for each in ids])
    claimed = Claimed(await _messages(tx, org_id, ids), fence, until)
    if noted is not None:
        await noted(tx, claimed)
    return claimed


async def still_held(store: Store, org_id: str, queue: str, fence: int) -> Claimed:
    """What a claim that was made before still holds."""
    rows = await store.fetch(_SQL["still_held"], UUID(org_id), queue, fence)
    if not rows:
        return Claimed()
    found = [UUID(id_text(message_id)) for message_id, _ in rows]
    return Claimed(await _messages(store, UUID(org_id), found), fence, rows[0][1])


async def settle(
    store: Store, how: Settling, org_id: str, queue: str, held: Sequence[Held], agent_id: str | None = None
) -> list[Reason | None]:
    """Acknowledge messages, or give them back; of each, in order, why not. Raises StoreUnavailable.

    `agent_id` is for one who has only an agent's messages: others' are unknown.
    """

    async def work(tx: Transaction) -> list[Reason | None]:
        org = UUID(org_id)
        if not await tx.fetch(_SQL["lock_queue"], org, queue):
            return ["unknown"] * len(held)
        rows = await tx.joined(_SQL["standing"], _NAMED, [(org, UUID(each), queue) for each in {h[0] for h in held}])
        standing = {
            id_text(message_id): Standing(*stands)
            for message_id, *stands, agent in rows
            if agent_id is None or (agent is not None and id_text(agent) == agent_id)
        }
        refused = [refusal(how, standing.get(each.message_id), each.fence) for each in held]
        accepted = {each for each, reason in zip(held, refused, strict=True) if reason is None}
        changed = [each for each in accepted if standing[each.message_id].acked_at is None]
        keys = [(org, UUID(each.message_id), queue, each.fence) for each in changed]
        await tx.many(_SQL[how], [(*key, tx.now()) for key in keys] if how == "ack" else keys)
        return refused

    return await store.transact(work)


async def _messages(reader: Reader, org_id: UUID, ids: Sequence[UUID]) -> tuple[InboundMessage, ...]:
    rows = await reader.joined(SOME_SQL, SOME_COLUMNS, [(org_id, each) for each in ids])
    return tuple(sorted(map(message_of, rows), key=lambda message: message.id))
