"""The delivery log: one entry for each try to tell an endpoint of an event, and trying again what is in it."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from roost.core.ids import FIRST_ID, LAST_ID, floor_of, id_text, position_of
from roost.core.text import storable
from roost.core.webhooks import Attempt, Outcome, Target
from roost.store.base import Row, Store
from roost.store.pages import Condition, PageOf, Slice, newest_first
from roost.store.sql import load
from roost.store.transaction import Transaction

WEBHOOKS = load("webhooks.sql")
_ENTRY = (
    "org_id uuid, id uuid, endpoint_id uuid, kind text, event_id uuid, source_id uuid, event_type text, contact text, url text, "
    "attempt bigint, outcome text, status bigint, milliseconds bigint, body_sha256 bytea, body_bytes bigint, excerpt text, "
    "error text"
)


class Entry(NamedTuple):
    """One try. `source_id` is the event's id in the event log; None for a test. `number` counts from 1, and is 0 for what was
    given up untried."""

    target: Target
    event_id: str
    source_id: str | None
    event_type: str
    contact: str
    url: str
    number: int
    outcome: Outcome
    attempt: Attempt
    body_sha256: bytes | None
    body_bytes: int


class Logged(NamedTuple):
    """An entry, as it is kept; `at` is the time in its id."""

    id: str
    entry: Entry
    at: int


class LogFilters(NamedTuple):
    """What to look for; None does not filter. `since` is inclusive, `until` is not."""

    endpoint_id: str | None = None
    event_type: str | None = None
    outcome: Outcome | None = None
    since: int | None = None
    until: int | None = None
    http_status_min: int | None = None
    http_status_max: int | None = None


async def log_tries(tx: Transaction, entries: Sequence[Entry]) -> list[str]:
    """Their ids."""
    ids = [tx.new_id() for _ in entries]
    rows = [_row(entry_id, entry) for entry_id, entry in zip(ids, entries, strict=True)]
    await tx.joined(WEBHOOKS["log_deliveries"], _ENTRY, rows)
    return ids


async def logged(store: Store, page: PageOf, filters: LogFilters) -> Slice[Logged]:
    """The organization's, newest first. The time of an entry is in its id, which bounds the page."""
    conditions: list[Condition] = [("id > {}", UUID(FIRST_ID if filters.since is None else floor_of(filters.since)))]
    if filters.endpoint_id is not None:
        conditions.append(("endpoint_id = {}", UUID(filters.endpoint_id)))
    for condition, value in (
        ("event_type = {}", filters.event_type),
        ("outcome = {}", filters.outcome),
        ("status >= {}", filters.http_status_min),
        ("status <= {}", filters.http_status_max),
    ):
        if value is not None:
            conditions.append((condition, value))
    newest = LAST_ID if filters.until is None else floor_of(filters.until)
    page = page._replace(below=min(page.below, newest))
    return await newest_first(store, WEBHOOKS["deliveries"], page, conditions, lambda row: _logged(page.org_id, row))


async def log_entry(store: Store, org_id: str, entry_id: str) -> Logged | None:
    """One of the organization's."""
    rows = await store.fetch(WEBHOOKS["delivery"], UUID(org_id), UUID(entry_id))
    return _logged(org_id, rows[0]) if rows else None


def _row(entry_id: str, entry: Entry) -> Row:
    target, attempt = entry.target, entry.attempt
    source_id = None if entry.source_id is None else UUID(entry.source_id)
    excerpt, error = (None if text is None else storable(text) for text in (attempt.excerpt, attempt.error))
    return (
        UUID(target.org_id), UUID(entry_id), UUID(target.id), target.kind, UUID(entry.event_id), source_id, entry.event_type,
        entry.contact, entry.url, entry.number, entry.outcome, attempt.status, attempt.milliseconds, entry.body_sha256,
        entry.body_bytes, excerpt, error,
    )  # fmt: skip


def _logged(org_id: str, row: Row) -> Logged:
    entry_id, endpoint_id, kind, event_id, source_id, event_type, contact, url, number, outcome = row[:10]
    status, milliseconds, sha256, size, excerpt, error = row[10:]
    at = position_of(id_text(entry_id))
    entry = Entry(
        Target(org_id, id_text(endpoint_id), kind), id_text(event_id), None if source_id is None else id_text(source_id),
        event_type, contact, url, number, outcome, Attempt(at, status, milliseconds, excerpt, error),
        None if sha256 is None else bytes(sha256), size,
    )  # fmt: skip
    return Logged(id_text(entry_id), entry, at)
