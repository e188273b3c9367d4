"""Outbound messages and their outbox rows as they stand in the database, for tests of what changes them."""

import itertools
from typing import Any
from uuid import UUID

from roost.core.ids import uuid7
from support.house import House, Tenant

_counter = itertools.count(1)


def queue(
    house: House, tenant: Tenant, to: str, state: str, *, from_number: str | None = None, purpose: str = "message"
) -> str:
    """Store a message that is to be sent, with its outbox row in `state`; its id."""
    message_id = uuid7(house.clock(), next(_counter))
    org_id, key, number_id = UUID(tenant.org.org_id), UUID(message_id), UUID(tenant.number.id)
    sender = from_number or tenant.number.number
    account_id = UUID(tenant.account.id)
    house.wait(
        house.store.write(
            (
                "INSERT INTO outbound_messages (org_id, id, phone_number_id, carrier_account_id, from_number, to_number, body, "
                "channel, priority, purpose, status, segment_count, thread_id) "
                "VALUES ($1, $2, $3, $4, $5, $6, 'hello', 'sms', 'default', $7, 'queued', 1, $2)",
                (org_id, key, number_id, account_id, sender, to, purpose),
            ),
            (
                "INSERT INTO outbox (org_id, message_id, phone_number_id, to_number, state, rank, due_at, segment_count) "
                "VALUES ($1, $2, $3, $4, $5, 1, 0, 1)",
                (org_id, key, number_id, to, state),
            ),
        )
    )
    return message_id


def state_of(house: House, tenant: Tenant, message_id: str) -> tuple[Any, ...]:
    """(the outbox row's state, why it was withdrawn, the message's status, its error code); None where there is no row."""
    sql = (
        "SELECT o.state, o.withdrawn, m.status, m.error_code FROM outbound_messages m "
        "LEFT JOIN outbox o ON o.org_id = m.org_id AND o.message_id = m.id WHERE m.org_id = $1 AND m.id = $2"
    )
    return tuple(house.wait(house.store.fetch(sql, UUID(tenant.org.org_id), UUID(message_id)))[0])
