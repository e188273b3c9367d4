"""The list of an organization's consents, the one that changed last first."""

from typing import Any, NamedTuple
from uuid import UUID

from roost.core.consent import Consent
from roost.core.ids import LAST_ID, position_of
from roost.store.base import Store
from roost.store.consent import consent_row

_COLUMNS = ", ".join(Consent._fields)


class ConsentQuery(NamedTuple):
    """Which consents: updated at `since` or later and before `below`; a filter of None does not filter."""

    org_id: str
    limit: int
    contact_number: str | None = None
    phone_number_id: str | None = None
    state: str | None = None
    consent_method: str | None = None
    since: int = 0
    below: int = position_of(LAST_ID)


async def list_consents(store: Store, query: ConsentQuery) -> tuple[list[Consent], bool]:
    """One page, and whether there is more. What was only asked for (pending) is not consent yet, and not listed."""
    filters = {
        "contact_number": query.contact_number,
        "phone_number_id": UUID(query.phone_number_id) if query.phone_number_id else None,
        "state": query.state,
        "consent_method": query.consent_method,
    }
    given: list[tuple[str, Any]] = [(name, value) for name, value in filters.items() if value is not None]
    narrowed = "".join(f" AND {name} = ${number}" for number, (name, _) in enumerate(given, start=5))
    sql = (
        f"SELECT {_COLUMNS} FROM consents WHERE org_id = $1 AND updated_at >= $2 AND updated_at < $3"  # noqa: S608 - ours
        f" AND state <> 'pending'{narrowed} ORDER BY updated_at DESC LIMIT $4"
    )
    bounds = (UUID(query.org_id), query.since, query.below, query.limit + 1)
    rows = await store.fetch(sql, *bounds, *(value for _, value in given))
    return [consent_row(row) for row in rows[: query.limit]], len(rows) > query.limit
