"""The tools as a server of the official SDK. It takes most of a second to import, so that only who serves imports this."""

from functools import cache
from typing import Any

import mcp_types as types
import msgspec
from mcp import MCPError
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.types import Receive, Scope, Send

from roost import __version__
from roost.mcp import resources
from roost.mcp.discreet import discreet
from roost.mcp.schemas import input_schema, output_schema
from roost.mcp.tools import INSTRUCTIONS, Failed, Tool, Toolset


@cache
def _described(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=input_schema(tool.question),
        output_schema=output_schema(tool.answer),
        annotations=types.ToolAnnotations(read_only_hint=tool.only_reads),
    )


def server_of(toolset: Toolset) -> Server[None]:
    """A server of one caller's tools, and of its threads where it may have them."""

    async def list_tools(context: object, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(tool) for tool in toolset.tools.values()])

    @discreet
    async def call_tool(context: object, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = toolset.tools.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"there is no tool of that name; there are {', '.join(toolset.tools)}")
        try:
            answer = await toolset.call(tool, params.arguments or {})
        except Failed as failure:
            return types.CallToolResult(content=[types.TextContent(text=str(failure))], is_error=True)
        # Both, as the specification asks: older clients read only the text.
        text = types.TextContent(text=answer.decode())
        return types.CallToolResult(content=[text], structured_content=msgspec.json.decode(answer))

    def schema_of(name: str) -> dict[str, Any] | None:
        """So that the SDK need not list the tools with every call."""
        tool = toolset.tools.get(name)
        return None if tool is None else _described(tool).input_schema

    return Server(
        "roost",
        version=__version__,
        title="Roost",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=schema_of,
        **resources.handlers(toolset),
    )


async def answer_http(toolset: Toolset, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one POST, with JSON. Everything that is made for it ends with it."""
    manager = StreamableHTTPSessionManager(server_of(toolset), json_response=True, stateless=True)
    async with manager.run():
        await manager.handle_request(scope, receive, send)
