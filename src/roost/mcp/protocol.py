"""The tools as a server of the official SDK. It takes most of a second to import, so that only who serves imports this."""

import mcp_types as types
import msgspec
import structlog
from mcp import MCPError
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.types import Receive, Scope, Send

from roost import __version__
from roost.mcp import resources, tools
from roost.mcp.desk import Desk
from roost.mcp.schemas import input_schema, output_schema

log = structlog.get_logger(__name__)

_LISTED = [
    types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=input_schema(tool.question),
        output_schema=output_schema(tool.answer),
        annotations=types.ToolAnnotations(read_only_hint=tool.only_reads),
    )
    for tool in tools.TOOLS.values()
]


def server_of(desk: Desk) -> Server[None]:
    """A server of one credential's tools."""

    async def list_tools(context: object, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=_LISTED)

    async def call_tool(context: object, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = tools.TOOLS.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"there is no tool of that name; there are {', '.join(tools.TOOLS)}")
        try:
            answer = await tools.call(desk, tool, params.arguments or {})
        except tools.Failed as failure:
            return types.CallToolResult(content=[types.TextContent(text=str(failure))], is_error=True)
        except Exception:
            # Older clients would be told what it says, whatever that is.
            log.exception("tool_failed", tool=tool.name)
            raise MCPError(types.INTERNAL_ERROR, "internal error") from None
        # Both, as the specification asks: older clients read only the text.
        text = types.TextContent(text=answer.decode())
        return types.CallToolResult(content=[text], structured_content=msgspec.json.decode(answer))

    async def list_resources(context: object, params: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
        return types.ListResourcesResult(resources=await resources.newest(desk))

    async def list_templates(
        context: object, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(resource_templates=[resources.TEMPLATE])

    async def read_resource(context: object, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        return types.ReadResourceResult(contents=[await resources.read(desk, params.uri)])

    return Server(
        "roost",
        version=__version__,
        title="Roost",
        instructions=tools.INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
    )


async def answer_http(desk: Desk, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one POST, with JSON. Everything that is made for it ends with it."""
    manager = StreamableHTTPSessionManager(server_of(desk), json_response=True, stateless=True)
    async with manager.run():
        await manager.handle_request(scope, receive, send)
