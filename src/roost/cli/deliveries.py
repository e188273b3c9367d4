"""Commands about texts: simulate one, and see and route what could not be placed."""

import secrets
from typing import Any

import click

from roost.api.answers import moment
from roost.cli.common import Context, command, find_organization
from roost.core.account import CarrierAccount
from roost.core.ids import parse_uuid
from roost.core.numbers import is_e164
from roost.deliver import DeliveryFailed, deliver
from roost.routing import route
from roost.server import running_server
from roost.store.base import Store
from roost.store.directory import Directory
from roost.store.unrouted import UnroutedDelivery, list_unrouted, unrouted_delivery

_MOST_LISTED = 1000


@click.command()
@click.argument("from_number", metavar="FROM")
@click.argument("to_number", metavar="TO")
@click.argument("body")
@click.option("--media", multiple=True, metavar="URL", help="A picture; repeatable.")
@command
def simulate(context: Context, from_number: str, to_number: str, body: str, media: tuple[str, ...]) -> None:
    """Deliver a text as the loopback carrier would, to a running server."""

    async def account_of(store: Store) -> CarrierAccount:
        directory = Directory(store)
        number = await directory.number(to_number)
        account = await directory.carrier_account(number.carrier_account_id) if number else None
        if account is None or account.carrier != "loopback":
            trouble = f"belongs to a {account.carrier} account" if account else "is not registered"
            raise click.ClickException(f"{to_number} {trouble}; simulate needs a number of a loopback account")
        return account

    account = context.run(account_of)
    text = {"id": f"simulated-{secrets.token_hex(8)}", "from": from_number, "to": to_number, "text": body}
    base_url = running_server(context.config.data_dir) or context.config.local_url
    user, password = account.secrets["basic"][0]
    try:
        answer = deliver(f"{base_url}/carriers/loopback/{account.id}", user, password, text | {"media": media})
    except DeliveryFailed as error:
        raise click.ClickException(str(error)) from None
    if not answer["ids"]:
        raise click.ClickException("the server took the text but stored no message; see: roost unrouted list")
    context.show({"id": answer["ids"][0], "from": from_number, "to": to_number, "body": body, "media": list(media)})


@click.group()
def unrouted() -> None:
    """What carriers delivered but nobody could place."""


@unrouted.command("list")
@click.option("--org", "org_text", metavar="ORG", help="Of one organization, by id or name; else of all.")
@command
def unrouted_list(context: Context, org_text: str | None) -> None:
    """List what still waits, oldest first."""

    async def find(store: Store) -> list[dict[str, Any]]:
        directory = Directory(store)
        owners = [await find_organization(directory, org_text)] if org_text else await directory.organizations()
        found = [each for owner in owners for each in await list_unrouted(store, owner.org_id, _MOST_LISTED)]
        return [_described(delivery) for delivery in found]

    found = context.run(find)
    context.show(found, "" if found else "Nothing is unrouted.")


@unrouted.command("route")
@click.argument("delivery_id", metavar="ID")
@click.option(
    "--to", "to_number", metavar="E164", help="To this number of the same account; else to where it was sent."
)
@command
def unrouted_route(context: Context, delivery_id: str, to_number: str | None) -> None:
    """Make a message of an unrouted delivery, now that its number is registered."""
    if to_number is not None and not is_e164(to_number):
        raise click.ClickException(f"a number must be E.164, such as +15551112222, not {to_number!r}")

    async def routed(store: Store) -> dict[str, Any]:
        directory = Directory(store)
        parsed = parse_uuid(delivery_id)
        owners = await directory.organizations() if parsed else []
        for owner in owners:
            delivery = await unrouted_delivery(store, owner.org_id, parsed or "")
            if delivery is not None:
                message_id = await route(store, delivery, to_number)
                return {"id": delivery.id, "org_id": delivery.org_id, "message_id": message_id}
        raise click.ClickException(f"no unrouted delivery has the id {delivery_id}")

    context.show(context.run(routed))


def _described(delivery: UnroutedDelivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "org_id": delivery.org_id,
        "carrier_account_id": delivery.carrier_account_id,
        "reason": delivery.reason,
        "to": delivery.to_number,
        "received_at": moment(delivery.received_at),
        "raw": delivery.raw.decode("utf-8", "backslashreplace"),
    }
