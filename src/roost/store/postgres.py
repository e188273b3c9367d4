"""PostgreSQL 15 and newer: dedicated connections, each with its statements prepared once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

from roost.store import migrations
from roost.store.arrays import plain_array, text_array
from roost.store.base import Clock, RandomBits, Row, Statement, Store
from roost.store.committer import GroupCommitter
from roost.store.effects import apply_effects
from roost.store.errors import StoreUnavailable, UnsupportedDatabase
from roost.store.group import Delivery, Group, Holder, Outcome
from roost.store.lines import Line, settled
from roost.store.notices import Notices
from roost.store.parts import assemble
from roost.store.sql import QUERIES, load, wanted_unnested
from roost.store.transaction import Transaction
from roost.store.vault import Vault

OLDEST_VERSION = 15
LINE_TIMEOUT = 5.0
#: Of several processes on one machine: 8 and 16 did alike, 4 a little worse, and without any groups are half as large.
QUIET_TURNS = 8

_SQL = load("postgres.sql")
#: What every group asks and writes.
_EACH_GROUP = frozenset({_SQL["lock_and_look_up"], _SQL["insert_group"]})
#: Names the one lock under which migrations run; any number will do as long as it never changes.
_MIGRATION_LOCK = 7_267_783_601

T = TypeVar("T")


class PostgresStore(Store):
    """A few lines for reads and small writes, and one line for the group commit.

    `split_groups` gives each organization a transaction of its own, as a database distributed by organization needs it.
    `has_siblings`: other processes of this machine write there as well.
    """

    dialect = "postgres"

    def __init__(
        self,
        url: str,
        vault: Vault,
        clock: Clock,
        random_bits: RandomBits | None = None,
        *,
        lines: int = 4,
        split_groups: bool | None = None,
        has_siblings: bool = False,
    ) -> None:
        super().__init__(vault, clock, *([random_bits] if random_bits else []))
        self._split_groups = split_groups
        self._quiet_turns = QUIET_TURNS if has_siblings else 0
        # To plan what writes a group takes as long as to write it. A plan that is kept lasts while its tables grow, so it must
        # not be one that is good only for the empty tables it was made on; what a keyword or a receipt sets off is planned anew.
        self._intake_line = Line(url, keep=_EACH_GROUP, enable_seqscan="off")
        # Planned for its values each time: the plan for any value reads a busy agent's million rows for a sender who
        # never wrote to it, and PostgreSQL changes to that plan by itself after a few executions.
        self._lines = [Line(url, plan_cache_mode="force_custom_plan") for _ in range(lines)]
        self._idle = list(self._lines)
        self._turns = asyncio.Semaphore(lines)
        self._intake_turn = asyncio.Lock()
        self._committers: dict[str, GroupCommitter[Delivery, Outcome]] = {}
        self._notices = Notices(url, self.fetch, lambda org_ids: self.told_moved(org_ids))

    @property
    def is_distributed(self) -> bool:
        return bool(self._split_groups)

    async def open(self) -> None:
        await self._migrate()
        await self._check_secret_key()
        if self._split_groups is None:
            self._split_groups = bool(await self.fetch("SELECT 1 FROM pg_extension WHERE extname = 'citus'"))

    async def close(self) -> None:
        await self._written_soon()
        await self._notices.close()
        for committer in self._committers.values():
            await committer.close()
        for line in (self._intake_line, *self._lines):
            await line.close()

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        async with self._line() as line:
            return await settled(line, lambda: line.fetch(sql, *args))

    async def joined(self, sql: str, columns: str, rows: Sequence[Row]) -> list[Row]:
        return await self.fetch(wanted_unnested(sql, columns), *_columns(rows)) if rows else []

    async def listen(self) -> bool:
        return await self._notices.listen()

    async def stop_listening(self) -> None:
        await self._notices.stop_listening()

    def _committed(self, tx: Transaction) -> None:
        super()._committed(tx)
        if tx.moved:
            self._notices.give(tx.moved)

    async def write(self, *statements: Statement) -> list[Row]:
        async def transaction(line: Line) -> list[Row]:
            rows: list[Row] = []
            async with (await line.connection()).transaction():
                for sql, args in statements:
                    rows = await line.fetch(sql, *args)
            return rows

        async with self._line() as line:
            return await settled(line, lambda: transaction(line))

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        async with self._line() as line:
            attempt = _Attempt(line, self.clock, self.random_bits)
            result, transaction = await settled(line, lambda: attempt.run(work), again=lambda: not attempt.committing)
        self._committed(transaction)
        return result

    async def record(self, delivery: Delivery) -> Outcome:
        return await self._committer_of(delivery.org_id).submit(delivery)

    def _committer_of(self, org_id: str) -> GroupCommitter[Delivery, Outcome]:
        # Distributed by organization, one transaction touches one organization: then each has groups of its own.
        owner = org_id if self._split_groups else ""
        committer = self._committers.get(owner)
        if committer is None:
            committer = self._committers[owner] = GroupCommitter(self._record_group, quiet_turns=self._quiet_turns)
        return committer

    async def _record_group(self, deliveries: list[Delivery]) -> list[Outcome]:
        async with self._intake_turn:
            return await settled(self._intake_line, lambda: self._record(deliveries))

    async def _record(self, deliveries: list[Delivery]) -> list[Outcome]:
        line = self._intake_line
        await line.begin()
        try:
            tx = PostgresTransaction(line, self.clock, self.random_bits)
            outcomes = await self._write_group(tx, Group(deliveries, self.random_bits))
            await tx.finish()
        except Exception:  # not when cancelled: then the line is dropped, and the server rolls back
            await line.rollback()
            raise
        await line.commit(and_begin=self._committer_of(deliveries[0].org_id).has_waiting)
        self._committed(tx)
        return outcomes

    async def _write_group(self, tx: Transaction, group: Group) -> list[Outcome]:
        held = await self._begin_group(tx, group)
        if group.has_parts:
            held |= await assemble(tx, group, held)
        group.route(held)
        group.place(tx.take)
        new_ids = await self._insert_messages(tx, group)
        now = tx.now()
        for name, rows in (("insert_receipts", group.receipts(now)), ("insert_unrouted", group.unrouted(now))):
            if rows:
                await tx.fetch(_SQL[name], *_columns(rows))
        await apply_effects(tx, group, new_ids)
        return group.outcomes(new_ids)

    async def _begin_group(self, tx: Transaction, group: Group) -> dict[tuple[str, str], Holder]:
        """Lock the counters, and look up who holds the numbers: at once, because each exchange costs as much as its work."""
        org_ids, numbers = group.org_ids(), list(group.wanted())
        if not org_ids:
            return {}
        if self._split_groups:
            await tx.lock(*org_ids)
            held = await tx.fetch(_SQL["holders"], numbers)
        else:
            rows = await tx.fetch(_SQL["lock_and_look_up"], org_ids, numbers)
            tx.locked({str(org_id): last_us for org_id, last_us, *_ in rows})
            held = [tuple(row)[2:] for row in rows if row[2] is not None]
        return {(str(a), n): Holder(str(i), str(g) if g else None) for a, n, i, g in held}

    async def _insert_messages(self, tx: Transaction, group: Group) -> set[str]:
        """The ids of the messages that are new; in one exchange the counters are written down in passing."""
        if not group.ids:
            return set()
        if self._split_groups:
            found = await tx.fetch(_SQL["insert_keys"], *_columns(group.key_rows()))
            new_ids = {str(row[0]) for row in found}
            if new_ids:
                await tx.fetch(_SQL["insert_messages"], *_columns(group.messages(new_ids)))
            return new_ids
        columns = _literals(_columns(group.messages(group.ids)))
        found = await tx.fetch(_SQL["insert_group"], *columns, *map(plain_array, _columns(tx.unwritten())))
        return {str(row[0]) for row in found}

    async def _migrate(self) -> None:
        async def apply(line: Line) -> None:
            connection = await line.connection()
            version = connection.get_server_version().major
            if version < OLDEST_VERSION:
                raise UnsupportedDatabase(f"Roost needs PostgreSQL {OLDEST_VERSION} or newer, this is {version}")
            async with connection.transaction():
                await connection.execute(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
                await connection.execute(migrations.CREATE_TABLE)
                applied = [tuple(row) for row in await connection.fetch(QUERIES["applied_migrations"])]
                for migration in migrations.pending(applied, migrations.available("postgres")):
                    await connection.execute(migration.sql)
                    row = (migration.version, migration.name, migration.checksum, self.clock())
                    await connection.execute(QUERIES["record_migration"], *row)

        async with self._line() as line:
            await settled(line, lambda: apply(line))

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[Line]:
        # A semaphore is fair, where a queue lets newcomers overtake those that wait; and bounded in time, so that a
        # database that hangs does not pile up requests without end.
        if self._turns.locked():
            try:
                async with asyncio.timeout(LINE_TIMEOUT):
                    await self._turns.acquire()
            except TimeoutError:
                raise StoreUnavailable("every connection is busy") from None
        else:
            await self._turns.acquire()
        line = self._idle.pop()
        try:
            yield line
        finally:
            self._idle.append(line)
            self._turns.release()


class PostgresTransaction(Transaction):
    """On a line that is in a transaction."""

    def __init__(self, line: Line, clock: Clock, random_bits: RandomBits) -> None:
        super().__init__(clock, random_bits)
        self._line = line

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        return await self._line.fetch(sql, *args)

    async def many(self, sql: str, rows: Sequence[Row]) -> None:
        await self._line.many(sql, rows)

    async def _advance(self, counters: list[Row]) -> None:
        await self._line.fetch(_SQL["advance"], *_columns(counters))

    async def joined(self, sql: str, columns: str, rows: Sequence[Row]) -> list[Row]:
        return await self._line.fetch(wanted_unnested(sql, columns), *_columns(rows)) if rows else []

    async def _last_positions(self, org_ids: list[UUID]) -> list[Row]:
        return await self._line.fetch(_SQL["counters"], org_ids)


class _Attempt:
    """A transaction that remembers whether it came as far as its COMMIT."""

    def __init__(self, line: Line, clock: Clock, random_bits: RandomBits) -> None:
        self._line, self._clock, self._random_bits = line, clock, random_bits
        self.committing = False

    async def run(self, work: Callable[[Transaction], Awaitable[T]]) -> tuple[T, Transaction]:
        transaction = PostgresTransaction(self._line, self._clock, self._random_bits)
        around = (await self._line.connection()).transaction()
        await around.start()
        try:
            result = await work(transaction)
            await transaction.finish()
        except Exception:  # not when cancelled: then the line is dropped, and the server rolls back
            await around.rollback()
            raise
        self.committing = True
        await around.commit()
        return result, transaction


def _columns(rows: Sequence[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


#: Which columns of `Group.messages` are texts, and which one is bytes and stays a list.
_TEXTS, _RAW = frozenset({4, 5, 6, 7, 8, 9, 11, 13}), 17


def _literals(columns: list[list[Any]]) -> list[Any]:
    return [
        column if nth == _RAW else text_array(column) if nth in _TEXTS else plain_array(column)
        for nth, column in enumerate(columns)
    ]
