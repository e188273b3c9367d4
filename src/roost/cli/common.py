"""What every command shares: the settings as options, an open store, and one way to print."""

import functools
import json
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import click

from roost import config as settings
from roost.config import SETTINGS, Config, ConfigError
from roost.core.account import CarrierAccount
from roost.core.ids import parse_uuid
from roost.errors import Refusal
from roost.logs import configure
from roost.loop import run_async
from roost.server import now_us, running_server
from roost.store.backfills import Backfills
from roost.store.base import Store
from roost.store.connect import make_store
from roost.store.directory import Agent, Directory, Number, Organization
from roost.store.errors import StoreError, StoreUnavailable

T = TypeVar("T")
Command = Callable[..., Any]

#: A secret on a command line shows in the list of processes, so that one is read from the environment only.
_NO_OPTION = {"secret_key"}
#: How many a command lists, newest first.
LISTED = 1000
of_organization = click.option(
    "--org", "org_text", required=True, metavar="ORG", help="The organization, by id or name."
)
DAY_US = 24 * 3600 * 1_000_000


class Context:
    """What a command is called with: the settings and how to print."""

    def __init__(self, config: Config, *, as_json: bool) -> None:
        self.config = config
        self.as_json = as_json

    @property
    def public_url(self) -> str:
        """Where the server is reached: as set, else where one runs on this data directory, else where one would."""
        return self.config.public_url or running_server(self.config.data_dir) or self.config.local_url

    def run(self, work: Callable[[Store], Awaitable[T]]) -> T:
        """`work` on an open store, which is brought up to date first."""

        async def opened() -> T:
            store = make_store(self.config, now_us)
            try:
                await store.open()
                return await work(store)
            finally:
                await store.close()

        return run_async(opened())

    def show(self, result: dict[str, Any] | list[dict[str, Any]], note: str = "") -> None:
        """One JSON value on standard output, or lines for a person."""
        if self.as_json:
            click.echo(json.dumps(result))
            return
        for item in result if isinstance(result, list) else [result]:
            width = max(map(len, item))
            for name, value in item.items():
                click.echo(f"{name:<{width}}  {_shown(value)}")
            if isinstance(result, list):
                click.echo()
        if note:
            click.echo(note)


def value_or_file(value: str) -> str:
    """The value itself, or what the file holds of a value that is @FILE, without the line's end."""
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise click.ClickException(f"cannot read {value[1:]}: {error}") from None


def command(function: Command, options: Collection[str] | None = None) -> Command:
    """Give a command settings as options (all, or those that are named), `--json`, and a Context as its first argument.

    Errors become a line.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, as_json: bool, **values: Any) -> Any:
        given = {setting.name: values.pop(setting.name, None) for setting in SETTINGS}
        try:
            config = settings.load(**given)
            configure(config.log_level)
            return function(Context(config, as_json=as_json), *args, **values)
        except (ConfigError, StoreError, Refusal) as error:
            raise click.ClickException(_line(error)) from None

    decorated: Command = click.option("--json", "as_json", is_flag=True, help="Print one JSON value.")(wrapper)
    for setting in reversed(SETTINGS):
        if setting.name not in _NO_OPTION and (options is None or setting.name in options):
            flag = f"--{setting.name.replace('_', '-')}"
            decorated = click.option(flag, setting.name, metavar="X", help=f"{setting.help} [{setting.default}]")(
                decorated
            )
    return decorated


async def find_organization(directory: Directory, text: str) -> Organization:
    """By id, or by a name that only one has."""
    org_id = parse_uuid(text)
    if org_id is not None:
        organization = await directory.organization(org_id)
        if organization is not None:
            return organization
    named = await directory.organizations_named(text)
    if len(named) == 1:
        return named[0]
    trouble = (
        "more than one organization has that name; give its id" if named else "no organization has that id or name"
    )
    raise click.ClickException(f"{trouble}: {text}")


async def find_agent(directory: Directory, wallet: str) -> Agent:
    agent = await directory.agent(wallet)
    if agent is None:
        raise click.ClickException(
            f"no agent has the wallet {wallet}; register it with: roost agent add {wallet} --org ORG"
        )
    return agent


async def find_account(store: Store, owner: Organization, text: str) -> CarrierAccount:
    """An organization's carrier account by its id; or by its carrier's name, where that leaves no doubt."""
    listed = await Backfills(store).accounts(owner.org_id)
    found = [each.id for each in listed if text in (each.id, each.carrier) or parse_uuid(text) == each.id]
    if len(found) > 1:
        raise click.ClickException(
            f"{owner.name} has several accounts with {text}; name one by its id: {', '.join(found)}"
        )
    account = await Directory(store).carrier_account(found[0]) if found else None
    if account is None:
        raise click.ClickException(f"{owner.name} has no carrier account {text}; see: roost carrier list --org ORG")
    return account


async def find_number(directory: Directory, text: str) -> Number:
    number = await directory.number(text)
    if number is None:
        raise click.ClickException(f"nobody has registered {text}; see: roost number add")
    return number


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "-" if value is None else str(value)


def _line(error: Exception) -> str:
    if isinstance(error, Refusal):
        return "; ".join(f"{field} {text}" for field, text in (error.details or {}).items()) or error.message
    if isinstance(error, StoreUnavailable):
        return f"the database cannot be used now: {error}"
    return str(error)
