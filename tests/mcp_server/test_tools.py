"""Every tool, by the official client against a real server, on both databases."""

import asyncio
import re
import time
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError

from roost.mcp.desk import Desk
from roost.mcp.tools import TOOLS
from roost.store.errors import StoreUnavailable
from support.agents import hear
from support.allowed import UNKNOWN_ID, allowed
from support.databases import Database
from support.house import House, Tenant
from support.mcp_talk import ask, refused, talk, texts
from support.outbound import is_settled, until

CONTACT, STRANGER, OURS = "+15554443333", "+15550009999", "+15551112222"
CODE = "G-482913 is your Google verification code."


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_an_agent_reads_answers_and_sees_what_became_of_it(house: House, tenant: Tenant, mode: str) -> None:
    hear(house, tenant, CONTACT, "hello?")

    async def conversation(client: Client) -> None:
        assert client.protocol_version == ("2025-11-25" if mode == "legacy" else "2026-07-28")
        assert (await ask(client, "list_numbers"))["numbers"] == [{"number": OURS, "label": ""}]
        [message] = (await ask(client, "list_inbound"))["messages"]
        assert message == {
            "direction": "inbound", "id": message["id"], "at": message["at"], "from": CONTACT, "to": OURS,
            "verified": {"carrier": True, "sender": False}, "answers_us": False, "untrusted": {"text": "hello?"},
        }  # fmt: skip
        assert (await ask(client, "get_inbound", id=message["id"]))["messages"] == [message]
        sent = await ask(client, "reply", id=message["id"], text="3 pm?", key="once")
        assert sent == {"id": sent["id"], "from": OURS, "to": CONTACT, "status": "queued"}
        assert await ask(client, "reply", id=message["id"], text="3 pm?", key="once") == sent, "made once"
        await asyncio.to_thread(until, house, tenant, sent["id"], is_settled)
        await asyncio.to_thread(hear, house, tenant, CONTACT, "yes, 3 pm")
        answer = await ask(client, "wait_for_text", reply_to=sent["id"])
        [reply] = answer["messages"]
        assert (reply["untrusted"]["text"], reply["answers_us"], answer["after"]) == ("yes, 3 pm", True, reply["id"])
        thread = (await ask(client, "read_thread", id=reply["thread_id"]))["messages"]
        assert [(each["direction"], each.get("our_text"), each.get("status")) for each in thread] == [
            ("outbound", "3 pm?", "delivered"), ("inbound", None, None),
        ]  # fmt: skip
        assert thread[1] == {name: value for name, value in reply.items() if name != "thread_id"}
        assert (await ask(client, "read_thread", contact=CONTACT))["messages"] == thread

    talk(house.base_url, tenant.auth, conversation, mode)


def test_pages_go_on_in_either_direction_and_nothing_is_missed(house: House, tenant: Tenant) -> None:
    for n in range(5):
        hear(house, tenant, CONTACT, f"text {n}")

    async def conversation(client: Client) -> None:
        first = await ask(client, "list_inbound", limit=2)
        second = await ask(client, "list_inbound", limit=2, cursor=first["cursor"])
        assert texts(first) + texts(second) == ["text 4", "text 3", "text 2", "text 1"]
        oldest = second["messages"][-1]["id"]
        assert texts(await ask(client, "list_inbound", after=oldest)) == ["text 2", "text 3", "text 4"]
        assert "cursor" not in await ask(client, "list_inbound", after=oldest)
        assert texts(await ask(client, "list_inbound", from_=STRANGER)) == []
        sent = [await ask(client, "send_text", from_=OURS, to=CONTACT, text=f"ours {n}") for n in range(3)]
        thread = await ask(client, "read_thread", id=sent[0]["id"], limit=2)
        assert [each["our_text"] for each in thread["messages"]] == ["ours 1", "ours 2"], (
            "how it stands, and not how it began"
        )
        assert thread["earlier"] == 1

    talk(house.base_url, tenant.auth, conversation)


def test_who_waits_is_woken_by_what_comes_but_not_by_a_blocked_sender(house: House, tenant: Tenant) -> None:
    hear(house, tenant, CONTACT, "before")
    assert house.http.post("/v1/blocked-senders", json={"sender": STRANGER}, headers=tenant.auth).status_code == 201

    def come() -> None:
        hear(house, tenant, STRANGER, "buy now")
        hear(house, tenant, CONTACT, "news")

    async def conversation(client: Client) -> None:
        nothing = await ask(client, "wait_for_text", seconds=0)
        assert nothing["messages"] == []
        began = time.monotonic()
        woken, _ = await asyncio.gather(
            ask(client, "wait_for_text", after=nothing["after"], seconds=50), asyncio.to_thread(come)
        )
        assert texts(woken) == ["news"]
        assert time.monotonic() - began < 25, "woken, and not at the end of its time"
        listed = (await ask(client, "list_inbound", from_=STRANGER))["messages"]
        assert [each["blocked"] for each in listed] == [True]

    talk(house.base_url, tenant.auth, conversation)


def test_a_one_time_code_is_found_and_waited_for(house: House, tenant: Tenant) -> None:
    async def conversation(client: Client) -> None:
        assert (await ask(client, "one_time_code", to=OURS))["messages"] == []
        found, _ = await asyncio.gather(
            ask(client, "one_time_code", to=OURS, seconds=50), asyncio.to_thread(hear, house, tenant, "22000", CODE)
        )
        [message] = found["messages"]
        assert message["from"] == "22000"
        assert message["untrusted"] == {
            "text": CODE, "otp": {"code": "482913", "service": "Google", "domain": None},
        }  # fmt: skip
        assert (await ask(client, "one_time_code", to=OURS))["messages"] == [message]
        assert (await ask(client, "one_time_code", to=OURS, after=message["id"]))["messages"] == []

    talk(house.base_url, tenant.auth, conversation)


def test_a_contact_that_opted_out_is_seen_and_left_alone(house: House, tenant: Tenant) -> None:
    hear(house, tenant, CONTACT, "STOP")
    hear(house, tenant, STRANGER, "please stop texting me")

    async def conversation(client: Client) -> None:
        [state] = (await ask(client, "opt_out_state", contact=CONTACT))["states"]
        assert state == {"number": OURS, "state": "opted_out", "since": state["since"]}
        assert (await ask(client, "opt_out_state", contact="+15553330000"))["states"] == []
        asked, stopped = (await ask(client, "list_inbound"))["messages"]
        assert (stopped["opt_out"], asked["suspected_opt_out"]) == ("STOP", True)
        said = await refused(client, "send_text", from_=OURS, to=CONTACT, text="hi")
        assert said.startswith("CONSENT_REQUIRED: ")
        assert "do not try again" in said

    talk(house.base_url, tenant.auth, conversation)


def test_what_is_refused_says_what_to_do(house: House, tenant: Tenant) -> None:
    async def conversation(client: Client) -> None:
        for tool, arguments, expected in REFUSALS:
            said = await refused(client, tool, **arguments)
            assert all(each in said for each in expected), said
        with pytest.raises(MCPError, match="there is no tool of that name; there are list_inbound"):
            await client.call_tool("drop_tables", {})

    talk(house.base_url, tenant.auth, conversation)


REFUSALS: tuple[tuple[str, dict[str, Any], tuple[str, ...]], ...] = (
    ("list_inbound", {"sender": CONTACT}, ("INVALID_ARGUMENTS", "sender")),
    ("list_inbound", {"limit": 51}, ("INVALID_ARGUMENTS", "<= 50", "limit")),
    ("list_inbound", {"from_": "+1 (555)"}, ("VALIDATION_FAILED", "from must be E.164")),
    ("list_inbound", {"cursor": "x"}, ("VALIDATION_FAILED", "cursor must be")),
    ("get_inbound", {"id": UNKNOWN_ID}, ("NOT_FOUND", "take ids from another tool's answer")),
    ("get_inbound", {"id": "7"}, ("VALIDATION_FAILED", "id must be")),
    ("get_inbound", {"id": "../messages"}, ("NOT_FOUND",)),
    ("wait_for_text", {"seconds": 51}, ("INVALID_ARGUMENTS", "seconds")),
    ("wait_for_text", {"reply_to": UNKNOWN_ID}, ("NOT_FOUND",)),
    ("send_text", {"from_": STRANGER, "to": CONTACT, "text": "hi"}, ("from must be a number of the organization",)),
    ("send_text", {"from_": OURS, "to": "555", "text": "hi"}, ("VALIDATION_FAILED", "to must be")),
    ("send_text", {"from_": OURS, "to": STRANGER, "text": "hi"}, ("CONSENT_REQUIRED", "do not try again")),
    ("send_text", {"from_": OURS, "to": CONTACT, "text": "x" * 1601}, ("INVALID_ARGUMENTS", "1600")),
    ("reply", {"id": UNKNOWN_ID, "text": "hi"}, ("NOT_FOUND",)),
    ("read_thread", {}, ("give id, or contact",)),
    ("read_thread", {"contact": STRANGER}, ("there is no thread with that contact",)),
    ("one_time_code", {}, ("INVALID_ARGUMENTS", "to")),
)


def test_each_tool_needs_its_scope_and_is_in_its_own_organization(house: House, tenant: Tenant) -> None:
    hear(house, tenant, CONTACT)
    theirs = house.inbound(tenant)[0]["id"]
    calls: dict[str, tuple[dict[str, Any], str]] = {
        "list_inbound": ({}, "messages:read"), "get_inbound": ({"id": theirs}, "messages:read"),
        "wait_for_text": ({"after": theirs}, "messages:read"), "one_time_code": ({"to": OURS}, "messages:read"),
        "send_text": ({"from_": OURS, "to": CONTACT, "text": "hi"}, "messages:send"),
        "reply": ({"id": theirs, "text": "hi"}, "messages:read and messages:send"),
        "read_thread": ({"id": theirs}, "messages:read"),
        "opt_out_state": ({"contact": CONTACT}, "consent:read"), "list_numbers": ({}, "numbers:read"),
    }  # fmt: skip

    async def unscoped(client: Client) -> None:
        assert {tool.name for tool in (await client.list_tools()).tools} == set(calls)
        for tool, (arguments, scope) in calls.items():
            said = await refused(client, tool, **arguments)
            assert said.startswith(f"FORBIDDEN: this needs a credential with the scope {scope}. "), said

    async def elsewhere(client: Client) -> None:
        assert (await ask(client, "list_inbound"))["messages"] == []
        for tool in ("get_inbound", "reply"):
            arguments, _ = calls[tool]
            assert (await refused(client, tool, **arguments)).startswith("NOT_FOUND")

    talk(house.base_url, allowed(house, tenant, "audit:read"), unscoped)
    talk(house.base_url, house.tenant(carrier="loopback").auth, elsewhere)
    reader = allowed(house, tenant, "messages:read")
    said = talk(house.base_url, reader, lambda client: refused(client, "reply", id=theirs, text="hi"))
    assert said.startswith("FORBIDDEN"), "though it may read what it answers"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_what_fails_in_the_server_is_told_without_a_word_of_it(
    house: House, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    async def conversation(client: Client) -> None:
        monkeypatch.setattr(house.store, "get_inbound", broken(StoreUnavailable("at postgresql://secret")))
        said = await refused(client, "get_inbound", id=UNKNOWN_ID)
        assert re.fullmatch(r"UNAVAILABLE: the server failed \(request \w{26}\). Try once more in a moment.", said), (
            said
        )
        monkeypatch.setattr(Desk, "newest_threads", broken(ZeroDivisionError("secret")))
        with pytest.raises(MCPError) as failed:
            await client.list_resources()
        assert (failed.value.code, failed.value.message) == (-32603, "internal error")
        monkeypatch.setitem(
            TOOLS, "list_numbers", TOOLS["list_numbers"]._replace(run=broken(ZeroDivisionError("secret")))
        )
        with pytest.raises(MCPError) as failed:
            await client.call_tool("list_numbers", {})
        assert (failed.value.code, failed.value.message) == (-32603, "internal error")

    talk(house.base_url, tenant.auth, conversation, mode)


def broken(error: Exception) -> Any:
    async def fails(*_: Any) -> None:
        raise error

    return fails


def test_one_too_many_is_told_when_to_come_again(database: Database, tmp_path: Path) -> None:
    house = House(database, tmp_path / "data", rate_limits="on", limit_sends="1/hour").start()
    try:
        tenant = house.tenant(carrier="loopback", number=OURS)
        hear(house, tenant, CONTACT)

        async def conversation(client: Client) -> None:
            await ask(client, "send_text", from_=OURS, to=CONTACT, text="hi")
            said = await refused(client, "send_text", from_=OURS, to=CONTACT, text="hi")
            assert re.fullmatch(r"RATE_LIMITED: too many. Call again in \d{2,4} seconds.", said), said

        talk(house.base_url, tenant.auth, conversation)
    finally:
        house.stop()
