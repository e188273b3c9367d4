"""Commands for secrets: API keys and access tokens."""

from typing import Any

import click

from roost.api.answers import moment
from roost.cli.common import DAY_US, LISTED, Context, command, find_agent, find_organization, of_organization
from roost.core.ids import parse_uuid
from roost.core.scopes import SCOPES
from roost.store.base import Store
from roost.store.directory import Directory, StoredKey, StoredToken
from roost.store.pages import PageOf


@click.group()
def key() -> None:
    """API keys, for dialect A."""


@key.command("create")
@of_organization
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


@key.command("list")
@of_organization
@command
def key_list(context: Context, org_text: str) -> None:
    """List an organization's API keys, revoked ones too, newest first."""

    async def listed(store: Store) -> list[dict[str, Any]]:
        directory = Directory(store)
        owner = await find_organization(directory, org_text)
        return [_key(key) for key in (await directory.api_keys(PageOf(owner.org_id, LISTED))).items]

    context.show(context.run(listed))


@key.command("rotate")
@click.argument("key_id", metavar="ID")
@command
def key_rotate(context: Context, key_id: str) -> None:
    """Replace an API key by another with the same label and scopes; the old one is revoked at once."""

    async def rotate(store: Store) -> dict[str, Any]:
        directory = Directory(store)
        old = await _find_key(directory, key_id)
        issued = await directory.rotate_api_key(old)
        if issued is None:
            raise click.ClickException(f"the API key {key_id} is revoked; create another one")
        made = await _find_key(directory, issued.id)
        return {**_key(made), "plaintext": issued.plaintext}

    context.show(context.run(rotate), "\nThe key is not shown again.")


@key.command("revoke")
@click.argument("key_id", metavar="ID")
@command
def key_revoke(context: Context, key_id: str) -> None:
    """Revoke an API key: refused within a second, in every process."""

    async def revoke(store: Store) -> dict[str, Any]:
        directory = Directory(store)
        found = await _find_key(directory, key_id)
        await directory.revoke_api_key(found.org_id, found.id)
        return _key(await _find_key(directory, key_id))

    context.show(context.run(revoke))


async def _find_key(directory: Directory, text: str) -> StoredKey:
    key_id = parse_uuid(text)
    org_id = await directory.api_key_owner(key_id) if key_id else None
    found = await directory.stored_api_key(org_id, key_id) if key_id and org_id else None
    if found is None:
        raise click.ClickException(f"no API key has the id {text}")
    return found


def _key(key: StoredKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "org_id": key.org_id,
        "label": key.label,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "created_at": moment(key.created_at),
        "expires_at": moment(key.expires_at),
        "last_used_at": moment(key.last_used_at),
        "revoked_at": moment(key.revoked_at),
    }


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


@token.command("list")
@click.option("--agent", "wallet", required=True, metavar="WALLET", help="Whose tokens.")
@click.option("--active", is_flag=True, help="Only tokens that still work.")
@command
def token_list(context: Context, wallet: str, active: bool) -> None:
    """List an agent's access tokens, newest first."""

    async def listed(store: Store) -> list[dict[str, Any]]:
        directory = Directory(store)
        owner = await find_agent(directory, wallet)
        return [_token(token) for token in await directory.access_tokens(owner, LISTED, active=active)]

    context.show(context.run(listed))


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@command
def token_revoke(context: Context, token_id: str) -> None:
    """Revoke an access token: refused within a second, in every process."""
    parsed = parse_uuid(token_id)

    async def revoke(store: Store) -> bool:
        directory = Directory(store)
        owner = await directory.access_token_owner(parsed) if parsed else None
        return bool(parsed and owner and await directory.revoke_access_token(*owner, parsed))

    if not context.run(revoke):
        raise click.ClickException(f"no access token has the id {token_id}")
    context.show({"id": parsed, "revoked": True})


def _token(token: StoredToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "agent_id": token.agent_id,
        "name": token.name,
        "token_prefix": token.prefix,
        "created_by": token.created_by,
        "created_at": moment(token.created_at),
        "expires_at": moment(token.expires_at),
        "last_used_at": moment(token.last_used_at),
        "revoked_at": moment(token.revoked_at),
    }
