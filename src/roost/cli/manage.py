"""Commands that say who holds what: carrier accounts, numbers, agents."""

from collections.abc import Callable
from typing import Any

import click

from roost.api.answers import moment
from roost.api.number_bodies import MAX_PACE
from roost.api.push_urls import push_url
from roost.carriers.credentials import new_secrets
from roost.carriers.registry import CARRIERS
from roost.cli.common import (
    LISTED,
    Context,
    command,
    find_account,
    find_agent,
    find_number,
    find_organization,
    of_organization,
    value_or_file,
)
from roost.core.numbers import is_e164
from roost.store.base import Store
from roost.store.directory import Agent, Directory, Number
from roost.store.pages import PageOf
from roost.wallet import checksum_address, is_wallet

_OPEN_WARNING = "Warning: an open agent's inbox can be read by anybody who knows its address."


@click.group()
def carrier() -> None:
    """Carrier accounts: where texts come from."""


def carrier_fields(function: Callable[..., Any]) -> Callable[..., Any]:
    """An option for each field that any carrier's account has, with what each carrier means by it."""
    meanings: dict[str, list[str]] = {}
    for name, module in sorted(CARRIERS.items()):
        for field in module.FIELDS:
            made = "; generated if not given" if field.generated else ", for sending" if field.needed == "send" else ""
            meanings.setdefault(field.name, []).append(f"{name}: {field.help}{made}.")
    for field_name, said in reversed(meanings.items()):
        option = click.option(f"--{field_name.replace('_', '-')}", field_name, help=" ".join(said))
        function = option(function)
    return function


@carrier.command("add")
@click.argument("name", type=click.Choice(sorted(CARRIERS)))
@of_organization
@click.option("--label", default="", help="What people call it.")
@carrier_fields
@command
def carrier_add(context: Context, name: str, org_text: str, label: str, **given: str | None) -> None:
    """Add a carrier account and print the webhook URL to set at the carrier.

    Without all that sending needs it receives only, which is always valid. A value of @FILE is read from the file, so that a
    secret shows neither in the list of processes nor in the shell's history.
    """
    try:
        made = new_secrets(name, {field: value_or_file(value) for field, value in given.items() if value})
    except ValueError as error:
        raise click.ClickException(str(error)) from None

    async def add(store: Store) -> dict[str, Any]:
        directory = Directory(store)
        owner = await find_organization(directory, org_text)
        account = await directory.add_carrier_account(owner.org_id, name, label, made.secrets)
        return {
            "id": account.id,
            "org_id": owner.org_id,
            "carrier": name,
            "webhook_url": f"{context.public_url}/carriers/{name}/{account.id}",
            **made.shown,
        }

    note = f"\nSet the webhook URL at {name}"
    note += ", and this credential. The password is not shown again." if made.shown else "."
    context.show(context.run(add), note)


@click.group()
def number() -> None:
    """Numbers: the phone numbers that texts arrive at."""


@number.command("add")
@click.argument("e164")
@of_organization
@click.option(
    "--carrier",
    "account_text",
    required=True,
    metavar="ACCOUNT",
    help="The carrier account's id, or its carrier's name.",
)
@click.option("--agent", "wallet", metavar="WALLET", help="The agent that holds the number from now on.")
@click.option("--label", default="", help="What people call it.")
@command
def number_add(context: Context, e164: str, org_text: str, account_text: str, wallet: str | None, label: str) -> None:
    """Register a number of a carrier account."""
    if not is_e164(e164):
        raise click.ClickException(f"a number must be E.164, such as +15551112222, not {e164!r}")

    async def add(store: Store) -> dict[str, Any]:
        directory = Directory(store)
        owner = await find_organization(directory, org_text)
        account = await find_account(store, owner, account_text)
        agent = await find_agent(directory, wallet) if wallet else None
        if agent is not None and agent.org_id != owner.org_id:
            raise click.ClickException(f"the agent {wallet} belongs to another organization")
        added = await directory.add_number(owner.org_id, e164, account.id, agent.id if agent else None, label)
        if added is None:
            raise click.ClickException(f"{e164} is registered already; a number belongs to one carrier account")
        return {
            "id": added.id,
            "org_id": owner.org_id,
            "number": e164,
            "carrier_account_id": account.id,
            "agent": agent.wallet if agent else None,
            "label": label,
        }

    context.show(context.run(add))


@number.command("list")
@of_organization
@command
def number_list(context: Context, org_text: str) -> None:
    """List an organization's numbers, newest first."""

    async def listed(store: Store) -> list[dict[str, Any]]:
        directory = Directory(store)
        owner = await find_organization(directory, org_text)
        return [
            await _number(directory, each) for each in (await directory.numbers(PageOf(owner.org_id, LISTED))).items
        ]

    context.show(context.run(listed))


@number.command("set")
@click.argument("e164")
@click.option("--label", help="What people call it.")
@click.option("--agent", "wallet", metavar="WALLET", help='The agent that holds it from now on; "" for none.')
@click.option("--inbound-url", metavar="URL", help='Where its inbound messages are pushed to; "" clears.')
@click.option("--status-url", metavar="URL", help='Where its delivery receipts are pushed to; "" clears.')
@click.option(
    "--pace",
    type=click.FloatRange(0, MAX_PACE),
    metavar="RATE",
    help="Segments a second that it may send; 0 is the server's default.",
)
@command
def number_set(context: Context, e164: str, wallet: str | None, **options: Any) -> None:
    """Change a number; what is not given stays."""
    changes = {name: value for name, value in options.items() if value is not None}
    for name in ("inbound_url", "status_url"):
        if name in changes:
            try:
                changes[name] = push_url(context.config.allowed_networks)(changes[name]) or None
            except ValueError as error:
                raise click.ClickException(f"--{name.replace('_', '-')} {error}") from None
    if "pace" in changes:
        changes["segments_per_second"] = changes.pop("pace") or None

    async def change(store: Store) -> dict[str, Any]:
        directory = Directory(store)
        found = await find_number(directory, e164)
        if wallet is not None:
            agent = await find_agent(directory, wallet) if wallet else None
            if agent is not None and agent.org_id != found.org_id:
                raise click.ClickException(f"the agent {wallet} belongs to another organization")
            changes["agent_id"] = agent.id if agent else None
        changed = await directory.change_number(found.org_id, found.id, lambda number: number._replace(**changes))
        return await _number(directory, changed or found)

    context.show(context.run(change))


@number.command("remove")
@click.argument("e164")
@command
def number_remove(context: Context, e164: str) -> None:
    """Remove a number. Its messages and consents stay; what is queued from it is cancelled."""

    async def remove(store: Store) -> dict[str, Any]:
        directory = Directory(store)
        found = await find_number(directory, e164)
        await directory.remove_number(found.org_id, found.id)
        return {"id": found.id, "org_id": found.org_id, "number": found.number, "status": "released"}

    context.show(context.run(remove))


async def _number(directory: Directory, number: Number) -> dict[str, Any]:
    agent = await directory.agent_by_id(number.org_id, number.agent_id) if number.agent_id else None
    return {
        "id": number.id,
        "org_id": number.org_id,
        "number": number.number,
        "number_type": number.number_type,
        "carrier_account_id": number.carrier_account_id,
        "agent": agent.wallet if agent else None,
        "label": number.label,
        "inbound_url": number.inbound_url,
        "status_url": number.status_url,
        "segments_per_second": number.segments_per_second,
        "created_at": moment(number.created_at),
    }


@click.group()
def agent() -> None:
    """Agents: the AI clients that own an inbox, by wallet."""


@agent.command("add")
@click.argument("wallet")
@of_organization
@click.option("--open", "is_open", is_flag=True, help="Believe the X-Agent-ID header alone, which anybody can send.")
@command
def agent_add(context: Context, wallet: str, org_text: str, is_open: bool) -> None:
    """Register an agent's wallet address."""
    if not is_wallet(wallet):
        raise click.ClickException("a wallet address is 0x and 40 hexadecimal digits")
    if wallet[2:] not in (wallet[2:].lower(), wallet[2:].upper()) and wallet != checksum_address(wallet):
        click.echo("Warning: the address has capital letters but not those of its checksum (EIP-55); a typo?", err=True)
    if is_open:
        click.echo(_OPEN_WARNING, err=True)

    async def add(store: Store) -> dict[str, Any]:
        directory = Directory(store)
        owner = await find_organization(directory, org_text)
        added = await directory.add_agent(owner.org_id, wallet, open_=is_open)
        if added is None:
            raise click.ClickException(f"the wallet {wallet} is registered already")
        return _agent(added)

    context.show(context.run(add))


@agent.command("list")
@of_organization
@command
def agent_list(context: Context, org_text: str) -> None:
    """List an organization's agents, newest first."""

    async def listed(store: Store) -> list[dict[str, Any]]:
        directory = Directory(store)
        owner = await find_organization(directory, org_text)
        return [_agent(each) for each in (await directory.agents(PageOf(owner.org_id, LISTED))).items]

    context.show(context.run(listed))


@agent.command("set")
@click.argument("wallet")
@click.option("--open/--proof", "is_open", required=True, help="Believe the X-Agent-ID header alone, or do not.")
@command
def agent_set(context: Context, wallet: str, is_open: bool) -> None:
    """Say how an agent shows who it is; within a second in every process."""
    if is_open:
        click.echo(_OPEN_WARNING, err=True)

    async def change(store: Store) -> dict[str, Any]:
        directory = Directory(store)
        found = await find_agent(directory, wallet)
        return _agent(await directory.open_agent(found, open_=is_open))

    context.show(context.run(change))


def _agent(agent: Agent) -> dict[str, Any]:
    return {
        "id": agent.id,
        "org_id": agent.org_id,
        "wallet": agent.wallet,
        "mode": "open" if agent.open else "proof",
    }
