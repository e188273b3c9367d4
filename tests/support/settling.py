"""What a worker does to a message in the end, in one transaction, without a worker."""

from uuid import UUID

from roost.core.ids import parse_ulid
from roost.store.agent_requests import note_settled
from roost.store.transaction import Transaction
from support.house import House, Tenant


def settle(house: House, tenant: Tenant, status: str, *contacts: str, error: tuple[str, str] | None = None) -> None:
    """Give the newest message to each contact a status, and tell its request."""

    async def work(tx: Transaction) -> None:
        org_id = UUID(tenant.org.org_id)
        await tx.lock(tenant.org.org_id)
        for contact in contacts:
            [(message_id, request_id)] = await tx.fetch(
                "SELECT id, request_id FROM outbound_messages WHERE org_id = $1 AND to_number = $2 ORDER BY id DESC LIMIT 1",
                org_id,
                contact,
            )
            code, description = error or (None, None)
            at = tx.now() if status == "delivered" else None
            key = UUID(bytes=message_id) if isinstance(message_id, bytes) else message_id
            await tx.fetch(
                "UPDATE outbound_messages SET status = $3, error_code = $4, error_description = $5, delivered_at = $6 "
                "WHERE org_id = $1 AND id = $2",
                org_id, key, status, code, description, at,
            )  # fmt: skip
            request = UUID(bytes=request_id) if isinstance(request_id, bytes) else request_id
            await note_settled(tx, tenant.org.org_id, str(request))

    house.wait(house.store.transact(work))


def uuid_of(public_id: str) -> str:
    """The UUID in a public id such as `msg_...`."""
    found = parse_ulid(public_id.partition("_")[2])
    assert found is not None
    return found
