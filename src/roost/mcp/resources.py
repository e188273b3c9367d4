"""Threads as resources: what a person or a program can put before an agent without its asking."""

from typing import Any

import mcp_types as types
from mcp import MCPError

from roost.client.errors import RoostError
from roost.mcp.desk import Desk
from roost.mcp.discreet import discreet
from roost.mcp.results import number_of
from roost.mcp.tools import Failed, Toolset
from roost.mcp.troubles import advice

PREFIX = "roost://threads/"
MIME_TYPE = "application/json"
TEMPLATE = types.ResourceTemplate(
    uri_template=f"{PREFIX}{{thread_id}}",
    name="thread",
    description="A conversation's last 50 messages, as read_thread gives them.",
    mime_type=MIME_TYPE,
)


def handlers(toolset: Toolset) -> dict[str, Any]:
    """What the SDK's server takes, by the names that it takes it by: nothing for an agent, whose inbox has no threads."""
    desk = toolset.desk
    if not isinstance(desk, Desk):
        return {}

    @discreet
    async def listed(context: object, params: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
        return types.ListResourcesResult(resources=await _newest(desk))

    async def templates(
        context: object, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(resource_templates=[TEMPLATE])

    @discreet
    async def read(context: object, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        return types.ReadResourceResult(contents=[await _read(toolset, params.uri)])

    return {"on_list_resources": listed, "on_list_resource_templates": templates, "on_read_resource": read}


async def _newest(desk: Desk) -> list[types.Resource]:
    """The threads that began last. Raises MCPError."""
    try:
        threads = await desk.newest_threads()
    except RoostError as trouble:
        raise MCPError(types.INVALID_PARAMS, advice(trouble, "messages:read")) from None
    return [
        types.Resource(
            uri=PREFIX + thread.id,
            # Of a sender that is a name, not the name: it is the sender's own words.
            name=f"{thread.number} with {number_of(thread.contact_number) or 'a sender without a number'}",
            mime_type=MIME_TYPE,
        )
        for thread in threads
    ]


async def _read(toolset: Toolset, uri: str) -> types.TextResourceContents:
    """One thread. Raises MCPError."""
    thread_id = uri.removeprefix(PREFIX)
    if thread_id in ("", uri):
        raise MCPError(types.INVALID_PARAMS, f"there are only threads here: {TEMPLATE.uri_template}")
    try:
        text = await toolset.call(toolset.tools["read_thread"], {"id": thread_id, "limit": 50})
    except Failed as failure:
        raise MCPError(types.INVALID_PARAMS, str(failure)) from None
    return types.TextResourceContents(uri=uri, mime_type=MIME_TYPE, text=text.decode())
