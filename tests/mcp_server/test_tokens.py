"""What the tools cost an agent. Counted with a real tokenizer: o200k_base, whose vocabulary bpe-openai brings along."""

import json
import warnings
from typing import Any

from mcp import Client

from support.agents import hear
from support.house import House, Tenant
from support.mcp_talk import talk, text_of

with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
    from bpe_openai import get_encoding  # which reads its vocabulary in a way of yesterday

TOKENIZER = get_encoding("o200k_base")
CONTACT = "+15554443333"


def tokens(value: Any) -> int:
    return len(TOKENIZER.encode(value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))))


def test_the_whole_list_of_tools_fits_two_thousand_tokens(house: House, tenant: Tenant) -> None:
    async def conversation(client: Client) -> None:
        listed = (await client.list_tools()).model_dump(by_alias=True, exclude_none=True, mode="json")["tools"]
        assert len(listed) == 9
        assert tokens(listed) + tokens(client.instructions) <= 2000
        assert all(tool["outputSchema"]["required"] for tool in listed)

    talk(house.base_url, tenant.auth, conversation)


def test_a_page_of_ten_texts_costs_little_more_than_the_texts(house: House, tenant: Tenant) -> None:
    text = "Hi, can we move tomorrow's appointment from 3 pm to half past four? Thanks, Ann"
    for _ in range(10):
        hear(house, tenant, CONTACT, text)

    async def conversation(client: Client) -> None:
        page = text_of(await client.call_tool("list_inbound", {}))
        assert len(json.loads(page)["messages"]) == 10
        assert tokens(page) <= 10 * (tokens(text) + 90) + 30
        api = house.http.get("/v1/inbound-messages?limit=10", headers=tenant.auth).text
        assert tokens(page) < 0.6 * tokens(api)

    talk(house.base_url, tenant.auth, conversation)
