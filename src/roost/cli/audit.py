"""Commands that read the audit log, and that erase a contact."""

from typing import Any

import click
import msgspec

from roost.api.audit import entry_body
from roost.api.contacts import erased_body, is_theirs
from roost.cli.common import Context, command, find_organization, of_organization
from roost.core.numbers import is_sender
from roost.store.audit import OPERATOR, AuditFilters, audit_log
from roost.store.base import Store
from roost.store.directory import Directory
from roost.store.erasure import erase_contact
from roost.store.pages import PageOf


@click.group()
def audit() -> None:
    """The audit log: who changed what."""


@audit.command("list")
@of_organization
@click.option("--action", help="Only this action, such as api_key.created.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many.")
@command
def audit_list(context: Context, org_text: str, action: str | None, limit: int) -> None:
    """List changes, newest first."""

    async def listed(store: Store) -> list[dict[str, Any]]:
        owner = await find_organization(Directory(store), org_text)
        found = await audit_log(store, PageOf(owner.org_id, limit), AuditFilters(action=action))
        return [msgspec.to_builtins(entry_body(entry, payload=True)) for entry in found.items]

    context.show(context.run(listed))


@click.group()
def contact() -> None:
    """Contacts: the people on the other side."""


@contact.command("erase")
@click.argument("number", metavar="E164")
@of_organization
@command
def contact_erase(context: Context, number: str, org_text: str) -> None:
    """Erase the words and media of a contact's messages, both ways; its consent stays."""
    if not is_sender(number):
        raise click.ClickException(f"a contact must be E.164, such as +15554443333, not {number!r}")

    async def erase(store: Store) -> dict[str, Any]:
        owner = await find_organization(Directory(store), org_text)
        erased = await erase_contact(store, owner.org_id, number, OPERATOR, is_theirs(number))
        shown: dict[str, Any] = msgspec.to_builtins(erased_body(number, erased))
        return shown

    context.show(context.run(erase))
