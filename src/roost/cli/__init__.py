"""The `roost` command."""

import click

from roost import __version__
from roost.cli import accounts as accounts  # adds to `roost carrier`
from roost.cli import carriers as carriers  # adds to `roost carrier`
from roost.cli.audit import audit, contact
from roost.cli.consent import block, consent
from roost.cli.credentials import key, token
from roost.cli.deliveries import simulate, unrouted
from roost.cli.init import init
from roost.cli.login import login, logout
from roost.cli.manage import agent, carrier, number
from roost.cli.mcp import mcp
from roost.cli.organizations import org
from roost.cli.outbox import outbox
from roost.cli.retention import retention
from roost.cli.running import db, demo, serve
from roost.cli.texting import inbox, send, tail, wait
from roost.cli.webhooks import webhook


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="roost")
def main() -> None:
    """Roost: a self-hosted messaging inbox for AI agents.

    Every setting is an option of each command, or an environment variable ROOST_<NAME>.
    """


_COMMANDS = (
    serve, demo, db, org, carrier, number, key, agent, token, contact, consent, block, audit, outbox, retention, simulate,
    unrouted, webhook, mcp, login, logout, inbox, send, wait, tail, init,
)  # fmt: skip
for _command in _COMMANDS:
    main.add_command(_command)
