"""The event log, read: inbound messages and the other events in one order, without a gap, whoever writes meanwhile."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from roost.core.consent import Consent
from roost.core.events import EVENT_TYPES, AccountEvent, ConsentChanged, Event, Interest, Received, StatusChanged
from roost.core.ids import LAST_ID, floor_of, id_text
from roost.core.inbox import InboxQuery
from roost.store.base import Store
from roost.store.listing import message_of
from roost.store.outbound import outbound_of
from roost.store.sql import load
from roost.store.transaction import Row

_SQL = load("events.sql")
_BY_ID = "org_id uuid, id uuid"


class Stretch(NamedTuple):
    """A part of the log, oldest first: all that is wanted of what comes after an id, up to `through` and including it."""

    events: list[Event]
    through: str
    has_more: bool


async def read_log(store: Store, org_id: str, after: str, limit: int, interest: Interest) -> Stretch:
    """The oldest of the organization's events after the id; about `limit` of each kind are looked at.

    Whoever goes on from `through` misses nothing and sees nothing twice: up to there all positions are committed.
    """
    kept_after = max(after, await store.kept.above(org_id))
    rows = await store.fetch(_SQL["events_after"], UUID(org_id), UUID(kept_after), limit)
    if not rows:
        return Stretch([], after, has_more=False)
    newest = floor_of(rows[0][0] + 1)
    through = id_text(rows[-1][1]) if len(rows) == limit and rows[-1][1] is not None else newest
    query = _inbox(org_id, interest, limit, after, through)
    page = await store.list_inbound(query) if query is not None else None
    found = [event for row in rows if (event := _event(row)) is not None]
    if page is not None:
        found += [Received(message.id, message) for message in page.messages]
        through = page.messages[-1].id if page.has_more else through
    found = [event for event in found if event.id <= through and interest.matches(event)]
    return Stretch(sorted(found, key=lambda event: event.id), max(after, through), has_more=through != newest)


async def events_by_id(store: Store, wanted: Mapping[str, tuple[str, str]]) -> dict[str, Event]:
    """Of id -> (organization, type), those that the organizations still keep, by id."""
    above = {org_id: await store.kept.above(org_id) for org_id in {org_id for org_id, _ in wanted.values()}}
    texts: list[Row] = []
    others: list[Row] = []
    for event_id, (org_id, kind) in wanted.items():
        if event_id > above[org_id]:
            (texts if kind == "message.received" else others).append((UUID(org_id), UUID(event_id)))
    rows = await store.joined(_SQL["received"], _BY_ID, texts)
    found: list[Event] = [Received(message.id, message) for message in map(message_of, rows)]
    found += [event for row in await store.joined(_SQL["events"], _BY_ID, others) if (event := _event(row))]
    return {event.id: event for event in found}


async def last_positions(store: Store, org_ids: Sequence[str]) -> dict[str, int]:
    """How far each organization's counter has come: whatever has a position up to there is committed."""
    rows = await store.joined(_SQL["last_positions"], "org_id uuid", [(UUID(org_id),) for org_id in org_ids])
    return {id_text(org_id): last_us for org_id, last_us in rows}


def _inbox(org_id: str, interest: Interest, limit: int, after: str, through: str) -> InboxQuery | None:
    """The inbound messages that are wanted; those up to `through` are committed, and none can be exactly there."""
    if "message.received" not in interest.types:
        return None
    filters = interest._asdict()
    return InboxQuery(
        org_id=org_id,
        limit=limit,
        above=after,
        below=min(through, LAST_ID),
        ascending=True,
        **{name: filters[name] for name in InboxQuery._fields if name in filters},
    )


def _event(row: Row) -> Event | None:
    _, event_id, kind, data, *message = row
    if event_id is None or (kind == "message.status" and message[0] is None):
        return None  # there is none; or its message is gone
    values = json.loads(data)
    if kind not in EVENT_TYPES:
        return AccountEvent(id_text(event_id), kind, values["id"], values)
    if kind == "message.status":
        stored = outbound_of(tuple(message))
        then = {name: values.get(name) for name in _PROGRESS}
        return StatusChanged(id_text(event_id), stored._replace(**then))
    consent = Consent(**{**_NOTHING_SAID, **values["consent"]})
    said = (values["event"], values.get("keyword"), values.get("consent_method"), values.get("message_id"))
    return ConsentChanged(id_text(event_id), consent, *said)


_PROGRESS = ("status", "carrier_message_id", "sent_at", "delivered_at", "error_code", "error_description")
_NOTHING_SAID = dict.fromkeys(Consent._fields)
