"""The streams of one process: how many there may be, whose credential still holds, and their end."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import structlog

from roost.errors import Refusal
from roost.metrics import STREAM_ENDS, STREAMS
from roost.push.stream import Stream
from roost.store.base import Store
from roost.store.directory import Directory
from roost.store.errors import StoreUnavailable

#: How often it is asked which credentials still hold, so that a revoked one ends its streams within a second.
_CHECK_SECONDS = 0.4
#: What a client is told to wait that finds no room.
_RETRY_AFTER = {"Retry-After": "5"}

log = structlog.get_logger(__name__)


class Bounds(NamedTuple):
    """How many streams may be open."""

    of_process: int
    of_organization: int


DEFAULT_BOUNDS = Bounds(2000, 200)


class Streams:
    """Keeps the streams that are open."""

    def __init__(self, store: Store, bounds: Bounds) -> None:
        self._directory = Directory(store)
        self._bounds = bounds
        self._open: set[Stream] = set()
        self._of_organization: dict[str, int] = {}
        self._checking: asyncio.Task[None] | None = None
        self._stopping = False

    def admit(self, org_id: str) -> None:
        """Refuses one too many: 429 where the organization has enough, 503 where the process has."""
        if self._of_organization.get(org_id, 0) >= self._bounds.of_organization:
            message = f"the organization has {self._bounds.of_organization} streams open; end one, or try again"
            raise Refusal(429, "RATE_LIMITED", message, headers=_RETRY_AFTER)
        if self._stopping or len(self._open) >= self._bounds.of_process:
            raise Refusal(503, "UNAVAILABLE", "this server has no room for another stream now", headers=_RETRY_AFTER)

    @contextmanager
    def opened(self, stream: Stream) -> Iterator[None]:
        """While it is open."""
        org_id = stream.shown.org_id
        self._open.add(stream)
        self._of_organization[org_id] = self._of_organization.get(org_id, 0) + 1
        STREAMS.inc()
        if self._checking is None:
            self._checking = asyncio.create_task(self._check_now_and_then())
        try:
            yield
        finally:
            STREAMS.dec()
            STREAM_ENDS.labels(stream.ended or "failed").inc()
            self._open.discard(stream)
            self._of_organization[org_id] -= 1
            if not self._of_organization[org_id]:
                del self._of_organization[org_id]

    def stop(self) -> None:
        """End all of them, so that their clients resume elsewhere."""
        self._stopping = True
        for stream in list(self._open):
            stream.end("stopped")

    async def close(self) -> None:
        """Check no more."""
        if self._checking is not None:
            self._checking.cancel()
            await asyncio.gather(self._checking, return_exceptions=True)

    async def _check_now_and_then(self) -> None:
        while self._open:
            await asyncio.sleep(_CHECK_SECONDS)
            try:
                asked = set(self._open)
                in_force = await self._directory.in_force({stream.shown for stream in asked})
                for stream in asked:
                    if stream.shown not in in_force:
                        stream.end("revoked")
            except StoreUnavailable:
                pass  # nothing can be read then, either
            except Exception:  # a defect must not end it for everybody: it is told, and tried again
                log.exception("feed_failed")
        self._checking = None
