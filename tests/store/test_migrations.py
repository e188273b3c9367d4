"""Any start brings a new or older database up to date, once, under a lock."""

import asyncio
import re
import time
from pathlib import Path

import pytest

from roost import config
from roost.store import migrations
from roost.store.base import Store
from roost.store.connect import make_store
from roost.store.errors import NewerDatabase
from support.databases import Database


def store_on(database: Database, data_dir: Path) -> Store:
    settings = config.load({}, data_dir=data_dir, database_url=database.url)
    return make_store(settings, lambda: time.time_ns() // 1000)


def test_many_starts_at_once_migrate_once(new_database: Database, tmp_path: Path) -> None:
    async def start_together() -> list[tuple[int, str]]:
        stores = [store_on(new_database, tmp_path) for _ in range(8)]
        await asyncio.gather(*(store.open() for store in stores))
        applied = await stores[0].fetch("SELECT version, name FROM schema_migrations ORDER BY version")
        assert all([await store.migrated() for store in stores])
        for store in stores:
            await store.close()
        return [(version, name) for version, name in applied]

    dialect = new_database.kind
    assert asyncio.run(start_together()) == [(each.version, each.name) for each in migrations.available(dialect)]


def test_a_database_from_a_newer_version_is_left_alone(database: Database, tmp_path: Path) -> None:
    async def visit() -> None:
        store = store_on(database, tmp_path)
        await store.open()
        await store.write(("INSERT INTO schema_migrations VALUES (9999, 'future', 'x', 0)", ()))
        await store.close()
        older = store_on(database, tmp_path)
        try:
            with pytest.raises(NewerDatabase, match="upgrade Roost"):
                await older.open()
        finally:
            await older.close()

    asyncio.run(visit())


def test_an_altered_migration_is_noticed() -> None:
    known = migrations.available("sqlite")
    with pytest.raises(NewerDatabase, match="is not the one"):
        migrations.pending([(known[0].version, "0" * 64)], known)
    assert migrations.pending([], known) == known
    assert migrations.pending([(each.version, each.checksum) for each in known], known) == []


def test_every_key_and_index_of_a_tenants_table_begins_with_the_organization() -> None:
    """What lets the same schema be distributed by organization; the exceptions are small and looked up without one."""
    looked_up = {"id", "number", "wallet", "hash", "name", "version"}
    for migration in migrations.available("postgres"):
        for columns in re.findall(r"(?:PRIMARY KEY|UNIQUE|ON \w+) \(([^)]+)\)", migration.sql):
            assert columns.split(",")[0] == "org_id", columns
        for column in re.findall(r"^    (\w+) .*(?:UNIQUE|PRIMARY KEY)", migration.sql, re.MULTILINE):
            assert column in looked_up | {"org_id", "PRIMARY", "UNIQUE"}, column
        for forbidden in ("SERIAL", "TRIGGER", "REFERENCES", "SEQUENCE"):
            assert forbidden not in re.sub(r"--.*", "", migration.sql).upper()
