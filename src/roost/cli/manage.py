"""Commands that register who is who: organizations, carrier accounts, numbers, keys, agents, tokens."""

import secrets
from typing import Any

import click

from roost.api.proof import checksum_address, is_wallet
from roost.carriers.registry import CARRIERS
from roost.cli.common import DAY_US, Context, command, find_agent, find_organization, moment
from roost.core.ids import parse_uuid
from roost.core.numbers import is_e164
from roost.core.scopes import SCOPES
from roost.store.base import Store
from roost.store.directory import Directory


@click.group()
def org() -> None:
    """Organizations: the tenants."""


@org.command("create")
@click.argument("name")
@command
def org_create(context: Context, name: str) -> None:
    """Create an organization."""
    made = context.run(lambda store: Directory(store).create_organization(name))
    context.show({"id": made.org_id, "name": made.name, "created_at": moment(made.created_at)})


@click.group()
def carrier() -> None:
    """Carrier accounts: where texts come from."""


@carrier.command("add")
@click.argument("name", type=click.Choice(sorted(CARRIERS)))
@click.option("--org", "org_text", required=True, metavar="ORG", help="The organization, by id or name.")
@click.option("--label", default="", help="What people call it.")
@click.option("--basic-user", help="User of the credential that the carrier sends; generated if not given.")
@click.option("--basic-password", help="Its password.")
@click.option("--account-id", help="Bandwidth: the account, for sending.")
@click.option("--application-id", help="Bandwidth: the messaging application, for sending.")
@click.option("--api-user", help="Bandwidth: the API user, for sending.")
@click.option("--api-password", help="Bandwidth: its password.")
@command
def carrier_add(
    context: Context,
    name: str,
    org_text: str,
    label: str,
    basic_user: str | None,
    basic_password: str | None,
    **api: Any,
) -> None:
    """Add a carrier account and print the webhook URL to set at the carrier.

    Without the --account-id family it receives only, which is always valid.
    """
    if bool(basic_user) != bool(basic_password):
        raise click.ClickException("give --basic-user and --basic-password together, or neither to have them generated")
    if basic_user and ":" in basic_user:
        raise click.ClickException("--basic-user must not contain a colon (RFC 7617, section 2)")
    given = [key for key, value in api.items() if value]
    if given and (name != "bandwidth" or len(given) != len(api)):
        raise click.ClickException(
            "--account-id, --application-id, --api-user and --api-password go together, and with bandwidth only"
        )
    user, password = basic_user or f"roost-{secrets.token_hex(4)}", basic_password or secrets.token_urlsafe(24)
    values = {"basic": [[user, password]], **({key: api[key] for key in given})}

    async def add(store: Store) -> dict[str, Any]:
        directory = Directory(store)
        owner = await find_organization(directory, org_text)
        account = await directory.add_carrier_account(owner.org_id, name, label, values)
        return {
            "id": account.id,
            "org_id": owner.org_id,
            "carrier": name,
            "webhook_url": f"{context.public_url}/carriers/{name}/{account.id}",
            "basic_user": user,
            "basic_password": password,
        }

    note = f"\nSet the webhook URL and this credential at {name}. The password is not shown again."
    context.show(context.run(add), note)


@click.group()
def number() -> None:
    """Numbers: the phone numbers that texts arrive at."""


@number.command("add")
@click.argument("e164")
@click.option("--org", "org_text", required=True, metavar="ORG", help="The organization, by id or name.")
@click.option("--carrier", "account_text", required=True, metavar="ACCOUNT", help="The carrier account's id.")
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
        account_id = parse_uuid(account_text)
        account = await directory.carrier_account(account_id) if account_id else None
        if account is None or account.org_id != owner.org_id:
            raise click.ClickException(f"the organization has no carrier account {account_text}")
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


@click.group()
def key() -> None:
    """API keys, for dialect A."""


@key.command("create")
@click.option("--org", "org_text", required=True, metavar="ORG", help="The organization, by id or name.")
@click.option("--label", required=True, help="What people call it.")
@click.option("--scope", "scopes", required=True, multiple=True, metavar="SCOPE", help="What it may do; repeatable.")
@click.option("--expires-in", type=click.IntRange(1, 36500), metavar="DAYS", help="Days until it expires.")
@command
def key_create(context: Context, org_text: str, label: str, scopes: tuple[str, ...], expires_in: int | None) -> None:
    """Create an API key. It is shown once."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        raise click.ClickException(f"unknown scope {unknown[0]!r}; there are: {', '.join(SCOPES)}")
    wanted = list(dict.fromkeys(scopes))

    async def create(store: Store) -> dict[str, Any]:
        directory = Directory(store)
        owner = await find_organization(directory, org_text)
        issued = await directory.create_api_key(
            owner.org_id, label, wanted, expires_in * DAY_US if expires_in else None
        )
        return {
            "id": issued.id,
            "org_id": owner.org_id,
            "label": label,
            "prefix": issued.prefix,
            "scopes": wanted,
            "created_at": moment(issued.created_at),
            "expires_at": moment(issued.expires_at),
            "plaintext": issued.plaintext,
        }

    context.show(context.run(create), "\nThe key is not shown again.")


@key.command("revoke")
@click.argument("key_id", metavar="ID")
@command
def key_revoke(context: Context, key_id: str) -> None:
    """Revoke an API key: refused within a second, in every process."""
    parsed = parse_uuid(key_id)
    revoked = context.run(lambda store: Directory(store).revoke_api_key(parsed)) if parsed else None
    if revoked is None:
        raise click.ClickException(f"no API key has the id {key_id}")
    context.show({**revoked, "revoked_at": moment(revoked["revoked_at"])})


@click.group()
def agent() -> None:
    """Agents: the AI clients that own an inbox, by wallet."""


@agent.command("add")
@click.argument("wallet")
@click.option("--org", "org_text", required=True, metavar="ORG", help="The organization, by id or name.")
@click.option("--open", "is_open", is_flag=True, help="Believe the X-Agent-ID header alone, which anybody can send.")
@command
def agent_add(context: Context, wallet: str, org_text: str, is_open: bool) -> None:
    """Register an agent's wallet address."""
    if not is_wallet(wallet):
        raise click.ClickException("a wallet address is 0x and 40 hexadecimal digits")
    if wallet[2:] not in (wallet[2:].lower(), wallet[2:].upper()) and wallet != checksum_address(wallet):
        click.echo("Warning: the address has capital letters but not those of its checksum (EIP-55); a typo?", err=True)
    if is_open:
        click.echo("Warning: an open agent's inbox can be read by anybody who knows its address.", err=True)

    async def add(store: Store) -> dict[str, Any]:
        directory = Directory(store)
        owner = await find_organization(directory, org_text)
        added = await directory.add_agent(owner.org_id, wallet, open_=is_open)
        if added is None:
            raise click.ClickException(f"the wallet {wallet} is registered already")
        return {"id": added.id, "org_id": owner.org_id, "wallet": added.wallet, "mode": "open" if is_open else "proof"}

    context.show(context.run(add))


@click.group()
def token() -> None:
    """Access tokens, for dialect B without a wallet's key."""


@token.command("create")
@click.option("--agent", "wallet", required=True, metavar="WALLET", help="The agent it reads for.")
@click.option("--name", default="", help="What people call it.")
@click.option("--expires-in", type=click.IntRange(1, 36500), metavar="DAYS", help="Days until it expires.")
@command
def token_create(context: Context, wallet: str, name: str, expires_in: int | None) -> None:
    """Create an access token. It is shown once."""

    async def create(store: Store) -> dict[str, Any]:
        directory = Directory(store)
        owner = await find_agent(directory, wallet)
        issued = await directory.create_access_token(owner, name, expires_in * DAY_US if expires_in else None)
        return {
            "id": issued.id,
            "agent": owner.wallet,
            "name": name,
            "token_prefix": issued.prefix,
            "created_at": moment(issued.created_at),
            "expires_at": moment(issued.expires_at),
            "token": issued.plaintext,
        }

    context.show(context.run(create), "\nThe token is not shown again.")
