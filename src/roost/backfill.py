"""Back-fill: carriers that hardly try again are asked, from their own record, for what arrived while we were away.

Twilio delivers once, Plivo for seven minutes. What was delivered after all is known by the carrier's id and stored once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import structlog

from roost.api.policies import policy_for
from roost.carriers.contract import SendFailed
from roost.carriers.outside import Outside
from roost.carriers.registry import CARRIERS
from roost.core.account import CarrierAccount
from roost.core.message import CarrierEvent, InboundEvent, PartEvent
from roost.core.retention import kept_since
from roost.intake import delivery_of, store_safely
from roost.metrics import BACKFILLED
from roost.store.backfills import Backfills, ListedAccount
from roost.store.base import Store
from roost.store.directory import Directory
from roost.store.errors import StoreUnavailable
from roost.store.group import Policy

#: Not at start alone: a text is missed as well while the database or the way to us is away.
EVERY_SECONDS = 3600.0
#: Before what was read last: the carrier's clock is not ours, and its record may be late.
MARGIN_US = 1800 * 1_000_000
#: So many are put in order before they are stored; a record that does not end is left after so many pages.
_HELD, _AT_ONCE, _MAX_PAGES = 20_000, 50, 5_000

log = structlog.get_logger(__name__)


class Filled(NamedTuple):
    """What became of what the carrier's record had."""

    stored: int = 0
    duplicates: int = 0
    unrouted: int = 0


class UnderWay(Exception):
    """Somebody else is reading the record of that account."""


class Filler:
    """Start with `start`, in a running loop; `stop` before the store is closed. `wake` when something may be answered."""

    def __init__(self, store: Store, outside: Outside, wake: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._outside = outside
        self._wake = wake
        self._backfills = Backfills(store)
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read, beside whatever else is done; again and again."""
        self._running = asyncio.create_task(self._run())

    def stop_soon(self) -> None:
        """End, in the middle if need be: what was not read is read the next time."""
        if self._running is not None:
            self._running.cancel()

    async def stop(self) -> None:
        """Return once it has ended."""
        self.stop_soon()
        if self._running is not None:
            await asyncio.gather(self._running, return_exceptions=True)

    async def fill_all(self) -> None:
        """Every account whose carrier keeps a record; one that cannot be read does not hold up the others."""
        for account in await self._backfills.accounts():
            if account.carrier not in CARRIERS or CARRIERS[account.carrier].backfill is None:
                continue
            try:
                await self.fill(account)
            except UnderWay:
                continue
            except SendFailed as error:
                _failed(account, error.code)
            except StoreUnavailable as error:
                _failed(account, type(error).__name__)

    async def fill(self, account: ListedAccount, since: int | None = None) -> Filled | None:
        """Read one account's record, from what was read last or from `since` on; None where it cannot be asked.

        Never from further back than the organization keeps messages.

        Raises UnderWay, SendFailed, StoreUnavailable.
        """
        whole = await Directory(self._store).carrier_account(account.id)
        read = CARRIERS[account.carrier].backfill
        if whole is None or read is None or not CARRIERS[account.carrier].can_send(whole):
            return None
        begun = self._store.clock()
        policy = await policy_for(self._store, whole)
        # What was stored and swept is not to come again: its key is there for as long as it may be asked for, and longer.
        kept = kept_since(begun, policy.settings.message_retention_days)
        complete_until = await self._backfills.lease(account)
        if complete_until is None:
            raise UnderWay
        try:
            start = max(complete_until - MARGIN_US if since is None else since, kept)
            filled = await self._read(account, whole, policy, read(whole, start, self._outside))
            if since is None or since <= complete_until:
                await self._backfills.complete(account, begun)
        finally:
            await self._backfills.give_back(account)
        counts = {"stored": filled.stored, "duplicate": filled.duplicates, "unrouted": filled.unrouted}
        for outcome, count in counts.items():
            BACKFILLED.labels(account.carrier, outcome).inc(count)
        if filled.stored or filled.unrouted:
            log.info("backfilled", carrier=account.carrier, account_id=account.id, **filled._asdict())
            self._wake()
        return filled

    async def _read(
        self,
        account: ListedAccount,
        whole: CarrierAccount,
        policy: Policy,
        record: AsyncIterator[list[CarrierEvent]],
    ) -> Filled:
        events: list[CarrierEvent] = []
        filled, pages = Filled(), 0
        async for page in record:
            await self._backfills.renew(account)
            events += page
            pages += 1
            if pages > _MAX_PAGES:
                raise SendFailed("uncertain", "ENDLESS_RECORD", "the carrier's record does not end")
            if len(events) > _HELD:
                filled, events = await self._keep(whole, policy, events, filled), []
        return await self._keep(whole, policy, events, filled)

    async def _keep(
        self, account: CarrierAccount, policy: Policy, events: list[CarrierEvent], filled: Filled
    ) -> Filled:
        """Oldest first, by the same way as what is delivered."""
        events.sort(key=_at)
        for start in range(0, len(events), _AT_ONCE):
            group = events[start : start + _AT_ONCE]
            work = [store_safely(self._store, delivery_of(account, [event], policy), _raw(event)) for event in group]
            for outcome in await asyncio.gather(*work):
                filled = Filled(
                    filled.stored + len(outcome.stored),
                    filled.duplicates + outcome.duplicates,
                    filled.unrouted + outcome.unrouted,
                )
        return filled

    async def _run(self) -> None:
        while True:
            try:
                await self.fill_all()
            except StoreUnavailable as error:
                log.error("store_unavailable", error=type(error).__name__)
            except Exception:  # a defect must not end it for good
                log.exception("backfill_failed")
            await asyncio.sleep(EVERY_SECONDS)


def _at(event: CarrierEvent) -> int:
    return (event.carrier_received_at or 0) if isinstance(event, InboundEvent) else 0


def _raw(event: CarrierEvent) -> bytes:
    return event.text.raw if isinstance(event, PartEvent) else event.raw


def _failed(account: ListedAccount, code: str) -> None:
    BACKFILLED.labels(account.carrier, "failed").inc()
    log.warning("backfill_failed", carrier=account.carrier, account_id=account.id, code=code)
