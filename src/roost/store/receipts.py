"""Delivery receipts: what a carrier says became of outbound messages, in whatever order and however often."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from roost.core.delivery import Progress, after_receipt
from roost.core.ids import id_text, parse_uuid
from roost.core.message import ReceiptEvent, carrier_key
from roost.store.consent import Evidence, Pair, record_opt_out
from roost.store.events import Key, Step
from roost.store.outbox import scope_in
from roost.store.sql import ERASURE, load
from roost.store.standing import forget, keep
from roost.store.transaction import Row, Transaction

_SQL = load("outbox.sql")
_WANTED = "org_id uuid, message_id uuid, carrier_account_id uuid, carrier_message_id text"


class _Told(NamedTuple):
    """A message that receipts are about."""

    id: str
    pair: Pair
    is_erased: bool
    progress: Progress


async def apply_receipts(tx: Transaction, org_id: str, account_id: str, receipts: Sequence[ReceiptEvent]) -> None:
    """Move the messages on that the receipts are about; what a carrier has a receipt for is not sent again.

    A message is found by the carrier's id or, where the answer to its send has not been stored, by the tag that is our own id.
    A receipt of no message of the account changes nothing; one of an erased message keeps nothing of what it says, which may be
    the words once more. The caller holds the organization's counter.
    """
    known: dict[str, _Told] = {}
    steps: dict[Key, Step] = {}
    for receipt in receipts:
        normal = receipt._replace(carrier_message_id=_key_of(receipt))
        for told in await _told_of(tx, org_id, account_id, normal, known):
            progress = after_receipt(told.progress, normal, tx.now())
            if receipt.opted_out and progress.status != told.progress.status:
                await opted_out(tx, told.pair, receipt.carrier_time)
            if told.is_erased:
                stored = (UUID(account_id), carrier_key(receipt.carrier_message_id, receipt.raw))
                await tx.fetch(ERASURE["erase_receipts"], UUID(org_id), *stored, b"")
            known[told.id] = told._replace(progress=progress)
            key = (UUID(org_id), UUID(told.id))
            steps[key] = Step(steps[key].before if key in steps else told.progress.status, progress)
    await keep(tx, steps)
    await forget(tx, steps)


class Accepted(NamedTuple):
    """A message that a carrier has taken, and calls by its own id."""

    org_id: str
    message_id: str
    account_id: str
    carrier_message_id: str
    opted_out_codes: frozenset[str]


async def stored_receipts(tx: Transaction, accepted: Iterable[Accepted]) -> dict[str, list[ReceiptEvent]]:
    """Those that came before it was known whose message each is, by message id, in the order in which they came."""
    known = {each.message_id: each for each in accepted}
    wanted = [
        (UUID(each.org_id), UUID(each.message_id), UUID(each.account_id), each.carrier_message_id)
        for each in known.values()
    ]
    found: dict[str, list[ReceiptEvent]] = {}
    for message_id, recipient, event, raw, code, description, at in await tx.joined(
        _SQL["receipts_of"], _WANTED, wanted
    ):
        about = known[id_text(message_id)]
        is_opted_out = code in about.opted_out_codes
        found.setdefault(about.message_id, []).append(
            ReceiptEvent(
                about.carrier_message_id, recipient, event, bytes(raw), code, description, at, None, is_opted_out
            )
        )
    return found


async def opted_out(tx: Transaction, pair: Pair, carrier_at: int | None) -> None:
    """The carrier says that the contact told it to stop: that holds as if the contact had told us."""
    rows = await tx.fetch(_SQL["scope_of"], UUID(pair.org_id))
    evidence = Evidence("carrier", "sms_keyword", carrier_at=carrier_at)
    await record_opt_out(tx, pair, evidence, scope_in(rows[0][0]))


async def _told_of(
    tx: Transaction, org_id: str, account_id: str, receipt: ReceiptEvent, known: dict[str, _Told]
) -> list[_Told]:
    """As they stand after the receipts before this one."""
    tag = parse_uuid(receipt.tag or "")
    ids = (UUID(org_id), UUID(account_id))
    rows = await tx.fetch(_SQL["told_of"], *ids, receipt.carrier_message_id, UUID(tag) if tag else None)
    found = {told.id: told for told in (_told(org_id, row) for row in rows)}
    for told in known.values():
        if receipt.carrier_message_id and told.progress.carrier_message_id == receipt.carrier_message_id:
            found[told.id] = told
    return [known.get(each, told) for each, told in found.items()]


def _told(org_id: str, row: Row) -> _Told:
    message_id, number_id, from_number, to_number, is_erased, *progress = row
    pair = Pair(org_id, id_text(number_id), from_number, to_number)
    return _Told(id_text(message_id), pair, bool(is_erased), Progress(*progress))


def _key_of(receipt: ReceiptEvent) -> str:
    """The carrier's id as it is stored; a missing one is nobody's."""
    return carrier_key(receipt.carrier_message_id, receipt.raw) if receipt.carrier_message_id else ""
