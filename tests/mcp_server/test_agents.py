"""An agent's own tools (dialect B): by access token, or as an open agent."""

import asyncio

import pytest
from mcp import Client, MCPError, StdioServerParameters

from support.agents import hear
from support.allowed import Signer
from support.commands import ROOST
from support.house import House, Tenant
from support.mcp_talk import ask, refused, talk, texts

OURS, CONTACT, STRANGER = "+15551230000", "+15554443333", "+15550009999"
CODE = "G-482913 is your Google verification code."


@pytest.fixture
def signer(house: House, tenant: Tenant) -> Signer:
    """An agent with a number of its own."""
    made = Signer(house, tenant)
    number = house.wait(house.directory.add_number(tenant.org.org_id, OURS, tenant.account.id, made.agent.id, ""))
    assert number is not None
    return made


@pytest.fixture
def token(house: House, signer: Signer) -> dict[str, str]:
    issued = house.http.post("/v1/agents/me/access-tokens", json={}, headers=signer.headers()).json()["data"]
    return {"X-Agent-ID": signer.address, "Authorization": f"Bearer {issued['token']}"}


def test_an_agent_reads_waits_and_answers_in_its_own_inbox(house: House, tenant: Tenant, token: dict[str, str]) -> None:
    hear(house, tenant, CONTACT, "not for the agent")
    hear(house, tenant, CONTACT, "hello?", OURS)

    async def conversation(client: Client) -> None:
        assert [tool.name for tool in (await client.list_tools()).tools] == [
            "list_inbound", "get_inbound", "wait_for_text", "send_text", "reply", "one_time_code",
        ]  # fmt: skip
        assert client.server_capabilities.resources is None
        [message] = (await ask(client, "list_inbound"))["messages"]
        assert message == {
            "direction": "inbound", "id": message["id"], "at": message["at"], "from": CONTACT, "to": OURS,
            "verified": {"carrier": True, "sender": False}, "answers_us": False, "untrusted": {"text": "hello?"},
        }  # fmt: skip
        assert (await ask(client, "get_inbound", id=message["id"]))["messages"] == [message]
        sent = await ask(client, "reply", id=message["id"], text="3 pm?", key="once")
        assert (sent["to"], sent["status"]) == (CONTACT, "processing")
        assert await ask(client, "reply", id=message["id"], text="3 pm?", key="once") == sent, "made once"
        nothing = await ask(client, "wait_for_text", seconds=0)
        assert (nothing["messages"], nothing["after"]) == ([], message["id"])
        woken, _ = await asyncio.gather(
            ask(client, "wait_for_text", after=nothing["after"], seconds=50),
            asyncio.to_thread(hear, house, tenant, CONTACT, "yes, 3 pm", OURS),
        )
        assert (texts(woken), woken["messages"][0]["answers_us"]) == (["yes, 3 pm"], True)
        assert texts(await ask(client, "list_inbound", limit=1)) == ["yes, 3 pm"]
        assert texts(await ask(client, "list_inbound", after=message["id"])) == ["yes, 3 pm"]
        assert house.outbound(tenant)[0]["from"] == OURS

    talk(house.base_url, token, conversation)


def test_an_agents_one_time_code_is_found_and_waited_for(house: House, tenant: Tenant, token: dict[str, str]) -> None:
    hear(house, tenant, CONTACT, "hello?", OURS)

    def come() -> None:
        hear(house, tenant, CONTACT, "one moment", OURS)
        hear(house, tenant, "22000", CODE, OURS)

    async def conversation(client: Client) -> None:
        assert (await ask(client, "one_time_code"))["messages"] == []
        found, _ = await asyncio.gather(ask(client, "one_time_code", seconds=50), asyncio.to_thread(come))
        [message] = found["messages"]
        assert message["untrusted"]["otp"] == {"code": "482913", "service": "Google", "domain": None}
        assert (await ask(client, "one_time_code"))["messages"] == [message]
        assert (await ask(client, "one_time_code", after=message["id"]))["messages"] == []
        assert (await ask(client, "one_time_code", from_=STRANGER))["messages"] == []

    talk(house.base_url, token, conversation)


def test_what_an_agent_is_refused_says_what_to_do(house: House, tenant: Tenant, token: dict[str, str]) -> None:
    hear(house, tenant, CONTACT, "STOP", OURS)
    hear(house, tenant, CONTACT, "for another")
    theirs = house.http.get("/v1/tools/sms/inbox", headers=tenant.agent_header).json()["messages"][0]["id"]

    async def conversation(client: Client) -> None:
        for to in (CONTACT, STRANGER):
            said = await refused(client, "send_text", to=to, text="hi")
            assert said.startswith("consent_required: ")
            assert "do not try again" in said
        assert (await refused(client, "get_inbound", id=theirs)).startswith("not_found: ")
        assert (await refused(client, "send_text", to="555", text="hi")).startswith("invalid_request: ")
        with pytest.raises(MCPError, match="there is no tool of that name"):
            await client.call_tool("list_numbers", {})

    talk(house.base_url, token, conversation)


def test_an_agent_shows_a_token_unless_it_is_open(house: House, tenant: Tenant, signer: Signer) -> None:
    hear(house, tenant, CONTACT)
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}

    def status(headers: dict[str, str]) -> int:
        accept = {"Accept": "application/json", "MCP-Protocol-Version": "2025-11-25"}
        return house.http.post("/mcp", json=ping, headers={**accept, **headers}).status_code

    assert status(signer.headers()) == 401, "a proof works for one request"
    assert status({"X-Agent-ID": signer.address, **tenant.auth}) == 401, "a key is no token"
    assert status({"X-Agent-ID": "0x" + "f" * 40}) == status({"X-Agent-ID": "x"}) == 401
    assert status(tenant.agent_header) == 200
    talk(house.base_url, tenant.agent_header, lambda client: ask(client, "list_inbound"))


def test_an_agent_program_has_its_inbox_over_stdio_too(house: House, tenant: Tenant, token: dict[str, str]) -> None:
    hear(house, tenant, CONTACT, "hello?", OURS)
    environ = {
        "ROOST_URL": house.base_url, "ROOST_AGENT": token["X-Agent-ID"],
        "ROOST_AGENT_TOKEN": token["Authorization"].removeprefix("Bearer "),
    }  # fmt: skip

    async def conversation() -> None:
        async with Client(StdioServerParameters(command=ROOST, args=["mcp"], env=environ)) as client:
            assert texts(await ask(client, "list_inbound")) == ["hello?"]

    asyncio.run(conversation())
