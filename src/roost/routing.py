"""Routing: a message is made of what a carrier delivered and nobody could place, now that its number is there."""

from roost.api.policies import policy_for
from roost.carriers.contract import IntakeRequest
from roost.carriers.registry import CARRIERS
from roost.core.message import Draft
from roost.errors import Refusal
from roost.intake import delivery_of
from roost.store.audit import OPERATOR, Actor
from roost.store.base import Store
from roost.store.directory import Directory
from roost.store.unrouted import UnroutedDelivery, mark_routed, message_of_key


async def route(store: Store, unrouted: UnroutedDelivery, to_number: str | None, actor: Actor = OPERATOR) -> str:
    """The id of the message. `to_number` of None: to where it was sent. Refuses with 409, and says why."""
    account = await Directory(store).carrier_account(unrouted.carrier_account_id)
    if account is None:
        raise _cannot("its carrier account is gone")
    events = CARRIERS[account.carrier].parse(IntakeRequest({}, unrouted.raw))
    delivery = delivery_of(account, events, await policy_for(store, account))
    # A part of a text whose number was nobody's: by now the others are not waited for.
    drafts: list[Draft] = [*delivery.drafts, *(part.draft for part in delivery.parts)]
    delivery = delivery._replace(drafts=drafts, parts=())
    if to_number is not None:
        drafts[:] = [draft._replace(to_numbers=(to_number,)) for draft in drafts]
    if len(drafts) != 1 or delivery.unknown or delivery.receipts:
        raise _cannot(f"it cannot be made a message: {unrouted.reason}")
    # Through the one path that stores messages: if it was routed before, or delivered again since, this finds it.
    await store.record(delivery)
    message_id = await message_of_key(store, account, drafts[0])
    if message_id is None:
        numbers = ", ".join(drafts[0].to_numbers) or "no number"
        raise _cannot(f"still unrouted: the account {account.id} has none of {numbers}; see: roost number add")
    await mark_routed(store, unrouted, message_id, actor)
    return message_id


def _cannot(why: str) -> Refusal:
    return Refusal(409, "CONFLICT", why)
