"""Commands that read and send texts, through a running server: inbox, send, wait, tail."""

from itertools import islice
from typing import Any

import click
import msgspec

from roost.cli.common import Context
from roost.cli.lines import of_event, of_inbound, of_outbound, plain
from roost.cli.reached import reaches_a_server
from roost.client import Roost

_FROM = click.option(
    "--from", "from_number", metavar="NUMBER", help="Only from this sender: E.164, short code or name."
)
_TO = click.option("--to", "to_number", metavar="NUMBER", help="Only to this number of ours.")


@click.command()
@_FROM
@_TO
@click.option("--after", metavar="ID", help="What came after the message with this id, oldest first.")
@click.option("--since", metavar="TIME", help="Received at this time or later, such as 2026-11-22T02:52:09Z.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most so many.")
@reaches_a_server
def inbox(context: Context, roost: Roost, limit: int, **asked: Any) -> None:
    """List the texts that came, newest first. A one-time code stands before its text."""
    messages = list(islice(roost.inbound.list(**asked, include=["otp"], page_size=min(limit, 100)), limit))
    if context.as_json:
        context.show([msgspec.to_builtins(message) for message in messages])
        return
    for message in messages:
        click.echo(of_inbound(message))
    if not messages:
        click.echo("Nothing has come.")


@click.command()
@click.argument("to_number", metavar="TO")
@click.argument("text")
@click.option(
    "--from", "from_number", metavar="NUMBER", help="The number of ours to send from; needed if there are several."
)
@click.option("--media", multiple=True, metavar="URL", help="A picture; repeatable.")
@click.option("--tag", help="A word to find it by.")
@click.option(
    "--once", "idempotency_key", metavar="KEY", help="A name for this send: a second one with it sends nothing."
)
@click.option("--reply", "reply_seconds", type=click.IntRange(1), metavar="SECONDS", help="Wait so long for an answer.")
@reaches_a_server
def send(context: Context, roost: Roost, from_number: str | None, reply_seconds: int | None, **message: Any) -> None:
    """Send a text, and wait for an answer to it if asked to; ends with 3 when none comes."""
    sent = roost.messages.send(from_number=from_number or _only_number(roost), **message)
    if reply_seconds is None:
        _show(context, sent, of_outbound(sent))
        return
    if not context.as_json:
        click.echo(of_outbound(sent))
    reply = roost.messages.wait_for_reply(sent, timeout=reply_seconds)
    if reply is None:
        raise _NothingCame(f"no answer came within {reply_seconds} seconds")
    _show(context, reply, of_inbound(reply))


@click.command()
@_FROM
@_TO
@click.option("--after", metavar="ID", help="The first after the message with this id; else from now on.")
@click.option(
    "--otp", "wants_code", is_flag=True, help="The first with a one-time code, which alone is printed; needs --to."
)
@click.option(
    "--timeout", type=click.IntRange(0), default=60, show_default=True, metavar="SECONDS", help="Wait no longer."
)
@reaches_a_server
def wait(context: Context, roost: Roost, to_number: str | None, wants_code: bool, timeout: int, **asked: Any) -> None:
    """Wait for one text, and print it; ends with 3 when none comes."""
    if not wants_code:
        message = roost.inbound.wait(to_number=to_number, include=["otp"], timeout=timeout, **asked)
        if message is None:
            raise _NothingCame(f"nothing came within {timeout} seconds")
        _show(context, message, of_inbound(message))
        return
    if to_number is None:
        raise click.UsageError("say which number the code is sent to: --to")
    code = roost.otp.wait(to_number, timeout=timeout, **asked)
    if code is None:
        raise _NothingCame(f"no one-time code came within {timeout} seconds")
    _show(context, code, plain(code.code))


@click.command()
@_FROM
@_TO
@click.option("--after", "last_event_id", metavar="ID", help="Begin after the event with this id; else now.")
@reaches_a_server
def tail(context: Context, roost: Roost, **asked: Any) -> None:
    """Follow what happens until interrupted: texts that come, what becomes of those sent, changes of consent.

    With --json each event is a line. A server that is away is waited for.
    """
    try:
        for event in roost.stream(**asked):
            click.echo(msgspec.json.encode(event) if context.as_json else of_event(event))
    except KeyboardInterrupt:
        return


class _NothingCame(click.ClickException):
    """No failure, and so a program can tell it from one."""

    exit_code = 3


def _show(context: Context, found: msgspec.Struct, line: str) -> None:
    if context.as_json:
        context.show(msgspec.to_builtins(found))
    else:
        click.echo(line)


def _only_number(roost: Roost) -> str:
    numbers = [number.number for number in islice(roost.numbers.list(), 11)]
    if len(numbers) != 1:
        there_are = f"; there are: {', '.join(numbers[:10])}" if numbers else "; the organization has none"
        raise click.ClickException(f"say which number to send from: --from{there_are}")
    return numbers[0]
