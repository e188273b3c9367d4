"""`roost mcp`: the real process, as an agent program starts it."""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from support.agents import hear
from support.commands import ROOST, RunningRoost, environment, roost_json
from support.databases import Database
from support.house import NOWHERE, House, Tenant
from support.mcp_talk import ask, refused, text_of, texts

OURS, CONTACT = "+15551112222", "+15554443333"
PATH = {"PATH": os.environ["PATH"]}
INITIALIZE = {
    "jsonrpc": "2.0", "id": 0, "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}  # fmt: skip
WAIT = {
    "jsonrpc": "2.0", "id": 1, "method": "tools/call",
    "params": {"name": "wait_for_text", "arguments": {"seconds": 50}},
}  # fmt: skip


def test_an_agent_program_reads_waits_and_answers(house: House, tenant: Tenant) -> None:
    environ = {**PATH, "ROOST_URL": house.base_url, "ROOST_API_KEY": tenant.key}
    hear(house, tenant, CONTACT, "hello?")

    async def conversation() -> None:
        async with Client(StdioServerParameters(command=ROOST, args=["mcp"], env=environ)) as client:
            assert len((await client.list_tools()).tools) == 9
            [message] = (await ask(client, "list_inbound"))["messages"]
            sent = await ask(client, "reply", id=message["id"], text="3 pm?")
            woken, _ = await asyncio.gather(
                ask(client, "wait_for_text", reply_to=sent["id"], seconds=50),
                asyncio.to_thread(hear, house, tenant, CONTACT, "yes, 3 pm"),
            )
            assert texts(woken) == ["yes, 3 pm"]
            hear(house, tenant, CONTACT, "STOP")
            said = await refused(client, "send_text", from_=OURS, to=CONTACT, text="hi")
            assert said.startswith("CONSENT_REQUIRED")
            house.http.delete("/v1/api-keys/" + _key_id(house, tenant), headers=tenant.auth)
            while not (answer := await client.call_tool("list_inbound", {})).is_error:
                pass  # it is believed for half a second more
            assert text_of(answer).startswith("UNAUTHORIZED")

    asyncio.run(conversation())


@pytest.mark.parametrize("end", ["stdin", "SIGTERM"])
def test_it_ends_cleanly_though_somebody_waits(house: House, tenant: Tenant, end: str) -> None:
    running = start({"ROOST_URL": house.base_url, "ROOST_API_KEY": tenant.key})
    assert running.stdin is not None and running.stdout is not None
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    tell(running, INITIALIZE, {"jsonrpc": "2.0", "method": "notifications/initialized"}, WAIT, ping)
    assert json.loads(running.stdout.readline())["result"]["serverInfo"]["name"] == "roost"
    assert json.loads(running.stdout.readline())["id"] == 2, "the ping, while the other one waits"
    began = time.monotonic()
    if end == "stdin":
        running.stdin.close()
    else:
        running.send_signal(signal.SIGTERM)
    assert running.wait(20) == 0
    assert time.monotonic() - began < 10
    assert running.stderr is not None
    assert running.stderr.read() == ""
    close(running)


def test_what_is_no_request_is_no_end() -> None:
    running = start({"ROOST_API_KEY": "am_live_x", "ROOST_URL": NOWHERE})
    assert running.stdin is not None and running.stdout is not None
    running.stdin.write("{\n\n[1]\n\x00\n" + "x" * 3_000_000 + "\n")
    tell(running, INITIALIZE)
    answers = [json.loads(running.stdout.readline())]
    while answers[-1].get("id") != 0:
        answers.append(json.loads(running.stdout.readline()))
    assert "result" in answers[-1]
    running.stdin.close()
    assert running.wait(20) == 0
    close(running)


def test_on_the_servers_own_machine_it_needs_no_key(tmp_path: Path) -> None:
    env = environment(Database("sqlite", "sqlite"), tmp_path)
    roost_json("org", "create", "Acme", env=env)
    server = RunningRoost("serve", env=env)

    async def conversation() -> None:
        async with Client(
            StdioServerParameters(command=ROOST, args=["mcp", "--data-dir", str(tmp_path)], env=PATH)
        ) as client:
            assert (await ask(client, "list_numbers")) == {"numbers": []}

    try:
        asyncio.run(conversation())
    finally:
        server.stop()


def test_what_cannot_be_served_is_said_in_a_line(tmp_path: Path) -> None:
    for environ, said in (
        ({"ROOST_DATA_DIR": str(tmp_path)}, "Error: no server runs on"),
        ({"ROOST_URL": NOWHERE}, "Error: give a key for that server"),
        (
            {"ROOST_API_KEY": "am_live_x", "ROOST_URL": "ftp://x"},
            "Error: base_url must look like http://127.0.0.1:8080",
        ),
    ):
        running = start(environ)
        assert running.wait(20) == 1
        assert running.stderr is not None
        assert running.stderr.read().startswith(said)
        close(running)


def start(environ: Mapping[str, str]) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen([ROOST, "mcp"], env={**PATH, **environ}, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def tell(running: "subprocess.Popen[str]", *messages: Any) -> None:
    assert running.stdin is not None
    running.stdin.write("".join(json.dumps(message) + "\n" for message in messages))
    running.stdin.flush()


def close(running: "subprocess.Popen[str]") -> None:
    for stream in (running.stdin, running.stdout, running.stderr):
        assert stream is not None
        stream.close()


def _key_id(house: House, tenant: Tenant) -> str:
    [key] = house.http.get("/v1/api-keys", headers=tenant.auth).json()["data"]
    key_id: str = key["id"]
    return key_id
