"""The worker: takes what the outbox has due, hands it to the carriers, and settles what became of it.

One runs in each server process. It never waits for one organization to serve another, and what it was told to stop amid is
finished or left queued.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any

import structlog

from roost.api.auth import ShortCache
from roost.api.policies import policy_for
from roost.carriers.contract import Accepted, Carrier, OutgoingText, SendFailed, Withdrawn
from roost.carriers.outside import Outside
from roost.carriers.registry import CARRIERS
from roost.core.account import CarrierAccount
from roost.core.media_urls import URL_KEY, MediaUrls
from roost.metrics import OUTBOX, SEND_ATTEMPTS
from roost.store.base import Store
from roost.store.committer import GroupCommitter
from roost.store.directory import Directory
from roost.store.errors import ContentRefused, StoreUnavailable
from roost.store.group import Delivery
from roost.store.outbox import Leased, depth, due_organizations, has_rival, its_own, last_looks, lease
from roost.store.parts import overdue
from roost.store.settling import (
    Settle,
    settle_accepted,
    settle_all,
    settle_found,
    settle_not_sent,
    settle_refused,
    settle_uncertain,
    settle_unsent,
)

#: Messages in flight: in all, and of one organization. A lease of PostgreSQL's costs several exchanges, whatever its size; one
#: of SQLite's costs nothing but its rows, and in small ones others get their turn sooner.
SLOTS, SHARES = 256, {"sqlite": 16, "postgres": 64}
#: Without being woken it looks again after this time: other processes queue too, and what waits becomes due.
_REST_SECONDS = 1.0
#: What is in flight may take this long to finish once we are told to stop: longer than any request.
GRACE_SECONDS = 20.0
_ROUND_EVERY_SECONDS = 15.0

log = structlog.get_logger(__name__)


class Worker:
    """Start with `start`, in a running loop; `wake` when something was queued; `stop` before the store is closed."""

    def __init__(
        self,
        store: Store,
        outside: Outside,
        carriers: Mapping[str, Carrier] = CARRIERS,
        *,
        slots: int = SLOTS,
        public_url: str | None = None,
    ) -> None:
        """`public_url` is where carriers fetch our media; None: as the settings say."""
        self._store = store
        self._outside = outside
        self._carriers = carriers
        self._slots = slots
        self._share = SHARES[store.dialect]
        config = outside.config
        self._media_urls = MediaUrls(public_url or config.public_url or config.local_url, store.vault.derive(URL_KEY))
        self._woken = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._in_flight: dict[asyncio.Task[None], str] = {}
        self._next_at: dict[str, int] = {}
        self._settlers: dict[str, GroupCommitter[tuple[Leased, Settle], bool]] = {}
        self._looks: GroupCommitter[Leased, str | None] = GroupCommitter(partial(last_looks, store))
        self._accounts: ShortCache[CarrierAccount] = ShortCache(Directory(store).carrier_account)
        self._looked_at = float("-inf")
        self._stopping = False

    def start(self) -> None:
        """Begin to take what is due."""
        self._running = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Something was queued, or may be sent again."""
        self._woken.set()

    def stop_soon(self) -> None:
        """Take nothing more; what is in flight goes on."""
        self._stopping = True
        self.wake()

    async def stop(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Take nothing more, and finish what is in flight; what takes longer is left, perhaps sent."""
        self.stop_soon()
        if self._running is not None:
            await self._running
        try:
            async with asyncio.timeout(grace_seconds):
                await self.idle()
        except TimeoutError:
            for task in self._in_flight:
                task.cancel()
            await asyncio.gather(*self._in_flight, return_exceptions=True)
        for settler in self._settlers.values():
            await settler.close()

    async def idle(self) -> None:
        """Return once nothing is in flight: everything taken so far is settled."""
        while self._in_flight:
            await asyncio.wait(self._in_flight)

    async def take_due(self) -> None:
        """Lease from each organization with anything due, as far as there is room: those first that have least in flight."""
        if len(self._in_flight) >= self._slots:
            return
        due = await due_organizations(self._store)
        now = self._store.clock()
        self._next_at = {org_id: at for org_id, at in self._next_at.items() if at > now}
        busy = Counter(self._in_flight.values())
        for nth, org_id in enumerate(sorted(due, key=lambda org_id: busy[org_id])):
            fair = -(-(self._slots - len(self._in_flight)) // (len(due) - nth))
            limit = min(fair, self._share - busy[org_id])
            if limit > 0 and not self._stopping:
                await self._take(org_id, limit)

    async def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                await self._look_round()
                await self.take_due()
            except StoreUnavailable as error:
                log.error("store_unavailable", error=type(error).__name__)
                await asyncio.sleep(_REST_SECONDS)
            except Exception:  # a defect must not end sending for everybody: it is told, and tried again
                log.exception("worker_failed")
                await asyncio.sleep(_REST_SECONDS)
            await self._rest()

    async def _rest(self) -> None:
        soon = min(self._next_at.values(), default=None)
        full = len(self._in_flight) >= self._slots
        seconds = _REST_SECONDS if soon is None or full else (soon - self._store.clock()) / 1_000_000
        try:
            async with asyncio.timeout(min(max(seconds, 0.001), _REST_SECONDS)):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _take(self, org_id: str, limit: int) -> None:
        batch = await lease(self._store, org_id, limit, self._outside.config.segments_per_second)
        if batch.expired:
            log.warning("leases_ran_out", org_id=org_id, count=batch.expired)
        if batch.next_at is not None:
            self._next_at[org_id] = batch.next_at
        for leased in batch.to_send:
            self._begin(leased, self._send(leased))
        for leased in batch.to_look_up:
            self._begin(leased, self._look_up(leased))

    def _begin(self, leased: Leased, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._in_flight[task] = leased.org_id
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._in_flight[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("worker_failed", exc_info=error)
        self.wake()

    async def _send(self, leased: Leased) -> None:
        await self._settle(leased, await self._try(leased))

    async def _try(self, leased: Leased) -> Settle:
        """Hand it over, unless it is not wanted any more; what is to be done about it then."""
        carrier_name, outcome = "none", "refused"
        try:
            account = await self._accounts.get(leased.carrier_account_id)
            carrier = self._carriers.get(account.carrier) if account else None
            if account is None or carrier is None or not carrier.can_send(account):
                return partial(
                    settle_refused, leased=leased, code="RECEIVE_ONLY", description="the carrier account cannot send"
                )
            carrier_name = carrier.NAME
            accepted = await self._hand_over(carrier, leased, account)
            outcome = "accepted"
            return partial(
                settle_accepted,
                leased=leased,
                carrier_message_id=accepted.carrier_message_id,
                receipts=accepted.receipts,
                opted_out_codes=carrier.OPTED_OUT_CODES,
            )
        except Withdrawn as withdrawn:
            outcome = "withdrawn"
            return partial(settle_unsent, leased=leased, reason=withdrawn.reason)
        except StoreUnavailable:
            outcome = "not_sent"
            return self._not_sent(leased, SendFailed("not_sent", "STORE_UNAVAILABLE", "the database was away"))
        except SendFailed as error:
            outcome = error.outcome
            if outcome != "not_sent":
                log.warning("send_failed", message_id=leased.message_id, carrier=carrier_name, outcome=outcome)
            return self._settlement_of(leased, error)
        finally:
            SEND_ATTEMPTS.labels(carrier_name, outcome).inc()

    async def _hand_over(self, carrier: Carrier, leased: Leased, account: CarrierAccount) -> Accepted:
        try:
            return await carrier.send(self._text(leased), account, self._outside, partial(self._look, leased))
        except (SendFailed, Withdrawn, StoreUnavailable):
            raise
        except Exception:  # a defect in a carrier's file: how far it came is not known
            log.exception("worker_failed", message_id=leased.message_id)
            raise SendFailed("uncertain", "DEFECT", "a defect") from None

    async def _look(self, leased: Leased) -> None:
        """What asks while a read is under way shares the next one, which begins later: each sees all that was stored before."""
        reason = await self._looks.submit(leased)
        if reason is not None:
            raise Withdrawn(reason)

    def _settlement_of(self, leased: Leased, error: SendFailed) -> Settle:
        if error.outcome == "uncertain":
            return partial(settle_uncertain, leased=leased)
        if error.outcome == "not_sent":
            return self._not_sent(leased, error)
        return partial(
            settle_refused,
            leased=leased,
            code=error.code,
            description=error.description,
            is_opted_out=error.opted_out,
        )

    def _not_sent(self, leased: Leased, error: SendFailed) -> Settle:
        return partial(
            settle_not_sent,
            leased=leased,
            code=error.code,
            description=error.description,
            retry_after=error.retry_after,
            chance=self._store.random_bits(30),
        )

    async def _look_up(self, leased: Leased) -> None:
        """Ask the carrier's own record about a text that was perhaps sent."""
        account = await self._accounts.get(leased.carrier_account_id)
        carrier = self._carriers.get(account.carrier) if account else None
        if account is None or carrier is None or not carrier.can_send(account) or await has_rival(self._store, leased):
            return
        try:
            recorded = await carrier.look_up(self._text(leased), leased.leased_at, account, self._outside)
        except SendFailed:
            return
        found = await its_own(self._store, leased, recorded)
        if found is not None:
            await self._settle(leased, partial(settle_found, leased=leased, carrier_message_id=found))
            log.info("found_at_carrier", message_id=leased.message_id, carrier=carrier.NAME)

    async def _settle(self, leased: Leased, settle: Settle) -> None:
        """Until it is stored: a database that is away for a while does not make a sent text uncertain."""
        while True:
            try:
                await self._settler(leased.org_id).submit((leased, settle))
                return
            except StoreUnavailable:
                if self._stopping:
                    raise
                await asyncio.sleep(_REST_SECONDS)
            except ContentRefused:
                # What the carrier said cannot be stored; that something was said is enough.
                log.exception("unstorable", message_id=leased.message_id)
                settle = partial(settle_uncertain, leased=leased)

    def _settler(self, org_id: str) -> GroupCommitter[tuple[Leased, Settle], bool]:
        """PostgreSQL joins the flushes of transactions by itself, and may be distributed by organization; SQLite is not."""
        owner = org_id if self._store.dialect == "postgres" else ""
        settler = self._settlers.get(owner)
        if settler is None:
            settler = self._settlers[owner] = GroupCommitter(partial(settle_all, self._store))
        return settler

    async def _look_round(self) -> None:
        if time.monotonic() - self._looked_at > _ROUND_EVERY_SECONDS:
            self._looked_at = time.monotonic()
            for state, count in (await depth(self._store)).items():
                OUTBOX.labels(state).set(count)
            await self.make_overdue()

    async def make_overdue(self) -> None:
        """Make messages of the parts of texts that have waited too long for the others."""
        now = self._store.clock()
        for org_id, account_id in await overdue(self._store, now):
            account = await self._accounts.get(account_id)
            if account is not None:
                policy = await policy_for(self._store, account)
                await self._store.record(Delivery(org_id, account_id, [], [], [], policy, overdue_at=now))
                log.info("incomplete_texts", org_id=org_id, account_id=account_id)

    def _text(self, leased: Leased) -> OutgoingText:
        now = self._store.clock()
        return OutgoingText(
            leased.message_id,
            leased.from_number,
            leased.to_number,
            leased.body,
            self._media_urls.to_fetch(leased.org_id, leased.message_id, leased.media, now),
            leased.priority == "high",
        )
