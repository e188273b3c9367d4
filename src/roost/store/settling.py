"""Settling what was leased: what became of one try, in a transaction that holds the organization's counter.

Each says whether the message was still ours to settle. It is not once a receipt, an operator or another worker has settled
it; a lease that merely ran out is still its owner's, who knows better than anybody what became of it.
"""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from roost.core.delivery import (
    after_acceptance,
    after_receipts,
    failed,
    next_attempt,
    next_look_up,
    rest_until,
)
from roost.core.ids import position_of
from roost.core.message import ReceiptEvent, carrier_key
from roost.store.audit import OPERATOR, audited
from roost.store.base import Store
from roost.store.consent import Pair
from roost.store.outbox import LEASE_LOST, REASONS, Leased, known_ids
from roost.store.receipts import opted_out, stored_receipts
from roost.store.sql import load
from roost.store.standing import OutboxStanding, forget, keep, standing_of
from roost.store.transaction import Transaction

_SQL = load("outbox.sql")
_CHANCES = 1 << 30

Decision = Literal["sent", "failed", "retry", "release"]
#: In which states an operator may decide so.
DECISIONS: dict[Decision, tuple[str, ...]] = {
    "sent": ("uncertain",),
    "failed": ("uncertain", "held"),
    "retry": ("uncertain",),
    "release": ("held",),
}


async def settle_accepted(
    tx: Transaction,
    leased: Leased,
    carrier_message_id: str,
    receipts: Sequence[ReceiptEvent] = (),
    opted_out_codes: frozenset[str] = frozenset(),
) -> bool:
    """The carrier took it. `receipts` are what it said of it at once; those that came before this commit count too."""
    standing = await _ours(tx, leased)
    if standing is None:
        return False
    key = carrier_key(carrier_message_id, leased.message_id.encode())
    earlier = await stored_receipts(tx, leased.org_id, leased.carrier_account_id, key, opted_out_codes)
    told = [*earlier, *receipts]
    accepted = after_acceptance(standing.progress, key, tx.now())
    await keep(tx, leased.org_id, leased.message_id, after_receipts(accepted, told, tx.now()))
    await forget(tx, leased.org_id, leased.message_id)
    for receipt in told:
        if receipt.opted_out:
            await opted_out(tx, _pair(leased), receipt.carrier_time)
    return True


async def settle_refused(
    tx: Transaction, leased: Leased, code: str, description: str, *, is_opted_out: bool = False
) -> bool:
    """It was not taken and never will be; `is_opted_out`: because the contact told the carrier to stop."""
    standing = await _ours(tx, leased)
    if standing is None:
        return False
    await keep(tx, leased.org_id, leased.message_id, failed(standing.progress, code, description))
    await forget(tx, leased.org_id, leased.message_id)
    if is_opted_out:
        await opted_out(tx, _pair(leased), None)
    return True


async def settle_unsent(tx: Transaction, leased: Leased, reason: str) -> bool:
    """It was not even tried, for what `still_wanted` said: it fails, or it is queued again where only the lease ran out."""
    if reason != LEASE_LOST:
        return await settle_refused(tx, leased, reason, REASONS.get(reason, reason))
    standing = await _ours(tx, leased)
    if standing is None:
        return False
    await tx.fetch(_SQL["wait"], *leased.key, tx.now(), standing.attempts)
    return True


async def settle_not_sent(
    tx: Transaction, leased: Leased, code: str, description: str, retry_after: float | None, chance: int
) -> bool:
    """It surely did not go: it waits to be tried again, unless it was withdrawn meanwhile or it is time to give up.

    `retry_after` is in seconds. `chance` has 30 random bits. Its number rests as well.
    """
    standing = await _ours(tx, leased)
    if standing is None:
        return False
    now, attempts = tx.now(), leased.attempts + 1
    created_at = position_of(leased.message_id)
    again_at = next_attempt(attempts, created_at, now, retry_after, chance / _CHANCES)
    if standing.withdrawn is not None:
        return await settle_unsent(tx, leased, standing.withdrawn)
    if again_at is None:
        return await settle_refused(tx, leased, code, description)
    await tx.fetch(_SQL["wait"], *leased.key, again_at, attempts)
    pace = (UUID(leased.org_id), UUID(leased.phone_number_id), rest_until(now, again_at, retry_after))
    await tx.fetch(_SQL["keep_pace"], *pace)
    return True


async def settle_uncertain(tx: Transaction, leased: Leased) -> bool:
    """It was perhaps sent: it waits for a receipt, the carrier's own record or an operator, and is told as `sending`."""
    if await _ours(tx, leased) is None:
        return False
    await tx.fetch(_SQL["doubt"], *leased.key, next_look_up(leased.leased_at, tx.now()))
    return True


async def settle_found(
    tx: Transaction, leased: Leased, carrier_message_id: str, opted_out_codes: frozenset[str] = frozenset()
) -> bool:
    """The carrier's record has it, unless meanwhile that record may be another message's to the same contact."""
    known = await known_ids(tx, leased)
    if known is None or carrier_key(carrier_message_id, b"") in known:
        return False
    return await settle_accepted(tx, leased, carrier_message_id, (), opted_out_codes)


async def decide(store: Store, org_id: str, message_id: str, decision: Decision) -> str | None:
    """What an operator decides about a message that was perhaps sent, or is held; audited.

    None when it is done; else the state in which it is, which allows no such decision (`settled`: nothing is left to decide).
    """

    async def work(tx: Transaction) -> str | None:
        await tx.lock(org_id)
        standing = await standing_of(tx, org_id, message_id)
        if standing is None or standing.state not in DECISIONS[decision]:
            return standing.state if standing else "settled"
        key = (UUID(org_id), UUID(message_id))
        if decision in ("retry", "release"):
            await tx.fetch(_SQL["requeue"], *key, tx.now())
        else:
            sent_at = position_of(standing.lease) if standing.lease else tx.now()
            done = after_acceptance(standing.progress, "", sent_at)
            gone = failed(standing.progress, "OPERATOR", "an operator decided that it was not sent")
            await keep(tx, org_id, message_id, done if decision == "sent" else gone)
            await forget(tx, org_id, message_id)
        change = {"decision": decision, "state": standing.state}
        sql, row = audited(store, org_id, OPERATOR, "outbound_message.settled", "outbound_message", message_id, change)
        await tx.fetch(sql, *row)
        return None

    return await store.transact(work)


async def _ours(tx: Transaction, leased: Leased) -> OutboxStanding | None:
    standing = await standing_of(tx, leased.org_id, leased.message_id)
    if standing is None or standing.lease != leased.lease or standing.state not in ("leased", "uncertain"):
        return None
    return standing


def _pair(leased: Leased) -> Pair:
    return Pair(leased.org_id, leased.phone_number_id, leased.from_number, leased.to_number)
