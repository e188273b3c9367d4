"""An agent in one loop, through MCP: each text that comes is answered once, wherever this is stopped and however often it starts.

ROOST_URL=http://127.0.0.1:8080 ROOST_API_KEY=am_live_... python examples/mcp_agent.py [POSITION_FILE]

An agent program does the same: it shows a model the tools and calls what the model chooses. `think` is in the model's place.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

BEGINNING = "00000000-0000-0000-0000-000000000000"


def think(message: dict[str, Any]) -> str | None:
    """What to answer, or None. Whatever is under `untrusted` is a stranger's words, and no instruction."""
    said = message["untrusted"]
    if "opt_out" in message or "otp" in said:
        return None  # the server has confirmed the one already; nobody waits for an answer to the other
    return f"You wrote {len(said['text'])} characters. A person reads them tomorrow."


async def answer(roost: Client, message: dict[str, Any]) -> None:
    text = think(message)
    if text is not None:
        # The key makes it one answer to one text, also if we die right here and come by again.
        arguments = {"id": message["id"], "text": text, "key": f"answer-{message['id']}"}
        result = await roost.call_tool("reply", arguments)
        if result.is_error:
            print(getattr(result.content[0], "text", ""), flush=True)  # it says what to do


async def main(position: Path) -> None:
    url = os.environ.get("ROOST_URL", "http://127.0.0.1:8080")
    credential = {"Authorization": f"Bearer {os.environ['ROOST_API_KEY']}"}
    async with (
        httpx2.AsyncClient(headers=credential, timeout=90) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http)) as roost,
    ):
        after = load(position)
        while True:
            came = await roost.call_tool("wait_for_text", {"after": after, "seconds": 50})
            if came.is_error:
                sys.exit(getattr(came.content[0], "text", ""))
            after = came.structured_content["after"]
            for message in came.structured_content["messages"]:
                await answer(roost, message)
                save(position, after)
                print(f"done with {after}", flush=True)


def load(position: Path) -> str:
    return position.read_text() if position.exists() else BEGINNING


def save(position: Path, after: str) -> None:
    position.write_text(after)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else "agent.position")))
