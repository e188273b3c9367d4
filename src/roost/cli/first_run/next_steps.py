"""What `roost init` tells a person: what was made, where it is set at the carrier, and what to try next."""

import json
import shlex
import sys
from typing import Any

from roost.api.answers import moment
from roost.carriers import loopback
from roost.carriers.registry import CARRIERS
from roost.cli.first_run.set_up import SetUp
from roost.cli.lines import plain
from roost.config import Config
from roost.core.message import InboundMessage
from roost.core.numbers import is_e164


def described(made: SetUp, webhook_url: str) -> dict[str, Any]:
    """As JSON."""
    return {
        "id": made.organization.org_id,
        "organization": made.organization.name,
        "carrier": made.account.carrier,
        "carrier_account_id": made.account.id,
        "number": made.number.number,
        "phone_number_id": made.number.id,
        "agent": made.agent.wallet,
        "webhook_url": webhook_url,
        **made.shown,
        "api_key": made.key,
        "access_token": made.token,
    }


def at_the_carrier(config: Config, made: SetUp, webhook_url: str) -> str:
    """What to set there, and where."""
    name = made.account.carrier
    menu = CARRIERS[name].MENU
    lines = [f"\n{plain(made.organization.name)} has the number {made.number.number} at {name}."]
    if menu:
        lines += [f"\nSet this at {name} (docs/carriers/{name}.md has the way there):", f"  {menu}", ""]
    lines.append(f"  webhook URL     {webhook_url}")
    lines += [f"  {field.replace('_', ' '):<14}  {value}" for field, value in made.shown.items()]
    if made.shown:
        lines.append("The password is not shown again.")
    elif "basic" in made.account.secrets:
        lines.append(
            f"The password was shown before; another one: {paste(config, 'carrier', 'rotate', made.account.id)}"
        )
    return "\n".join(lines) + "\n"


def how_to_text(config: Config, made: SetUp, inbox_url: str) -> str:
    """How the first text is sent, and where it is seen as well."""
    how = f"  from your phone, to {made.number.number}"
    if made.account.carrier == loopback.NAME:
        words = ("simulate", "+15554443333", made.number.number, "Hello")
        how = f"  in another terminal: {paste(config, *words)}"
    return f"\nSend a text:\n\n{how}\n\nSee it in your browser too (the link signs in once):\n\n  {inbox_url}\n"


def came(message: InboundMessage) -> str:
    """The text, in one line that steers no terminal."""
    sender, body = plain(message.from_number), plain(message.body)
    media = f" <media: {len(message.media)}>" if message.media else ""
    return f"The first text, at {moment(message.received_at)}:\n\n  {sender} > {message.to_number}  {body}{media}"


def what_next(made: SetUp, base_url: str, message: InboundMessage) -> str:
    """Lines to paste."""
    key, token = made.key or "$ROOST_API_KEY", made.token or "$ROOST_TOKEN"
    answer = {"from": made.number.number, "to": message.from_number, "text": "Thanks for your text!"}
    lines = [
        "\nRead it, as dialect A (AgentMessage) and, with the agent's access token, as dialect B (OneShot) has it:\n",
        f'  curl -H "Authorization: Bearer {key}" {base_url}/v1/inbound-messages',
        f'  curl -H "X-Agent-ID: {made.agent.wallet}" -H "Authorization: Bearer {token}" \\',
        f'    "{base_url}/v1/tools/sms/inbox?limit=10"',
    ]
    if is_e164(message.from_number):
        lines += [
            "\nAnswer it:\n",
            f'  curl -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\',
            f"    -d {shlex.quote(json.dumps(answer))} {base_url}/v1/messages",
        ]
    if made.key is None or made.token is None:
        lines.append(
            "\nThe key and the token are those that were shown before; others: roost key create, roost token create"
        )
    else:
        lines.append("\nThe key and the token are not shown again.")
    lines.append(f"Agent programs that speak MCP: {base_url}/mcp with the key (docs/mcp.md). API: {base_url}/docs")
    return "\n".join(lines)


def how_to_serve(config: Config) -> str:
    """The command that starts the server again."""
    return paste(config, "serve", *(("--public-url", config.public_url) if config.public_url else ()))


def paste(config: Config, *words: str) -> str:
    """A command as it can be pasted."""
    return shlex.join([sys.argv[0], *words, "--data-dir", str(config.data_dir)])
