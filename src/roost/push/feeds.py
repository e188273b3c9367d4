"""Feeds: each reads the log of one organization once for all who follow it, and offers each event to whoever wants it.

A wake-up only says that there may be something to read. What there is, is read from the database after the last place that
was read, and so nothing is missed or seen twice, however late or often one wakes up. See decision 0025.
"""

import asyncio
import time
from collections.abc import Collection, Iterator
from typing import Protocol

import structlog

from roost.core.events import EVERYTHING, AccountEvent, ConsentChanged, Event, Interest
from roost.core.ids import floor_of, position_of
from roost.core.media_urls import MediaUrls
from roost.push.frames import frame_of
from roost.store.base import Store
from roost.store.errors import StoreUnavailable
from roost.store.event_log import last_positions, read_log

#: Lists have the texts of blocked senders too, and whoever waits for a list is told of them.
_ALL = EVERYTHING._replace(blocked=True)
_AT_ONCE = 100
#: How long the place of a feed that nobody follows is remembered: pollers come again.
_LINGER_SECONDS = 60.0
#: How soon the counters are looked at where nobody tells that they moved, and where somebody does.
_LOOK_SECONDS, _LOOK_AFTER_ALL_SECONDS = {"sqlite": 0.02, "postgres": 0.1}, 1.0
#: How soon what could not be read is read again.
_AGAIN_SECONDS = 0.5
#: Looking takes no more than this part of the time.
_SHARE = 20

log = structlog.get_logger(__name__)


class Offered:
    """An event on its way to all who want it, written once."""

    __slots__ = ("_frame", "_urls", "event")

    def __init__(self, event: Event, urls: MediaUrls) -> None:
        self.event = event
        self._urls = urls
        self._frame: bytes | None = None

    @property
    def frame(self) -> bytes:
        """As it stands in a stream."""
        if self._frame is None:
            self._frame = frame_of(self.event, self._urls)
        return self._frame


class Follower(Protocol):
    """Who follows. `offer` is called with each wanted event after the place at which it joined, in order; it does not wait."""

    @property
    def interest(self) -> Interest: ...

    def offer(self, offered: Offered) -> None: ...


class Feeds:
    """The feeds of one process. `moved` is for the store to call."""

    def __init__(self, store: Store, urls: MediaUrls) -> None:
        self._store = store
        self.urls = urls
        self._feeds: dict[str, Feed] = {}
        self._looking: asyncio.Task[None] | None = None
        self._unsure = False
        store.tell_also(self.moved)

    async def join(self, org_id: str, follower: Follower) -> str:
        """Follow an organization; the id after which events are offered. Raises StoreUnavailable."""
        while True:
            feed = self._feeds.get(org_id)
            if feed is None or feed.is_behind:
                feed = self._feeds[org_id] = Feed(self._store, org_id, self.urls)
            if self._looking is None:
                self._looking = asyncio.create_task(self._look_now_and_then())
            await feed.opened()
            if self._feeds.get(org_id) is feed:
                return feed.add(follower)

    def leave(self, org_id: str, follower: Follower) -> None:
        """Follow no more."""
        feed = self._feeds.get(org_id)
        if feed is not None:
            feed.remove(follower)

    def moved(self, org_ids: Collection[str]) -> None:
        """There may be something new of these."""
        if self._feeds:
            for org_id in org_ids:
                feed = self._feeds.get(org_id)
                if feed is not None:
                    feed.moved()

    async def close(self) -> None:
        """Read nothing more."""
        tasks = [task for task in (self._looking, *(feed.reading for feed in self._feeds.values())) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_now_and_then(self) -> None:
        """So that nothing rests on being told: other processes write too, and what they tell may be lost."""
        while self._feeds:
            is_told = await self._store.listen()
            began = time.monotonic()
            try:
                await self._look()
            except StoreUnavailable:
                is_told = False
            except Exception:  # a defect must not end it for everybody: it is told, and tried again
                log.exception("feed_failed")
            took = time.monotonic() - began
            rest = _LOOK_AFTER_ALL_SECONDS if is_told else _LOOK_SECONDS[self._store.dialect]
            await asyncio.sleep(max(rest, took * _SHARE))
            if not self._feeds:
                await self._store.stop_listening()
        self._looking = None

    async def _look(self) -> None:
        too_old = time.monotonic() - _LINGER_SECONDS
        for org_id in [org_id for org_id, feed in self._feeds.items() if feed.is_left_since(too_old)]:
            del self._feeds[org_id]
        # Remembered until it was looked at with success: what has moved is said once.
        self._unsure |= self._store.may_have_moved()
        if self._unsure:
            for org_id, last_us in (await last_positions(self._store, list(self._feeds))).items():
                feed = self._feeds.get(org_id)
                if feed is not None and feed.through is not None and position_of(feed.through) <= last_us:
                    feed.moved()
            self._unsure = False


class Feed:
    """The log of one organization, read from a place onwards as long as anybody follows it."""

    def __init__(self, store: Store, org_id: str, urls: MediaUrls) -> None:
        self._store = store
        self._org_id = org_id
        self._urls = urls
        self.through: str | None = None
        """All events up to here have been offered; None until it is known where that is."""
        self.reading: asyncio.Task[None] | None = None
        self._has_moved = False
        self._followers: dict[tuple[str | None, str | None], set[Follower]] = {}
        self._left_at = time.monotonic()
        self._opening: asyncio.Task[None] | None = None

    @property
    def is_behind(self) -> bool:
        """Nobody follows it, and it has not read on: to begin anew costs less than to read what nobody wants."""
        return self._has_moved and not self._followers and self.through is not None

    def is_left_since(self, monotonic: float) -> bool:
        """Whether nobody has followed it since then."""
        return not self._followers and self._left_at < monotonic

    async def opened(self) -> None:
        """Return once it is known where it is."""
        if self.through is None:
            if self._opening is None:
                self._opening = asyncio.create_task(self._open())
            await asyncio.shield(self._opening)

    def add(self, follower: Follower) -> str:
        """The id after which events are offered."""
        assert self.through is not None, "it is open"
        self._followers.setdefault(_bucket(follower.interest), set()).add(follower)
        if self._has_moved:
            self.moved()
        return self.through

    def remove(self, follower: Follower) -> None:
        bucket = _bucket(follower.interest)
        followers = self._followers.get(bucket, set())
        followers.discard(follower)
        if not followers:
            self._followers.pop(bucket, None)
            self._left_at = time.monotonic()

    def moved(self) -> None:
        """There may be something to read."""
        self._has_moved = True
        if self.reading is None and self._followers and self.through is not None:
            self.reading = asyncio.create_task(self._read())

    async def _open(self) -> None:
        try:
            last = await last_positions(self._store, [self._org_id])
        finally:
            self._opening = None
        self.through = floor_of(last.get(self._org_id, 0) + 1)

    async def _read(self) -> None:
        try:
            while self._has_moved and self._followers and self.through is not None:
                self._has_moved = False
                stretch = await read_log(self._store, self._org_id, self.through, _AT_ONCE, _ALL)
                self._has_moved |= stretch.has_more
                self.through = stretch.through
                for event in stretch.events:
                    self._offer(Offered(event, self._urls))
                await asyncio.sleep(0)  # whoever was offered something takes it before there is more
        except StoreUnavailable:
            self._again_later()
        except Exception:  # a defect must not end it for everybody: it is told, and tried again
            log.exception("feed_failed")
            self._again_later()
        finally:
            self.reading = None

    def _again_later(self) -> None:
        self._has_moved = True
        asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self.moved)

    def _offer(self, offered: Offered) -> None:
        for bucket in _buckets(offered.event):
            for follower in list(self._followers.get(bucket, ())):
                if follower.interest.matches(offered.event):
                    follower.offer(offered)


def _bucket(interest: Interest) -> tuple[str | None, str | None]:
    """Followers are kept by the two filters of which there are many values, so that most are not even asked."""
    return interest.agent_id, interest.from_number


def _buckets(event: Event) -> Iterator[tuple[str | None, str | None]]:
    yield None, None
    if not isinstance(event, ConsentChanged | AccountEvent):
        agent_id, from_number = event.message.agent_id, event.message.from_number
        yield None, from_number
        if agent_id is not None:
            yield agent_id, None
            yield agent_id, from_number
