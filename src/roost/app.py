"""The whole application put together: the only place that knows every part."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from re import Pattern
from typing import Any

import msgspec
from starlette.routing import Route as StarletteRoute
from starlette.routing import Router, compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from roost import routing
from roost.api.agents import Agents
from roost.api.answers import AgentMessageError
from roost.api.audit import AuditLog
from roost.api.auth import Authenticator, ShortCache
from roost.api.blocking import Blocking
from roost.api.consent import ConsentRoutes
from roost.api.contacts import Contacts
from roost.api.errors import general
from roost.api.hosted_form import HostedForm
from roost.api.http import Endpoint
from roost.api.idempotency import Idempotency
from roost.api.inbound import Inbound
from roost.api.keys import ApiKeys
from roost.api.limits import NO_LIMITS, Limits
from roost.api.llms import llms_text
from roost.api.media import MediaRoutes
from roost.api.messages import Messages
from roost.api.numbers import PhoneNumbers
from roost.api.oneshot_notifications import Notifications
from roost.api.oneshot_requests import AgentRequests
from roost.api.oneshot_send import AgentSending
from roost.api.openapi import document
from roost.api.operations import Operations
from roost.api.organization import OrganizationRoutes
from roost.api.otp import OtpRoutes
from roost.api.routes import Answer, Parameter, Route
from roost.api.sender import Sender
from roost.api.shell import Shell
from roost.api.uploads import Uploads
from roost.carriers.registry import CARRIERS
from roost.core.addresses import Network
from roost.core.media_urls import URL_KEY, MediaUrls
from roost.intake import Intake
from roost.mcp.endpoint import PATH as MCP_PATH
from roost.mcp.endpoint import Endpoint as McpEndpoint
from roost.push.push import Push
from roost.push.webhooks.log_routes import DeliveryRoutes
from roost.push.webhooks.poster import Poster
from roost.push.webhooks.routes import EndpointRoutes
from roost.scrape import Scrape
from roost.store.base import Store
from roost.store.objects import Objects
from roost.store.policy import policy_of
from roost.web.accounts import CheckUp
from roost.web.inbox import Doing, Inbox


class Delivered(msgspec.Struct):
    """What became of a delivery's events; `ids` are those of the new messages."""

    ids: list[str]
    stored: int
    duplicates: int
    unrouted: int
    receipts: int


def build(
    store: Store,
    public_url: str,
    objects: Objects,
    wake: Callable[[], None] = lambda: None,
    wake_copier: Callable[[], None] = lambda: None,
    *,
    oneshot_quotes: bool = True,
    limits: Limits = NO_LIMITS,
    push: Push | None = None,
    poster: Poster | None = None,
    allowed_networks: Sequence[Network] = (),
    check_up: CheckUp | None = None,
    scrape: Scrape | None = None,
) -> ASGIApp:
    """The ASGI application over an open store.

    `objects` is where media are kept. `wake` tells the worker that there may be something to send, `wake_copier` the copier
    that there may be media to copy; `oneshot_quotes`: dialect B quotes before it sends; `push` and `poster` are for
    whoever has to stop them, `scrape` is for processes that serve together, and `check_up` asks carriers about accounts.
    `allowed_networks` may be pushed to though they are not public.
    """
    urls = MediaUrls(public_url, store.vault.derive(URL_KEY))
    push = push or Push(store, urls)
    authenticator, idempotency = Authenticator(store, limits), Idempotency(store)
    policies = ShortCache(partial(policy_of, store))
    sender = Sender(store, policies, wake)
    intake = Intake(store, limits, wake, wake_copier, public_url)
    routes: list[Route] = [*_intake_routes(intake), *Inbound(store, authenticator, urls, push.waiting).routes()]
    routes += push.routes(authenticator, idempotency)
    poster = poster or Poster(store.clock, allowed_networks)
    routes += DeliveryRoutes(store, authenticator, idempotency, poster).routes()
    routes += EndpointRoutes(store, authenticator, idempotency, allowed_networks).routes()
    routes += OtpRoutes(store, authenticator, push.waiting).routes()
    routes += Messages(store, authenticator, sender, idempotency, urls).routes()
    routes += Uploads(store, objects, urls, authenticator, idempotency).routes()
    routes += MediaRoutes(store, objects, urls).routes()
    routes += AgentSending(store, authenticator, sender, idempotency, quotes=oneshot_quotes).routes()
    routes += AgentRequests(store, authenticator).routes()
    routes += Notifications(store, authenticator).routes()
    routes += ConsentRoutes(store, authenticator, policies, sender, public_url, idempotency).routes()
    routes += HostedForm(store, policies, public_url).routes()
    routes += Blocking(store, authenticator, idempotency).routes()
    routes += ApiKeys(store, authenticator, idempotency).routes()
    routes += PhoneNumbers(store, authenticator, idempotency, allowed_networks).routes()
    routes += OrganizationRoutes(store, authenticator).routes()
    routes += Contacts(store, authenticator).routes()
    routes += AuditLog(store, authenticator).routes()
    routes += Agents(store, authenticator, idempotency).routes()

    def description() -> dict[str, Any]:
        return document(routes, public_url)

    scrape = scrape or Scrape(store)
    routes += Operations(store, description, lambda: llms_text(routes, public_url), scrape.text).routes()
    doing = Doing(intake.play, partial(routing.route, store), check_up)
    inbox = Inbox(store, public_url, sender, policies, urls, limits, push.following, doing)
    mcp = McpEndpoint(authenticator, public_url, push.stopping)
    mcp.app = Shell(_Routing([*routes, *inbox.routes()], {MCP_PATH: mcp}), store.clock)
    return mcp.app


class _Routing:
    """Calls the endpoint that a request is for; what fits none (404, 405, HEAD) is Starlette's router's to answer.

    The router alone would do, for a tenth of what a delivery costs the server. `others` speak something of their own, which the
    document does not describe.
    """

    def __init__(self, routes: Sequence[Route], others: Mapping[str, ASGIApp]) -> None:
        self._others = others
        self._fixed: dict[tuple[str, str], Endpoint] = {}
        self._endpoints: dict[str, list[tuple[Pattern[str], Endpoint]]] = {}
        for route in routes:
            pattern, _, parameters = compile_path(route.path)
            endpoint = Endpoint(route.path, route.handler)
            if parameters:
                self._endpoints.setdefault(route.method, []).append((pattern, endpoint))
            else:
                self._fixed[route.method, route.path] = endpoint
        self._router = Router(
            [
                StarletteRoute(route.path, Endpoint(route.path, route.handler), methods=[route.method])
                for route in routes
            ],
            redirect_slashes=False,
            default=_no_route,
        )

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        method, path = scope["method"], scope["path"]
        fixed = self._fixed.get((method, path))
        if fixed is not None:
            return fixed(scope, receive, send)
        for pattern, endpoint in self._endpoints.get(method, ()):
            found = pattern.fullmatch(path)
            if found:
                scope["path_params"] = found.groupdict()
                return endpoint(scope, receive, send)
        return self._others.get(path, self._router)(scope, receive, send)


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    raise general(404, scope["path"])


def _intake_routes(intake: Intake) -> list[Route]:
    """One for each method that any carrier calls with."""
    route = _intake_route(intake)
    by_get = [name for name, carrier in CARRIERS.items() if "GET" in carrier.METHODS]
    if not by_get:
        return [route]
    said = f"As with POST, for the carriers that can be told to call so: {', '.join(sorted(by_get))}."
    return [
        route,
        route._replace(method="GET", summary="Where a carrier delivers by GET", description=said, takes_body=False),
    ]


def _intake_route(intake: Intake) -> Route:
    silent = sorted(name for name, carrier in CARRIERS.items() if carrier.EMPTY_ANSWER)
    return Route(
        "POST",
        "/carriers/{carrier}/{account_id}",
        intake,
        "Intake",
        "Where a carrier delivers",
        "Set this URL as the webhook at the carrier, with the account's credential where it takes one; others sign what they "
        "send. Whatever arrives with a good credential is stored before it is acknowledged, and a replay changes nothing.",
        [
            Answer(200, "Stored", Delivered),
            Answer(204, f"Stored, for carriers that want an empty answer: {', '.join(silent)}", None),
            Answer(401, "A missing or wrong credential; nothing was stored", AgentMessageError, ("WWW-Authenticate",)),
            Answer(404, "No such carrier", AgentMessageError),
            Answer(405, "This carrier does not call so", AgentMessageError, ("Allow",)),
            Answer(413, "More than 1 MiB", AgentMessageError),
            Answer(429, "Too many wrong credentials from this address", AgentMessageError, ("Retry-After",)),
            Answer(503, "It could not be stored now; deliver it again", AgentMessageError, ("Retry-After",)),
        ],
        [
            Parameter("carrier", "path", {"type": "string"}, f"One of {', '.join(f'`{name}`' for name in CARRIERS)}."),
            Parameter("account_id", "path", {"type": "string", "format": "uuid"}, "The carrier account."),
        ],
        [{"carrier": []}],
        takes_body=True,
    )
