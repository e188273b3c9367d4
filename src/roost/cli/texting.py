"""Commands that read and send texts, through a running server: inbox, send, wait, tail."""

from typing import Any

import click
import msgspec

from roost.cli.common import Context, command
from roost.cli.lines import of_event, of_inbound, of_outbound
from roost.cli.reached import reached, reaches_a_server
from roost.client import Roost
from roost.client.models import InboundMessage

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
@command
def inbox(
    context: Context,
    from_number: str | None,
    to_number: str | None,
    after: str | None,
    since: str | None,
    limit: int,
    **server: Any,
) -> None:
    """List the texts that came, newest first. A one-time code stands before its text."""
    with reached(context, **server) as roost:
        listed = roost.inbound.list(
            from_number=from_number,
            to_number=to_number,
            after=after,
            since=since,
            include=["otp"],
            page_size=min(limit, 100),
        )
        messages = [message for message, _ in zip(listed, range(limit), strict=False)]
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
@command
def send(
    context: Context, to_number: str, text: str, from_number: str | None, media: tuple[str, ...], tag: str | None,
    idempotency_key: str | None, reply_seconds: int | None, **server: Any,
) -> None:  # fmt: skip
    """Send a text, and wait for an answer to it if asked to."""
    with reached(context, **server) as roost:
        sent = roost.messages.send(
            to_number,
            text,
            from_number=from_number or _only_number(roost),
            media=media,
            tag=tag,
            idempotency_key=idempotency_key,
        )
        if reply_seconds is None:
            _show(context, sent, of_outbound(sent))
            return
        if not context.as_json:
            click.echo(of_outbound(sent))
        _show_first(context, roost.messages.wait_for_reply(sent, timeout=reply_seconds), reply_seconds)


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
@command
def wait(
    context: Context, from_number: str | None, to_number: str | None, after: str | None, wants_code: bool, timeout: int,
    **server: Any,
) -> None:  # fmt: skip
    """Wait for one text, and print it; ends with 1 when none comes."""
    if wants_code and to_number is None:
        raise click.ClickException("say which number the code is sent to: --to")
    with reached(context, **server) as roost:
        if not wants_code:
            found = roost.inbound.wait(
                from_number=from_number, to_number=to_number, after=after, include=["otp"], timeout=timeout
            )
            _show_first(context, found, timeout)
            return
        code = roost.otp.wait(to_number or "", from_number=from_number, after=after, timeout=timeout)
    if code is None:
        raise click.ClickException(f"no one-time code came within {timeout} seconds")
    _show(context, code, code.code)


@click.command()
@_FROM
@_TO
@click.option("--after", metavar="ID", help="Begin after the event with this id; else now.")
@reaches_a_server
@command
def tail(context: Context, from_number: str | None, to_number: str | None, after: str | None, **server: Any) -> None:
    """Follow what happens until interrupted: texts that come, what becomes of those sent, changes of consent.

    With --json each event is a line. A server that is away is waited for.
    """
    with reached(context, **server) as roost:
        try:
            for event in roost.stream(last_event_id=after, from_number=from_number, to_number=to_number):
                click.echo(msgspec.json.encode(event) if context.as_json else of_event(event))
        except KeyboardInterrupt:
            return


def _show_first(context: Context, found: InboundMessage | None, seconds: int) -> None:
    if found is None:
        raise click.ClickException(f"nothing came within {seconds} seconds")
    _show(context, found, of_inbound(found))


def _show(context: Context, found: msgspec.Struct, line: str) -> None:
    if context.as_json:
        context.show(msgspec.to_builtins(found))
    else:
        click.echo(line)


def _only_number(roost: Roost) -> str:
    numbers = [number.number for number, _ in zip(roost.numbers.list(), range(11), strict=False)]
    if len(numbers) != 1:
        there_are = f"; there are: {', '.join(numbers[:10])}" if numbers else "; the organization has none"
        raise click.ClickException(f"say which number to send from: --from{there_are}")
    return numbers[0]
