"""Commands that list carrier accounts, and ask the carriers for what was missed."""

from typing import Any

import click

from roost.api.answers import moment
from roost.backfill import Filler, UnderWay
from roost.carriers.contract import SendFailed
from roost.carriers.outside import Outside
from roost.carriers.registry import CARRIERS
from roost.cli.common import Context, command, find_organization, of_organization
from roost.cli.manage import carrier
from roost.core.ids import parse_uuid
from roost.core.times import parse_any_instant
from roost.server import now_us
from roost.store.backfills import Backfills, ListedAccount
from roost.store.base import Store
from roost.store.directory import Directory


@carrier.command("list")
@of_organization
@command
def carrier_list(context: Context, org_text: str) -> None:
    """List an organization's carrier accounts, oldest first; never a secret."""

    async def listed(store: Store) -> list[dict[str, Any]]:
        directory = Directory(store)
        owner = await find_organization(directory, org_text)
        shown = []
        for each in await Backfills(store).accounts(owner.org_id):
            account = await directory.carrier_account(each.id)
            known = CARRIERS.get(each.carrier)
            shown.append(
                {
                    "id": each.id,
                    "org_id": each.org_id,
                    "carrier": each.carrier,
                    "label": each.label,
                    "sends": account is not None and known is not None and known.can_send(account),
                    "webhook_url": f"{context.public_url}/carriers/{each.carrier}/{each.id}",
                    "created_at": moment(each.created_at),
                }
            )
        return shown

    context.show(context.run(listed))


@carrier.command("backfill")
@click.argument("account_text", metavar="[ACCOUNT]", required=False)
@click.option(
    "--since", "since_text", metavar="TIME", help="RFC 3339, such as 2026-05-01; else from what was read last."
)
@command
def carrier_backfill(context: Context, account_text: str | None, since_text: str | None) -> None:
    """Ask the carriers that hardly try again for what was missed; a running server does so hourly, and at start.

    What was delivered after all is not stored twice. Ends with 1 where a carrier could not be asked.
    """
    try:
        since = parse_any_instant(since_text) if since_text else None
    except ValueError:
        raise click.ClickException(
            f"--since must be RFC 3339, such as 2026-05-01T12:00:00Z, not {since_text!r}"
        ) from None

    async def fill(store: Store) -> list[dict[str, Any]]:
        outside = Outside(context.config, now_us)
        filler = Filler(store, outside)
        try:
            return [await _filled(filler, account, since) for account in await _wanted(store, account_text)]
        finally:
            await outside.close()

    results = context.run(fill)
    context.show(results, "" if results else "No account's carrier keeps a record to ask.")
    if any("error" in result for result in results):
        raise SystemExit(1)


async def _wanted(store: Store, text: str | None) -> list[ListedAccount]:
    accounts = await Backfills(store).accounts()
    if text is None:
        return [each for each in accounts if each.carrier in CARRIERS and CARRIERS[each.carrier].backfill is not None]
    found = [each for each in accounts if each.id == parse_uuid(text)]
    if not found:
        raise click.ClickException(f"there is no carrier account {text}")
    if found[0].carrier not in CARRIERS or CARRIERS[found[0].carrier].backfill is None:
        raise click.ClickException(f"{found[0].carrier} keeps no record of texts that could be asked for")
    return found


async def _filled(filler: Filler, account: ListedAccount, since: int | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": account.id, "carrier": account.carrier}
    try:
        filled = await filler.fill(account, since)
    except UnderWay:
        return {**shown, "error": "somebody else is at it; try again in a minute"}
    except SendFailed as error:
        return {**shown, "error": f"{error.code}: the carrier could not be asked"}
    if filled is None:
        return {**shown, "error": "the account only receives: it has nothing to ask the carrier with"}
    return {**shown, **filled._asdict()}
