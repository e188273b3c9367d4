"""Commands about retention: what is kept since when, and sweeping now."""

from functools import partial
from typing import Any

import click

from roost.api.answers import moment
from roost.cli.common import Context, command, find_organization
from roost.core.retention import kept_since
from roost.media.sweep import sweep_media
from roost.store.base import Store
from roost.store.directory import Directory, Organization
from roost.store.objects import Objects
from roost.store.retention import KINDS, MESSAGES, backlogs
from roost.sweeper import Sweeper

#: Beside a server that has other things to do, at most half of the time.
_REST = 1.0


@click.group()
def retention() -> None:
    """How long messages and what belongs to them are kept."""


@retention.command("show")
@click.option("--org", "org_text", metavar="ORG", help="Of one organization, by id or name; else of all.")
@command
def retention_show(context: Context, org_text: str | None) -> None:
    """Show since when each organization's messages are kept, and what is still to be swept."""

    async def find(store: Store) -> list[dict[str, Any]]:
        directory = Directory(store)
        owners = [await find_organization(directory, org_text)] if org_text else await directory.organizations()
        return [await _described(store, owner) for owner in owners]

    context.show(context.run(find))


@retention.command("sweep")
@command
def retention_sweep(context: Context) -> None:
    """Delete now what is past its time, as the server does by itself; it may be running meanwhile."""

    async def sweep(store: Store) -> dict[str, Any]:
        media = partial(sweep_media, store, Objects(context.config.media_url))
        swept = await Sweeper(store, rest=_REST, besides=media).sweep()
        if swept is None:
            raise click.ClickException("a server is sweeping at this moment; look again with: roost retention show")
        return {kind.table: swept.get(kind.table, 0) for kind in KINDS}

    context.show(context.run(sweep))


async def _described(store: Store, owner: Organization) -> dict[str, Any]:
    days = await store.kept.days(owner.org_id)
    found = await backlogs(store, owner.org_id)
    oldest = {each.kind.table: each.oldest for each in found}
    return {
        "org_id": owner.org_id,
        "name": owner.name,
        "message_retention_days": days,
        "kept_since": moment(kept_since(store.clock(), days)),
        **{f"oldest_{table.removesuffix('s')}": moment(oldest[table]) for table in MESSAGES},
        "overdue_seconds": max(each.lag_us for each in found) // 1_000_000,
        "to_be_swept": [each.kind.table for each in found if each.lag_us],
    }
