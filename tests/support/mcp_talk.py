"""The official MCP client, as an agent program uses it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

T = TypeVar("T")


@asynccontextmanager
async def over_http(base_url: str, headers: Mapping[str, str], mode: str = "auto") -> AsyncIterator[Client]:
    """Connected to /mcp. `mode` "legacy" begins with the handshake that was the protocol until 2025."""
    async with (
        httpx2.AsyncClient(headers=dict(headers), timeout=60, verify=False) as http,
        Client(streamable_http_client(f"{base_url}/mcp", http_client=http), mode=mode) as client,  # type: ignore[arg-type]
    ):
        yield client


def talk(base_url: str, headers: Mapping[str, str], said: Callable[[Client], Awaitable[T]], mode: str = "auto") -> T:
    """What comes of a conversation over HTTP."""

    async def conversation() -> T:
        async with over_http(base_url, headers, mode) as client:
            return await said(client)

    return asyncio.run(conversation())


async def ask(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """A tool's answer, which its text says as well. A trailing `_` is for names that Python keeps for itself."""
    result = await client.call_tool(tool, {name.rstrip("_"): value for name, value in arguments.items()})
    assert not result.is_error, result.content
    assert json.loads(text_of(result)) == result.structured_content
    answer: dict[str, Any] = result.structured_content
    return answer


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    """What a tool says that does not do it."""
    result = await client.call_tool(tool, {name.rstrip("_"): value for name, value in arguments.items()})
    assert result.is_error, result.content
    assert result.structured_content is None
    return text_of(result)


def text_of(result: Any) -> str:
    (content,) = result.content
    assert content.type == "text"
    text: str = content.text
    return text


def texts(answer: dict[str, Any]) -> list[str]:
    """What strangers wrote."""
    return [message["untrusted"]["text"] for message in answer["messages"]]
