"""Commands for webhooks: who is told of events, and what became of it."""

from typing import Any

import click
import msgspec

from roost.api.push_urls import push_url
from roost.cli.common import LISTED, Context, command, find_organization, of_organization
from roost.core.events import EVENT_TYPES
from roost.core.ids import parse_uuid
from roost.core.webhooks import OUTCOMES, TYPES, Outcome
from roost.push.webhooks.asking import event_to_replay, send_test
from roost.push.webhooks.bodies import created_body, delivery_body, endpoint_body, rotated_body, tested_body
from roost.push.webhooks.poster import Poster
from roost.push.webhooks.signing import public_event_id
from roost.store.base import Store
from roost.store.directory import Directory
from roost.store.pages import PageOf
from roost.store.transaction import Transaction
from roost.store.webhook_endpoints import StoredEndpoint, Webhooks
from roost.store.webhook_log import LogFilters, log_entry, logged
from roost.store.webhook_queue import queue_again

_AN_ENDPOINT = click.argument("endpoint_id", metavar="ENDPOINT_ID")


@click.group()
def webhook() -> None:
    """Webhook endpoints: who is told of events by POST."""


@webhook.command("add")
@click.argument("url")
@of_organization
@click.option(
    "--event", "events", multiple=True, type=click.Choice(TYPES), metavar="EVENT",
    help=f"What it is told of; repeatable. [{', '.join(EVENT_TYPES)}]",
)  # fmt: skip
@click.option("--description", default="", help="What people call it.")
@command
def webhook_add(context: Context, url: str, org_text: str, events: tuple[str, ...], description: str) -> None:
    """Tell a URL what happens from now on. The secret that it is signed with is shown once."""
    try:
        checked = push_url(context.config.allowed_networks)(url)
    except ValueError as error:
        raise click.ClickException(f"the URL {error}") from None

    async def add(store: Store) -> dict[str, Any]:
        owner = await find_organization(Directory(store), org_text)
        told = tuple(dict.fromkeys(events or EVENT_TYPES))
        made = await Webhooks(store).create(owner.org_id, checked, told, description)
        if made is None:
            raise click.ClickException(f"{owner.name} has enough webhook endpoints")
        return _shown(created_body(*made))

    context.show(context.run(add), "\nThe secret is not shown again.")


@webhook.command("list")
@of_organization
@command
def webhook_list(context: Context, org_text: str) -> None:
    """List an organization's endpoints, newest first."""

    async def listed(store: Store) -> list[dict[str, Any]]:
        owner = await find_organization(Directory(store), org_text)
        found = await Webhooks(store).page(PageOf(owner.org_id, LISTED))
        return [_shown(endpoint_body(each)) for each in found.items]

    context.show(context.run(listed))


@webhook.command("remove")
@_AN_ENDPOINT
@of_organization
@command
def webhook_remove(context: Context, endpoint_id: str, org_text: str) -> None:
    """Tell an endpoint nothing more, not even what waits."""

    async def remove(store: Store) -> dict[str, Any]:
        endpoint = await _find(store, endpoint_id, org_text)
        await Webhooks(store).delete(endpoint.org_id, endpoint.id)
        return {"id": endpoint.id, "status": "removed"}

    context.show(context.run(remove))


@webhook.command("test")
@_AN_ENDPOINT
@of_organization
@command
def webhook_test(context: Context, endpoint_id: str, org_text: str) -> None:
    """Send a test to an endpoint now, and say what became of it."""

    async def test(store: Store) -> dict[str, Any]:
        endpoint = await _find(store, endpoint_id, org_text)
        config = context.config
        poster = Poster(store.clock, config.allowed_networks, total_seconds=config.webhook_timeout)
        try:
            return _shown(tested_body(await send_test(store, poster, endpoint)))
        finally:
            await poster.close()

    context.show(context.run(test))


@webhook.command("rotate")
@_AN_ENDPOINT
@of_organization
@command
def webhook_rotate(context: Context, endpoint_id: str, org_text: str) -> None:
    """Give an endpoint another secret; for a day it is told with both."""

    async def rotate(store: Store) -> dict[str, Any]:
        endpoint = await _find(store, endpoint_id, org_text)
        return _shown(rotated_body(endpoint, await Webhooks(store).rotate_secret(endpoint.org_id, endpoint.id)))

    context.show(context.run(rotate), "\nThe secret is not shown again.")


@webhook.command("deliveries")
@of_organization
@click.option("--outcome", type=click.Choice(OUTCOMES), help="Only what became of it so.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many.")
@command
def webhook_deliveries(context: Context, org_text: str, outcome: Outcome | None, limit: int) -> None:
    """List what endpoints and numbers' URLs were told, each try, newest first."""

    async def listed(store: Store) -> list[dict[str, Any]]:
        owner = await find_organization(Directory(store), org_text)
        found = await logged(store, PageOf(owner.org_id, limit), LogFilters(outcome=outcome))
        return [_shown(delivery_body(each)) for each in found.items]

    context.show(context.run(listed))


@webhook.command("replay")
@click.argument("delivery_id", metavar="DELIVERY_ID")
@of_organization
@command
def webhook_replay(context: Context, delivery_id: str, org_text: str) -> None:
    """Have an endpoint told of an event once more, by the server."""

    async def replay(store: Store) -> dict[str, Any]:
        owner = await find_organization(Directory(store), org_text)
        parsed = parse_uuid(delivery_id)
        found = await log_entry(store, owner.org_id, parsed) if parsed else None
        if found is None:
            raise click.ClickException(f"{owner.name} has no delivery {delivery_id}")
        event, url = await event_to_replay(store, found)

        async def work(tx: Transaction) -> str:
            event_id = tx.new_id()
            await queue_again(tx, found.entry.target, event, event_id)
            return event_id

        return {"event_id": public_event_id(await store.transact(work)), "url": url}

    context.show(context.run(replay))


async def _find(store: Store, endpoint_id: str, org_text: str) -> StoredEndpoint:
    owner = await find_organization(Directory(store), org_text)
    parsed = parse_uuid(endpoint_id)
    endpoint = await Webhooks(store).get(owner.org_id, parsed) if parsed else None
    if endpoint is None:
        raise click.ClickException(f"{owner.name} has no webhook endpoint {endpoint_id}")
    return endpoint


def _shown(body: msgspec.Struct) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(body)
    return shown
