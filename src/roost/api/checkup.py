"""What is wrong with a carrier account's set-up, in plain words: what we see, and what the carrier says."""

import ipaddress
from urllib.parse import urlsplit

from roost.carriers import loopback
from roost.carriers.contract import Finding, SendFailed
from roost.carriers.outside import Outside
from roost.carriers.registry import CARRIERS
from roost.core.account import CarrierAccount
from roost.core.times import rfc3339_short
from roost.store.base import Store
from roost.store.carrier_accounts import CarrierAccounts, Reception

_SHOWN = 5


def webhook_url(base_url: str, account: CarrierAccount) -> str:
    """Where the account's carrier is to deliver."""
    return f"{base_url}/carriers/{account.carrier}/{account.id}"


async def check_up(
    store: Store, account: CarrierAccount, public_url: str | None, base_url: str, outside: Outside
) -> list[Finding]:
    """Asks the carrier, and changes nothing. `public_url` is as it was set, `base_url` where we are reached otherwise."""
    reception = await CarrierAccounts(store).reception(account)
    findings = [*_here(account, reception), *_public_url(public_url, account)]
    return [*findings, *await _asked(account, reception, webhook_url(public_url or base_url, account), outside)]


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


def _public_url(url: str | None, account: CarrierAccount) -> list[Finding]:
    """Whether a carrier can reach us, as far as the URL itself tells."""
    if account.carrier == loopback.NAME:
        return []
    if url is None:
        return [Finding(False, "ROOST_PUBLIC_URL is not set, so that no carrier knows where this server is")]
    if _is_private(urlsplit(url).hostname or ""):
        return [Finding(False, f"ROOST_PUBLIC_URL is {url}, which no carrier reaches from outside")]
    if urlsplit(url).scheme != "https":
        return [
            Finding(False, f"ROOST_PUBLIC_URL is {url}: without https, texts and credentials can be read on their way")
        ]
    return [Finding(True, f"the carrier is to deliver to {webhook_url(url, account)}")]


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".localhost", ".internal"))


async def _asked(account: CarrierAccount, reception: Reception, url: str, outside: Outside) -> list[Finding]:
    try:
        found = await CARRIERS[account.carrier].check(account, reception.numbers, url, outside)
    except SendFailed as failure:
        return [Finding(False, f"{account.carrier} could not be asked: {failure.code} ({failure.description})")]
    # Some of it is the carrier's own words, and a terminal obeys what is not printable.
    return [Finding(good, "".join(each if each.isprintable() else "?" for each in text)) for good, text in found]
