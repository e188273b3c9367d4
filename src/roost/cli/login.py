"""Commands for the inbox page: a link that signs in, and signing everybody out."""

from typing import Any

import click

from roost.api.answers import moment
from roost.cli.common import Context, command, find_organization, of_organization
from roost.core.scopes import SCOPES
from roost.store.base import Store
from roost.store.directory import Directory
from roost.store.sessions import Sessions


@click.command()
@click.option(
    "--org", "org_text", metavar="ORG", help="The organization, by id or name; may be left out if it is alone."
)
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(list(SCOPES)), help="What the page may do; repeatable [all]."
)
@command
def login(context: Context, org_text: str | None, scopes: tuple[str, ...]) -> None:
    """Print a link to the inbox page that signs in once, within 15 minutes."""

    async def made(store: Store) -> dict[str, Any]:
        directory = Directory(store)
        if org_text is None:
            alone = await directory.organizations()
            if len(alone) != 1:
                raise click.UsageError(
                    "say which organization, with --org: there are several" if alone else "make one first"
                )
            owner = alone[0]
        else:
            owner = await find_organization(directory, org_text)
        token, expires_at = await Sessions(store).new_link(owner.org_id, scopes or SCOPES)
        url = f"{context.public_url}/inbox/sign-in/{token}"
        return {"url": url, "org_id": owner.org_id, "expires_at": moment(expires_at)}

    link = context.run(made)
    if context.as_json:
        context.show(link)
    else:
        click.echo(link["url"])


@click.command()
@of_organization
@command
def logout(context: Context, org_text: str) -> None:
    """Sign everybody of an organization out of the inbox page, and let no link that was printed before sign in."""

    async def ended(store: Store) -> dict[str, Any]:
        owner = await find_organization(Directory(store), org_text)
        return {"org_id": owner.org_id, "sessions_ended": await Sessions(store).end_all(owner.org_id)}

    context.show(context.run(ended))
