"""Sends as the API accepts them, and how they stand, for tests of what happens to them afterwards."""

import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from roost.carriers.contract import IntakeRequest
from roost.carriers.registry import CARRIERS
from roost.core.message import ReceiptEvent
from roost.store.receipts import apply_receipts
from roost.store.transaction import Transaction
from support.house import House, Tenant
from support.processes import Fleet

CONTACT = "+15554443333"
_PATIENCE_SECONDS = 30


class Stand(NamedTuple):
    """Of one message: its outbox row's, which is None once it is settled, and what the API tells."""

    state: str | None
    attempts: int | None
    due_at: int | None
    status: str
    carrier_message_id: str | None
    error_code: str | None
    sent_at: int | None
    delivered_at: int | None


def send(house: House | Fleet, tenant: Tenant, to: str = CONTACT, body: str = "hello", **more: Any) -> str:
    """Store a message that is to be sent, and wake the worker; its id."""
    [message_id] = send_many(house, tenant, [to], body, **more)
    return message_id


def send_many(
    house: House | Fleet,
    tenant: Tenant,
    to_numbers: list[str],
    body: str = "hello",
    *,
    state: str = "queued",
    rank: int = 1,
    purpose: str = "message",
    expires_at: int | None = None,
    segment_count: int = 1,
    media: list[str] | None = None,
) -> list[str]:
    """The same to several contacts, in one transaction."""

    async def work(tx: Transaction) -> list[str]:
        org_id, number_id = UUID(tenant.org.org_id), UUID(tenant.number.id)
        messages, outbox, ids = [], [], []
        await tx.lock(tenant.org.org_id)
        for to in to_numbers:
            ids.append(tx.new_id(tx.take(tenant.org.org_id)))
            key = (org_id, UUID(ids[-1]), number_id)
            account_id, urls = UUID(tenant.account.id), json.dumps(media) if media else None
            ours = (account_id, tenant.number.number)
            messages.append((*key, *ours, to, body, urls, "default" if rank else "high", purpose, segment_count))
            outbox.append((*key, to, state, rank, 0, expires_at, segment_count))
        await tx.many(_MESSAGE, messages)
        await tx.many(_OUTBOX, outbox)
        return ids

    ids = house.wait(house.store.transact(work))
    if isinstance(house, House):  # a process of its own looks for itself
        wake(house)
    return ids


_MESSAGE = (
    "INSERT INTO outbound_messages (org_id, id, phone_number_id, carrier_account_id, from_number, to_number, body, channel, "
    "media, priority, purpose, status, segment_count, thread_id) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, 'sms', $8, $9, $10, 'queued', $11, $2)"
)
_OUTBOX = (
    "INSERT INTO outbox (org_id, message_id, phone_number_id, to_number, state, rank, due_at, expires_at, segment_count) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)


def wake(house: House) -> None:
    """Tell the worker, from this thread."""

    async def woken() -> None:
        house.worker.wake()

    house.wait(woken())


def stand_of(house: House | Fleet, tenant: Tenant, message_id: str) -> Stand:
    sql = (
        "SELECT o.state, o.attempts, o.due_at, m.status, m.carrier_message_id, m.error_code, m.sent_at, m.delivered_at "
        "FROM outbound_messages m LEFT JOIN outbox o ON o.org_id = m.org_id AND o.message_id = m.id "
        "WHERE m.org_id = $1 AND m.id = $2"
    )
    rows = house.wait(house.store.fetch(sql, UUID(tenant.org.org_id), UUID(message_id)))
    return Stand(*rows[0])


def until(house: House | Fleet, tenant: Tenant, message_id: str, is_so: Callable[[Stand], bool]) -> Stand:
    """How the message stands once that is so."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_so(stand := stand_of(house, tenant, message_id)):
        assert time.monotonic() < deadline, f"it still is {stand}"
        time.sleep(0.005)
    return stand


def is_settled(stand: Stand) -> bool:
    """Nobody has anything to do about it."""
    return stand.state is None


def tell(house: House, tenant: Tenant, *payloads: dict[str, Any]) -> None:
    """Deliver status callbacks as the carrier does, and apply them as intake does."""
    answer = house.deliver(tenant, list(payloads))
    assert answer.status_code == 200, answer.text
    request = IntakeRequest({}, json.dumps(payloads).encode())
    receipts = [each for each in CARRIERS["bandwidth"].parse(request) if isinstance(each, ReceiptEvent)]

    async def work(tx: Transaction) -> None:
        await tx.lock(tenant.org.org_id)
        await apply_receipts(tx, tenant.org.org_id, tenant.account.id, receipts)

    house.wait(house.store.transact(work))
