"""Texts that a carrier delivers in parts: each part is stored before it is acknowledged, and the last one makes the message.

All of it happens in the transaction of the delivery, with the organization's counter locked: of two processes that hold the
last two parts, one waits and then sees the other's.
"""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from roost.core.ids import id_text
from roost.core.message import Draft, InboundEvent, UnknownEvent, draft
from roost.core.parts import Part, joined, late
from roost.store.group import Delivery, Group, Holder
from roost.store.sql import load
from roost.store.transaction import Reader, Transaction

#: After this time what is there becomes a message. Parts of one text mostly come within seconds of each other.
WAIT_US = 10 * 60 * 1_000_000
#: A part that comes within this time after the others belongs to them: senders use a reference again after 256 texts or later.
LATE_US = 3600 * 1_000_000
#: For so long a part is known again. Vonage delivers again for 24 hours. ("Inbound SMS")
KEPT_US = 48 * 3600 * 1_000_000

_SQL = load("parts.sql")


class _Text(NamedTuple):
    """What the parts of one text share."""

    org_id: UUID
    account_id: UUID
    from_number: str
    to_number: str
    reference: str
    total: int


async def assemble(
    tx: Transaction, group: Group, held: Mapping[tuple[str, str], Holder]
) -> dict[tuple[str, str], Holder]:
    """Store the group's parts, and give it the messages that are whole with them, or that have waited long enough.

    `held` is as for `Group.route`, and so is what comes back: who holds the numbers of overdue texts. A part that was sent to
    nobody's number is unrouted by itself.
    """
    more: dict[tuple[str, str], Holder] = {}
    for index, delivery in enumerate(group.deliveries):
        for part in delivery.parts:
            number = next((each for each in part.draft.to_numbers if (delivery.account_id, each) in held), None)
            if number is None:
                group.add_unrouted(index, part.draft)
            else:
                await _keep(tx, group, index, delivery, part, number)
        if delivery.overdue_at is not None:
            more |= await _make_overdue(tx, group, index, delivery, delivery.overdue_at)
    return more


async def overdue(reader: Reader, now_us: int) -> list[tuple[str, str]]:
    """(organization, carrier account) of each with parts that have waited too long."""
    rows = await reader.fetch(_SQL["overdue_accounts"], now_us - WAIT_US)
    return [(id_text(org_id), id_text(account_id)) for org_id, account_id in rows]


async def _keep(tx: Transaction, group: Group, index: int, delivery: Delivery, part: Part, number: str) -> None:
    text = _Text(
        UUID(delivery.org_id), UUID(delivery.account_id), part.draft.from_number, number, part.reference, part.total
    )
    if await tx.fetch(_SQL["part_known"], *text[:2], part.draft.carrier_message_id, number):
        group.add_replay(index)
        return
    now = tx.now()
    lately = [(each, made) for each, made in await tx.fetch(_SQL["parts_of_text"], *text, now - LATE_US)]
    waiting = {each for each, made in lately if made is None}
    newest = max((made for _, made in lately if made is not None), default=None)
    made_of = {each for each, made in lately if made is not None and made == newest}
    if part.number in waiting:  # the sender has come to the same reference again: what waits is an older text
        await _make(tx, group, index, delivery, text)
        waiting = set()
    await tx.fetch(
        _SQL["insert_part"],
        *(text.org_id, text.account_id, part.draft.carrier_message_id, number, text.from_number, text.reference),
        *(part.number, text.total, part.draft.body, part.draft.carrier_received_at, now, part.draft.raw),
    )
    is_late = not waiting and 0 < len(made_of) < text.total and part.number not in made_of
    if is_late or len(waiting) + 1 == text.total:
        await _make(tx, group, index, delivery, text, is_late=is_late)


async def _make_overdue(
    tx: Transaction, group: Group, index: int, delivery: Delivery, overdue_at: int
) -> dict[tuple[str, str], Holder]:
    ids = (UUID(delivery.org_id), UUID(delivery.account_id))
    held: dict[tuple[str, str], Holder] = {}
    for row in await tx.fetch(_SQL["overdue_texts"], *ids, overdue_at - WAIT_US):
        text = _Text(*ids, *row)
        for number_id, agent_id in await tx.fetch(_SQL["holder"], *ids, text.to_number):
            held[delivery.account_id, text.to_number] = Holder(
                id_text(number_id), id_text(agent_id) if agent_id else None
            )
        await _make(tx, group, index, delivery, text)
    return held


async def _make(
    tx: Transaction, group: Group, index: int, delivery: Delivery, text: _Text, *, is_late: bool = False
) -> None:
    """A message of the parts that wait, in their order; of a late one alone."""
    taken = sorted(await tx.fetch(_SQL["waiting_parts"], *text), key=lambda row: int(row[0]))
    await tx.fetch(_SQL["settle_parts"], *text, tx.now(), b"")
    await tx.fetch(_SQL["forget_parts"], text.org_id, tx.now() - KEPT_US)
    bodies = {part: body for part, _, body, *_ in taken}
    times = [at for *_, at, _ in taken if at is not None]
    whole = InboundEvent(
        carrier_message_id=taken[0][1],
        from_number=text.from_number,
        to_numbers=(text.to_number,),
        body=late(taken[0][0], text.total, taken[0][2]) if is_late else joined(bodies, text.total),
        raw=b"\n".join(bytes(raw) for *_, raw in taken),
        segment_count=1 if is_late else text.total,
        carrier_received_at=max(times, default=None),
    )
    made: Draft | UnknownEvent = draft(whole, frozenset(delivery.policy.settings.opt_out_words))
    assert isinstance(made, Draft), "a part with a malformed sender is none"
    group.add_draft(index, made)
