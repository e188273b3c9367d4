"""All that is pushed by one process, put together."""

from collections.abc import Sequence
from typing import NamedTuple

from roost.api.auth import Authenticator
from roost.api.routes import Route
from roost.push.events import EventRoutes
from roost.push.feeds import Feeds
from roost.push.streams import Bounds, Streams
from roost.push.waiting import Waiting
from roost.store.base import Store


class PushSettings(NamedTuple):
    """What can be set about it."""

    heartbeat_seconds: float = 15.0
    max_streams: int = 2000
    max_streams_per_org: int = 200


class Push:
    """`stop` it when the server is told to stop, and `close` it before the store."""

    def __init__(self, store: Store, settings: PushSettings = PushSettings()) -> None:  # noqa: B008 - it never changes
        self._store = store
        self._settings = settings
        self._feeds = Feeds(store)
        self._streams = Streams(store, Bounds(settings.max_streams, settings.max_streams_per_org))
        self.waiting = Waiting(store, self._feeds)

    def routes(self, authenticator: Authenticator) -> Sequence[Route]:
        """The routes that push."""
        heartbeat = self._settings.heartbeat_seconds
        return EventRoutes(self._store, authenticator, self._feeds, self._streams, heartbeat).routes()

    def stop(self) -> None:
        """Answer everybody who waits, and end every stream: their clients go on elsewhere."""
        self._streams.stop()
        self.waiting.stop()

    async def close(self) -> None:
        """Read nothing more."""
        await self._streams.close()
        await self._feeds.close()
