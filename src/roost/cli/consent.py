"""Commands about who may be texted, and whose texts are only kept: consent and the block list."""

from collections.abc import Awaitable, Callable
from typing import Any

import click

from roost.api.answers import moment
from roost.cli.common import Context, command, find_organization, of_organization
from roost.core.consent import Consent
from roost.core.ids import parse_uuid
from roost.core.numbers import is_e164, is_sender
from roost.store.audit import OPERATOR
from roost.store.base import Store
from roost.store.blocking import BlockedSender, block_list, unblock
from roost.store.blocking import block as block_sender
from roost.store.capture import Capture, Captured, OptedOut
from roost.store.consent import Evidence, Pair, hash_of
from roost.store.consent_list import ConsentQuery, list_consents
from roost.store.directory import Directory, Organization
from roost.store.policy import policy_of

_LIMIT = click.option(
    "--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="At most so many."
)


@click.group()
def consent() -> None:
    """Consent: who may be texted from which number."""


@consent.command("list")
@of_organization
@click.option("--contact", metavar="E164", help="Only this contact.")
@_LIMIT
@command
def consent_list(context: Context, org_text: str, contact: str | None, limit: int) -> None:
    """List consents, the one that changed last first."""

    async def read(store: Store, owner: Organization) -> list[Consent]:
        return (await list_consents(store, ConsentQuery(owner.org_id, limit, contact_number=contact)))[0]

    context.show([_consent(each) for each in _run(context, org_text, read)])


@consent.command("record")
@of_organization
@click.option("--number", required=True, metavar="E164", help="The number of ours that may text.")
@click.option("--contact", required=True, metavar="E164", help="Who agreed.")
@click.option("--agreement", required=True, metavar="TEXT", help="What they agreed to.")
@click.option(
    "--method",
    type=click.Choice(["checkbox", "written", "verbal", "attested"]),
    default="attested",
    help="How they did.",
)
@command
def consent_record(context: Context, org_text: str, number: str, contact: str, agreement: str, method: str) -> None:
    """Record that a contact agreed to texts. It does not lift an opt-out: the contact's own START does."""
    if not is_e164(contact):
        raise click.ClickException(f"a contact must be E.164, such as +15554443333, not {contact!r}")
    evidence = Evidence("api", method, agreement_text_hash=hash_of(agreement), details={"agreement_text": agreement})

    async def record(store: Store, owner: Organization) -> Captured:
        held = await Directory(store).number(number)
        if held is None or held.org_id != owner.org_id:
            raise click.ClickException(f"the organization has no number {number}")
        capture = await _capture(store, owner)
        return await capture.opt_in(Pair(owner.org_id, held.id, held.number, contact), evidence)

    try:
        captured = _run(context, org_text, record)
    except OptedOut:
        raise click.ClickException(f"{contact} opted out; only a START from that phone lifts it") from None
    context.show({**_consent(captured.consent), "already_opted_in": captured.already})


@consent.command("revoke")
@click.argument("consent_id", metavar="ID")
@of_organization
@command
def consent_revoke(context: Context, consent_id: str, org_text: str) -> None:
    """Opt a contact out; what is queued to them from that number never leaves."""
    parsed = parse_uuid(consent_id)

    async def revoke(store: Store, owner: Organization) -> Consent | None:
        return await (await _capture(store, owner)).revoke(owner.org_id, parsed) if parsed else None

    revoked = _run(context, org_text, revoke)
    if revoked is None:
        raise click.ClickException(f"the organization has no consent {consent_id}")
    context.show(_consent(revoked))


@click.group()
def block() -> None:
    """The block list: senders whose texts are stored and marked, and never pushed."""


@block.command("add")
@click.argument("sender")
@of_organization
@click.option("--number", metavar="E164", help="Only on this number of the organization's.")
@click.option("--reason", help="Why, for people.")
@command
def block_add(context: Context, sender: str, org_text: str, number: str | None, reason: str | None) -> None:
    """Block a sender, on one number or on all of the organization's."""
    if not is_sender(sender):
        raise click.ClickException(f"a sender is E.164, a short code or a name, not {sender!r}")

    async def add(store: Store, owner: Organization) -> BlockedSender:
        held = await Directory(store).number(number) if number else None
        if number and (held is None or held.org_id != owner.org_id):
            raise click.ClickException(f"the organization has no number {number}")
        entry, _ = await block_sender(store, OPERATOR, owner.org_id, sender, number, reason)
        return entry

    context.show(_entry(_run(context, org_text, add)))


@block.command("list")
@of_organization
@_LIMIT
@command
def block_list_(context: Context, org_text: str, limit: int) -> None:
    """List blocked senders, newest first."""

    async def read(store: Store, owner: Organization) -> list[BlockedSender]:
        return (await block_list(store, owner.org_id, limit))[0]

    context.show([_entry(each) for each in _run(context, org_text, read)])


@block.command("remove")
@click.argument("entry_id", metavar="ID")
@of_organization
@command
def block_remove(context: Context, entry_id: str, org_text: str) -> None:
    """Unblock a sender. What came meanwhile stays marked."""
    parsed = parse_uuid(entry_id)

    async def remove(store: Store, owner: Organization) -> bool:
        return parsed is not None and await unblock(store, OPERATOR, owner.org_id, parsed)

    if not _run(context, org_text, remove):
        raise click.ClickException(f"the organization has no blocked sender {entry_id}")
    context.show({"id": parsed, "status": "removed"})


def _run(context: Context, org_text: str, work: Callable[[Store, Organization], Awaitable[Any]]) -> Any:
    async def for_owner(store: Store) -> Any:
        return await work(store, await find_organization(Directory(store), org_text))

    return context.run(for_owner)


async def _capture(store: Store, owner: Organization) -> Capture:
    policy = await policy_of(store, owner.org_id)
    assert policy is not None, "the organization was found just before"
    return Capture(store, OPERATOR, policy.settings)


def _consent(found: Consent) -> dict[str, Any]:
    return {
        "id": found.id,
        "number": found.number,
        "contact_number": found.contact_number,
        "opted_in": found.state == "opted_in",
        "opted_in_at": moment(found.opted_in_at),
        "opted_out_at": moment(found.opted_out_at),
        "source": found.source,
        "consent_method": found.consent_method,
        "updated_at": moment(found.updated_at),
    }


def _entry(entry: BlockedSender) -> dict[str, Any]:
    return {
        "id": entry.id,
        "sender": entry.sender,
        "number": entry.number,
        "reason": entry.reason,
        "created_at": moment(entry.created_at),
    }
