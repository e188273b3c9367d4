"""One live stream: what was missed is read from the log as fast as the client takes it, what comes is handed on as it comes.

No more is kept for a client that does not read than a bound; then it is cut off, and resumes from the last id that it has.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Literal, NamedTuple

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from roost.core.events import Interest
from roost.metrics import STREAM_EVENTS
from roost.push.feeds import Feeds, Offered
from roost.push.frames import HEARTBEAT, frame_of, opening
from roost.store.base import Store
from roost.store.directory import Shown
from roost.store.errors import StoreUnavailable
from roost.store.event_log import Stretch, read_log
from roost.wire.exchange import Connection

#: What may wait for a client that does not read, and how long it may take nothing at all.
MAX_FRAMES, MAX_BYTES, STALLED_SECONDS = 256, 1 << 20, 30.0
#: What was said last may take so long to reach a client before its connection is ended.
_LAST_SECONDS = 2.0
_AT_ONCE = 100
_AGAIN_SECONDS = 0.5

End = Literal["client", "slow", "revoked", "stopped"]

_START: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),  # nginx would collect what it should hand on
        (b"connection", b"close"),
    ],
}


class Asked(NamedTuple):
    """What a stream is of: the events after an id that somebody wants, of the organization of what they showed."""

    shown: Shown
    after: str
    interest: Interest


class Manner(NamedTuple):
    """How it is kept up: after how long a silence something is said, and how soon who is cut off may come again."""

    heartbeat_seconds: float
    retry_ms: int


class Stream(Response):
    """The answer that lasts. `end` ends it from outside; `ended` says why it ended. `opened` is entered while it lasts."""

    def __init__(
        self,
        store: Store,
        feeds: Feeds,
        asked: Asked,
        manner: Manner,
        opened: Callable[["Stream"], AbstractContextManager[None]],
    ) -> None:
        super().__init__()
        self._store = store
        self._feeds = feeds
        self._org_id = asked.shown.org_id
        self._at = asked.after
        self._manner = manner
        self._opened = opened
        self.shown = asked.shown
        self.interest = asked.interest
        self.ended: End | None = None
        self._frames: deque[tuple[str, bytes]] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()
        self._is_blocked = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._send = send
        self._connection: Connection = scope["roost.connection"]
        self._connection.when_lost(lambda: self.end("client"))
        began = time.perf_counter()
        try:
            with self._opened(self):
                await send({**_START, "headers": list(_START["headers"])})  # who sends it adds to them
                if scope["method"] != "HEAD":
                    await self._write(opening(self._at, self._manner.retry_ms))
                    await self._catch_up()
                    await self._go_on()
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._feeds.leave(self._org_id, self)
            self._connection.when_lost(None)
            scope["roost.waited"] = time.perf_counter() - began

    def offer(self, offered: Offered) -> None:
        if self.ended is None:
            self._frames.append((offered.event.id, offered.frame))
            self._bytes += len(offered.frame)
            self._changed.set()
            if self._is_blocked and (len(self._frames) > MAX_FRAMES or self._bytes > MAX_BYTES):
                self.end("slow")

    def end(self, reason: End) -> None:
        """Write nothing more. Who reads along gets a proper end; who does not is cut off."""
        if self.ended is None:
            self.ended = reason
            self._changed.set()
            if self._is_blocked:
                self._connection.abort()
            else:
                asyncio.get_running_loop().call_later(_LAST_SECONDS, self._connection.abort)

    async def _catch_up(self) -> None:
        """Write what came since `_at`, and follow from there on."""
        joined_at: str | None = None
        while self.ended is None and (joined_at is None or self._at < joined_at):
            stretch = await self._read()
            if stretch is None:
                await self._rest()
                continue
            await self._write_frames([(event.id, frame_of(event, self._feeds.urls)) for event in stretch.events])
            self._at = max(self._at, stretch.through)
            if joined_at is None and not stretch.has_more and self.ended is None:
                joined_at = await self._join()

    async def _go_on(self) -> None:
        """Write what is offered, as it comes."""
        while self.ended is None:
            self._changed.clear()
            if self._frames:
                frames = list(self._frames)
                self._frames.clear()
                self._bytes = 0
                await self._write_frames(frames)
            elif not await self._has_changed(self._manner.heartbeat_seconds):
                await self._write(HEARTBEAT)

    async def _read(self) -> Stretch | None:
        """None while the database is away."""
        try:
            return await read_log(self._store, self._org_id, self._at, _AT_ONCE, self.interest)
        except StoreUnavailable:
            return None

    async def _join(self) -> str | None:
        try:
            return await self._feeds.join(self._org_id, self)
        except StoreUnavailable:
            return None

    async def _rest(self) -> None:
        await self._write(HEARTBEAT)
        await self._has_changed(_AGAIN_SECONDS)

    async def _has_changed(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def _write_frames(self, frames: list[tuple[str, bytes]]) -> None:
        """Those that are not written yet: what is offered while it is read may be among what is read."""
        new = [frame for event_id, frame in frames if event_id > self._at]
        if new:
            await self._write(b"".join(new))
            STREAM_EVENTS.inc(len(new))
            self._at = max(self._at, frames[-1][0])

    async def _write(self, data: bytes) -> None:
        self._is_blocked = True
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await self._send({"type": "http.response.body", "body": data, "more_body": True})
        except TimeoutError:
            self.end("slow")
        finally:
            self._is_blocked = False
