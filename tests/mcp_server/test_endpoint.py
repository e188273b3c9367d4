"""/mcp itself: who may use it, what it takes, and that nothing of it outlives a request."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from roost.errors import Refusal
from roost.mcp.room import Room
from support.allowed import allowed
from support.databases import Database
from support.house import BASIC, NO_TLS, House, Tenant
from support.mcp_talk import ask, over_http, refused, talk
from support.payloads import bandwidth_inbound
from support.processes import Fleet

ACCEPT = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def post(house: House, body: Any, headers: dict[str, str]) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return house.http.post("/mcp", content=content, headers={"Content-Type": "application/json", **ACCEPT, **headers})


def test_nobody_gets_in_without_a_key_nor_with_one_that_is_revoked(house: House, tenant: Tenant) -> None:
    for headers in ({}, {"Authorization": "Bearer am_live_wrong"}, {"Authorization": "Basic eDp5"}):
        answer = post(house, LIST, headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert answer.json()["error"]["code"] == "UNAUTHORIZED"
    assert post(house, LIST, tenant.auth).status_code == 200


def test_the_servers_own_environment_lends_nobody_anything(
    house: House, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOST_API_KEY", tenant.key)
    assert post(house, LIST, {}).status_code == 401
    said = talk(house.base_url, allowed(house, tenant, "audit:read"), lambda client: refused(client, "list_inbound"))
    assert said.startswith("FORBIDDEN")


def test_a_request_needs_no_session_and_none_is_begun(house: House, tenant: Tenant) -> None:
    answer = post(house, LIST, {**tenant.auth, "Mcp-Session-Id": "of another process"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert "Mcp-Session-Id" not in answer.headers
    assert {tool["name"] for tool in answer.json()["result"]["tools"]} >= {"list_inbound", "send_text"}


def test_another_sites_page_is_turned_away(house: House, tenant: Tenant) -> None:
    for origin in ("https://evil.example", "http://evil.example:8080", "null", "http://127.0.0.1.evil.example"):
        answer = post(house, LIST, {**tenant.auth, "Origin": origin})
        assert answer.status_code == 403, origin
        assert "ROOST_PUBLIC_URL" in answer.json()["error"]["message"]
    for origin in (house.base_url, "http://localhost:6274"):
        assert post(house, LIST, {**tenant.auth, "Origin": origin}).status_code == 200, origin


def test_what_is_no_request_of_the_protocol_is_refused_and_nothing_breaks(house: House, tenant: Tenant) -> None:
    for method in ("GET", "DELETE", "PUT", "OPTIONS"):
        answer = house.http.request(method, "/mcp", headers={**ACCEPT, **tenant.auth})
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert post(house, b" " * ((1 << 20) + 1), tenant.auth).status_code == 413

    def pieces() -> Any:
        for _ in range(20):
            yield b" " * 65_536

    streamed = {"Content-Type": "application/json", **ACCEPT, **tenant.auth}
    assert house.http.post("/mcp", content=pieces(), headers=streamed).status_code == 413
    for body in (b"", b"{", b"[" * 100_000, [LIST, LIST], {"method": "tools/list"}, b'{"\xff": 1}', 7):
        assert post(house, body, tenant.auth).status_code == 400, body
    assert post(house, LIST, {**tenant.auth, "Content-Type": "text/plain"}).status_code == 400
    assert post(house, LIST, {**tenant.auth, "Accept": "text/html"}).status_code == 406
    assert post(house, LIST, {**tenant.auth, "MCP-Protocol-Version": "1999-01-01"}).status_code == 400
    unknown = {**LIST, "method": "no/such"}
    assert post(house, unknown, tenant.auth).json()["error"]["code"] == -32601
    assert post(house, LIST, tenant.auth).status_code == 200


def test_any_process_answers_any_request(database: Database, tmp_path: Path) -> None:
    """Two servers over one database: what comes in at one wakes who waits at the other."""
    if database.kind == "sqlite":
        pytest.skip("one process has a SQLite database")
    fleet = Fleet(database, tmp_path)
    try:
        one, other, tenant = fleet.serve(), fleet.serve(), fleet.tenant()

        async def conversation() -> None:
            async with over_http(one.base_url, tenant.auth) as here, over_http(other.base_url, tenant.auth) as there:
                begin = (await ask(there, "wait_for_text", seconds=0))["after"]
                woken, _ = await asyncio.gather(ask(here, "wait_for_text", after=begin), deliver(other.base_url))
                assert [each["untrusted"]["text"] for each in woken["messages"]] == ["Hey, check this out!"]

        async def deliver(base_url: str) -> None:
            payload = [bandwidth_inbound("1", tenant.number.number)]
            async with httpx.AsyncClient(base_url=base_url, verify=NO_TLS) as http:
                assert (await http.post(tenant.webhook, json=payload, auth=BASIC)).status_code == 200

        asyncio.run(conversation())
    finally:
        fleet.close()


def test_who_waits_when_the_server_is_stopped_is_told_to_come_again(database: Database, tmp_path: Path) -> None:
    fleet = Fleet(database, tmp_path)
    try:
        server, tenant = fleet.serve(), fleet.tenant()

        async def conversation() -> None:
            async with (
                over_http(server.base_url, tenant.auth) as client,
                over_http(server.base_url, tenant.auth) as other,
            ):
                await ask(client, "list_inbound")
                waiting = asyncio.create_task(client.call_tool("wait_for_text", {"seconds": 50}))
                await ask(other, "list_inbound")  # by now the other one is on its way
                assert await asyncio.to_thread(server.terminate) == 0
                result = await waiting
                assert result.is_error
                assert "the server is about to stop; call again in a moment" in result.content[0].text

        asyncio.run(asyncio.wait_for(conversation(), 25))
    finally:
        fleet.close()


def test_there_is_room_for_so_many_at_a_time() -> None:
    room = Room(of_process=3, of_organization=2)
    with room.taken("a"), room.taken("a"):
        with pytest.raises(Refusal) as enough, room.taken("a"):
            pass
        assert (enough.value.status, enough.value.headers) == (429, {"Retry-After": "5"})
        with room.taken("b"), pytest.raises(Refusal) as full, room.taken("c"):
            pass
        assert full.value.status == 503
        with room.taken("c"):
            pass
    with room.taken("a"):
        pass


def test_who_hangs_up_is_not_waited_for(house: House, tenant: Tenant) -> None:
    arguments = {"name": "wait_for_text", "arguments": {"seconds": 50}}
    call = {**LIST, "method": "tools/call", "params": arguments}
    with pytest.raises(httpx.ReadTimeout):
        house.http.post("/mcp", json=call, headers={**ACCEPT, **tenant.auth}, timeout=0.5)
    house.wait(_nobody_is_served(house))


async def _nobody_is_served(house: House) -> None:
    async with asyncio.timeout(10):
        while house._server.server_state.tasks:
            await asyncio.sleep(0.01)


def test_a_server_that_nobody_asks_for_tools_does_not_load_the_sdk() -> None:
    code = (
        "import sys, roost.cli, roost.mcp.endpoint; print(sorted({'mcp', 'mcp_types', 'pydantic'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
