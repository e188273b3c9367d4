"""Webhook endpoints: who is told of what, and what became of telling them. `verify_webhook` is the other side."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from urllib.parse import quote

import msgspec

from roost.client.calls import D, call, each
from roost.client.events import EventType
from roost.client.flow import Flow, Walk
from roost.client.resource import Resource, Time, change, make, read

_PATH = "/v1/webhooks"
Outcome = Literal["success", "retry", "dead"]


class Endpoint(msgspec.Struct, frozen=True):
    """Who is told of what. One that is not `active` is told nothing: it was switched off, or its receiver answered 410."""

    id: str
    org_id: str
    url: str
    events: tuple[str, ...]
    description: str
    active: bool
    created_at: datetime
    updated_at: datetime


class EndpointSecret(Endpoint, frozen=True, kw_only=True, omit_defaults=True):
    """The same with its new secret, for `verify_webhook`, which is shown once.

    Until `previous_valid_until`, None for a new endpoint, each webhook is signed with the old secret as well.
    """

    secret: str
    previous_valid_until: datetime | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self.id!r}, url={self.url!r}, secret=...)"  # which no log is to have


class Tested(msgspec.Struct, frozen=True):
    """What became of a `webhook.test`, which is sent once."""

    event_id: str
    outcome: Literal["success", "dead"]
    url: str
    response_status: int | None
    response_time_ms: int
    response_body_excerpt: str | None
    error: str | None


class Delivery(msgspec.Struct, frozen=True):
    """One try. `retry`: it is tried again; `dead`: it is not. Of a number's URL, `endpoint_id` is the number's id."""

    id: str
    endpoint_id: str
    event_id: str
    event_type: str
    url: str
    attempt: int
    outcome: Outcome
    response_status: int | None
    response_time_ms: int
    response_body_excerpt: str | None
    error: str | None
    occurred_at: datetime


class Replayed(msgspec.Struct, frozen=True):
    """The event is told once more, under this id."""

    event_id: str
    endpoint_id: str
    event_type: str
    url: str


class Webhooks(Resource[D]):
    """Endpoints of the organization."""

    @call
    def create(
        self,
        url: str,
        *,
        events: Sequence[EventType],
        description: str | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[EndpointSecret]:
        """Have these events posted to a URL from now on. Raises Invalid where the server would not reach it."""
        body = {"url": url, "events": list(events), "description": description}
        return self._fetch(make(_PATH, body, idempotency_key), EndpointSecret)

    @each
    def list(self) -> Walk[Endpoint]:
        """Every endpoint, newest first."""
        return self._pages(read(_PATH), Endpoint)

    @call
    def get(self, endpoint_id: str) -> Flow[Endpoint]:
        """One endpoint. Raises NotFound."""
        return self._fetch(read(_one(endpoint_id)), Endpoint)

    @call
    def change(
        self,
        endpoint_id: str,
        *,
        url: str | None = None,
        events: Sequence[EventType] | None = None,
        description: str | None = None,
        active: bool | None = None,
    ) -> Flow[Endpoint]:
        """Change what is given; `events` replaces all of them. Raises NotFound."""
        told = None if events is None else [*events]
        body = {"url": url, "events": told, "description": description, "active": active}
        return self._fetch(change("PATCH", _one(endpoint_id), body), Endpoint)

    @call
    def remove(self, endpoint_id: str) -> Flow[None]:
        """Tell it nothing more, nor what waits for it. Raises NotFound."""
        yield from self._answer(change("DELETE", _one(endpoint_id)))

    @call
    def rotate_secret(self, endpoint_id: str, *, idempotency_key: str | None = None) -> Flow[EndpointSecret]:
        """A new secret, beside which the old one stays good for a day. Raises NotFound."""
        return self._fetch(make(f"{_one(endpoint_id)}/rotate-secret", {}, idempotency_key), EndpointSecret)

    @call
    def test(self, endpoint_id: str) -> Flow[Tested]:
        """Post a `webhook.test` to it, now and once. Raises NotFound."""
        return self._fetch(change("POST", f"{_one(endpoint_id)}/test"), Tested)

    @each
    def deliveries(
        self,
        *,
        endpoint_id: str | None = None,
        event_type: str | None = None,
        outcome: Outcome | None = None,
        since: Time | None = None,
        until: Time | None = None,
        page_size: int | None = None,
    ) -> Walk[Delivery]:
        """Every try of the last 30 days, newest first."""
        return self._pages(
            read(
                f"{_PATH}/deliveries", endpoint_id=endpoint_id, event_type=event_type, outcome=outcome, since=since,
                until=until, limit=page_size,
            ),
            Delivery,
        )  # fmt: skip

    @call
    def replay(self, delivery_id: str, *, idempotency_key: str | None = None) -> Flow[Replayed]:
        """Tell the endpoint of the event once more. Raises Gone when the event is no longer kept, and NotFound."""
        path = f"{_PATH}/deliveries/{quote(delivery_id, safe='')}/replay"
        return self._fetch(make(path, {}, idempotency_key), Replayed)


def _one(endpoint_id: str) -> str:
    return f"{_PATH}/{quote(endpoint_id, safe='')}"
