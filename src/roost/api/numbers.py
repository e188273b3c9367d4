"""Dialect A: phone numbers. Here they are registered, where the original buys them."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from roost.api import queries
from roost.api.answers import enveloped, refusals
from roost.api.auth import Authenticator
from roost.api.bodies import Fields, invalid, json_object, one_of, string, uuid
from roost.api.errors import not_found
from roost.api.http import json_response
from roost.api.idempotency import IDEMPOTENCY_KEY, REPLAYED, Attempt, Idempotency
from roost.api.listing import CURSOR, CURSOR_KEY, include_parameter, limit_parameter, parse_list
from roost.api.number_bodies import (
    MAX_LABEL,
    MAX_PACE,
    NewNumber,
    NumberBody,
    NumberChange,
    NumberList,
    NumberOne,
    NumberReleased,
    Released,
)
from roost.api.push_urls import push_url
from roost.api.queries import parse_query, path_id
from roost.api.routes import SECURITY_KEY, Answer, Parameter, Route
from roost.core.addresses import Network
from roost.core.ids import parse_uuid
from roost.core.numbers import is_e164, is_short_code, is_toll_free
from roost.core.times import rfc3339
from roost.errors import Refusal
from roost.store.audit import Actor
from roost.store.base import Store
from roost.store.directory import Agent, Directory, Number, NumberFilters, Routing
from roost.store.transaction import Transaction

READ, WRITE = "numbers:read", "numbers:write"
TYPES = ("local", "toll_free", "short_code")
INCLUDES = ("agent", "carrier_account_id", "segments_per_second")
DEFAULT_LIMIT, MAX_LIMIT = 20, 100
_LIST = "numbers"
_include = queries.some_of(*INCLUDES)
_READERS = {
    "limit": queries.limit(MAX_LIMIT),
    "number_type": one_of(*TYPES),
    "campaign_id": uuid,
    "search": queries.word,
    "include": _include,
}


class _Asked(NamedTuple):
    number: str
    account_id: str
    agent: Agent | None
    label: str
    routing: Routing


class PhoneNumbers:
    """Handlers over one store."""

    def __init__(
        self,
        store: Store,
        authenticator: Authenticator,
        idempotency: Idempotency,
        allowed_networks: Sequence[Network] = (),
    ) -> None:
        self._directory = Directory(store)
        self._push_url = push_url(allowed_networks)
        self._authenticator = authenticator
        self._idempotency = idempotency
        self._cursor_key = store.vault.derive(CURSOR_KEY)

    async def register(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, WRITE)
        values, raw = await json_object(request)
        asked = await self._new_number(values, principal.org_id)

        async def make(attempt: Attempt) -> Response:
            def body(number: Number) -> Response:
                return enveloped(_body(number, (), None), 201)

            async def beside(transaction: Transaction, number: Number) -> None:
                await attempt.answer(transaction, body(number))

            actor = Actor("api_key", principal.key_id)
            agent_id = asked.agent.id if asked.agent else None
            added = await self._directory.add_number(
                principal.org_id, asked.number, asked.account_id, agent_id, asked.label,
                actor=actor, beside=beside, routing=asked.routing,
            )  # fmt: skip
            if added is None:
                raise Refusal(409, "CONFLICT", "the number is registered already; it belongs to one carrier account")
            return body(added)

        return await self._idempotency.once(request, principal.org_id, raw, make)

    async def page(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, READ)
        asked = parse_list(request.scope["query_string"], _READERS, DEFAULT_LIMIT)
        page, filters = asked.page(self._cursor_key, _LIST, principal.org_id), asked.filters
        if "campaign_id" in filters:
            return json_response(NumberList(True, [], asked.meta(None)))
        found = await self._directory.numbers(page, NumberFilters(filters.get("number_type"), filters.get("search")))
        data = [await self._shown(number, asked.include) for number in found.items]
        last_id = found.items[-1].id if found.has_more else None
        meta = asked.meta_after(self._cursor_key, _LIST, principal.org_id, last_id)
        return json_response(NumberList(True, data, meta))

    async def get(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, READ)
        number_id = path_id(request.path_params["id"])
        include = parse_list(request.scope["query_string"], {"include": _include}, 1, paged=False).include
        number = await self._directory.number_by_id(principal.org_id, number_id)
        if number is None:
            raise not_found()
        return enveloped(await self._shown(number, include))

    async def change(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, WRITE)
        number_id = path_id(request.path_params["id"])
        values, _ = await json_object(request)
        change = _change(values, self._push_url)
        actor = Actor("api_key", principal.key_id)
        number = await self._directory.change_number(principal.org_id, number_id, change, actor)
        if number is None:
            raise not_found()
        return enveloped(_body(number, (), None))

    async def remove(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, WRITE)
        number_id = path_id(request.path_params["id"])
        asked = parse_query(request.scope["query_string"], {"return_to_carrier": queries.boolean})
        if asked.get("return_to_carrier"):
            # It needs platform:inventory:write, which no key of a self-hosted server has.
            raise Refusal(403, "FORBIDDEN", "missing required scope")
        if not await self._directory.remove_number(principal.org_id, number_id, Actor("api_key", principal.key_id)):
            raise not_found()
        return json_response(NumberReleased(True, Released("released")))

    async def _shown(self, number: Number, include: tuple[str, ...]) -> NumberBody:
        agent = None
        if "agent" in include and number.agent_id is not None:
            agent = await self._directory.agent_by_id(number.org_id, number.agent_id)
        return _body(number, include, agent)

    async def _new_number(self, values: dict[str, Any], org_id: str) -> _Asked:
        fields = Fields(values)
        text = fields.need("number", string(1, 16), "")
        number_type = fields.take("number_type", one_of(*TYPES), _type_of(text))
        valid = is_short_code(text) if number_type == "short_code" else is_e164(text)
        if "number" not in fields.details and not valid:
            fields.details["number"] = "must be E.164, or 3..8 digits with number_type short_code"
        account_text = fields.need("carrier_account_id", string(1, 64), "")
        account_id = parse_uuid(account_text)
        account = await self._directory.carrier_account(account_id) if account_id else None
        if "carrier_account_id" not in fields.details and (account is None or account.org_id != org_id):
            fields.details["carrier_account_id"] = "must be the id of a carrier account of this organization"
        wallet = fields.take("agent", string(1, 64), "")
        agent = await self._directory.agent(wallet) if wallet else None
        if wallet and (agent is None or agent.org_id != org_id):
            fields.details["agent"] = "must be the wallet of an agent of this organization"
        label = fields.take("label", string(0, MAX_LABEL), "")
        routing = Routing(
            number_type,
            fields.take("inbound_url", self._push_url, "") or None,
            fields.take("status_url", self._push_url, "") or None,
            fields.take("segments_per_second", _pace, None),
        )
        fields.check()
        assert account is not None
        return _Asked(text, account.id, agent, label, routing)

    def routes(self) -> Sequence[Route]:
        tag, path, security = "Dialect A: Phone numbers", "/v1/phone-numbers", [SECURITY_KEY]
        one = Parameter("id", "path", {"type": "string", "format": "uuid"}, "The number's id.")
        return (
            Route("POST", path, self.register, tag, "Register a number",
                  "A number of one of the organization's carrier accounts. Ours: the original buys numbers.",
                  [Answer(201, "The number", NumberOne, REPLAYED), *refusals(403, 409, 413, 422)], [IDEMPOTENCY_KEY],
                  security, WRITE, body=NewNumber),
            Route("GET", path, self.page, tag, "List numbers", "Newest first.",
                  [Answer(200, "A page", NumberList), *refusals(403, 422)], _LIST_PARAMETERS, security, READ),
            Route("GET", f"{path}/{{id}}", self.get, tag, "Get a number", "With `include`, also who holds it.",
                  [Answer(200, "The number", NumberOne), *refusals(400, 403, 404, 422)], [one, _INCLUDE], security, READ),
            Route("PATCH", f"{path}/{{id}}", self.change, tag, "Change a number", _CHANGE_TEXT,
                  [Answer(200, "The number", NumberOne), *refusals(400, 403, 404, 413, 422)], [one], security, WRITE,
                  body=NumberChange),
            Route("DELETE", f"{path}/{{id}}", self.remove, tag, "Remove a number",
                  "Its messages and consents stay. What is queued from it is cancelled: failed, with the code "
                  "`CANCELED`.",
                  [Answer(200, "It is gone", NumberReleased), *refusals(400, 403, 404, 422)], [one, _RETURN], security,
                  WRITE),
        )  # fmt: skip


_CHANGE_TEXT = """Takes `label`, `inbound_url`, `status_url` and `campaign_id`; any other field is 400 `INVALID_INPUT`. What is
left out or null stays, and "" clears. There are no campaigns here, so that every `campaign_id` is 422."""
_INCLUDE = include_parameter(
    "`agent` (the wallet that holds it), `carrier_account_id`, `segments_per_second`", *INCLUDES
)
_RETURN = Parameter(
    "return_to_carrier", "query", {"type": "boolean", "enum": [False]},
    "Needs `platform:inventory:write`, which no key of a self-hosted server has.",
)  # fmt: skip
_LIST_PARAMETERS = (
    Parameter("number_type", "query", {"type": "string", "enum": list(TYPES)}, "Only numbers of this type."),
    Parameter("campaign_id", "query", {"type": "string", "format": "uuid"}, "No number has one: nothing is found."),
    Parameter("search", "query", {"type": "string", "minLength": 1, "maxLength": 255},
              "Part of the number (`+` as `%2B`) or of its label, in any case."),
    _INCLUDE, limit_parameter(DEFAULT_LIMIT, MAX_LIMIT), CURSOR,
)  # fmt: skip


def _change(values: dict[str, Any], read_url: Callable[[Any], str]) -> Callable[[Number], Number]:
    unsupported = sorted(values.keys() - {"inbound_url", "status_url", "label", "campaign_id"})
    if unsupported:
        name = unsupported[0][:64]
        raise Refusal(400, "INVALID_INPUT", f'phone number: unsupported field "{name}": invalid input')
    fields = Fields(values)
    if fields.given("campaign_id"):
        raise invalid({"campaign_id": "must be left out: there are no campaigns here"})
    changes: dict[str, Any] = {}
    if fields.given("label"):
        changes["label"] = fields.take("label", string(0, MAX_LABEL), "")
    for name in ("inbound_url", "status_url"):
        if fields.given(name):
            changes[name] = fields.take(name, read_url, "") or None
    if fields.details:
        raise invalid(fields.details)
    return lambda number: number._replace(**changes)


def _pace(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_PACE:
        raise ValueError(f"must be a number above 0 and at most {MAX_PACE}")
    return float(value)


def _type_of(number: str) -> str:
    if is_toll_free(number):
        return "toll_free"
    return "short_code" if is_short_code(number) else "local"


def _body(number: Number, include: tuple[str, ...], agent: Agent | None) -> NumberBody:
    body = NumberBody(
        number.id,
        number.number,
        number.number_type,  # type: ignore[arg-type]  # one of TYPES: it was checked when it was stored
        number.inbound_url,
        number.status_url,
        number.label,
        None,
        True,
        True,
        rfc3339(number.created_at),
        rfc3339(number.created_at if number.updated_at is None else number.updated_at),
    )
    if "agent" in include:
        body.agent = agent.wallet if agent else None
    if "carrier_account_id" in include:
        body.carrier_account_id = number.carrier_account_id
    if "segments_per_second" in include:
        body.segments_per_second = number.segments_per_second
    return body
