"""Lines to PostgreSQL: a statement is parsed once for a connection, and what writes groups is planned once and by index."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from roost import config
from roost.core.account import CarrierAccount
from roost.core.message import InboundEvent
from roost.intake import delivery_of
from roost.server import now_us
from roost.store.connect import make_store
from roost.store.directory import Directory
from roost.store.group import Delivery
from roost.store.lines import Line, settled
from roost.store.postgres import _EACH_GROUP, _SQL, PostgresStore
from support.databases import Database

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)
#: PostgreSQL plans for the values of the first five executions, and then keeps a plan for all where that is no dearer: where
#: groups are large, which is where planning counts.
PLANNED, GROUPS, TEXTS = 5, 9, 30


def test_a_statement_is_parsed_and_planned_once_however_often_it_runs(database: Database) -> None:
    async def work() -> list[Any]:
        line = Line(database.url, plan_cache_mode="force_generic_plan")
        for turn in range(3):
            for sql in ("SELECT $1::int", "SELECT $1::text"):
                await line.fetch(sql, turn if "int" in sql else str(turn))
        rows = await (await line.connection()).fetch(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1%'"
        )
        await line.close()
        return [tuple(row) for row in rows]

    assert asyncio.run(work()) == [(3, 0), (3, 0)]


def test_a_statement_whose_table_was_migrated_by_another_process_is_prepared_anew(database: Database) -> None:
    async def work() -> list[Any]:
        line, other = Line(database.url), Line(database.url)
        await other.fetch("CREATE TABLE migrated (a int)")
        try:
            counts = []
            for migration in ("INSERT INTO migrated VALUES (1)", "ALTER TABLE migrated ADD COLUMN b int"):
                await other.fetch(migration)
                [row] = await settled(line, lambda: line.fetch("SELECT * FROM migrated"))
                counts.append(len(row))
        finally:
            await other.fetch("DROP TABLE migrated")
        await line.close()
        await other.close()
        return counts

    assert asyncio.run(work()) == [1, 2]


def test_a_group_that_follows_at_once_begins_with_the_commit_of_the_one_before(
    database: Database, tmp_path: Path
) -> None:
    """Whatever became of that one; and when none follows, no transaction is left open."""

    async def work() -> tuple[list[str], bool, list[int]]:
        store, account = await _with_an_account(database, tmp_path)
        connection = await store._intake_line.connection()
        said: list[str] = []
        connection.add_query_logger(lambda record: said.append(record.query))
        first = asyncio.create_task(store.record(_texts(account, "first", "hello")))
        while not said:  # its group has begun, and no longer takes anybody in
            await asyncio.sleep(0)
        unstorable = _texts(account, "odd", "hello")
        unstorable.drafts[0] = unstorable.drafts[0]._replace(body="\x00")
        second = [store.record(unstorable), store.record(_texts(account, "even", "hello"))]
        stored = await asyncio.gather(first, *second, return_exceptions=True)
        still_open = connection.is_in_transaction()
        await store.record(_texts(account, "last", "hello"))
        await store.close()
        words = ("BEGIN", "COMMIT", "ROLLBACK")
        return (
            [each for each in said if each.startswith(words)],
            still_open,
            [hasattr(each, "stored") for each in stored],
        )

    said, still_open, stored = asyncio.run(work())
    assert stored == [True, False, True]
    assert not still_open
    assert said == [
        "BEGIN", "COMMIT AND CHAIN",
        "ROLLBACK",  # of two, one of which is refused: then one by one
        "BEGIN", "ROLLBACK", "BEGIN", "COMMIT",
        "BEGIN", "COMMIT",
    ]  # fmt: skip


def test_what_writes_every_group_is_kept_and_never_scans_a_table_whole(database: Database, tmp_path: Path) -> None:
    """Planned on empty tables: an organization that has a million messages a minute later must not pay for that.

    What a keyword sets off is not kept: of its plans some would read all that the organization has.
    """

    async def work() -> tuple[dict[str, Any], list[list[str]]]:
        store, account = await _with_an_account(database, tmp_path)
        for index in range(GROUPS):
            word = ("hello", "STOP", "START")[index % 3]
            await store.record(_texts(account, str(index), word, *(["hello"] * (TEXTS - 1))))
        connection = await store._intake_line.connection()
        prepared = await connection.fetch(
            "SELECT name, statement, generic_plans, custom_plans, cardinality(parameter_types) FROM pg_prepared_statements"
        )
        await connection.execute("SET plan_cache_mode = 'force_generic_plan'")
        plans = []
        for name, *_, count in prepared:
            rows = await connection.fetch(f"EXPLAIN EXECUTE {name}({', '.join(['NULL'] * count)})")
            plans.append([row[0] for row in rows])
        await store.close()
        return {row["statement"]: (row["generic_plans"], row["custom_plans"]) for row in prepared}, plans

    counts, plans = asyncio.run(work())
    assert counts.keys() == _EACH_GROUP
    assert counts[_SQL["insert_group"]] == (GROUPS - PLANNED, PLANNED)
    for plan in plans:
        assert not [step for step in plan if "Seq Scan" in step], "\n".join(plan)


async def _with_an_account(database: Database, tmp_path: Path) -> tuple[PostgresStore, CarrierAccount]:
    """A store, and an account that has a number."""
    store = make_store(config.load({}, data_dir=tmp_path, database_url=database.url), now_us)
    assert isinstance(store, PostgresStore)
    await store.open()
    directory = Directory(store)
    org = await directory.create_organization("Acme")
    account = await directory.add_carrier_account(org.org_id, "loopback", "", {"basic": []})
    await directory.add_number(org.org_id, "+15551112222", account.id, None, "")
    return store, account


def _texts(account: CarrierAccount, name: str, *bodies: str) -> Delivery:
    events = [
        InboundEvent(f"{name} {nth}", "+15554443333", ("+15551112222",), body, b"{}") for nth, body in enumerate(bodies)
    ]
    return delivery_of(account, events)
