"""The copier: takes media that are due, fetches each where its carrier has it, and keeps it.

One runs in each server process, beside the worker that sends.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping

import structlog

from roost.api.auth import ShortCache
from roost.carriers.contract import Carrier
from roost.carriers.registry import CARRIERS
from roost.core.account import CarrierAccount
from roost.core.ids import position_of
from roost.core.media import next_fetch
from roost.core.sniffing import media_type
from roost.media.fetch import Fetcher, FetchFailed
from roost.metrics import MEDIA_FETCHES
from roost.store.base import Store
from roost.store.directory import Directory
from roost.store.errors import StoreUnavailable
from roost.store.media import (
    LeasedMedium,
    lease_media,
    organizations_with_due_media,
    settle_not_had,
    settle_stored,
)
from roost.store.media_objects import Content
from roost.store.objects import Objects, ObjectsUnavailable

#: Media in flight, in all and of one organization; each is in memory while it is copied.
SLOTS, SHARE = 8, 4
#: Without being woken it looks again after this time: for what other processes left, and what waits to be tried again.
_REST_SECONDS = 2.0
#: What is in flight may take this long to finish once we are told to stop; what does not is fetched once more.
GRACE_SECONDS = 5.0
_CHANCES = 1 << 30

log = structlog.get_logger(__name__)


class Copier:
    """Start with `start`, in a running loop; `wake` when a text with media came; `stop` before the store is closed."""

    def __init__(
        self, store: Store, objects: Objects, fetcher: Fetcher, carriers: Mapping[str, Carrier] = CARRIERS
    ) -> None:
        self._store = store
        self._objects = objects
        self._fetcher = fetcher
        self._carriers = carriers
        self._accounts: ShortCache[CarrierAccount] = ShortCache(Directory(store).carrier_account)
        self._woken = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._in_flight: dict[asyncio.Task[None], str] = {}
        self._stopping = False

    def start(self) -> None:
        """Begin to take what is due."""
        self._running = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Something may be due."""
        self._woken.set()

    def stop_soon(self) -> None:
        """Take nothing more; what is in flight goes on."""
        self._stopping = True
        self.wake()

    async def stop(self) -> None:
        """Take nothing more, and finish what is nearly done."""
        self.stop_soon()
        if self._running is not None:
            await self._running
        if self._in_flight:
            _, late = await asyncio.wait(self._in_flight, timeout=GRACE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._fetcher.close()

    async def idle(self) -> None:
        """Return once nothing is in flight."""
        while self._in_flight:
            await asyncio.wait(self._in_flight)

    async def take_due(self) -> None:
        """Lease from each organization with anything due, as far as there is room: those first that have least in flight."""
        if len(self._in_flight) >= SLOTS:
            return
        due = await organizations_with_due_media(self._store)
        busy = Counter(self._in_flight.values())
        for org_id in sorted(due, key=lambda org_id: busy[org_id]):
            limit = min(SLOTS - len(self._in_flight), SHARE - busy[org_id])
            if limit > 0 and not self._stopping:
                for leased in await lease_media(self._store, org_id, limit):
                    task = asyncio.create_task(self._copy(leased))
                    self._in_flight[task] = org_id
                    task.add_done_callback(self._ended)

    async def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                await self.take_due()
            except StoreUnavailable as error:
                log.error("store_unavailable", error=type(error).__name__)
            except Exception:  # a defect must not end copying for everybody: it is told, and tried again
                log.exception("copier_failed")
            try:
                async with asyncio.timeout(_REST_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._in_flight[task]
        error = None if task.cancelled() else task.exception()
        if isinstance(error, StoreUnavailable):  # its lease runs out, and it is fetched once more
            log.error("store_unavailable", error=type(error).__name__)
        elif error is not None:
            log.error("copier_failed", exc_info=error)
        self.wake()

    async def _copy(self, leased: LeasedMedium) -> None:
        """Fetch it, keep it, and settle what became of it."""
        account = await self._accounts.get(leased.carrier_account_id)
        carrier = self._carriers.get(account.carrier) if account else None
        name, outcome = carrier.NAME if carrier else "none", "lost"

        def credential(url: str) -> tuple[str, str] | None:
            return carrier.media_auth(url, account) if carrier and account else None

        try:
            content = await self._fetcher.fetch(leased.url, credential)
            await self._objects.put(leased.org_id, leased.lease, content)
            what = Content(hashlib.sha256(content).digest(), media_type(content), len(content))
            outcome = "stored" if await settle_stored(self._store, leased, what) else "lost"
        except FetchFailed as error:
            outcome = await self._not_had(leased, error.reason, error.retry_after)
        except ObjectsUnavailable as error:
            log.error("objects_unavailable", error=str(error))
            outcome = await self._not_had(leased, "not_kept", None)
        finally:
            MEDIA_FETCHES.labels(name, outcome).inc()

    async def _not_had(self, leased: LeasedMedium, reason: str, retry_after: float | None) -> str:
        message_at, now = position_of(leased.message_id), self._store.clock()
        chance = self._store.random_bits(30) / _CHANCES
        again_at = next_fetch(reason, leased.attempts, message_at, now, retry_after, chance)
        if not await settle_not_had(self._store, leased, reason, again_at):
            return "lost"
        if again_at is not None:
            return "again"
        log.warning("medium_failed", message_id=leased.message_id, nth=leased.nth, reason=reason)
        return "failed"
