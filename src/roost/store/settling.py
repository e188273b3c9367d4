"""Settling what was leased: what became of each try, a group of them in one transaction.

Each settlement says whether the message was still ours to settle. It is not once a receipt, an operator or another worker has
settled it; a lease that merely ran out is still its owner's, who knows better than anybody what became of it.
"""

from collections.abc import Awaitable, Callable, Sequence
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
from roost.store.events import Key, Step
from roost.store.outbox import LEASE_LOST, REASONS, Leased, its_own
from roost.store.receipts import Accepted, opted_out, stored_receipts
from roost.store.sql import load
from roost.store.standing import OutboxStanding, forget, keep, standing_of, standings_of
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


class Settling:
    """A transaction that holds the counters of the organizations whose messages it settles; `finish` writes what most become.

    Written together they cost one exchange with the database, and not two for each message.
    """

    def __init__(self, tx: Transaction, standings: dict[str, OutboxStanding]) -> None:
        self.tx = tx
        self._standings = standings
        self._accepted: dict[Accepted, tuple[Leased, Sequence[ReceiptEvent]]] = {}
        self._done: dict[Key, Step] = {}

    def ours(self, leased: Leased) -> OutboxStanding | None:
        """How the message stands, if it is still its owner's to settle; in one group that is once."""
        standing = self._standings.get(leased.message_id)
        if standing is None or standing.lease != leased.lease or standing.state not in ("leased", "uncertain"):
            return None
        return self._standings.pop(leased.message_id)

    def done(self, leased: Leased, step: Step) -> None:
        """Nothing is left to do about it."""
        self._done[leased.key] = step

    def accepted(self, leased: Leased, step: Step, accepted: Accepted, told: Sequence[ReceiptEvent]) -> None:
        """The same, but for the receipts that came under the carrier's id before it was known; `told` come after them."""
        self._accepted[accepted] = (leased, told)
        self._done[leased.key] = step

    async def finish(self) -> None:
        """Write it all."""
        early = await stored_receipts(self.tx, self._accepted)
        for accepted, (leased, told) in self._accepted.items():
            receipts = [*early.get(accepted.message_id, ()), *told]
            step = self._done[leased.key]
            reached = after_receipts(step.reached, receipts, self.tx.now())
            self._done[leased.key] = step._replace(reached=reached)
            for receipt in receipts:
                if receipt.opted_out:
                    await opted_out(self.tx, _pair(leased), receipt.carrier_time)
        await keep(self.tx, self._done)
        await forget(self.tx, self._done)


Settle = Callable[[Settling], Awaitable[bool]]


async def settle_all(store: Store, group: Sequence[tuple[Leased, Settle]]) -> list[bool]:
    """Settlements, each of a message, in one transaction; whether each was still its owner's to settle."""

    async def work(tx: Transaction) -> list[bool]:
        await tx.lock(*(leased.org_id for leased, _ in group))
        settling = Settling(tx, await standings_of(tx, [leased.key for leased, _ in group]))
        settled = [await settle(settling) for _, settle in group]
        await settling.finish()
        return settled

    return await store.transact(work)


async def settle_accepted(
    settling: Settling,
    leased: Leased,
    carrier_message_id: str,
    receipts: Sequence[ReceiptEvent] = (),
    opted_out_codes: frozenset[str] = frozenset(),
) -> bool:
    """The carrier took it. `receipts` are what it said of it at once; those that came before this commit count too."""
    key = carrier_key(carrier_message_id, leased.message_id.encode())
    standing = settling.ours(leased)
    if standing is None:
        return False
    step = standing.step(after_acceptance(standing.progress, key, settling.tx.now()))
    accepted = Accepted(leased.org_id, leased.message_id, leased.carrier_account_id, key, opted_out_codes)
    settling.accepted(leased, step, accepted, receipts)
    return True


async def settle_refused(
    settling: Settling, leased: Leased, code: str, description: str, *, is_opted_out: bool = False
) -> bool:
    """It was not taken and never will be; `is_opted_out`: because the contact told the carrier to stop."""
    standing = settling.ours(leased)
    if standing is None:
        return False
    settling.done(leased, standing.step(failed(standing.progress, code, description)))
    if is_opted_out:
        await opted_out(settling.tx, _pair(leased), None)
    return True


async def settle_unsent(settling: Settling, leased: Leased, reason: str) -> bool:
    """It was not even tried, for what `still_wanted` said: it fails, or it is queued again where only the lease ran out."""
    if reason != LEASE_LOST:
        return await settle_refused(settling, leased, reason, REASONS.get(reason, reason))
    standing = settling.ours(leased)
    if standing is None:
        return False
    await settling.tx.fetch(_SQL["wait"], *leased.key, settling.tx.now(), standing.attempts)
    return True


async def settle_not_sent(
    settling: Settling, leased: Leased, code: str, description: str, retry_after: float | None, chance: int
) -> bool:
    """It surely did not go: it waits to be tried again, unless it was withdrawn meanwhile or it is time to give up.

    `retry_after` is in seconds. `chance` has 30 random bits. Its number rests as well.
    """
    standing = settling.ours(leased)
    if standing is None:
        return False
    now, attempts = settling.tx.now(), leased.attempts + 1
    created_at = position_of(leased.message_id)
    again_at = next_attempt(attempts, created_at, now, retry_after, chance / _CHANCES)
    if standing.withdrawn is not None:
        code, description = standing.withdrawn, REASONS.get(standing.withdrawn, standing.withdrawn)
    if standing.withdrawn is not None or again_at is None:
        settling.done(leased, standing.step(failed(standing.progress, code, description)))
        return True
    await settling.tx.fetch(_SQL["wait"], *leased.key, again_at, attempts)
    pace = (UUID(leased.org_id), UUID(leased.phone_number_id), rest_until(now, again_at, retry_after))
    await settling.tx.fetch(_SQL["keep_pace"], *pace)
    return True


async def settle_uncertain(settling: Settling, leased: Leased) -> bool:
    """It was perhaps sent: it waits for a receipt, the carrier's own record or an operator, and is told as `sending`."""
    if settling.ours(leased) is None:
        return False
    await settling.tx.fetch(_SQL["doubt"], *leased.key, next_look_up(leased.leased_at, settling.tx.now()))
    return True


async def settle_found(
    settling: Settling, leased: Leased, carrier_message_id: str, opted_out_codes: frozenset[str] = frozenset()
) -> bool:
    """The carrier's record has it, unless meanwhile that record may be another message's to the same contact."""
    if await its_own(settling.tx, leased, [carrier_message_id]) is None:
        return False
    return await settle_accepted(settling, leased, carrier_message_id, (), opted_out_codes)


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
            await keep(tx, {key: standing.step(done if decision == "sent" else gone)})
            await forget(tx, [key])
        change = {"decision": decision, "state": standing.state}
        sql, row = audited(store, org_id, OPERATOR, "outbound_message.settled", "outbound_message", message_id, change)
        await tx.fetch(sql, *row)
        return None

    return await store.transact(work)


def _pair(leased: Leased) -> Pair:
    return Pair(leased.org_id, leased.phone_number_id, leased.from_number, leased.to_number)
