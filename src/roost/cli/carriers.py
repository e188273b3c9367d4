"""Commands for a carrier account that is there: is its set-up right, and a new credential."""

from collections.abc import Mapping
from typing import Any

import click

from roost.api.checkup import check_up
from roost.carriers.contract import Finding
from roost.carriers.credentials import rotated
from roost.carriers.outside import Outside
from roost.carriers.registry import CARRIERS
from roost.cli.common import Context, command, value_or_file
from roost.cli.manage import carrier, carrier_fields
from roost.config import Config
from roost.core.account import CarrierAccount
from roost.core.ids import parse_uuid
from roost.server import now_us
from roost.store.base import Store
from roost.store.carrier_accounts import CarrierAccounts
from roost.store.directory import Directory


@carrier.command("test")
@click.argument("account_text", metavar="ACCOUNT")
@command
def carrier_test(context: Context, account_text: str) -> None:
    """Say in plain words what is wrong with an account's set-up; asks the carrier, and changes nothing.

    Ends with 1 where anything is wrong.
    """

    async def test(store: Store) -> tuple[CarrierAccount, list[Finding]]:
        account = await _find_account(store, account_text)
        return account, await look_at(context.config, store, account)

    account, findings = context.run(test)
    good = all(finding.good for finding in findings)
    if context.as_json:
        shown = [finding._asdict() for finding in findings]
        context.show({"id": account.id, "carrier": account.carrier, "good": good, "findings": shown})
    else:
        for finding in findings:
            click.echo(line_of(finding))
    if not good:
        raise SystemExit(1)


def line_of(finding: Finding) -> str:
    """For a person."""
    return f"{'ok   ' if finding.good else 'WRONG'}  {finding.text}"


async def look_at(config: Config, store: Store, account: CarrierAccount) -> list[Finding]:
    """What is right and what is wrong with an account's set-up."""
    outside = Outside(config, now_us)
    try:
        return await check_up(store, account, config.public_url, config.local_url, outside)
    finally:
        await outside.close()


@carrier.command("rotate")
@click.argument("account_text", metavar="ACCOUNT")
@carrier_fields
@click.option(
    "--forget-old", is_flag=True, help="Older values are not good any more: of the fields given, or else of all."
)
@command
def carrier_rotate(context: Context, account_text: str, forget_old: bool, **given: str | None) -> None:
    """Give an account a new credential; the older one stays good until --forget-old.

    Within a second in every process. Without any option, a new Basic credential is made, for a carrier that takes one. A value
    of @FILE is read from the file.
    """
    values = {name: value_or_file(value) for name, value in given.items() if value is not None}

    async def rotate(store: Store) -> dict[str, Any]:
        account = await _find_account(store, account_text)
        try:
            made = await renew(store, account, values, forget_old=forget_old)
        except ValueError as error:
            raise click.ClickException(str(error)) from None
        changed = sorted({**values, **made})
        old = "forgotten" if forget_old else "good until --forget-old"
        return {"id": account.id, "carrier": account.carrier, "changed": changed, "older_values": old, **made}

    context.show(context.run(rotate))


async def renew(
    store: Store, account: CarrierAccount, values: Mapping[str, str], *, forget_old: bool
) -> dict[str, str]:
    """Give an account new values, by field; what was generated is returned, to be shown. Raises ValueError, as `rotated` does."""
    made = rotated(account.carrier, account.secrets, values, forget_old=forget_old)
    new = {**values, **made.shown}

    def change(standing: Mapping[str, Any]) -> dict[str, Any]:
        return rotated(account.carrier, standing, new, forget_old=forget_old).secrets

    await CarrierAccounts(store).change_secrets(account, change, sorted(new), forgets=forget_old)
    return made.shown


async def _find_account(store: Store, text: str) -> CarrierAccount:
    account_id = parse_uuid(text)
    account = await Directory(store).carrier_account(account_id) if account_id else None
    if account is None or account.carrier not in CARRIERS:
        raise click.ClickException(f"there is no carrier account {text}")
    return account
