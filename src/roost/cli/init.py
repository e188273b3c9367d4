"""`roost init`: from nothing to the first text."""

import sys
from functools import partial
from typing import Any

import click

from roost.api.answers import moment
from roost.api.checkup import webhook_url
from roost.cli.carriers import line_of, look_at
from roost.cli.common import Context, command
from roost.cli.first_run.first_text import Interrupted, Progress, answering_server, first_text, served
from roost.cli.first_run.next_steps import at_the_carrier, came, described, how_to_serve, how_to_text, paste, what_next
from roost.cli.first_run.questions import Asker, ask
from roost.cli.first_run.set_up import Answers, set_up
from roost.cli.manage import carrier_fields
from roost.core.scopes import SCOPES
from roost.server import listen
from roost.store.base import Store
from roost.store.sessions import Sessions
from roost.wallet import is_wallet


@click.command()
@click.option("--org", "org_text", metavar="ORG", help="The organization, by id or name; made if there is none.")
@click.option("--carrier", "carrier_name", metavar="CARRIER", help="Whose number it is; loopback, to try.")
@click.option("--number", "number_text", metavar="E164", help="The number that texts arrive at.")
@click.option(
    "--agent", "wallet", metavar="WALLET", help="The agent that holds the number; else one that has no wallet."
)
@click.option("--no-input", is_flag=True, help="Ask nothing: what no option answers is an error.")
@click.option(
    "--wait", "seconds", type=click.IntRange(0), metavar="SECONDS",
    help="For the first text; 0 does not wait [until interrupted].",
)  # fmt: skip
@carrier_fields
@command
def init(
    context: Context, org_text: str | None, carrier_name: str | None, number_text: str | None, wallet: str | None,
    no_input: bool, seconds: int | None, **values: str | None,
) -> None:  # fmt: skip
    """Set up a number and wait for its first text: asks five questions, tests the carrier, and serves meanwhile.

    Each question has an option. A server that runs on the data directory is used. It can be interrupted and run again:
    what is there is not made twice. With --json it ends with the first text; else it goes on serving.
    """
    if wallet is not None and not is_wallet(wallet):
        raise click.ClickException("--agent: a wallet address is 0x and 40 hexadecimal digits")
    base_url = answering_server(context.config.data_dir)
    if base_url is None and seconds != 0:
        listen(context.config).close()  # better now than after five questions
    given = {"org": org_text, "carrier": carrier_name, "number": number_text, "public_url": context.config.public_url}
    asker = Asker(asks=not no_input and sys.stdin.isatty(), aside=context.as_json)
    try:
        answers = ask(context, asker, given, values)
    except (click.Abort, KeyboardInterrupt):
        click.echo(f"\nStopped. Nothing was made; begin again: {paste(context.config, 'init')}", err=True)
        raise SystemExit(1) from None
    _end(context, _Run(context, answers, wallet, seconds), base_url)


def _end(context: Context, run: "_Run", base_url: str | None) -> None:
    """Go through with it, and end as it does: with 3 where nothing came in time, as `roost wait` does."""
    code = 1
    try:
        code = 0 if context.run(partial(run.through, base_url)) else 3
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    except (Interrupted, KeyboardInterrupt):
        click.echo(f"\nStopped waiting. What was made stays; go on: {paste(context.config, 'init')}", err=True)
    if context.as_json and run.result:
        context.show(run.result)
    if code:
        raise SystemExit(code)


class _Run:
    """One run after the questions; `result` is what there is to tell so far."""

    def __init__(self, context: Context, answers: Answers, wallet: str | None, seconds: int | None) -> None:
        self.result: dict[str, Any] = {}
        self._config = context.config._replace(public_url=answers.public_url)
        self._answers, self._wallet, self._seconds = answers, wallet, seconds
        self._aside = context.as_json

    async def through(self, base_url: str | None, store: Store) -> bool:
        """Whether all is done that was wanted, with the server that runs or one that is served meanwhile."""
        if base_url is not None or self._seconds == 0:
            if base_url is not None:
                told = "; it must have been given the same ROOST_PUBLIC_URL" if self._config.public_url else ""
                self._say(f"\nThe server that runs on {base_url} is used{told}.")
            return await self._work(store, base_url or self._config.local_url)
        good = False

        async def work(served_at: str) -> bool:
            nonlocal good
            good = await self._work(store, served_at)
            if good and not self._aside:
                self._say(
                    f"The server keeps running. Stop it with Ctrl-C; start it again: {how_to_serve(self._config)}"
                )
            return good and not self._aside

        await served(self._config, work)
        return good

    async def _work(self, store: Store, base_url: str) -> bool:
        made = await set_up(store, self._answers, self._wallet)
        config, account = self._config, made.account
        url = webhook_url(config.public_url or base_url, account)
        self.result = described(made, url) | {"base_url": base_url, "message": None}
        self._say(at_the_carrier(config, made, url))
        findings = await look_at(config, store, account)
        self.result["findings"] = [finding._asdict() for finding in findings]
        for finding in findings:
            self._say(line_of(finding))
        if not all(finding.good for finding in findings):
            self._say(f"Set right what is WRONG, and look again: {paste(config, 'carrier', 'test', account.id)}")
        if self._seconds == 0:
            self._say(f"\nStart the server: {how_to_serve(config)}\nWait for the first text: {paste(config, 'init')}")
            return True
        link, _ = await Sessions(store).new_link(made.organization.org_id, tuple(SCOPES))
        self.result["inbox_url"] = f"{config.public_url or base_url}/inbox/sign-in/{link}"
        self._say(how_to_text(config, made, self.result["inbox_url"]))
        progress = Progress(f"Waiting for a text to {made.number.number}", aside=self._aside)
        message = await first_text(store, account, made.number, progress, self._seconds)
        if message is None:
            self._say(f"None came within {self._seconds} seconds. What was made stays; go on: {paste(config, 'init')}")
            return False
        self.result["message"] = {
            "id": message.id, "from": message.from_number, "to": message.to_number, "body": message.body,
            "received_at": moment(message.received_at),
        }  # fmt: skip
        self._say(came(message))
        self._say(what_next(made, base_url, message))
        return True

    def _say(self, text: str) -> None:
        click.echo(text, err=self._aside)
