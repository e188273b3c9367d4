"""The event log of a tenant, as a reader finds it."""

from typing import Any

from roost.core.events import EVERYTHING, Event, Interest
from roost.core.ids import FIRST_ID
from roost.push.envelope import envelope
from roost.store.event_log import read_log
from support.house import House, Tenant


def log_of(
    house: House, tenant: Tenant, interest: Interest = EVERYTHING, *, after: str = FIRST_ID, limit: int = 1000
) -> list[Event]:
    """All of it, in stretches of so many of each kind."""
    found: list[Event] = []
    while True:
        stretch = house.wait(read_log(house.store, tenant.org.org_id, after, limit, interest))
        assert all(after < event.id <= stretch.through for event in stretch.events)
        found += stretch.events
        after = stretch.through
        if not stretch.has_more:
            assert [event.id for event in found] == sorted({event.id for event in found})
            return found


def told(house: House, tenant: Tenant) -> list[tuple[Any, ...]]:
    """Each event in a few words: its type, and what it says."""
    return [_words(house, event) for event in log_of(house, tenant)]


def _words(house: House, event: Event) -> tuple[Any, ...]:
    data: Any = envelope(event, house.media_urls).data
    if event.type == "message.received":
        return event.type, data.body
    if event.type == "message.status":
        return event.type, data.status, data.error.code if data.error else None
    return event.type, data.event, data.keyword
