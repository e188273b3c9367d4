"""The pages of `docs/reference`, which follow from the code. They are made with the site, and are not kept."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import httpx

from roost import config
from roost.api.reference import fields_of
from roost.app import build
from roost.cli import main
from roost.core.scopes import SCOPES
from roost.logs import configure
from roost.store.connect import make_store
from roost.store.objects import Objects

FOLDER = Path(__file__).parent / "reference"
_URL = "https://roost.example.com"


def pages() -> dict[str, str]:
    """File name -> text."""
    document = asyncio.run(_document())
    return {
        "api.md": "\n".join(_api(document)),
        "scopes.md": "\n".join(_scopes(document)),
        "commands.md": "\n".join(_commands()),
        "settings.md": "\n".join(_settings()),
    }


async def _document() -> dict[str, Any]:
    """The OpenAPI document, as a server gives it."""
    configure("warning")
    with tempfile.TemporaryDirectory() as folder:
        settings = config.load({}, data_dir=Path(folder))
        store = make_store(settings, lambda: time.time_ns() // 1000)
        transport = httpx.ASGITransport(build(store, _URL, Objects(settings.media_url)))
        async with httpx.AsyncClient(transport=transport, base_url=_URL) as client:
            document: dict[str, Any] = (await client.get("/openapi.json")).json()
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _api(document: dict[str, Any]) -> Iterator[str]:
    yield "# The API\n"
    yield "Every route, made from the same table that the server answers by; a running server has this at `/docs`, and for"
    yield "programs at `/openapi.json`. The examples can be pasted into a shell with these set:\n"
    yield "    export ROOST_URL=http://127.0.0.1:8080 ROOST_API_KEY=am_live_... NUMBER=+15551112222\n"
    yield "Which key may do what: [scopes](scopes.md). Errors of dialect A are"
    yield '`{"success": false, "error": {"code", "message", "request_id", "details"?}}`, those of dialect B'
    yield '`{"error", "message"}`; both say what to do. `X-Request-Id` on every answer is the id in the log of the server.'
    for tag in dict.fromkeys(operation["tags"][0] for *_, operation in _operations(document)):
        yield f"\n## {tag}"
        for method, path, operation in _operations(document):
            if operation["tags"][0] == tag:
                yield from _operation(document, method, path, operation)
    yield ""


def _operation(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"\n### {operation['summary']}\n\n`{method} {path}`\n\n{operation['description']}\n"
    for sample in operation["x-codeSamples"]:
        yield f"```sh\n{sample['source']}\n```\n"
    if operation["parameters"]:
        yield "| parameter | in | meaning |\n| --- | --- | --- |"
        for each in operation["parameters"]:
            yield f"| `{each['name']}` | {each['in']} | {_cell(each['description'])} |"
        yield ""
    fields = fields_of(operation, document)
    if fields:
        yield "| field | takes | |\n| --- | --- | --- |"
        for field in fields:
            yield f"| `{field.name}` | {_cell(field.takes)} | {'required' if field.is_required else ''} |"
        yield ""
    yield "| status | meaning |\n| --- | --- |"
    for status, response in operation["responses"].items():
        yield f"| `{status}` | {_cell(response['description'])} |"


def _scopes(document: dict[str, Any]) -> Iterator[str]:
    yield "# Scopes\n"
    yield "An API key has some of these, named when it is created; it can create keys with no more than its own. Without the"
    yield "scope of a route the answer is 403.\n"
    yield "| scope | what it opens |\n| --- | --- |"
    for scope in SCOPES:
        opened = [
            f"`{method} {path}`"
            for method, path, operation in _operations(document)
            if f"Requires the `{scope}` scope" in operation["description"]
        ]
        yield f"| `{scope}` | {', '.join(opened) or 'nothing yet'} |"
    yield ""


def _commands() -> Iterator[str]:
    yield "# Commands\n"
    yield "`roost COMMAND --help` says the same. Every command takes `--json`, and then prints one JSON object or array; every"
    yield "[setting](settings.md) is an option of each, and those are left out here."
    settings = {f"--{setting.name.replace('_', '-')}" for setting in config.SETTINGS}
    for name, command in sorted(main.commands.items()):
        subcommands = getattr(command, "commands", None)
        yield f"\n## roost {name}"
        if subcommands is None:
            yield from _command(f"roost {name}", command, settings)
            continue
        yield f"\n{command.help}"
        for sub, each in sorted(subcommands.items()):
            yield f"\n### roost {name} {sub}"
            yield from _command(f"roost {name} {sub}", each, settings)
    yield ""


def _command(called: str, command: click.Command, settings: set[str]) -> Iterator[str]:
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    options = [
        each
        for each in command.params
        if isinstance(each, click.Option) and not settings & set(each.opts) and each.opts != ["--json"]
    ]
    usage = [each.make_metavar(click.Context(command)) for each in arguments]
    yield f"\n```sh\n{' '.join([called, *usage, *(['[OPTIONS]'] if options else [])])}\n```\n"
    yield "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    if options:
        yield "\n| option | |\n| --- | --- |"
        for option in options:
            required = " (required)" if option.required else ""
            yield f"| `{' / '.join([*option.opts, *option.secondary_opts])}` | {_cell(option.help or '')}{required} |"


def _settings() -> Iterator[str]:
    yield "# Settings\n"
    yield "An environment variable each, or the option of the same name (`ROOST_DATA_DIR` is `--data-dir`). A wrong value stops"
    yield "the start with one line; an unknown `ROOST_` name is warned of.\n"
    yield "| setting | default | meaning |\n| --- | --- | --- |"
    for setting in config.SETTINGS:
        yield f"| `{setting.variable}` | `{setting.default}` | {_cell(setting.help)} |"
    yield ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def write() -> None:
    """All of them, into their folder."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, "utf-8")
