"""Commands for organizations: making them, and what they set for themselves."""

from typing import Any

import click

from roost.api.answers import moment
from roost.api.organization import change_organization
from roost.cli.common import Context, command, find_organization
from roost.store.audit import OPERATOR
from roost.store.base import Store
from roost.store.directory import Directory, Profile


@click.group()
def org() -> None:
    """Organizations: the tenants."""


@org.command("create")
@click.argument("name")
@command
def org_create(context: Context, name: str) -> None:
    """Create an organization."""
    made = context.run(lambda store: Directory(store).create_organization(name))
    context.show({"id": made.org_id, "name": made.name, "created_at": moment(made.created_at)})


@org.command("show")
@click.argument("org_text", metavar="ORG")
@command
def org_show(context: Context, org_text: str) -> None:
    """Show an organization and its settings."""

    async def found(store: Store) -> dict[str, Any]:
        directory = Directory(store)
        owner = await find_organization(directory, org_text)
        return _profile(await directory.profile(owner.org_id))

    context.show(context.run(found))


@org.command("set")
@click.argument("org_text", metavar="ORG")
@click.option("--name", help="What people call it.")
@click.option("--billing-email", help='Whom invoices would go to; "" clears.')
@click.option("--message-retention-days", type=int, metavar="DAYS", help="30 to 365: how long messages are kept.")
@click.option("--mms-retention-days", type=int, metavar="DAYS", help="1 to 365: how long media is kept.")
@click.option(
    "--consent-required/--no-consent-required", default=None, help="Whether a contact must have agreed first."
)
@click.option("--opt-out-scope", type=click.Choice(["number", "organization"]), help="What a STOP holds for.")
@click.option("--suspected", type=click.Choice(["flag", "hold"]), help="What a suspected opt-out does to sends.")
@click.option(
    "--opt-out-word", "opt_out_words", multiple=True, metavar="WORD", help="Another opt-out keyword; repeatable."
)
@click.option("--no-opt-out-words", is_flag=True, help="Only the built-in keywords.")
@click.option(
    "--quiet-hours", metavar="HH:MM-HH:MM", help='When nothing is sent, in the recipient\'s zone; "off" ends it.'
)
@click.option("--quiet-mode", type=click.Choice(["reject", "defer"]), help="What happens to a send in quiet hours.")
@click.option("--auto-replies/--no-auto-replies", default=None, help="Whether STOP, HELP and START are answered.")
@click.option("--attestation", metavar="TEXT", help="With --no-auto-replies: who answers STOP and HELP instead.")
@click.option("--stop-text", metavar="TEXT", help='The answer to STOP; "" is the default one.')
@click.option("--help-text", metavar="TEXT", help='The answer to HELP; "" is the default one.')
@click.option("--start-text", metavar="TEXT", help='The answer to START; "" is the default one.')
@command
def org_set(context: Context, org_text: str, **options: Any) -> None:
    """Change an organization's settings; what is not given stays."""
    values = _change(options)

    async def change(store: Store) -> dict[str, Any]:
        directory = Directory(store)
        owner = await find_organization(directory, org_text)
        return _profile(await change_organization(directory, owner.org_id, values, OPERATOR))

    context.show(context.run(change))


def _change(options: dict[str, Any]) -> dict[str, Any]:
    """The options as the API's `PATCH /v1/organization` has them."""
    quiet = _quiet_hours(options.pop("quiet_hours"), options.pop("quiet_mode"))
    replies = {"enabled": options.pop("auto_replies"), "attestation": options.pop("attestation")}
    given = {name: value for name, value in replies.items() if value is not None}
    for name in ("stop_text", "help_text", "start_text"):
        text = options.pop(name)
        if text is not None:
            given[name] = text or None
    words = [] if options.pop("no_opt_out_words") else list(options.pop("opt_out_words")) or None
    options.pop("opt_out_words", None)
    return {**options, "opt_out_words": words, "quiet_hours": quiet or None, "auto_replies": given or None}


def _quiet_hours(window: str | None, mode: str | None) -> dict[str, Any]:
    change: dict[str, Any] = {"mode": mode} if mode else {}
    if window == "off":
        change["enabled"] = False
    elif window is not None:
        start, _, end = window.partition("-")
        change |= {"enabled": True, "start": start, "end": end}
    return change


def _profile(profile: Profile) -> dict[str, Any]:
    settings = profile.settings
    return {
        "id": profile.org_id,
        "name": profile.name,
        "created_at": moment(profile.created_at),
        **settings._asdict(),
        "opt_out_words": list(settings.opt_out_words),
        "auto_replies": settings.auto_replies._asdict(),
        "quiet_hours": settings.quiet_hours._asdict(),
    }
