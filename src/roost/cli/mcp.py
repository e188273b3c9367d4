"""The tools for an agent program on this machine."""

import click

from roost.cli.common import Context
from roost.cli.reached import address, address_and_key, of_a_server
from roost.client import AsyncRoost, RoostError
from roost.logs import configure
from roost.loop import run_async


@click.command()
@of_a_server
@click.option("--agent", envvar="ROOST_AGENT", metavar="WALLET", help="The agent whose inbox it is [ROOST_AGENT].")
@click.option("--token", envvar="ROOST_AGENT_TOKEN", metavar="TOKEN", help="Its access token [ROOST_AGENT_TOKEN].")
def mcp(
    context: Context, url: str | None, api_key: str | None, org_text: str | None, agent: str | None, token: str | None
) -> None:
    """Serve the tools (MCP) over standard input and output, for an agent program that starts this itself.

    Give secrets in the environment: a command line shows in the list of processes.
    """
    configure("warning")  # standard error is in the agent program's log
    if agent is not None:
        base_url, api_key = address(context, url), None
    else:
        base_url, api_key = address_and_key(context, url, api_key, org_text)

    async def serve() -> None:
        from roost.mcp.desk import RETRY
        from roost.mcp.stdio import serve_stdio
        from roost.mcp.tools import toolset_of

        async with AsyncRoost(base_url, api_key=api_key, agent=agent, token=token, retry=RETRY) as client:
            await serve_stdio(toolset_of(client, is_agent=agent is not None))

    try:
        run_async(serve())
    except RoostError as error:
        raise click.ClickException(str(error)) from None
