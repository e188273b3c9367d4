"""Dialect A: the delivery log of webhooks; telling an endpoint of an event once more, and trying whether it answers."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from roost.api import queries
from roost.api.answers import refusals
from roost.api.auth import Authenticator
from roost.api.bodies import invalid, json_object, one_of, uuid
from roost.api.errors import not_found
from roost.api.http import json_response
from roost.api.idempotency import IDEMPOTENCY_KEY, REPLAYED, Attempt, Idempotency
from roost.api.listing import CURSOR, CURSOR_KEY, limit_parameter, parse_list
from roost.api.queries import path_id
from roost.api.routes import SECURITY_KEY, Answer, Parameter, Route
from roost.core.webhooks import OUTCOMES, TEST, TYPES
from roost.push.webhooks.asking import event_to_replay, send_test
from roost.push.webhooks.bodies import (
    DeliveryBody,
    DeliveryList,
    Replayed,
    TestOutcome,
    delivery_body,
    tested_body,
)
from roost.push.webhooks.poster import Poster
from roost.push.webhooks.routes import ONE, PATH, READ, TAG, WRITE
from roost.push.webhooks.signing import public_event_id
from roost.store.base import Store
from roost.store.transaction import Transaction
from roost.store.webhook_endpoints import Webhooks
from roost.store.webhook_log import LogFilters, Logged, log_entry, logged
from roost.store.webhook_queue import queue_again

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
_LIST = "webhook deliveries"
_READERS: queries.Readers = {
    "limit": queries.limit(MAX_LIMIT),
    "endpoint_id": uuid,
    "event_type": one_of(*TYPES, TEST),
    "outcome": one_of(*OUTCOMES),
    "since": queries.since,
    "until": queries.since,
    "http_status_min": queries.limit(999),
    "http_status_max": queries.limit(999),
}


class DeliveryRoutes:
    """Handlers over one store."""

    def __init__(self, store: Store, authenticator: Authenticator, idempotency: Idempotency, poster: Poster) -> None:
        self._store = store
        self._webhooks = Webhooks(store)
        self._authenticator = authenticator
        self._idempotency = idempotency
        self._poster = poster
        self._cursor_key = store.vault.derive(CURSOR_KEY)

    async def page(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, READ)
        asked = parse_list(request.scope["query_string"], _READERS, DEFAULT_LIMIT)
        filters = LogFilters(**asked.filters)
        _check_order("until", filters.since, filters.until, "must not be before since")
        least, most = filters.http_status_min, filters.http_status_max
        _check_order("http_status_max", least, most, "must not be below http_status_min")
        found = await logged(self._store, asked.page(self._cursor_key, _LIST, principal.org_id), filters)
        last_id = found.items[-1].id if found.has_more else None
        meta = asked.meta_after(self._cursor_key, _LIST, principal.org_id, last_id)
        return json_response(DeliveryList(True, [delivery_body(each) for each in found.items], meta))

    async def get(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, READ)
        return json_response(delivery_body(await self._one(principal.org_id, request)))

    async def replay(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, WRITE, "replays")
        found = await self._one(principal.org_id, request)
        _, raw = await json_object(request)
        entry = found.entry

        async def make(attempt: Attempt) -> Response:
            event, url = await event_to_replay(self._store, found)

            async def work(tx: Transaction) -> Response:
                event_id = tx.new_id()
                await queue_again(tx, entry.target, event, event_id)
                body = Replayed(public_event_id(event_id), entry.target.id, entry.event_type, url)
                response = json_response(body, status=202)
                await attempt.answer(tx, response)
                return response

            return await self._store.transact(work)

        return await self._idempotency.once(request, principal.org_id, raw, make)

    async def test(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, WRITE)
        endpoint = await self._webhooks.get(principal.org_id, path_id(request.path_params["id"]))
        if endpoint is None:
            raise not_found()
        return json_response(tested_body(await send_test(self._store, self._poster, endpoint)))

    async def _one(self, org_id: str, request: Request) -> Logged:
        found = await log_entry(self._store, org_id, path_id(request.path_params["id"]))
        if found is None:
            raise not_found()
        return found

    def routes(self) -> Sequence[Route]:
        security, path = [SECURITY_KEY], f"{PATH}/deliveries"
        one = Parameter("id", "path", {"type": "string", "format": "uuid"}, "The delivery's id.")
        gone = Answer(410, "`EVENT_EXPIRED`: the event is no longer kept", refusals(403)[0].body)
        return (
            Route("GET", path, self.page, TAG, "List deliveries", "Each try to tell an endpoint of an event, newest first.",
                  [Answer(200, "A page", DeliveryList), *refusals(403, 422)], _PARAMETERS, security, READ),
            Route("GET", f"{path}/{{id}}", self.get, TAG, "Get a delivery", "One try.",
                  [Answer(200, "The delivery", DeliveryBody), *refusals(400, 403, 404)], [one], security, READ),
            Route("POST", f"{path}/{{id}}/replay", self.replay, TAG, "Replay a delivery",
                  "The endpoint is told of the event once more, as it stands now, under another id: after what it is still to be "
                  "told of the same thread.",
                  [Answer(202, "It will be told", Replayed, REPLAYED), *refusals(400, 403, 404, 409, 413, 422), gone],
                  [one, IDEMPOTENCY_KEY], security, WRITE),
            Route("POST", f"{PATH}/{{id}}/test", self.test, TAG, "Test an endpoint",
                  "Sends a `webhook.test` now, once, and says what became of it.",
                  [Answer(200, "What became of it", TestOutcome), *refusals(400, 403, 404)], [ONE], security, WRITE),
        )  # fmt: skip


def _check_order(name: str, least: int | None, most: int | None, text: str) -> None:
    if least is not None and most is not None and least > most:
        raise invalid({name: text})


_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}
_STATUS: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": 999}
_PARAMETERS = (
    Parameter("endpoint_id", "query", {"type": "string", "format": "uuid"}, "Only of this endpoint; of a number's URLs: its id."),
    Parameter("event_type", "query", {"type": "string", "enum": [*TYPES, TEST]}, "Only of this type."),
    Parameter("outcome", "query", {"type": "string", "enum": list(OUTCOMES)}, "Only what became of it so."),
    Parameter("since", "query", _TIME, "At this time or later."),
    Parameter("until", "query", _TIME, "Before this time."),
    Parameter("http_status_min", "query", _STATUS, "Only where the answer had this status or a higher one."),
    Parameter("http_status_max", "query", _STATUS, "Only where the answer had this status or a lower one."),
    limit_parameter(DEFAULT_LIMIT, MAX_LIMIT), CURSOR,
)  # fmt: skip
