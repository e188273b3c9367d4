"""The questions of `roost init`. What an option answers is not asked; without a terminal, what is not answered is an error."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from roost import config as settings
from roost.carriers import loopback
from roost.carriers.contract import Field
from roost.carriers.credentials import new_secrets, rotated
from roost.carriers.registry import CARRIERS
from roost.cli.common import Context, value_or_file
from roost.cli.first_run.set_up import Answers, find_organization, free_number, standing_account
from roost.core.account import CarrierAccount
from roost.core.numbers import is_e164
from roost.store.directory import Directory

_FILE = "first-run.json"
_SECRET = re.compile("password|secret|token|api_key|signing_key")
#: What is suggested before anything was answered.
_ORGANIZATION = "My organization"

Check = Callable[[str], str]
"""The answer as it is used from now on. Raises ValueError, saying what is wrong with it."""


class Asker:
    """`asks`: somebody sits at a terminal. `aside`: standard output is for something else."""

    def __init__(self, *, asks: bool, aside: bool) -> None:
        self.asks = asks
        self._aside = aside

    def answer(
        self, question: str, option: str, given: str | None, check: Check, *, default: str | None = None,
        hidden: bool = False,
    ) -> str:  # fmt: skip
        """What was given, if it was, else what is typed, which is asked for until it is right."""
        if given is not None or not self.asks:
            if given is None:
                raise click.ClickException(f"without a terminal to ask on, give {option}: {question}")
            try:
                return check(given.strip())
            except ValueError as error:
                raise click.ClickException(f"{option}: {error}") from None

        def typed(text: str) -> str:
            try:
                return check(text.strip())
            except ValueError as error:
                raise click.UsageError(str(error)) from None

        found: str = click.prompt(
            question, default, value_proc=typed, hide_input=hidden, show_default=bool(default), err=self._aside
        )
        return found


def ask(
    context: Context, asker: Asker, given: Mapping[str, str | None], values: Mapping[str, str | None]
) -> Answers:  # fmt: skip
    """The five answers. Those that are no secret are kept in the data directory, to be suggested by another run."""
    kept = {"organization": _ORGANIZATION, "carrier": loopback.NAME, **_kept(context.config.data_dir)}

    def organization_of(text: str) -> str:
        context.run(lambda store: find_organization(Directory(store), _name(text)))
        return text

    question = "The organization's name"
    organization = asker.answer(question, "--org", given["org"], organization_of, default=kept["organization"])
    if organization != kept["organization"]:
        kept = {"carrier": loopback.NAME}
    question = f"The carrier, or {loopback.NAME} to try it out; there are {', '.join(sorted(CARRIERS))}"
    carrier = asker.answer(question, "--carrier", given["carrier"], _carrier, default=kept["carrier"])
    standing: CarrierAccount | None = None

    def number_of(text: str) -> str:
        nonlocal standing
        standing = context.run(lambda store: standing_account(store, organization, carrier, _e164(text)))
        return text

    suggested = kept.get("number") if carrier == kept["carrier"] else None
    if suggested is None and carrier == loopback.NAME:
        suggested = context.run(free_number)
    question = "Your number at it, as +15551112222"
    number = asker.answer(question, "--number", given["number"], number_of, default=suggested)
    fields = _fields(asker, carrier, {name: value for name, value in values.items() if value}, standing)
    public_url = given["public_url"]
    if public_url is None and carrier != loopback.NAME:
        question = f"The public https address of this server, where {carrier} is to deliver (of a tunnel, or a proxy)"
        public_url = asker.answer(question, "--public-url", None, _url, default=kept.get("public_url"))
    answers = Answers(organization, carrier, number, fields, public_url)
    _keep(context.config.data_dir, answers)
    return answers


def _name(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError("a name has at least one letter, and no control characters")
    return text


def _e164(text: str) -> str:
    if not is_e164(text):
        raise ValueError("a number is + and up to 15 digits (E.164), such as +15551112222")
    return text


def _carrier(text: str) -> str:
    if text not in CARRIERS:
        raise ValueError(f"there is no carrier {text!r}; there are: {', '.join(sorted(CARRIERS))}")
    return text


def _url(text: str) -> str:
    try:
        url = settings.load({}, public_url=text).public_url
    except settings.ConfigError as error:
        raise ValueError(str(error)) from None
    if url is None:
        raise ValueError("without it no text arrives")
    return url


def _fields(asker: Asker, carrier: str, given: dict[str, str], standing: CarrierAccount | None) -> dict[str, str]:
    """Each field that has to be given; that sending needs may be left out as a whole, and what the account has is kept."""
    values = {name: value_or_file(value) for name, value in given.items()}
    for need in ("receive", "send"):
        wanted = [field for field in CARRIERS[carrier].FIELDS if field.needed == need and not field.generated]
        if need == "send" and not asker.asks:
            break
        for field in wanted:
            has = standing is not None and bool(standing.newest(field.name))
            optional = need == "send" and not any(other.name in values for other in wanted)
            if field.name in values or (has and not asker.asks):
                continue
            value = _field(asker, carrier, field, "keeps it" if has else "only receives" if optional else "")
            if value:
                values[field.name] = value
            elif not has:
                break
    try:
        if standing is None:
            new_secrets(carrier, values)
        elif values:
            rotated(carrier, standing.secrets, values, forget_old=False)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    return values


def _field(asker: Asker, carrier: str, field: Field, enter: str) -> str:
    question = f"At {carrier}, {field.help}{f' (Enter {enter})' if enter else ''}"
    option = f"--{field.name.replace('_', '-')}"
    return asker.answer(
        question, option, None, _value, default="" if enter else None, hidden=bool(_SECRET.search(field.name))
    )


def _value(text: str) -> str:
    try:
        return value_or_file(text)
    except click.ClickException as error:
        raise ValueError(error.message) from None


def _kept(data_dir: Path) -> dict[str, str]:
    try:
        kept = json.loads((data_dir / _FILE).read_text("utf-8"))
        return {name: value for name, value in kept.items() if isinstance(value, str)}
    except (OSError, ValueError, AttributeError):
        return {}


def _keep(data_dir: Path, answers: Answers) -> None:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = {name: value for name, value in answers._asdict().items() if name != "values"}
    (data_dir / _FILE).write_text(json.dumps(kept, indent=2), "utf-8")
