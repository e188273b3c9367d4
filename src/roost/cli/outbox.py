"""Commands about what is to be sent: see it, and decide about what only a person can."""

from typing import Any, get_args

import click

from roost.api.answers import moment
from roost.cli.common import Context, command, find_organization, of_organization
from roost.core.ids import parse_uuid
from roost.store.base import Store
from roost.store.directory import Directory
from roost.store.outbox import STATES, OutboxRow, State, list_outbox
from roost.store.settling import Decision, decide

_MOST_LISTED = 1000


@click.group()
def outbox() -> None:
    """What is to be sent, and what was perhaps sent."""


@outbox.command("list")
@of_organization
@click.option("--state", type=click.Choice(STATES), help="Only what is in this state.")
@command
def outbox_list(context: Context, org_text: str, state: State | None) -> None:
    """List what waits to be sent or to be settled, oldest first."""

    async def find(store: Store) -> list[dict[str, Any]]:
        owner = await find_organization(Directory(store), org_text)
        return [_described(row) for row in await list_outbox(store, owner.org_id, state, _MOST_LISTED)]

    found = context.run(find)
    context.show(found, "" if found else "Nothing is in the outbox.")


@outbox.command("settle")
@click.argument("message_id", metavar="MESSAGE_ID")
@click.argument("decision", type=click.Choice(get_args(Decision)))
@of_organization
@command
def outbox_settle(context: Context, message_id: str, decision: Decision, org_text: str) -> None:
    """Decide about a message that was perhaps sent (sent, failed, retry) or is held (release, failed).

    `retry` may send it a second time: look into the carrier's own record first.
    """
    parsed = parse_uuid(message_id)
    if parsed is None:
        raise click.ClickException(f"a message id is a UUID, not {message_id!r}")

    async def settle(store: Store) -> str:
        owner = await find_organization(Directory(store), org_text)
        state = await decide(store, owner.org_id, parsed, decision)
        if state == "settled":
            raise click.ClickException(f"the outbox of {owner.name} has no message {parsed}")
        if state is not None:
            raise click.ClickException(f"{parsed} is {state}; {decision} is not for that")
        return owner.org_id

    context.show({"id": parsed, "org_id": context.run(settle), "decision": decision})


def _described(row: OutboxRow) -> dict[str, Any]:
    return {
        "id": row.message_id,
        "state": row.state,
        "status": row.status,
        "from": row.from_number,
        "to": row.to_number,
        "attempts": row.attempts,
        "due_at": moment(row.due_at),
        "leased_at": moment(row.leased_at),
        "withdrawn": row.withdrawn,
    }
