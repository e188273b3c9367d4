"""The narrow interface to a database, and what both databases do alike."""

import asyncio
import secrets
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import structlog

from roost.core.inbox import InboxQuery, Page
from roost.core.message import InboundMessage
from roost.store import migrations
from roost.store.errors import StoreError, WrongSecretKey
from roost.store.group import Delivery, Outcome
from roost.store.kept import Kept
from roost.store.listing import GET_SQL, list_statement, message_of
from roost.store.sql import QUERIES
from roost.store.transaction import Transaction
from roost.store.vault import Vault

Clock = Callable[[], int]
"""Microseconds since 1970."""
RandomBits = Callable[[int], int]
T = TypeVar("T")
Row = tuple[Any, ...]
Statement = tuple[str, tuple[Any, ...]]

#: A newest position this far ahead of the clock is an alarm, never a stop: positions only grow.
AHEAD_ALARM_US = 300 * 1_000_000
ALARM_EVERY_US = 60 * 1_000_000
#: How long a proof's nonce is remembered after the proof has run out.
NONCE_GRACE_US = 3600 * 1_000_000

log = structlog.get_logger(__name__)


class Store(ABC):
    """Ids are bound as `UUID`s and come back in the database's own form (`id_text` reads both)."""

    dialect: ClassVar[str]
    """`sqlite` or `postgres`: which migrations are its."""

    def __init__(self, vault: Vault, clock: Clock, random_bits: RandomBits = secrets.randbits) -> None:
        self.vault = vault
        self.clock = clock
        self.random_bits = random_bits
        self.kept = Kept(self)
        self._newest_us = 0
        self._alarmed_at: int | None = None
        self._soon: set[asyncio.Task[None]] = set()
        self.told_moved: Callable[[Collection[str]], None] = lambda _: None
        """Is told the organizations whose counters a commit has moved: one of this process, and, where `listen` says so, one
        of another. What rests on it must find out by itself as well."""

    def tell_also(self, told: Callable[[Collection[str]], None]) -> None:
        """`told` is told as well."""
        first = self.told_moved

        def both(org_ids: Collection[str]) -> None:
            first(org_ids)
            told(org_ids)

        self.told_moved = both

    @property
    def is_distributed(self) -> bool:
        """Whether one transaction may touch one organization only."""
        return False

    @property
    def ahead_us(self) -> int:
        """How far the newest position that this process wrote is ahead of the clock."""
        return max(0, self._newest_us - self.clock())

    @abstractmethod
    async def open(self) -> None:
        """Connect, bring the schema up to date under a lock, and check the secret key. Raises StoreError."""

    @abstractmethod
    async def close(self) -> None:
        """Finish what was submitted, then disconnect."""

    @abstractmethod
    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """Rows of one read. Raises StoreUnavailable."""

    @abstractmethod
    async def joined(self, sql: str, columns: str, rows: Sequence[Row]) -> list[Row]:
        """Rows of a read from `wanted`, as `Transaction.joined` has it. Raises StoreUnavailable."""

    @abstractmethod
    async def write(self, *statements: Statement) -> list[Row]:
        """All of the statements in one transaction, durable on return; the rows of the last. Raises StoreUnavailable."""

    def write_soon(self, *statements: Statement) -> None:
        """The same, without anybody waiting: for what may be lost, such as when a key was last used."""
        task = asyncio.create_task(self._write_quietly(statements))
        self._soon.add(task)  # the loop itself keeps no task alive
        task.add_done_callback(self._soon.discard)

    async def _write_quietly(self, statements: tuple[Statement, ...]) -> None:
        try:
            await self.write(*statements)
        except StoreError as error:
            log.info("late_write_lost", error=type(error).__name__)

    async def _written_soon(self) -> None:
        """Wait for what nobody waits for; every `close` begins with it."""
        if self._soon:
            await asyncio.wait(self._soon)

    @abstractmethod
    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """The result of `work`, whose transaction is durable on return. Raises StoreUnavailable and ContentRefused.

        `work` may be called a second time, as long as nothing of the first can have been committed.
        """

    @abstractmethod
    async def record(self, delivery: Delivery) -> Outcome:
        """Store a delivery, exactly once, durable on return. Raises StoreUnavailable."""

    async def leave_no_trace(self) -> bool:
        """What was deleted or overwritten before is no longer in the database's files, as far as that is for us to say.

        False: somebody is still reading it as it was.
        """
        return True

    async def migrated(self) -> bool:
        """Whether the database is reachable and its schema is this code's."""
        try:
            applied = await self.fetch(QUERIES["applied_migrations"])
            known = migrations.available(self.dialect)
            return not migrations.pending([(version, checksum) for version, checksum in applied], known)
        except Exception as error:  # whatever keeps the question from being answered: we are not ready
            log.warning("not_ready", error=type(error).__name__)
            return False

    async def list_inbound(self, query: InboxQuery) -> Page:
        """One page, in the query's direction, of what the organization still keeps."""
        above = await self.kept.above(query.org_id)
        return await self._page(query if query.above >= above else query._replace(above=above))

    async def _page(self, query: InboxQuery) -> Page:
        sql, args = list_statement(query, name_index=self.dialect == "sqlite")
        rows = await self.fetch(sql, *args)
        return Page([message_of(row) for row in rows[: query.limit]], len(rows) > query.limit)

    async def get_inbound(self, org_id: str, message_id: str) -> InboundMessage | None:
        """One message of the organization, if it is still kept."""
        if message_id <= await self.kept.above(org_id):
            return None
        rows = await self.fetch(GET_SQL, UUID(org_id), UUID(message_id))
        return message_of(rows[0]) if rows else None

    async def use_nonce(self, org_id: str, agent_id: str, nonce: bytes, expires_at: int) -> bool:
        """Remember a proof's nonce until `expires_at`; False when it was used already."""
        rows = await self.write(
            # Later than they run out: a clock that is set back must not bring a used proof back.
            (QUERIES["forget_nonces"], (UUID(org_id), self.clock() - NONCE_GRACE_US)),
            (QUERIES["remember_nonce"], (UUID(org_id), UUID(agent_id), nonce, expires_at)),
        )
        return bool(rows)

    async def _check_secret_key(self) -> None:
        mine = self.vault.derive("key check")
        await self.write((QUERIES["keep_installation_value"], ("key_check", mine)))
        rows = await self.fetch(QUERIES["installation_value"], "key_check")
        if not rows or not secrets.compare_digest(bytes(rows[0][0]), mine):
            raise WrongSecretKey(
                "this database's secrets were encrypted with another key: set ROOST_SECRET_KEY to it, or bring back the "
                "secret.key of the data directory it was made with"
            )

    async def listen(self) -> bool:
        """Make sure that other processes' commits are told too; whether they are, or one has to look now and then."""
        return False

    async def stop_listening(self) -> None:  # noqa: B027 - only a database that can tell has something to do here
        """Nobody waits any more."""

    def may_have_moved(self) -> bool:
        """Whether anybody may have committed anything since this was last asked."""
        return True

    def _committed(self, tx: Transaction) -> None:
        """To be called after every commit."""
        self._watch_clock(tx.newest_us)
        if tx.moved:
            self.told_moved(tx.moved)

    def _watch_clock(self, newest_us: int) -> None:
        self._newest_us = max(self._newest_us, newest_us)
        now, ahead_us = self.clock(), self.ahead_us
        if ahead_us > AHEAD_ALARM_US and (self._alarmed_at is None or abs(now - self._alarmed_at) > ALARM_EVERY_US):
            self._alarmed_at = now
            log.error("positions_ahead_of_clock", ahead_seconds=ahead_us // 1_000_000)
