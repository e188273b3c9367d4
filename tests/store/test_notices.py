"""Notices between processes on one PostgreSQL. Nothing rests on them; they are quick, and given only to who listens."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from roost import config
from roost.server import now_us
from roost.store.base import Store
from roost.store.connect import make_store
from roost.store.directory import Directory
from roost.store.transaction import Transaction
from support.databases import Database

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)
_PATIENCE_SECONDS = 30


@asynccontextmanager
async def stores(database: Database, folder: Path, count: int) -> AsyncIterator[list[Store]]:
    """Of as many processes on one database."""
    made = [make_store(config.load({}, data_dir=folder, database_url=database.url), now_us) for _ in range(count)]
    for store in made:
        await store.open()
    try:
        yield made
    finally:
        for store in made:
            await store.close()


async def move(store: Store, *org_ids: str) -> None:
    async def work(tx: Transaction) -> None:
        await tx.lock(*org_ids)
        for org_id in org_ids:
            tx.take(org_id)

    await store.transact(work)


async def moved_until(store: Store, heard: set[str], org_ids: Collection[str]) -> None:
    """Move them again and again until all of them were heard of: a listener is known of after a while."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not set(org_ids) <= heard:
            await move(store, *org_ids)
            await asyncio.sleep(0.01)


def test_what_one_process_moves_another_hears_and_it_hears_nothing_of_its_own(
    database: Database, tmp_path: Path
) -> None:
    async def work() -> None:
        async with stores(database, tmp_path, 2) as (writer, listener):
            org_ids = [(await Directory(writer).create_organization(f"Org {n}")).org_id for n in range(250)]
            heard, own = set[str](), set[str]()
            listener.told_moved, writer.told_moved = heard.update, own.update
            await listener.listen()
            await moved_until(writer, heard, org_ids)
            own.clear()
            await writer.listen()
            await move(writer, org_ids[0])
            assert own == {org_ids[0]}, "told once, by the commit itself"
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not await listener.listen():
                    await asyncio.sleep(0.05)

    asyncio.run(work())


def test_nothing_is_said_while_nobody_listens(database: Database, tmp_path: Path) -> None:
    async def work() -> None:
        async with stores(database, tmp_path, 1) as [writer]:
            org = await Directory(writer).create_organization("Acme")
            heard: list[str] = []
            other = await asyncpg.connect(database.url)
            await other.add_listener("roost_moved", lambda *args: heard.append(args[-1]))
            for _ in range(20):
                await move(writer, org.org_id)
            await other.execute("SELECT 1")
            assert heard == []
            await other.close()

    asyncio.run(work())


def test_a_listener_whose_connection_broke_listens_again(database: Database, tmp_path: Path) -> None:
    async def work() -> None:
        async with stores(database, tmp_path, 2) as (writer, listener):
            org = await Directory(writer).create_organization("Acme")
            heard = set[str]()
            listener.told_moved = heard.update
            await listener.listen()
            await moved_until(writer, heard, [org.org_id])
            ended = await writer.fetch(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE application_name LIKE 'roost listener%' AND datname = current_database()"
            )
            assert ended[0][0] == 1
            heard.clear()
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not heard:
                    await listener.listen()
                    await move(writer, org.org_id)
                    await asyncio.sleep(0.01)

    asyncio.run(work())
