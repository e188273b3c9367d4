"""Commands that talk to a running server as its clients do: where it is, with which key, and what to do when it refuses."""

import functools
import json
import os
from collections.abc import Callable
from typing import Any

import click

from roost.cli.common import Command, Context, command, find_organization
from roost.cli.lines import plain
from roost.client import ConnectionFailed, ConsentRequired, Forbidden, Roost, RoostError, Unauthorized
from roost.server import running_server
from roost.store.base import Store
from roost.store.directory import Directory

_FILE = "command-line.json"
#: What reading and sending takes.
_SCOPES = ("consent:read", "messages:read", "messages:send", "numbers:read")


def reaches_a_server(function: Command) -> Command:
    """Give a command a Context and a client, which the options say: where the server is, and whose texts are meant."""

    @functools.wraps(function)
    def wrapper(context: Context, url: str | None, api_key: str | None, org_text: str | None, **values: Any) -> Any:
        try:
            base_url, key = address_and_key(context, url, api_key, org_text)
            with Roost(base_url, api_key=key) as roost:
                return function(context, roost, **values)
        except RoostError as error:
            raise click.ClickException(_said(error)) from None

    return of_a_server(wrapper)


def of_a_server(function: Command) -> Command:
    """The options that say which server, and whose texts are meant."""
    decorated = command(function, ("data_dir", "database_url"))
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


_OPTIONS: tuple[Callable[[Command], Command], ...] = (
    click.option(
        "--url", envvar="ROOST_URL", metavar="URL", help="Of the server [ROOST_URL; else the one on this data directory]."
    ),
    click.option("--key", "api_key", envvar="ROOST_API_KEY", metavar="KEY", help="An API key [ROOST_API_KEY; else its own]."),
    click.option("--org", "org_text", metavar="ORG", help="Without a key: the organization, by id or name."),
)  # fmt: skip


def address_and_key(context: Context, url: str | None, api_key: str | None, org_text: str | None) -> tuple[str, str]:
    """Of the server. Without a key, who can open its database gets one, which is kept in the data directory."""
    if url and not api_key:
        raise click.ClickException(
            "give a key for that server: --key, or better ROOST_API_KEY, which no list of processes shows"
        )
    base_url = address(context, url)
    return base_url, api_key or _own_key(context, org_text)


def address(context: Context, url: str | None) -> str:
    """Where the server is: as said, else the one that runs on the data directory."""
    base_url = url or running_server(context.config.data_dir)
    if base_url is None:
        raise click.ClickException(
            f"no server runs on {context.config.data_dir}; start one with: roost serve (or say where one is: --url, --key)"
        )
    return base_url


def _own_key(context: Context, org_text: str | None) -> str:
    path = context.config.data_dir / _FILE
    try:
        kept: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        kept = {}

    async def find(store: Store) -> str:
        directory = Directory(store)
        org_id = await _only_organization(directory, org_text)
        key = kept.get(org_id)
        if isinstance(key, str) and await directory.api_key(key) is not None:
            return key
        made = (await directory.create_api_key(org_id, "command line", _SCOPES, None)).plaintext
        kept[org_id] = made
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(kept, file)
        return made

    return context.run(find)


async def _only_organization(directory: Directory, org_text: str | None) -> str:
    if org_text is not None:
        return (await find_organization(directory, org_text)).org_id
    organizations = await directory.organizations()
    if len(organizations) == 1:
        return organizations[0].org_id
    if organizations:
        raise click.ClickException("there are several organizations; say which with --org, by id or name")
    raise click.ClickException("there is no organization yet; create one with: roost org create NAME")


_ADVICE: dict[type[RoostError], str] = {
    Unauthorized: "the key is not good there; make one with: roost key create",
    Forbidden: "the key may not do this; make one that may with: roost key create --scope SCOPE",
    ConsentRequired: "see: roost consent list",
    ConnectionFailed: "is it running? roost serve",
}


def _said(error: RoostError) -> str:
    """What went wrong and what to do, in one line."""
    advice = [text for kind, text in _ADVICE.items() if isinstance(error, kind)]
    if error.retry_after is not None:
        advice.append(f"try again in {error.retry_after:.0f} seconds")
    return plain("; ".join([str(error), *advice]))
