"""What a delivery sets off, in the transaction that stores it: a keyword's consent and answer, a receipt's status,
and that media are copied.
"""

from uuid import UUID

from roost.core.consent import CONFIRMATION_US, Reply, hear
from roost.core.ids import position_of
from roost.core.numbers import is_e164
from roost.core.outbound import Send
from roost.core.replies import reply_text
from roost.store.consent import Evidence, Pair, record_opt_in, record_opt_out, standing_consent
from roost.store.group import Group, New
from roost.store.media import expect_media
from roost.store.receipts import apply_receipts
from roost.store.sending import accept
from roost.store.sql import load
from roost.store.transaction import Transaction

_SQL = load("consent.sql")


async def apply_effects(tx: Transaction, group: Group, new_ids: set[str]) -> None:
    """Keywords change consent and may be answered; media wait to be copied; receipts move outbound messages on."""
    for message in group.new(new_ids):
        if message.draft.media:
            await expect_media(tx, message.org_id, message.id, len(message.draft.media))
        if message.draft.keyword is not None:
            await _hear(tx, message)
        if message.draft.suspected:
            pair = (UUID(message.org_id), message.draft.from_number, message.number)
            await tx.fetch(_SQL["remember_suspected"], *pair, UUID(message.id))
    for org_id, account_id, receipts in group.receipt_events():
        await apply_receipts(tx, org_id, account_id, receipts)


async def _hear(tx: Transaction, message: New) -> None:
    draft, policy = message.draft, message.policy
    assert draft.keyword is not None
    scope = policy.settings.opt_out_scope
    pair = Pair(message.org_id, message.holder.phone_number_id, message.number, draft.from_number)
    received_at = position_of(message.id)
    carrier_at = draft.carrier_received_at or received_at
    heard = hear(draft.keyword, await standing_consent(tx, pair, scope), carrier_at, received_at)
    said = Evidence("inbound_reply", "sms_keyword", draft.keyword.keyword, message.id, carrier_at)
    if heard.state == "opted_out":
        await record_opt_out(tx, pair, said, scope)
    elif heard.state == "opted_in":
        await record_opt_in(tx, pair, said, scope)
    if heard.reply is not None:
        await _answer(tx, message, heard.reply)


async def _answer(tx: Transaction, message: New, reply: Reply) -> None:
    """Queue the auto-reply, unless it is switched off, the carrier gives it, or nobody can be answered there."""
    policy, contact = message.policy, message.draft.from_number
    carrier_answers = reply != "help" and policy.answers_opt_outs(message.number)
    if not policy.settings.auto_replies.enabled or carrier_answers or not is_e164(contact):
        return
    send = Send(
        org_id=message.org_id,
        from_number=message.number,
        to_number=contact,
        body=reply_text(reply, policy.organization, policy.settings.auto_replies),
        purpose="auto_reply",
        expires_at=position_of(message.id) + CONFIRMATION_US,
    )
    await accept(tx, [(send, policy.settings)])
