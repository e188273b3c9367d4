"""Dialect B: what an agent knows about itself, and its access tokens."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from roost.api.answers import enveloped, moment, oneshot_refusals
from roost.api.auth import Authenticator
from roost.api.bodies import Fields, string
from roost.api.http import json_response, read_body
from roost.api.idempotency import IDEMPOTENCY_KEY, REPLAYED, Attempt, Idempotency
from roost.api.routes import SECURITY_AGENT, Answer, Parameter, Route
from roost.core.ids import parse_uuid
from roost.core.times import rfc3339
from roost.errors import Refusal
from roost.store.audit import Actor
from roost.store.base import Store
from roost.store.directory import Agent, Directory, Issued, StoredToken
from roost.store.transaction import Transaction

DAY_US = 24 * 3600 * 1_000_000
MAX_NAME, MAX_DAYS, MAX_LISTED, MAX_BODY_BYTES = 200, 36500, 1000, 1 << 16

_decode = msgspec.json.Decoder().decode


class NewAccessToken(msgspec.Struct):
    """Without `expires_in_days` it works until it is revoked."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)] | None = None
    expires_in_days: Annotated[int, msgspec.Meta(ge=1, le=MAX_DAYS)] | None = None


class AgentBody(msgspec.Struct):
    """`mode` is `open` when the X-Agent-ID header alone is believed. `phone_numbers` are those that the agent holds."""

    id: str
    wallet_address: str
    mode: Literal["proof", "open"]
    phone_numbers: list[str]


class AgentOne(msgspec.Struct):
    success: Literal[True]
    data: AgentBody


class TokenCreated(msgspec.Struct):
    """A new access token. `token` is shown once."""

    id: str
    token: str
    token_prefix: str
    name: str | None
    created_at: str
    expires_at: str | None
    created_by: str | None


class TokenCreatedOne(msgspec.Struct):
    success: Literal[True]
    data: TokenCreated


class TokenBody(msgspec.Struct):
    """`created_by` is the wallet that made it, null when the operator did. Nothing is spent here."""

    id: str
    token_prefix: str
    name: str | None
    source: Literal["api", "operator"]
    last_used_at: str | None
    created_at: str
    revoked_at: str | None
    expires_at: str | None
    created_by: str | None
    spent_today_usdc: Literal["0.00"]


class Tokens(msgspec.Struct):
    tokens: list[TokenBody]


class TokenList(msgspec.Struct):
    success: Literal[True]
    data: Tokens


class Done(msgspec.Struct):
    success: Literal[True]


class Agents:
    """Handlers over one store."""

    def __init__(self, store: Store, authenticator: Authenticator, idempotency: Idempotency) -> None:
        self._directory = Directory(store)
        self._authenticator = authenticator
        self._idempotency = idempotency

    async def me(self, request: Request) -> Response:
        agent = None
        if "x-agent-id" not in request.headers:
            agent = await self._authenticator.agent_of_token(request)
        if agent is None:
            agent = await self._authenticator.agent(request, "read")
        numbers = await self._directory.numbers_of(agent)
        return enveloped(AgentBody(agent.id, agent.wallet, "open" if agent.open else "proof", numbers))

    async def create_token(self, request: Request) -> Response:
        agent = await self._authenticator.proven_agent(request, "write")
        raw = await read_body(request, MAX_BODY_BYTES)
        name, days = _new_token(raw)

        async def make(attempt: Attempt) -> Response:
            def body(issued: Issued) -> Response:
                return enveloped(_created(agent, name, issued), 201)

            async def beside(transaction: Transaction, issued: Issued) -> None:
                await attempt.answer(transaction, body(issued))

            lifetime = days * DAY_US if days else None
            actor = Actor("agent", agent.id)
            return body(await self._directory.create_access_token(agent, name, lifetime, actor, beside))

        return await self._idempotency.once(request, agent.org_id, raw, make, caller=agent.id)

    async def tokens(self, request: Request) -> Response:
        agent = await self._authenticator.proven_agent(request, "read")
        active = parse_qs(request.scope["query_string"].decode("latin-1")).get("active", ["false"])[-1]
        if active.lower() not in ("true", "false"):
            raise _invalid("active must be true or false.")
        found = await self._directory.access_tokens(agent, MAX_LISTED, active=active.lower() == "true")
        return enveloped(Tokens([_body(token) for token in found]))

    async def revoke_token(self, request: Request) -> Response:
        agent = await self._authenticator.proven_agent(request, "write")
        token_id = parse_uuid(request.path_params["id"])
        actor = Actor("agent", agent.id)
        if token_id is None or not await self._directory.revoke_access_token(agent.org_id, agent.id, token_id, actor):
            raise Refusal(404, "not_found", "Access token not found: it may be another agent's.")
        return json_response(Done(True))

    def routes(self) -> Sequence[Route]:
        tag, path = "Dialect B: Agents", "/v1/agents/me"
        proof = SECURITY_AGENT[:1]
        tokens = f"{path}/access-tokens"
        one = Parameter("id", "path", {"type": "string"}, "The token's id.")
        active = Parameter("active", "query", {"type": "boolean", "default": False}, "Only tokens that still work.")
        return (
            Route("GET", path, self.me, tag, "Get the agent", "An access token alone, without `X-Agent-ID`, is enough.",
                  [Answer(200, "The agent", AgentOne), *oneshot_refusals()], (),
                  [*SECURITY_AGENT, {"access_token": []}]),
            Route("POST", tokens, self.create_token, tag, "Create an access token",
                  "It is in the answer, and nowhere else. An access token cannot manage tokens, and an open agent must "
                  "sign as well.",
                  [Answer(201, "The token", TokenCreatedOne, REPLAYED), *oneshot_refusals(400, 403, 409, 413, 422)],
                  [IDEMPOTENCY_KEY], proof, body=NewAccessToken),
            Route("GET", tokens, self.tokens, tag, "List access tokens", f"Newest first, at most {MAX_LISTED}.",
                  [Answer(200, "The tokens", TokenList), *oneshot_refusals(400, 403)], [active], proof),
            Route("DELETE", f"{tokens}/{{id}}", self.revoke_token, tag, "Revoke an access token",
                  "It is refused within a second. Revoking it again changes nothing.",
                  [Answer(200, "It is revoked", Done), *oneshot_refusals(403, 404)], [one], proof),
        )  # fmt: skip


def _new_token(raw: bytes) -> tuple[str, int | None]:
    """Its name and days. Unknown fields are ignored, as everywhere in this dialect. Refuses with 400."""
    try:
        values = _decode(raw) if raw.strip() else {}
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise _invalid("The body must be a JSON object.")
    fields = Fields(values)
    name = fields.take("name", string(1, MAX_NAME), "")
    days = fields.take("expires_in_days", _days, None)
    for field, text in fields.details.items():
        raise _invalid(f"{field} {text}.")
    return name, days


def _days(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_DAYS:
        raise ValueError(f"must be a whole number from 1 to {MAX_DAYS}")
    return value


def _invalid(message: str) -> Refusal:
    return Refusal(400, "invalid_request", message)


def _created(agent: Agent, name: str, issued: Issued) -> TokenCreated:
    times = (rfc3339(issued.created_at), moment(issued.expires_at))
    return TokenCreated(issued.id, issued.plaintext, issued.prefix, name or None, *times, agent.wallet)


def _body(token: StoredToken) -> TokenBody:
    return TokenBody(
        token.id,
        token.prefix,
        token.name or None,
        "operator" if token.created_by is None else "api",
        moment(token.last_used_at),
        rfc3339(token.created_at),
        moment(token.revoked_at),
        moment(token.expires_at),
        token.created_by,
        "0.00",
    )
