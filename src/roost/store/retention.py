"""Sweeping: what is past its time is deleted, oldest first, in steps that are transactions of their own.

Consent, its ledger and suspected opt-outs are never swept.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from roost.core.ids import floor_of, id_text, position_of
from roost.core.retention import AUDIT_DAYS, KEY_DAYS, ONESHOT_DAYS, WEBHOOK_DAYS, kept_since
from roost.store.base import NONCE_GRACE_US, Store
from roost.store.idempotency import WINDOW_US
from roost.store.parts import KEPT_US
from roost.store.transaction import Transaction


class Kind(NamedTuple):
    """What is swept together: a table whose rows have an age, and a key besides the organization's."""

    table: str
    age: str
    """The column that says how old a row is: an id, or a time."""
    key: str
    until: Callable[[int, int], int]
    """The time before which rows go, by the clock and the organization's retention in days."""
    locks: bool = False
    """Whether whoever changes a row holds the organization's counter."""

    @property
    def by_id(self) -> bool:
        return self.age.endswith("id")

    @property
    def oldest_sql(self) -> str:
        """The age of the organization's oldest row."""
        rows = f"FROM {self.table} WHERE org_id = $1 AND {self.age} IS NOT NULL"
        return f"SELECT {self.age} {rows} ORDER BY org_id, {self.age} LIMIT 1"

    @property
    def sweep_sql(self) -> str:
        """From an age on ($2) to another ($3), so many ($4); their ages come back."""
        return (
            f"DELETE FROM {self.table} WHERE org_id = $1 AND ({self.key}) IN (SELECT {self.key} FROM {self.table} "  # noqa: S608
            f"WHERE org_id = $1 AND {self.age} >= $2 AND {self.age} < $3 ORDER BY org_id, {self.age} LIMIT $4) "
            f"RETURNING {self.age}"
        )


def _messages(now: int, days: int) -> int:
    return kept_since(now, days)


def _for_oneshot(now: int, days: int) -> int:
    return kept_since(now, ONESHOT_DAYS)


#: In this order: what refers to messages goes before them.
KINDS = (
    Kind("agent_requests", "id", "id", _for_oneshot),
    Kind("notifications", "id", "id", _for_oneshot),
    Kind("events", "id", "id", _messages),
    Kind("webhook_queue", "event_id", "endpoint_id, kind, event_id", _messages),
    Kind("webhook_deliveries", "id", "id", lambda now, days: kept_since(now, WEBHOOK_DAYS)),
    Kind("outbox", "message_id", "message_id", _messages, locks=True),
    Kind("message_words", "message_id", "message_id", _messages),
    Kind("outbound_messages", "id", "id", _messages),
    Kind("claims", "message_id", "message_id, queue", _messages),
    Kind("inbound_messages", "id", "id", _messages),
    Kind("claim_places", "through_id", "queue, filters", _messages),
    Kind("claim_queues", "claimed_at", "queue", _messages),
    Kind("delivery_receipts", "received_at", "carrier_account_id, carrier_message_id, recipient, event", _messages),
    Kind("unrouted_deliveries", "id", "id", _messages),
    Kind(
        "message_keys",
        "message_id",
        "carrier_account_id, carrier_message_id, to_number",
        lambda now, days: kept_since(now, days + KEY_DAYS),
    ),
    Kind(
        "message_parts",
        "made_at",
        "carrier_account_id, carrier_message_id, to_number",
        lambda now, days: now - KEPT_US,
    ),
    Kind("idempotency_keys", "started_at", "route, key", lambda now, days: now - WINDOW_US),
    Kind("proof_nonces", "expires_at", "agent_id, nonce", lambda now, days: now - NONCE_GRACE_US),
    Kind("thread_reads", "read_id", "contact_number, number", _messages),
    Kind("sign_in_links", "expires_at", "id", lambda now, days: now),
    Kind("sessions", "expires_at", "id", lambda now, days: now),
    Kind("audit_log", "id", "id", lambda now, days: kept_since(now, AUDIT_DAYS)),
)
_OLDEST = "SELECT " + ", ".join(f"({kind.oldest_sql})" for kind in KINDS)


#: The tables of messages.
MESSAGES = ("inbound_messages", "outbound_messages")


class Stretch(NamedTuple):
    """Rows that go, of one organization: from a time on, and before another. Microseconds since 1970."""

    org_id: str
    kind: Kind
    since: int
    until: int


class Backlog(NamedTuple):
    """Rows of one kind of an organization: when the oldest is from, and before when they go. Microseconds since 1970."""

    kind: Kind
    oldest: int | None
    until: int

    @property
    def lag_us(self) -> int:
        """How much longer the oldest has been kept than it should; 0: nothing is due."""
        return 0 if self.oldest is None else max(0, self.until - self.oldest)

    def stretch(self, org_id: str) -> Stretch | None:
        """What is due; None: nothing is."""
        return Stretch(org_id, self.kind, self.oldest, self.until) if self.oldest is not None and self.lag_us else None


async def backlogs(store: Store, org_id: str) -> list[Backlog]:
    """Of each kind. Raises StoreUnavailable."""
    now, days = store.clock(), await store.kept.days(org_id)
    rows = await store.fetch(_OLDEST, UUID(org_id))
    return [
        Backlog(kind, None if age is None else _time_of(kind, age), kind.until(now, days))
        for kind, age in zip(KINDS, rows[0], strict=True)
    ]


class Step(NamedTuple):
    """What one transaction did."""

    rows: int
    seconds: float
    """That the deleting took, without waiting for others and for the disk."""
    left: Stretch | None


async def sweep_some(store: Store, stretch: Stretch, limit: int) -> Step:
    """Delete the oldest `limit` rows. Raises StoreUnavailable."""
    kind = stretch.kind
    bounds = [_age_at(kind, stretch.since), _age_at(kind, stretch.until)]

    async def work(tx: Transaction) -> tuple[list[Any], float]:
        if kind.locks:
            await tx.lock(stretch.org_id)
        started = time.perf_counter()
        rows = await tx.fetch(kind.sweep_sql, UUID(stretch.org_id), *bounds, limit)
        return [row[0] for row in rows], time.perf_counter() - started

    ages, seconds = await store.transact(work)
    # The next step does not look again at what the last ones left behind in the index.
    left = stretch._replace(since=max(_time_of(kind, age) for age in ages)) if len(ages) == limit else None
    return Step(len(ages), seconds, left)


def _age_at(kind: Kind, time_us: int) -> Any:
    return UUID(floor_of(time_us)) if kind.by_id else time_us


def _time_of(kind: Kind, age: Any) -> int:
    return position_of(id_text(age)) if kind.by_id else int(age)
