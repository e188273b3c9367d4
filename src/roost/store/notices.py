"""Notices between processes on one PostgreSQL: which organizations' counters have moved.

They make readers quick, and nothing rests on them. Given only while another process listens, after the commit and beside it:
in the commit itself, NOTIFY lets no two commits happen at once and cut their rate to a third. See decision 0025.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import asyncpg

from roost.store.errors import StoreUnavailable
from roost.store.lines import OUTAGES, Line
from roost.store.sql import load
from roost.store.transaction import Row

_SQL = load("postgres.sql")
_CHANNEL, _LISTENER = "roost_moved", "roost listener "
#: How long it is believed that somebody, or nobody, listens.
_BELIEVED_SECONDS = 1.0
#: One notice for all that moves meanwhile.
_PAUSE_SECONDS = 0.005
#: A payload is shorter than 8000 bytes, and an id has 36 (https://www.postgresql.org/docs/current/sql-notify.html).
_IDS_AT_ONCE = 200


class Notices:
    """`told` is called with the organizations that another process says it moved."""

    def __init__(
        self, url: str, fetch: Callable[..., Awaitable[list[Row]]], told: Callable[[Collection[str]], None]
    ) -> None:
        self._fetch = fetch
        self._told = told
        self._name = _LISTENER + secrets.token_hex(8)
        self._line = Line(url, application_name=self._name)
        self._heard: Any = None
        self._known_at = 0.0
        self._waiting: set[str] = set()
        self._giving: asyncio.Task[None] | None = None
        self._somebody_listens = False
        self._ask_again_at = 0.0

    def give(self, org_ids: Collection[str]) -> None:
        """Tell whoever listens, soon; nobody waits for it."""
        if not self._somebody_listens and time.monotonic() < self._ask_again_at:
            return
        self._waiting.update(org_ids)
        if self._giving is None:
            self._giving = asyncio.create_task(self._give())

    async def listen(self) -> bool:
        """Begin to listen, or see that one still does; whether everybody knows it by now. False where that cannot be."""
        if self._heard is not None and not self._heard.is_closed():
            return time.monotonic() > self._known_at
        try:
            connection = await self._line.connection()
            await connection.add_listener(_CHANNEL, self._hear)
        except OUTAGES:
            await self._line.drop()
            self._heard = None
            return False
        self._heard = connection
        self._known_at = time.monotonic() + 2 * _BELIEVED_SECONDS
        return False

    async def stop_listening(self) -> None:
        """End the connection, so that nobody tells us any more."""
        self._heard = None
        await self._line.drop()

    async def close(self) -> None:
        """Tell nothing more, and hear nothing more."""
        if self._giving is not None:
            self._giving.cancel()
            await asyncio.gather(self._giving, return_exceptions=True)
        await self.stop_listening()

    def _hear(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        name, *org_ids = payload.split(",")
        if name != self._name:
            self._told(org_ids)

    async def _give(self) -> None:
        try:
            while self._waiting:
                if time.monotonic() >= self._ask_again_at:
                    [(self._somebody_listens,)] = await self._fetch(_SQL["listeners"], _LISTENER, self._name)
                    self._ask_again_at = time.monotonic() + _BELIEVED_SECONDS
                moved, self._waiting = sorted(self._waiting), set()
                if self._somebody_listens:
                    pieces = [moved[first : first + _IDS_AT_ONCE] for first in range(0, len(moved), _IDS_AT_ONCE)]
                    await self._fetch(_SQL["give_notice"], [",".join((self._name, *piece)) for piece in pieces])
                await asyncio.sleep(_PAUSE_SECONDS)
        except (StoreUnavailable, asyncpg.PostgresError):
            self._waiting.clear()  # whoever listens looks by itself as well
        finally:
            self._giving = None
