"""The audit log: who changed what, written in the transaction of the change."""

import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple
from uuid import UUID

from roost.core.ids import FIRST_ID, LAST_ID, RANDOM_BITS, floor_of, id_text, uuid7
from roost.store.base import Row, Statement, Store
from roost.store.pages import Condition, PageOf, Slice, newest_first
from roost.store.sql import DIRECTORY, QUERIES

ActorKind = Literal["api_key", "agent", "operator", "carrier", "contact"]


class Actor(NamedTuple):
    """Who changes something; `id` is that of the API key, agent or account."""

    kind: ActorKind
    id: str | None = None


#: Whoever is at the command line.
OPERATOR = Actor("operator")


def audited(
    store: Store,
    org_id: str,
    actor: Actor,
    action: str,
    resource_type: str,
    resource_id: str,
    payload: Mapping[str, Any] | None = None,
) -> Statement:
    """The statement that logs a change, such as `api_key.created`. Never give it a secret or a message's words.

    Its second argument is the entry's id.
    """
    now = store.clock()
    entry_id = uuid7(now, store.random_bits(RANDOM_BITS))
    written = json.dumps(payload) if payload else None
    row = (UUID(org_id), UUID(entry_id), action, resource_type, resource_id, *actor, now, written)
    return QUERIES["log_change"], row


class Entry(NamedTuple):
    """A change, as it was logged; `payload` is JSON text."""

    id: str
    org_id: str
    action: str
    resource_type: str
    resource_id: str
    actor_kind: ActorKind
    actor_id: str | None
    occurred_at: int
    payload: str | None


class AuditFilters(NamedTuple):
    """What to look for; None does not filter. `since` is inclusive, `until` is not."""

    action: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    actor_kind: str | None = None
    since: int | None = None
    until: int | None = None


async def audit_log(store: Store, page: PageOf, filters: AuditFilters) -> Slice[Entry]:
    """The organization's changes, newest first. The time of an entry is in its id too, which bounds the page."""
    conditions: list[Condition] = [
        (f"{column} = {{}}", value) for column, value in zip(filters._fields[:4], filters[:4], strict=True) if value
    ]
    oldest = FIRST_ID if filters.since is None else floor_of(filters.since)
    newest = LAST_ID if filters.until is None else floor_of(filters.until)
    conditions.append(("id > {}", UUID(oldest)))
    page = page._replace(below=min(page.below, newest))
    return await newest_first(store, DIRECTORY["audit_log"], page, conditions, _entry)


def _entry(row: Row) -> Entry:
    return Entry(id_text(row[0]), id_text(row[1]), *row[2:])
