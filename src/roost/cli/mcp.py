"""The tools for an agent program on this machine."""

import click

from roost.cli.common import run_async
from roost.client import AsyncRoost, RoostError
from roost.logs import configure


@click.command()
@click.option("--url", envvar="ROOST_URL", metavar="URL", help="Of the server [ROOST_URL; else http://127.0.0.1:8080].")
@click.option("--key", envvar="ROOST_API_KEY", metavar="KEY", help="An API key [ROOST_API_KEY].")
@click.option("--agent", envvar="ROOST_AGENT", metavar="WALLET", help="Or: the agent whose inbox it is [ROOST_AGENT].")
@click.option("--token", envvar="ROOST_AGENT_TOKEN", metavar="TOKEN", help="Its access token [ROOST_AGENT_TOKEN].")
def mcp(url: str | None, key: str | None, agent: str | None, token: str | None) -> None:
    """Serve the tools (MCP) over standard input and output, for an agent program that starts this itself.

    Give secrets in the environment: a command line shows in the list of processes.
    """
    if not key and not agent:
        raise click.ClickException(
            "set ROOST_API_KEY to an API key of the server (roost key create makes one), or ROOST_AGENT and ROOST_AGENT_TOKEN"
        )
    configure("warning")

    async def serve() -> None:
        from roost.mcp.desk import RETRY
        from roost.mcp.stdio import serve_stdio
        from roost.mcp.tools import toolset_of

        async with AsyncRoost(url, api_key=key, agent=agent, token=token, retry=RETRY) as client:
            await serve_stdio(toolset_of(client, is_agent=agent is not None))

    try:
        run_async(serve())
    except RoostError as error:
        raise click.ClickException(str(error)) from None
