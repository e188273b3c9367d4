"""SQLite: the embedded default. WAL, synchronous=FULL, one writer; a command line beside it takes its turn.

What waits for the disk or for another process (BEGIN, COMMIT) goes to the writer's thread. The statements in between are
short, indexed and mostly in memory: they run inline, because in the thread they would have to take Python's global lock
back from the event loop after every row, which halved the rate.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import apsw

from roost.core.ids import bytes_of, text_of
from roost.core.inbox import InboxQuery, Page
from roost.store import migrations
from roost.store.base import Clock, RandomBits, Row, Statement, Store
from roost.store.committer import GroupCommitter
from roost.store.effects import apply_effects
from roost.store.errors import ContentRefused, StoreUnavailable
from roost.store.group import Delivery, Group, Holder, Outcome
from roost.store.parts import assemble
from roost.store.sql import QUERIES, for_sqlite, load, wanted_values
from roost.store.transaction import Transaction
from roost.store.vault import Vault

#: How long a writer waits for another process that is writing.
BUSY_TIMEOUT_MS = 15_000
#: How long a reader in another process may keep what was erased in the log, before we go on without.
_TRACE_TIMEOUT_MS = 2000
#: How long one that found the database locked while it became WAL waits before it looks again.
_WAL_AGAIN_SECONDS = 0.01
#: synchronous=FULL flushes at every commit, which is what 2xx promises; secure_delete overwrites what is deleted.
PRAGMAS = ("synchronous=FULL", "secure_delete=ON", "mmap_size=268435456", "cache_size=-32768", "temp_store=MEMORY")
#: How many pages are remembered, and how much text one may have.
MAX_PAGES, MAX_PAGE_CHARACTERS = 1024, 32_768

_SQL = {name: for_sqlite(sql) for name, sql in load("sqlite.sql").items()}
_REFUSALS = (apsw.TooBigError, apsw.ConstraintError, apsw.MismatchError, UnicodeError, OverflowError)
_OUTAGES = (apsw.BusyError, apsw.FullError, apsw.IOError, apsw.CantOpenError, apsw.LockedError, apsw.ReadOnlyError)

T = TypeVar("T")


class SqliteStore(Store):
    """Reads run inline: a hop to a thread costs more than a short indexed query."""

    dialect = "sqlite"

    def __init__(self, path: Path, vault: Vault, clock: Clock, random_bits: RandomBits | None = None) -> None:
        super().__init__(vault, clock, *([random_bits] if random_bits else []))
        self._path = path
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._committer = GroupCommitter(self._record_group)
        self._reader: apsw.Connection | None = None
        self._writer: apsw.Connection | None = None
        self._turn = asyncio.Lock()
        self._pages: dict[InboxQuery, Page] = {}
        self._pages_version: Any = None
        self._moved_version: Any = None

    async def open(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        await self._in_writer(self._open_writer)
        await self._transaction(_apply_migrations(self.clock()))
        self._reader = self._connect()
        await self._check_secret_key()

    async def close(self) -> None:
        await self._written_soon()
        await self._committer.close()
        if self._writer is not None:
            await self._in_writer(self._writer.close)
        if self._reader is not None:
            self._reader.close()
        self._writing.shutdown()

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        assert self._reader is not None, "the store is not open"
        try:
            return self._reader.execute(for_sqlite(sql), _bound(args)).fetchall()
        except _OUTAGES as error:
            raise StoreUnavailable(str(error)) from error

    async def joined(self, sql: str, columns: str, rows: Sequence[Row]) -> list[Row]:
        statement = wanted_values(sql, columns)
        return [found for row in rows for found in await self.fetch(statement, *row)]

    async def _page(self, query: InboxQuery) -> Page:
        """A page is remembered until anybody, in whichever process, commits anything: pollers mostly find nothing new.

        The version is read first, so that a page is never older than it says.
        """
        version = self._version()
        if version != self._pages_version:
            self._pages_version = version
            self._pages.clear()
        page = self._pages.get(query)
        if page is None:
            page = await super()._page(query)
            if len(self._pages) < MAX_PAGES and sum(len(m.body) for m in page.messages) < MAX_PAGE_CHARACTERS:
                self._pages[query] = page
        return page

    def may_have_moved(self) -> bool:
        version = self._version()
        if version == self._moved_version:
            return False
        self._moved_version = version
        return True

    def _version(self) -> Any:
        """Another one after each commit of anybody (https://sqlite.org/pragma.html, data_version)."""
        assert self._reader is not None, "the store is not open"
        return self._reader.execute("PRAGMA data_version").fetchall()[0][0]

    async def write(self, *statements: Statement) -> list[Row]:
        return await self._transaction(lambda writer: _run(writer, statements))

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        async def whole(writer: apsw.Connection) -> tuple[T, Transaction]:
            transaction = SqliteTransaction(writer, self.clock, self.random_bits)
            result = await work(transaction)
            await transaction.finish()
            return result, transaction

        result, transaction = await self._transaction(whole)
        self._committed(transaction)
        return result

    async def leave_no_trace(self) -> bool:
        # The log still has the pages as they were; emptied, it has none (https://sqlite.org/pragma.html, wal_checkpoint).
        assert self._writer is not None, "the store is not open"
        writer = self._writer

        def empty_the_log() -> bool:
            return bool(writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0] == 0)

        async with self._turn:
            writer.set_busy_timeout(_TRACE_TIMEOUT_MS)
            try:
                return await self._in_writer(empty_the_log)
            except _OUTAGES:
                return False
            finally:
                writer.set_busy_timeout(BUSY_TIMEOUT_MS)

    async def record(self, delivery: Delivery) -> Outcome:
        return await self._committer.submit(delivery)

    async def _record_group(self, deliveries: list[Delivery]) -> list[Outcome]:
        outcomes, transaction = await self._transaction(lambda _: self._record(deliveries))
        self._committed(transaction)
        return outcomes

    async def _record(self, deliveries: list[Delivery]) -> tuple[list[Outcome], Transaction]:
        assert self._writer is not None
        execute, changes = self._writer.execute, self._writer.changes
        group = Group(deliveries, self.random_bits)
        held = {
            (text_of(account_id), number): Holder(text_of(number_id), text_of(agent_id) if agent_id else None)
            for number in group.wanted()
            for account_id, number_id, agent_id in execute(_SQL["holders"], (number,))
        }
        tx = SqliteTransaction(self._writer, self.clock, self.random_bits)
        await tx.lock(*group.org_ids())
        if group.has_parts:
            held |= await assemble(tx, group, held)
        group.route(held)
        group.place(tx.take)
        new_ids = set()
        for org_id, account_id, carrier_message_id, number, message_id in group.key_rows():
            key = (bytes_of(org_id), bytes_of(account_id), carrier_message_id, number, bytes_of(message_id))
            execute(_SQL["insert_key"], key)
            if changes():
                new_ids.add(message_id)
        self._writer.executemany(_SQL["insert_message"], [_message_row(row) for row in group.messages(new_ids)])
        now = tx.now()
        for name, rows in (("insert_receipt", group.receipts(now)), ("insert_unrouted", group.unrouted(now))):
            ids = 2 if name == "insert_receipt" else 3
            self._writer.executemany(_SQL[name], [(*map(bytes_of, row[:ids]), *row[ids:]) for row in rows])
        await apply_effects(tx, group, new_ids)
        await tx.finish()
        return group.outcomes(new_ids), tx

    async def _transaction(self, work: Callable[[apsw.Connection], Awaitable[T]]) -> T:
        # Whoever asked may go away meanwhile; the transaction may not be left half-way.
        return await asyncio.shield(self._whole_transaction(work))

    async def _whole_transaction(self, work: Callable[[apsw.Connection], Awaitable[T]]) -> T:
        assert self._writer is not None, "the store is not open"
        writer = self._writer
        try:
            async with self._turn:
                await self._begin(writer)
                try:
                    result = await work(writer)  # of statements alone, which run inline: nobody else gets a turn
                    await self._in_writer(lambda: writer.execute("COMMIT"))
                except BaseException:
                    if writer.in_transaction:
                        writer.execute("ROLLBACK")
                    raise
        except _OUTAGES as error:
            raise StoreUnavailable(str(error)) from error
        except _REFUSALS as error:
            raise ContentRefused(type(error).__name__) from error
        return result

    async def _begin(self, writer: apsw.Connection) -> None:
        writer.set_busy_timeout(0)
        try:
            writer.execute("BEGIN IMMEDIATE")
        except apsw.BusyError:  # another process is writing: wait for it where nobody is kept
            writer.set_busy_timeout(BUSY_TIMEOUT_MS)
            await self._in_writer(lambda: writer.execute("BEGIN IMMEDIATE"))
        finally:
            writer.set_busy_timeout(BUSY_TIMEOUT_MS)

    def _open_writer(self) -> None:
        self._writer = self._connect()

    def _connect(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path))
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        # A prepared statement stays as it was planned: otherwise every new `since` plans the list again, for half its time.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        _become_wal(connection)
        for pragma in PRAGMAS:  # one by one: a statement that answers with a row ends what is executed together
            connection.execute(f"PRAGMA {pragma}").fetchall()
        return connection

    async def _in_writer(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writing, work)


class SqliteTransaction(Transaction):
    """On the writer's connection, which holds the one write lock."""

    def __init__(self, writer: apsw.Connection, clock: Clock, random_bits: RandomBits) -> None:
        super().__init__(clock, random_bits)
        self._writer = writer

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        return list(self._writer.execute(for_sqlite(sql), _bound(args)))

    async def many(self, sql: str, rows: Sequence[Row]) -> None:
        self._writer.executemany(for_sqlite(sql), [_bound(row) for row in rows])

    async def _advance(self, counters: list[Row]) -> None:
        await self.many("UPDATE positions SET last_us = $2 WHERE org_id = $1", counters)

    async def joined(self, sql: str, columns: str, rows: Sequence[Row]) -> list[Row]:
        statement = for_sqlite(wanted_values(sql, columns))
        return [found for row in rows for found in self._writer.execute(statement, _bound(row))]

    async def _last_positions(self, org_ids: list[UUID]) -> list[Row]:
        # BEGIN IMMEDIATE holds the one write lock, so that nobody else can move the counters before we commit.
        found = [(org_id, list(self._writer.execute(_SQL["counter"], (org_id.bytes,)))) for org_id in org_ids]
        return [(org_id.bytes, rows[0][0]) for org_id, rows in found if rows]


def _apply_migrations(now: int) -> Callable[[apsw.Connection], Awaitable[None]]:
    async def apply(writer: apsw.Connection) -> None:
        writer.execute(migrations.CREATE_TABLE)
        applied = [(version, checksum) for version, checksum in writer.execute(QUERIES["applied_migrations"])]
        for migration in migrations.pending(applied, migrations.available("sqlite")):
            writer.execute(migration.sql)
            row = (migration.version, migration.name, migration.checksum, now)
            writer.execute(for_sqlite(QUERIES["record_migration"]), row)

    return apply


def _become_wal(connection: apsw.Connection) -> None:
    """A new database becomes WAL, once and for all; afterwards this only looks.

    SQLite does not wait its busy timeout for that (https://sqlite.org/wal.html: it needs the file for itself, and two that
    wait for each other would wait forever), so that of several first starts at once one would be refused.
    """
    until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
            return
        except apsw.BusyError:
            if time.monotonic() > until:
                raise
            time.sleep(_WAL_AGAIN_SECONDS)


async def _run(writer: apsw.Connection, statements: tuple[Statement, ...]) -> list[Row]:
    rows: list[Row] = []
    for sql, args in statements:
        rows = list(writer.execute(for_sqlite(sql), _bound(args)))
    return rows


def _bound(args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([arg.bytes if type(arg) is UUID else arg for arg in args])


def _message_row(row: Row) -> Row:
    org_id, message_id, phone_number_id, agent_id, *middle, account_id, raw, since_id = row
    agent = bytes_of(agent_id) if agent_id else None
    first = (bytes_of(org_id), bytes_of(message_id), bytes_of(phone_number_id), agent)
    return (*first, *middle, bytes_of(account_id), raw, bytes_of(since_id))
