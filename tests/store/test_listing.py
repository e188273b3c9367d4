"""Every list is one range scan over an index, whatever it is filtered by."""

import asyncio
import itertools
import time
from pathlib import Path
from typing import Any

import pytest

from roost import config
from roost.core.inbox import InboxQuery
from roost.core.message import InboundEvent
from roost.intake import delivery_of
from roost.store.connect import make_store
from roost.store.directory import Directory
from roost.store.listing import list_statement
from support.databases import Database

ID = "01900000-0000-7000-8000-000000000000"
FILTERS: dict[str, Any] = {
    "agent_id": ID, "from_number": "+1", "to_number": "+2", "phone_number_id": ID, "channel": "sms", "opt_out": True,
}  # fmt: skip


@pytest.mark.parametrize("ascending", [False, True])
def test_sqlite_reads_no_row_that_the_index_cannot_tell_apart(tmp_path: Path, ascending: bool) -> None:
    """For every combination of filters: a search in an index that holds the order, and never a sort or a full scan."""

    async def plans() -> dict[tuple[str, ...], list[str]]:
        store = make_store(config.load({}, data_dir=tmp_path), lambda: time.time_ns() // 1000)
        await store.open()
        found = {}
        for size in range(len(FILTERS) + 1):
            for names in itertools.combinations(FILTERS, size):
                query = InboxQuery(ID, 20, **{name: FILTERS[name] for name in names}, ascending=ascending)
                sql, args = list_statement(query, name_index=True)
                found[names] = [row[3] for row in await store.fetch("EXPLAIN QUERY PLAN " + sql, *args)]
        await store.close()
        return found

    for names, plan in asyncio.run(plans()).items():
        [step] = plan
        assert step.startswith("SEARCH inbound_messages USING INDEX"), (names, plan)
        assert "(org_id=? AND id>? AND id<?)" in step if not names else "=? AND id>? AND id<?)" in step, (names, plan)
        if len(names) == 1:
            assert f"(org_id=? AND {names[0]}=? AND id>? AND id<?)" in step


def test_a_list_is_prepared_once_per_shape(database: Database) -> None:
    query = InboxQuery(ID, 20, from_number="+1")
    first, _ = list_statement(query, name_index=database.kind == "sqlite")
    other, _ = list_statement(query._replace(from_number="+2", limit=7, above=ID), name_index=database.kind == "sqlite")
    assert first is other


def test_a_remembered_page_is_forgotten_when_anybody_commits(tmp_path: Path) -> None:
    """Also when it is another process: here another store on the same file."""

    async def both() -> list[list[str]]:
        settings = config.load({}, data_dir=tmp_path)
        reader, writer = (make_store(settings, lambda: time.time_ns() // 1000) for _ in range(2))
        await reader.open()
        await writer.open()
        directory = Directory(writer)
        org = await directory.create_organization("Acme")
        account = await directory.add_carrier_account(org.org_id, "loopback", "", {"basic": []})
        await directory.add_number(org.org_id, "+15551112222", account.id, None, "")
        query, seen = InboxQuery(org.org_id, 20), []
        for carrier_id in ("1", "2", "3"):
            for _ in range(2):
                seen.append([message.carrier_message_id for message in (await reader.list_inbound(query)).messages])
            event = InboundEvent(carrier_id, "+15554443333", ("+15551112222",), "hello", b"{}")
            await writer.record(delivery_of(account, [event]))
        seen.append([message.carrier_message_id for message in (await reader.list_inbound(query)).messages])
        first = await reader.list_inbound(query)
        assert await reader.list_inbound(query) is first, "nothing was committed, so nothing is read"
        await reader.close()
        await writer.close()
        return seen

    assert asyncio.run(both()) == [[], [], ["1"], ["1"], ["2", "1"], ["2", "1"], ["3", "2", "1"]]


def test_every_setting_of_a_connection_is_in_force(tmp_path: Path) -> None:
    async def settings() -> list[Any]:
        store = make_store(config.load({}, data_dir=tmp_path), lambda: time.time_ns() // 1000)
        await store.open()
        names = ("journal_mode", "synchronous", "mmap_size", "cache_size", "temp_store")
        found = [(await store.fetch(f"PRAGMA {name}"))[0][0] for name in names]
        await store.close()
        return found

    assert asyncio.run(settings()) == ["wal", 2, 268_435_456, -32_768, 2]
