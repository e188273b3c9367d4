"""Telling an endpoint of an event, once: what is sent, and with which signatures."""

import hashlib

import structlog

from roost.api.auth import ShortCache
from roost.core.events import Event
from roost.core.media_urls import MediaUrls
from roost.core.webhooks import Attempt
from roost.push.envelope import encode
from roost.push.webhooks.poster import Poster
from roost.push.webhooks.signing import signed_headers
from roost.store.base import Store
from roost.store.errors import StoreUnavailable
from roost.store.webhook_endpoints import Webhooks
from roost.store.webhook_queue import Job
from roost.store.webhook_settling import Tried

log = structlog.get_logger(__name__)


class Teller:
    """Over one store and one way out."""

    def __init__(self, store: Store, urls: MediaUrls, poster: Poster) -> None:
        self._store = store
        self._urls = urls
        self._poster = poster
        self._webhooks = Webhooks(store)
        self._secrets: ShortCache[tuple[str, ...]] = ShortCache(self._secrets_of)

    async def tell(self, job: Job, event: Event | None) -> Tried:
        """What became of it; without an event there is nothing to tell any more. Raises StoreUnavailable."""
        if event is None:
            return Tried(job, None, why="the event is gone")
        try:
            return await self._post(job, event)
        except StoreUnavailable:
            raise
        except Exception:  # a defect is tried again as seldom as any failure
            log.exception("deliverer_failed")
            return Tried(job, Attempt(self._store.clock(), None, 0, error="a defect of this server; its log says more"))

    async def close(self) -> None:
        """Close what is open."""
        await self._poster.close()

    async def _post(self, job: Job, event: Event) -> Tried:
        owner = job.target.id if job.target.kind == "organization" else job.target.org_id
        secrets = await self._secrets.get(f"{job.target.org_id} {owner}")
        assert secrets, "it is made where there is none"
        body = encode(event, self._urls, None if job.event_id == job.source_id else job.event_id)
        headers = signed_headers(job.event_id, self._store.clock(), body, secrets)
        attempt = await self._poster.post(job.url, headers, body)
        return Tried(job, attempt, hashlib.sha256(body).digest(), len(body))

    async def _secrets_of(self, key: str) -> tuple[str, ...]:
        org_id, _, owner = key.partition(" ")
        return await self._webhooks.secrets(org_id, owner)
