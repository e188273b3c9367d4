"""Dialect A: phone numbers. Here they are registered, where the original buys them."""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from roost.api import lists
from roost.api.agentmessage import Meta, not_found
from roost.api.answers import answer, enveloped, refusals
from roost.api.auth import Authenticator
from roost.api.bodies import Fields, invalid, json_object, one_of, string
from roost.api.idempotency import IDEMPOTENCY_KEY, REPLAYED, Attempt, Idempotency
from roost.api.routes import SECURITY_KEY, Answer, Parameter, Route
from roost.core.ids import parse_uuid
from roost.core.numbers import is_e164, is_short_code
from roost.core.times import rfc3339
from roost.errors import Refusal
from roost.store.audit import Actor
from roost.store.base import Store
from roost.store.directory import Agent, Directory, Number, NumberFilters, Routing
from roost.store.transaction import Transaction

READ, WRITE = "numbers:read", "numbers:write"
NumberType = Literal["local", "toll_free", "short_code"]
TYPES = ("local", "toll_free", "short_code")
INCLUDES = ("agent", "carrier_account_id", "segments_per_second")
MAX_LABEL, MAX_URL, MAX_PACE = 200, 2048, 1000

_TOLL_FREE = re.compile(
    r"\+18(?:00|33|44|55|66|77|88)[0-9]{7}"
)  # https://www.fcc.gov/consumers/guides/what-toll-free-number


class NewNumber(msgspec.Struct, forbid_unknown_fields=True):
    """A number that a carrier account has already. `agent` is the wallet of the agent that holds it from now on."""

    number: str
    carrier_account_id: str
    label: Annotated[str, msgspec.Meta(max_length=MAX_LABEL)] | None = None
    agent: str | None = None
    number_type: NumberType | None = None
    inbound_url: Annotated[str, msgspec.Meta(max_length=MAX_URL)] | None = None
    status_url: Annotated[str, msgspec.Meta(max_length=MAX_URL)] | None = None
    segments_per_second: Annotated[float, msgspec.Meta(gt=0, le=MAX_PACE)] | None = None


class NumberChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out or null stays as it is; "" clears."""

    label: Annotated[str, msgspec.Meta(max_length=MAX_LABEL)] | None = None
    inbound_url: Annotated[str, msgspec.Meta(max_length=MAX_URL)] | None = None
    status_url: Annotated[str, msgspec.Meta(max_length=MAX_URL)] | None = None
    campaign_id: str | None = None


class NumberBody(msgspec.Struct):
    """A number. `campaign_id` is always null: campaigns are registered at the carrier. The last three come by `include`."""

    id: str
    number: str
    number_type: NumberType
    inbound_url: str | None
    status_url: str | None
    label: str
    campaign_id: None
    sms_enabled: bool
    mms_enabled: bool
    created_at: str
    updated_at: str
    agent: str | UnsetType | None = UNSET
    carrier_account_id: str | UnsetType = UNSET
    segments_per_second: float | UnsetType | None = UNSET


class NumberList(msgspec.Struct):
    success: Literal[True]
    data: list[NumberBody]
    meta: Meta


class NumberOne(msgspec.Struct):
    success: Literal[True]
    data: NumberBody


class Released(msgspec.Struct):
    status: Literal["released"]


class NumberReleased(msgspec.Struct):
    success: Literal[True]
    data: Released


class _Asked(NamedTuple):
    number: str
    account_id: str
    agent: Agent | None
    label: str
    routing: Routing


class PhoneNumbers:
    """Handlers over one store."""

    def __init__(self, store: Store, authenticator: Authenticator, idempotency: Idempotency) -> None:
        self._directory = Directory(store)
        self._authenticator = authenticator
        self._idempotency = idempotency
        readers = {
            "number_type": _type, "campaign_id": lists.uuid, "search": lists.word, "include": lists.some_of(*INCLUDES)
        }  # fmt: skip
        self._list = lists.ListOf("phone-numbers", store.vault.derive("cursors"), readers, 20, 100, ("include",))

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
        asked = self._list.read(request.scope["query_string"], principal.org_id)
        values, include = asked.values, asked.values.get("include", ())
        if "campaign_id" in values:
            return answer(self._list.envelope(asked, [], last_id=None))
        found = await self._directory.numbers(
            asked.page, NumberFilters(values.get("number_type"), values.get("search"))
        )
        data = [await self._shown(number, include) for number in found.items]
        return answer(self._list.envelope(asked, data, last_id=found.items[-1].id if found.has_more else None))

    async def get(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, READ)
        number_id = lists.path_uuid(request.path_params["id"])
        asked = lists.read_query(request.scope["query_string"], {"include": lists.some_of(*INCLUDES)})
        number = await self._directory.number_by_id(principal.org_id, number_id)
        if number is None:
            raise not_found()
        return enveloped(await self._shown(number, asked.get("include", ())))

    async def change(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, WRITE)
        number_id = lists.path_uuid(request.path_params["id"])
        values, _ = await json_object(request)
        change = _change(values)
        actor = Actor("api_key", principal.key_id)
        number = await self._directory.change_number(principal.org_id, number_id, change, actor)
        if number is None:
            raise not_found()
        return enveloped(_body(number, (), None))

    async def remove(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, WRITE)
        number_id = lists.path_uuid(request.path_params["id"])
        asked = lists.read_query(request.scope["query_string"], {"return_to_carrier": lists.boolean})
        if asked.get("return_to_carrier"):
            # It needs platform:inventory:write, which no key of a self-hosted server has.
            raise Refusal(403, "FORBIDDEN", "missing required scope")
        if not await self._directory.remove_number(principal.org_id, number_id, Actor("api_key", principal.key_id)):
            raise not_found()
        return answer(NumberReleased(True, Released("released")))

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
            fields.take("inbound_url", https_url, "") or None,
            fields.take("status_url", https_url, "") or None,
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
_INCLUDE = Parameter(
    "include", "query", {"type": "string", "pattern": f"^({'|'.join(INCLUDES)})(,({'|'.join(INCLUDES)}))*$"},
    "Extra fields, separated by commas: `agent` (the wallet that holds it), `carrier_account_id`, `segments_per_second`.",
)  # fmt: skip
_RETURN = Parameter(
    "return_to_carrier", "query", {"type": "boolean", "enum": [False]},
    "Needs `platform:inventory:write`, which no key of a self-hosted server has.",
)  # fmt: skip
_LIST_PARAMETERS = (
    Parameter("number_type", "query", {"type": "string", "enum": list(TYPES)}, "Only numbers of this type."),
    Parameter("campaign_id", "query", {"type": "string", "format": "uuid"}, "No number has one: nothing is found."),
    Parameter("search", "query", {"type": "string", "minLength": 1, "maxLength": 255},
              "Part of the number (`+` as `%2B`) or of its label, in any case."),
    _INCLUDE, lists.limit_parameter(20, 100), lists.CURSOR,
)  # fmt: skip


def _change(values: dict[str, Any]) -> Callable[[Number], Number]:
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
            changes[name] = fields.take(name, https_url, "") or None
    if fields.details:
        raise invalid(fields.details)
    return lambda number: number._replace(**changes)


def https_url(value: Any) -> str:
    """Reads a URL that we may push to; "" stands for none."""
    text = string(0, MAX_URL)(value)
    try:
        parts = urlsplit(text)
        valid = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:
        valid = False
    if text and not (valid and text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("must be an https URL, without a user name")
    return text


def _pace(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_PACE:
        raise ValueError(f"must be a number above 0 and at most {MAX_PACE}")
    return float(value)


def _type(text: str) -> str:
    if text not in TYPES:
        raise ValueError(f"must be one of {', '.join(TYPES)}")
    return text


def _type_of(number: str) -> str:
    if _TOLL_FREE.fullmatch(number):
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
