"""The shapes of webhook endpoints and of their delivery log on the wire (dialect A)."""

from typing import Annotated, Any, Literal

import msgspec

from roost.api.listing import ListMeta
from roost.api.push_urls import MAX_URL
from roost.core.times import rfc3339
from roost.core.webhooks import TYPES, Outcome
from roost.push.webhooks.signing import public_event_id, unsigned_headers
from roost.store.webhook_endpoints import Secret, StoredEndpoint
from roost.store.webhook_log import Entry, Logged

#: The documented version of the envelope, and the only one.
API_VERSION = "2026-04-01"
MAX_EVENTS, MAX_DESCRIPTION = 50, 200

Url = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_URL)]
EventType = Annotated[str, msgspec.Meta(extra_json_schema={"enum": list(TYPES)})]
Events = Annotated[
    list[EventType], msgspec.Meta(min_length=1, max_length=MAX_EVENTS, extra_json_schema={"uniqueItems": True})
]
Description = Annotated[str, msgspec.Meta(max_length=MAX_DESCRIPTION)]


class NewEndpoint(msgspec.Struct, forbid_unknown_fields=True):
    """Where to tell what. The URL is https, but for addresses that the operator has allowed."""

    url: Url
    events: Events
    description: Description | None = None
    api_version: Literal["2026-04-01"] | None = None


class EndpointChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out or null stays. `events` replaces all of them."""

    url: Url | None = None
    events: Events | None = None
    description: Description | None = None
    active: bool | None = None


class EndpointBody(msgspec.Struct):
    """An endpoint. One that is not `active` is told nothing: it was switched off, or its receiver answered 410."""

    id: str
    org_id: str
    url: str
    events: tuple[str, ...]
    description: str
    active: bool
    api_version: Literal["2026-04-01"]
    created_at: str
    updated_at: str
    deleted_at: None


class EndpointCreated(EndpointBody, kw_only=True):
    """A new endpoint. Its secret, 32 bytes in base64, is shown once."""

    secret: str
    secret_displayed_once: Literal[True]


class EndpointRotated(EndpointCreated, kw_only=True):
    """The endpoint with its new secret. Until `previous_valid_until` each webhook is signed with the old one as well."""

    previous_valid_until: str


class EndpointList(msgspec.Struct):
    success: Literal[True]
    data: list[EndpointBody]
    meta: ListMeta


class OrganizationSecret(msgspec.Struct):
    """What numbers' URLs are signed with. Until `previous_valid_until` each webhook is signed with the old one as well."""

    webhook_secret: str
    rotated_at: str
    previous_valid_until: str


class TestOutcome(msgspec.Struct):
    """What became of a `webhook.test`, which is sent once: nobody tries again."""

    event_id: str
    outcome: Literal["success", "dead"]
    url: str
    response_status: int | None
    response_time_ms: int
    response_body_excerpt: str | None
    error: str | None


class DeliveryBody(msgspec.Struct):
    """One try. `retry`: it is tried again; `dead`: it is not. What was given up untried has no `request_headers`.

    The `endpoint_id` of a number's URL is the number's id. The signatures are not kept.
    """

    id: str
    endpoint_id: str
    event_id: str
    event_type: str
    url: str
    attempt: int
    outcome: Outcome
    response_status: int | None
    response_time_ms: int
    request_body_sha256: str | None
    request_body_bytes: int
    response_body_excerpt: str | None
    request_headers: dict[str, str]
    error: str | None
    occurred_at: str


class DeliveryList(msgspec.Struct):
    success: Literal[True]
    data: list[DeliveryBody]
    meta: ListMeta


class Replayed(msgspec.Struct):
    """The event is told once more, under this id."""

    event_id: str
    endpoint_id: str
    event_type: str
    url: str


def endpoint_body(endpoint: StoredEndpoint) -> EndpointBody:
    """As it is shown."""
    return EndpointBody(**_shown(endpoint))


def created_body(endpoint: StoredEndpoint, secret: Secret) -> EndpointCreated:
    """With its first secret."""
    return EndpointCreated(**_shown(endpoint), secret=secret.text, secret_displayed_once=True)


def rotated_body(endpoint: StoredEndpoint, secret: Secret) -> EndpointRotated:
    """With another secret."""
    until = rfc3339(secret.previous_until)
    return EndpointRotated(
        **_shown(endpoint), secret=secret.text, secret_displayed_once=True, previous_valid_until=until
    )


def tested_body(entry: Entry) -> TestOutcome:
    """What became of a test."""
    tried = entry.attempt
    return TestOutcome(
        public_event_id(entry.event_id),
        "success" if tried.succeeded else "dead",
        entry.url,
        tried.status,
        tried.milliseconds,
        tried.excerpt,
        tried.error,
    )


def delivery_body(found: Logged) -> DeliveryBody:
    """A try, as it is shown."""
    entry, attempt = found.entry, found.entry.attempt
    sha256 = entry.body_sha256
    return DeliveryBody(
        found.id,
        entry.target.id,
        public_event_id(entry.event_id),
        entry.event_type,
        entry.url,
        entry.number,
        entry.outcome,
        attempt.status,
        attempt.milliseconds,
        sha256.hex() if sha256 else None,
        entry.body_bytes,
        attempt.excerpt,
        unsigned_headers(entry.event_id, found.at) if sha256 else {},
        attempt.error,
        rfc3339(found.at),
    )


def _shown(endpoint: StoredEndpoint) -> dict[str, Any]:
    return {
        **endpoint._asdict(),
        "api_version": API_VERSION,
        "created_at": rfc3339(endpoint.created_at),
        "updated_at": rfc3339(endpoint.updated_at),
        "deleted_at": None,
    }
