"""Commands for a carrier account that is there: is its set-up right, and a new credential."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

import click

from roost.carriers import loopback
from roost.carriers.contract import Finding, SendFailed
from roost.carriers.credentials import rotated
from roost.carriers.outside import Outside
from roost.carriers.registry import CARRIERS
from roost.cli.common import Context, command, value_or_file
from roost.cli.manage import carrier, carrier_fields
from roost.config import Config
from roost.core.account import CarrierAccount
from roost.core.ids import parse_uuid
from roost.core.times import rfc3339_short
from roost.server import now_us
from roost.store.base import Store
from roost.store.carrier_accounts import CarrierAccounts, Reception
from roost.store.directory import Directory

_SHOWN = 5


@carrier.command("test")
@click.argument("account_text", metavar="ACCOUNT")
@command
def carrier_test(context: Context, account_text: str) -> None:
    """Say in plain words what is wrong with an account's set-up; asks the carrier, and changes nothing.

    Ends with 1 where anything is wrong.
    """

    async def test(store: Store) -> tuple[CarrierAccount, list[Finding]]:
        account = await _find_account(store, account_text)
        reception = await CarrierAccounts(store).reception(account)
        findings = [*_here(account, reception), *_public_url(context.config, account)]
        return account, [*findings, *await _asked(context, account, reception)]

    account, findings = context.run(test)
    good = all(finding.good for finding in findings)
    if context.as_json:
        shown = [finding._asdict() for finding in findings]
        context.show({"id": account.id, "carrier": account.carrier, "good": good, "findings": shown})
    else:
        for finding in findings:
            click.echo(f"{'ok   ' if finding.good else 'WRONG'}  {finding.text}")
    if not good:
        raise SystemExit(1)


def _here(account: CarrierAccount, reception: Reception) -> list[Finding]:
    """What the database tells."""
    sends = CARRIERS[account.carrier].can_send(account)
    numbers = reception.numbers
    findings = [
        Finding(True, "it receives and sends" if sends else "it only receives: it has no credential to send with"),
        Finding(True, f"numbers: {', '.join(numbers[:_SHOWN])}{' and others' if len(numbers) > _SHOWN else ''}")
        if numbers
        else Finding(False, f"no number is registered for it: roost number add E164 --org ORG --carrier {account.id}"),
    ]
    if reception.last_received_at is None:
        findings.append(Finding(True, "nothing was received through its numbers yet: send a text to one"))
    else:
        at = rfc3339_short(reception.last_received_at // 1_000_000 * 1_000_000)
        findings.append(Finding(True, f"the last text was received at {at}"))
    if reception.unrouted:
        findings.append(
            Finding(False, f"deliveries that could not be placed: {reception.unrouted}; see roost unrouted list")
        )
    return findings


def _public_url(config: Config, account: CarrierAccount) -> list[Finding]:
    """Whether a carrier can reach us, as far as the URL itself tells."""
    if account.carrier == loopback.NAME:
        return []
    url = config.public_url
    if url is None:
        return [Finding(False, "ROOST_PUBLIC_URL is not set, so that no carrier knows where this server is")]
    if _is_private(urlsplit(url).hostname or ""):
        return [Finding(False, f"ROOST_PUBLIC_URL is {url}, which no carrier reaches from outside")]
    if urlsplit(url).scheme != "https":
        return [
            Finding(False, f"ROOST_PUBLIC_URL is {url}: without https, texts and credentials can be read on their way")
        ]
    return [Finding(True, f"the carrier is to deliver to {_webhook_url(config, account)}")]


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".localhost", ".internal"))


def _webhook_url(config: Config, account: CarrierAccount) -> str:
    return f"{config.public_url or config.local_url}/carriers/{account.carrier}/{account.id}"


async def _asked(context: Context, account: CarrierAccount, reception: Reception) -> list[Finding]:
    """What the carrier says."""
    outside = Outside(context.config, now_us)
    try:
        url = _webhook_url(context.config, account)
        found = await CARRIERS[account.carrier].check(account, reception.numbers, url, outside)
    except SendFailed as failure:
        return [Finding(False, f"{account.carrier} could not be asked: {failure.code} ({failure.description})")]
    finally:
        await outside.close()
    # Some of it is the carrier's own words, and a terminal obeys what is not printable.
    return [Finding(good, "".join(each if each.isprintable() else "?" for each in text)) for good, text in found]


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
            made = rotated(account.carrier, account.secrets, values, forget_old=forget_old)
            shown = {**values, **made.shown}

            def change(standing: Any) -> dict[str, Any]:
                return rotated(account.carrier, standing, shown, forget_old=forget_old).secrets

            changed = sorted(shown)
            await CarrierAccounts(store).change_secrets(account, change, changed, forgets=forget_old)
        except ValueError as error:
            raise click.ClickException(str(error)) from None
        old = "forgotten" if forget_old else "good until --forget-old"
        return {"id": account.id, "carrier": account.carrier, "changed": changed, "older_values": old, **made.shown}

    context.show(context.run(rotate))


async def _find_account(store: Store, text: str) -> CarrierAccount:
    account_id = parse_uuid(text)
    account = await Directory(store).carrier_account(account_id) if account_id else None
    if account is None or account.carrier not in CARRIERS:
        raise click.ClickException(f"there is no carrier account {text}")
    return account
