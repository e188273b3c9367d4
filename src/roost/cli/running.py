"""Commands that run the server or look after its database."""

import os

import click

from roost.cli.common import Context, command
from roost.demo import lines_to_paste, run_demo
from roost.demo_script import Demo
from roost.loop import run_async
from roost.processes import serve_together
from roost.server import serve as run_server
from roost.store.base import Store
from roost.store.sql import QUERIES


@click.command()
@command
def serve(context: Context) -> None:
    """Run the server until it is told to stop."""

    async def ready(base_url: str) -> None:
        if context.as_json:
            context.show({"id": str(os.getpid()), "base_url": base_url})
        else:
            click.echo(f"Roost listens on {base_url} (documentation: {base_url}/docs)")

    if context.config.processes > 1:
        run_async(serve_together(context.config, ready))
    else:
        run_async(run_server(context.config, lambda running: ready(running.base_url)))


@click.command()
@command
def demo(context: Context) -> None:
    """Run the server with a demo organization, and let five texts arrive, one of which is answered."""

    def ready(demo: Demo) -> None:
        if context.as_json:
            context.show({"id": demo["org_id"], **demo})
        else:
            click.echo(f"Roost listens on {demo['base_url']} (documentation: {demo['base_url']}/docs)")
            click.echo(lines_to_paste(demo))
            click.echo("Five texts arrive now, and one is answered:\n")

    run_async(run_demo(context.config, lambda line: click.echo(line, err=context.as_json), ready))


@click.group()
def db() -> None:
    """The database."""


@db.command("migrate")
@command
def db_migrate(context: Context) -> None:
    """Bring the database up to date. Every command does so by itself; this one only does so."""

    async def version(store: Store) -> int:
        return int((await store.fetch(QUERIES["applied_migrations"]))[-1][0])

    migrated = context.run(version)
    engine = "sqlite" if context.config.database_url == "sqlite" else "postgresql"
    context.show({"id": f"{migrated:04}", "version": migrated, "database": engine})
