"""All that is pushed by one process, put together."""

import asyncio
from collections.abc import Sequence

from roost.api.auth import Authenticator
from roost.api.idempotency import Idempotency
from roost.api.routes import Route
from roost.core.media_urls import MediaUrls
from roost.push.claiming import Claiming
from roost.push.claims import ClaimRoutes
from roost.push.events import EventRoutes, Following
from roost.push.feeds import Feeds
from roost.push.streams import DEFAULT_BOUNDS, Bounds, Streams
from roost.push.waiting import Waiting
from roost.store.base import Store

HEARTBEAT_SECONDS = 15.0


class Push:
    """`stop` it when the server is told to stop, and `close` it before the store."""

    def __init__(
        self,
        store: Store,
        urls: MediaUrls,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        bounds: Bounds = DEFAULT_BOUNDS,
    ) -> None:
        self._store = store
        self._urls = urls
        self._feeds = Feeds(store, urls)
        self._streams = Streams(store, bounds)
        self.following = Following(store, self._feeds, self._streams, heartbeat_seconds)
        self.waiting = Waiting(store, self._feeds)
        self._claiming = Claiming(store, self._feeds)
        self.stopping = asyncio.Event()

    def routes(self, authenticator: Authenticator, idempotency: Idempotency) -> Sequence[Route]:
        """The routes that push."""
        events = EventRoutes(authenticator, self.following)
        claims = ClaimRoutes(self._store, authenticator, idempotency, self._claiming, self._urls)
        return [*events.routes(), *claims.routes()]

    def stop(self) -> None:
        """Answer everybody who waits, and end every stream: their clients go on elsewhere."""
        self.stopping.set()
        self._streams.stop()
        self.waiting.stop()
        self._claiming.stop()

    async def close(self) -> None:
        """Read nothing more."""
        await self._streams.close()
        await self._claiming.close()
        await self._feeds.close()
