"""Outbound messages as they are stored, in every state of the outbox."""

from typing import Any
from uuid import UUID

from roost.core.ids import uuid7
from support.house import House, Tenant


def stored_outbound(house: House, tenant: Tenant, state: str | None, to: str = "+15554443333") -> str:
    """A stored outbound message, and its row in the outbox when it has a state there."""
    message_id = uuid7(house.clock(), house.store.random_bits(62))
    ids = (UUID(tenant.org.org_id), UUID(message_id), UUID(tenant.number.id), UUID(tenant.account.id))
    status = {None: "delivered", "leased": "sending", "uncertain": "sending"}.get(state, "queued")
    columns = (
        "org_id, id, phone_number_id, carrier_account_id, from_number, to_number, body, channel, media, priority, purpose, "
        "status, segment_count, carrier_message_id, thread_id"
    )
    marks = ", ".join(f"${n}" for n in range(1, 16))
    row = (
        *ids, tenant.number.number, to, "hello", "mms", '["https://example.com/a.jpg"]', "default", "message", status, 1,
        None if state else f"bw-{message_id}", ids[1],
    )  # fmt: skip
    statements: list[Any] = [(f"INSERT INTO outbound_messages ({columns}) VALUES ({marks})", row)]
    if state:
        statements.append((
            "INSERT INTO outbox (org_id, message_id, phone_number_id, to_number, state, rank, due_at, segment_count) "
            "VALUES ($1, $2, $3, $4, $5, 0, 0, 1)",
            (ids[0], ids[1], ids[2], to, state),
        ))  # fmt: skip
    house.wait(house.store.write(*statements))
    return message_id
