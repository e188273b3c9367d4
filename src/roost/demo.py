"""The demo: an organization with two numbers, an open agent and a key, and lines to paste; its texts are in demo_script."""

import asyncio
import json
import os
import secrets
import shlex
import sys
from collections.abc import Callable
from uuid import UUID

from roost.config import Config, ConfigError
from roost.core.scopes import SCOPES
from roost.demo_script import Demo, Say, play
from roost.server import Running, serve
from roost.store.base import Store
from roost.store.directory import Directory
from roost.store.sessions import Sessions
from roost.wallet import checksum_address

NUMBER, BANDWIDTH_NUMBER = "+15551112222", "+14151234567"
_FILE = "demo.json"


async def run_demo(config: Config, say: Say, ready: Callable[[Demo], None]) -> None:
    """Make the demo organization, or go on with the one that is there, and serve it on loopback."""
    if not config.loopback:
        raise ConfigError(f"the demo's agent is open, so that it listens on loopback only, not on {config.host}")
    arriving: set[asyncio.Task[None]] = set()

    async def on_ready(running: Running) -> None:
        demo = await _prepare(running)
        ready(demo)
        arriving.add(asyncio.create_task(play(demo, say)))

    try:
        await serve(config, on_ready)
    finally:
        for task in arriving:
            task.cancel()


def lines_to_paste(demo: Demo) -> str:
    """What a newcomer tries first: read through each dialect, and deliver a text as Bandwidth would."""
    event = {
        "type": "message-received",
        "time": "2026-11-22T12:00:01Z",
        "description": "Incoming message received",
        "to": demo["bandwidth_number"],
        "message": {
            "id": "ID",
            "time": "2026-11-22T12:00:00Z",
            "to": [demo["bandwidth_number"]],
            "from": "+14155551234",
            "text": "Is my order on its way?",
            "applicationId": "93de2206-9669-4e07-948d-329f4b722ee2",
            "owner": demo["bandwidth_number"],
            "direction": "in",
            "segmentCount": 1,
        },
    }
    # Each paste is another text: the carrier's message id is made by the shell.
    payload = json.dumps([event]).replace('"ID"', """"text-'$(date +%s%N)'\"""")
    again = f"{shlex.quote(sys.argv[0])} login --data-dir {shlex.quote(demo['data_dir'])}"
    return f"""
Open the inbox, with a phone beside it that plays the other side (the link signs in once; for another: {again}):

  {demo["inbox_url"]}

Read the organization's inbox (dialect A, AgentMessage):

  curl -H 'Authorization: Bearer {demo["api_key"]}' {demo["base_url"]}/v1/inbound-messages

Read the agent's own inbox (dialect B, OneShot). The demo's agent is open: its address alone is believed, which is why
the demo listens on this machine only:

  curl -H 'X-Agent-ID: {demo["agent"]}' '{demo["base_url"]}/v1/tools/sms/inbox?limit=10'

Play Bandwidth and deliver a text:

  curl -u {demo["basic_user"]}:{demo["basic_password"]} -H 'Content-Type: application/json' \\
    -d '{payload}' \\
    {demo["webhook_url"]}

Or let the loopback carrier do it:

  {shlex.quote(sys.argv[0])} simulate +14155551234 {demo["number"]} 'Hello there' --data-dir {shlex.quote(demo["data_dir"])}

Answer (who wrote first may be answered, until they say STOP), and read the thread:

  curl -H 'Authorization: Bearer {demo["api_key"]}' -H 'Content-Type: application/json' \\
    -d '{{"from": "{demo["number"]}", "to": "+14155551234", "text": "Thanks for your text!"}}' {demo["base_url"]}/v1/messages

  curl -H 'Authorization: Bearer {demo["api_key"]}' {demo["base_url"]}/v1/threads
"""


async def _prepare(running: Running) -> Demo:
    """The demo of the data directory, with the addresses it has this time."""
    path = running.data_dir / _FILE
    made = await _existing(running) or await _make(running.store)
    token, _ = await Sessions(running.store).new_link(made["org_id"], SCOPES)
    demo = {
        **made,
        "base_url": running.base_url,
        "webhook_url": f"{running.public_url}/carriers/bandwidth/{made['bandwidth_account']}",
        "inbox_url": f"{running.public_url}/inbox/sign-in/{token}",
        "data_dir": str(running.data_dir),
    }
    aside = path.with_name(f"{_FILE}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # it holds an API key
    with os.fdopen(descriptor, "w") as file:
        json.dump(demo, file, indent=2)
    aside.replace(path)
    return demo


async def _existing(running: Running) -> Demo | None:
    try:
        demo: Demo = json.loads((running.data_dir / _FILE).read_text())
        known = await Directory(running.store).organization(str(UUID(demo["org_id"])))
    except (OSError, ValueError, KeyError):
        return None
    return demo if known else None


async def _make(store: Store) -> Demo:
    directory = Directory(store)
    organization = await directory.create_organization("Demo")
    org_id = organization.org_id
    credentials = {name: [f"demo-{name}", secrets.token_urlsafe(18)] for name in ("loopback", "bandwidth")}
    accounts = {
        name: await directory.add_carrier_account(org_id, name, "demo", {"basic": [credential]})
        for name, credential in credentials.items()
    }
    agent = await directory.add_agent(org_id, checksum_address(f"0x{secrets.token_hex(20)}"), open_=True)
    assert agent is not None, "twenty random bytes were registered already"
    for number, name in ((NUMBER, "loopback"), (BANDWIDTH_NUMBER, "bandwidth")):
        if await directory.add_number(org_id, number, accounts[name].id, agent.id, "demo") is None:
            raise ConfigError(f"{number} is registered already: the demo needs a data directory or database of its own")
    key = await directory.create_api_key(org_id, "demo", sorted(SCOPES), None)
    return {
        "org_id": org_id,
        "api_key": key.plaintext,
        "agent": agent.wallet,
        "number": NUMBER,
        "bandwidth_number": BANDWIDTH_NUMBER,
        "basic_user": credentials["bandwidth"][0],
        "basic_password": credentials["bandwidth"][1],
        "bandwidth_account": accounts["bandwidth"].id,
        "loopback_url": f"/carriers/loopback/{accounts['loopback'].id}",
        "loopback_user": credentials["loopback"][0],
        "loopback_password": credentials["loopback"][1],
    }
