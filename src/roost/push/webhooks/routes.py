"""Dialect A: webhook endpoints."""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from roost.api import queries
from roost.api.answers import empty, refusals
from roost.api.auth import Authenticator
from roost.api.bodies import Fields, boolean, json_object, one_of, string
from roost.api.errors import not_found
from roost.api.http import json_response
from roost.api.idempotency import IDEMPOTENCY_KEY, REPLAYED, Attempt, Idempotency
from roost.api.listing import limit_parameter, parse_list
from roost.api.push_urls import push_url
from roost.api.queries import path_id
from roost.api.routes import SECURITY_KEY, Answer, Parameter, Route
from roost.core.addresses import Network
from roost.core.times import rfc3339
from roost.core.webhooks import MAX_ENDPOINTS, TYPES
from roost.errors import Refusal
from roost.push.webhooks.bodies import (
    API_VERSION,
    MAX_DESCRIPTION,
    MAX_EVENTS,
    EndpointBody,
    EndpointChange,
    EndpointCreated,
    EndpointList,
    EndpointRotated,
    NewEndpoint,
    OrganizationSecret,
    created_body,
    endpoint_body,
    rotated_body,
)
from roost.store.audit import Actor
from roost.store.base import Store
from roost.store.pages import PageOf
from roost.store.transaction import Transaction
from roost.store.webhook_endpoints import Secret, StoredEndpoint, Webhooks

READ, WRITE = "webhooks:read", "webhooks:write"
TAG, PATH = "Dialect A: Webhooks", "/v1/webhooks"
ONE = Parameter("id", "path", {"type": "string", "format": "uuid"}, "The endpoint's id.")
DEFAULT_LIMIT, MAX_LIMIT = 50, 100
_NONE: tuple[str, ...] = ()


class EndpointRoutes:
    """Handlers over one store."""

    def __init__(
        self,
        store: Store,
        authenticator: Authenticator,
        idempotency: Idempotency,
        allowed_networks: Sequence[Network],
    ) -> None:
        self._webhooks = Webhooks(store)
        self._authenticator = authenticator
        self._idempotency = idempotency
        self._push_url = push_url(allowed_networks)

    async def create(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, WRITE)
        values, raw = await json_object(request)

        async def make(attempt: Attempt) -> Response:
            fields = Fields(values)
            url = fields.need("url", self._url, "")
            events = fields.need("events", _events, _NONE)
            description = fields.take("description", string(0, MAX_DESCRIPTION), "")
            fields.take("api_version", one_of(API_VERSION), API_VERSION)
            fields.check()

            async def beside(tx: Transaction, made: tuple[StoredEndpoint, Secret]) -> None:
                await attempt.answer(tx, json_response(created_body(*made), status=201))

            actor = Actor("api_key", principal.key_id)
            made = await self._webhooks.create(principal.org_id, url, events, description, actor, beside)
            if made is None:
                raise Refusal(409, "LIMIT_EXCEEDED", f"an organization has at most {MAX_ENDPOINTS} webhook endpoints")
            return json_response(created_body(*made), status=201)

        return await self._idempotency.once(request, principal.org_id, raw, make)

    async def page(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, READ)
        readers = {"limit": queries.limit(MAX_LIMIT), "offset": queries.offset}
        asked = parse_list(request.scope["query_string"], readers, DEFAULT_LIMIT, paged=False)
        found = await self._webhooks.page(PageOf(principal.org_id, asked.limit))
        return json_response(EndpointList(True, [endpoint_body(each) for each in found.items], asked.meta(None)))

    async def get(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, READ)
        return json_response(endpoint_body(await self._one(principal.org_id, request)))

    async def change(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, WRITE)
        endpoint_id = path_id(request.path_params["id"])
        values, _ = await json_object(request)
        change = self._change(values)
        actor = Actor("api_key", principal.key_id)
        changed = await self._webhooks.change(principal.org_id, endpoint_id, change, actor)
        if changed is None:
            raise not_found()
        return json_response(endpoint_body(changed))

    async def delete(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, WRITE)
        endpoint_id = path_id(request.path_params["id"])
        if not await self._webhooks.delete(principal.org_id, endpoint_id, Actor("api_key", principal.key_id)):
            raise not_found()
        return empty()

    async def rotate(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, WRITE)
        endpoint = await self._one(principal.org_id, request)
        _, raw = await json_object(request)

        async def make(attempt: Attempt) -> Response:
            async def beside(tx: Transaction, secret: Secret) -> None:
                await attempt.answer(tx, json_response(rotated_body(endpoint, secret)))

            actor = Actor("api_key", principal.key_id)
            secret = await self._webhooks.rotate_secret(principal.org_id, endpoint.id, actor, beside)
            return json_response(rotated_body(endpoint, secret))

        return await self._idempotency.once(request, principal.org_id, raw, make)

    async def rotate_organization(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "org:admin:write")
        _, raw = await json_object(request)

        async def make(attempt: Attempt) -> Response:
            async def beside(tx: Transaction, secret: Secret) -> None:
                await attempt.answer(tx, json_response(_organization_secret(secret)))

            actor = Actor("api_key", principal.key_id)
            org_id = principal.org_id
            return json_response(
                _organization_secret(await self._webhooks.rotate_secret(org_id, org_id, actor, beside))
            )

        return await self._idempotency.once(request, principal.org_id, raw, make)

    async def _one(self, org_id: str, request: Request) -> StoredEndpoint:
        found = await self._webhooks.get(org_id, path_id(request.path_params["id"]))
        if found is None:
            raise not_found()
        return found

    def _url(self, value: Any) -> str:
        url = self._push_url(value)
        if not url:
            raise ValueError("must not be empty")
        return url

    def _change(self, values: dict[str, Any]) -> Callable[[StoredEndpoint], StoredEndpoint]:
        fields = Fields(values)
        readers: dict[str, Callable[[Any], Any]] = {
            "url": self._url,
            "events": _events,
            "description": string(0, MAX_DESCRIPTION),
            "active": boolean,
        }
        taken = {name: fields.take(name, read, None) for name, read in readers.items()}
        changes: dict[str, Any] = {name: value for name, value in taken.items() if value is not None}
        fields.check()
        return lambda endpoint: endpoint._replace(**changes)

    def routes(self) -> Sequence[Route]:
        security = [SECURITY_KEY]
        shown_once = "Its secret is in the answer, and nowhere else."
        return (
            Route("POST", PATH, self.create, TAG, "Create a webhook endpoint",
                  f"It is told what comes from now on. {shown_once}",
                  [Answer(201, "The endpoint", EndpointCreated, REPLAYED), *refusals(403, 409, 413, 422)], [IDEMPOTENCY_KEY],
                  security, WRITE, body=NewEndpoint),
            Route("GET", PATH, self.page, TAG, "List webhook endpoints", "Newest first, in one page.",
                  [Answer(200, "All of them", EndpointList), *refusals(403, 422)],
                  [limit_parameter(DEFAULT_LIMIT, MAX_LIMIT)], security, READ),
            Route("GET", f"{PATH}/{{id}}", self.get, TAG, "Get a webhook endpoint", "Without its secret.",
                  [Answer(200, "The endpoint", EndpointBody), *refusals(400, 403, 404)], [ONE], security, READ),
            Route("PATCH", f"{PATH}/{{id}}", self.change, TAG, "Change a webhook endpoint",
                  "One that is made active again is told what comes from then on.",
                  [Answer(200, "The endpoint", EndpointBody), *refusals(400, 403, 404, 413, 422)], [ONE], security, WRITE,
                  body=EndpointChange),
            Route("DELETE", f"{PATH}/{{id}}", self.delete, TAG, "Delete a webhook endpoint",
                  "It is told nothing more, not even what waits. Its deliveries stay in the log.",
                  [Answer(200, "It is gone", None), *refusals(400, 403, 404)], [ONE], security, WRITE),
            Route("POST", f"{PATH}/{{id}}/rotate-secret", self.rotate, TAG, "Rotate an endpoint's secret",
                  f"{shown_once} For 24 hours webhooks are signed with the old one as well.",
                  [Answer(200, "The endpoint", EndpointRotated, REPLAYED), *refusals(400, 403, 404, 409, 413, 422)],
                  [ONE, IDEMPOTENCY_KEY], security, WRITE),
            Route("POST", "/v1/webhook-secret/rotate", self.rotate_organization, TAG, "Rotate the organization's webhook secret",
                  f"Which numbers' `inbound_url` and `status_url` are signed with. {shown_once} For five minutes webhooks are "
                  "signed with the old one as well.",
                  [Answer(200, "The new secret", OrganizationSecret, REPLAYED), *refusals(403, 409, 413, 422)],
                  [IDEMPOTENCY_KEY], security, "org:admin:write"),
        )  # fmt: skip


def _organization_secret(secret: Secret) -> OrganizationSecret:
    return OrganizationSecret(secret.text, rfc3339(secret.made_at), rfc3339(secret.previous_until))


def _events(value: Any) -> tuple[str, ...]:
    known = isinstance(value, list) and all(isinstance(each, str) and each in TYPES for each in value)
    if not known or not 1 <= len(value) <= MAX_EVENTS or len(set(value)) != len(value):
        raise ValueError(f"must be a list of 1..{MAX_EVENTS} different events: {', '.join(TYPES)}")
    return tuple(value)
