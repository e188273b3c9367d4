"""What an endpoint is told because somebody asks for it: a test, and an event once more."""

import hashlib

from roost.api.http import encode_json
from roost.core.events import Event
from roost.core.ids import RANDOM_BITS, uuid7
from roost.core.times import rfc3339
from roost.core.webhooks import TEST, Target
from roost.errors import Refusal
from roost.push.webhooks.poster import Poster
from roost.push.webhooks.signing import signed_headers
from roost.store.base import Store
from roost.store.event_log import events_by_id
from roost.store.webhook_endpoints import StoredEndpoint, Webhooks
from roost.store.webhook_log import Entry, Logged, log_tries
from roost.store.webhook_queue import active_endpoints


async def send_test(store: Store, poster: Poster, endpoint: StoredEndpoint) -> Entry:
    """Send a `webhook.test` now, once; the entry in the log that says what became of it."""
    now = store.clock()
    event_id = uuid7(now, store.random_bits(RANDOM_BITS))
    data = {"endpoint_id": endpoint.id}
    body = encode_json({"id": event_id, "type": TEST, "created_at": rfc3339(now), "data": data})
    secrets = await Webhooks(store).secrets(endpoint.org_id, endpoint.id)
    tried = await poster.post(endpoint.url, signed_headers(event_id, now, body, secrets), body)
    entry = Entry(
        Target(endpoint.org_id, endpoint.id, "organization"), event_id, None, TEST, "", endpoint.url, 1,
        "success" if tried.succeeded else "dead", tried, hashlib.sha256(body).digest(), len(body),
    )  # fmt: skip
    await store.transact(lambda tx: log_tries(tx, [entry]))
    return entry


async def event_to_replay(store: Store, found: Logged) -> tuple[Event, str]:
    """The event of a try, and the URL at which its endpoint would be told of it now. Refuses with 409 and 410."""
    target, source_id = found.entry.target, found.entry.source_id
    if source_id is None:
        raise Refusal(409, "CONFLICT", "a test is not replayed; send another one")
    events = await events_by_id(store, {source_id: (target.org_id, found.entry.event_type)})
    if source_id not in events:
        raise Refusal(410, "EVENT_EXPIRED", "the event is no longer kept")
    for endpoint in await active_endpoints(store, [target.org_id]):
        if endpoint.target == target:
            return events[source_id], endpoint.url
    raise Refusal(409, "CONFLICT", "the endpoint is not active, or was deleted")
