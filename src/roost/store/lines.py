"""A connection to PostgreSQL: made when first used and again when it broke, and what its errors mean to the store."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, TypeVar

import asyncpg

from roost.store.errors import ContentRefused, StoreUnavailable
from roost.store.transaction import Row

CONNECT_TIMEOUT = 5.0
STATEMENT_TIMEOUT = 30.0

#: The server is gone, going, not there yet, read-only after a fail-over, out of room, or not what it was when we connected.
OUTAGES = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what a connection that broke in the middle answers to the next statement
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidCachedStatementError,  # a newer process migrated the tables that it was prepared on
)
#: A value that it cannot hold.
_REFUSALS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    UnicodeError,
    OverflowError,
)
#: Two transactions stood in each other's way: nothing was done, and once more will do.
_CONFLICTS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)

T = TypeVar("T")


class Line:
    """One connection, made when first used and again when it broke, with a prepared statement per SQL text.

    `keep`: the statements that are parsed once, and whose plans may last; others are planned for what is there at each
    execution. None: all of them.
    """

    def __init__(self, url: str, *, keep: Collection[str] | None = None, **settings: str) -> None:
        self._url = url
        self._keep = keep
        self._settings = {"application_name": "roost", **settings}
        self._connection: Any = None
        self._begun = False
        self._prepared: dict[str, Any] = {}

    async def connection(self) -> Any:
        """The live connection. Raises what asyncpg raises."""
        if self._connection is None or self._connection.is_closed():
            self._prepared, self._begun = {}, False
            self._connection = await asyncpg.connect(
                self._url,
                timeout=CONNECT_TIMEOUT,
                command_timeout=STATEMENT_TIMEOUT,
                statement_cache_size=0,
                server_settings=self._settings,
            )
            # 2xx promises a durable commit: an installation that defers the flush is overruled for our sessions.
            await self._connection.execute(
                "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
            )
        return self._connection

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """The rows that a statement gives."""
        rows: list[Row] = await (await self._statement(sql)).fetch(*args)
        return rows

    async def many(self, sql: str, rows: Sequence[Row]) -> None:
        """One execution for each row of arguments, all sent before the first is answered."""
        if rows:
            await (await self._statement(sql)).executemany(rows)

    async def _statement(self, sql: str) -> Any:
        connection = await self.connection()
        statement = self._prepared.get(sql)
        if statement is None:
            # While its own cache is off, asyncpg has a statement without a name parsed anew each time.
            is_kept = self._keep is None or sql in self._keep
            statement = self._prepared[sql] = await connection.prepare(sql, name=is_kept)
        return statement

    async def begin(self) -> None:
        """Begin a transaction, unless the last commit has."""
        connection = await self.connection()
        if not self._begun:
            await connection.execute("BEGIN")
            self._begun = True

    async def commit(self, *, and_begin: bool) -> None:
        """Commit; `and_begin` the next transaction in the same exchange, where it follows at once."""
        self._begun = False
        await self._connection.execute("COMMIT AND CHAIN" if and_begin else "COMMIT")
        self._begun = and_begin

    async def rollback(self) -> None:
        self._begun = False
        await self._connection.execute("ROLLBACK")

    async def drop(self) -> None:
        """Forget a connection that may be broken."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            try:
                await self._connection.close(timeout=CONNECT_TIMEOUT)
            except OUTAGES:
                self._connection.terminate()


async def settled(line: Line, work: Callable[[], Awaitable[T]], again: Callable[[], bool] = lambda: True) -> T:
    """The result of `work`, tried a second time on a fresh connection. Raises StoreUnavailable when that fails too.

    Where the first try may have been committed before its connection broke, the second must store nothing twice: by the
    keys of its inserts, or because `again` says no.
    """
    try:
        return await work()
    except _REFUSALS as error:
        raise ContentRefused(type(error).__name__) from error
    except _CONFLICTS:
        pass
    except OUTAGES:
        await line.drop()
    except asyncio.CancelledError:
        await line.drop()  # half-way through a statement: the connection's state is not worth guessing
        raise
    if not again():
        raise StoreUnavailable("the connection broke while a transaction was being committed")
    try:
        return await work()
    except _REFUSALS as error:
        raise ContentRefused(type(error).__name__) from error
    except (*_CONFLICTS, *OUTAGES) as error:
        await line.drop()
        raise StoreUnavailable(f"{type(error).__name__}: {error}") from error
