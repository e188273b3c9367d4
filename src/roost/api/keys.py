"""Dialect A: API keys. An organization makes, lists, rotates and revokes its own."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from roost.api import queries
from roost.api.answers import empty, moment, refusals
from roost.api.auth import Authenticator, Principal
from roost.api.bodies import Fields, json_object, string
from roost.api.errors import not_found
from roost.api.http import json_response
from roost.api.idempotency import IDEMPOTENCY_KEY, REPLAYED, Attempt, Idempotency
from roost.api.listing import CURSOR, CURSOR_KEY, ListMeta, limit_parameter, parse_list
from roost.api.queries import path_id
from roost.api.routes import SECURITY_KEY, Answer, Parameter, Route
from roost.core.scopes import SCOPES
from roost.core.times import rfc3339
from roost.errors import Refusal
from roost.store.audit import Actor
from roost.store.base import Store
from roost.store.directory import Directory, Issued, StoredKey
from roost.store.transaction import Transaction

READ, WRITE = "apikeys:read", "apikeys:write"
_NONE: list[str] = []
MAX_LABEL = 200
DEFAULT_LIMIT, MAX_LIMIT = 50, 100
_LIST = "API keys"
_READERS = {"limit": queries.limit(MAX_LIMIT), "include_revoked": queries.boolean}


Scope = Annotated[str, msgspec.Meta(extra_json_schema={"enum": list(SCOPES)})]


class NewApiKey(msgspec.Struct, forbid_unknown_fields=True):
    """What a key may do is named by its scopes, which must be among those of the key that makes it."""

    label: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LABEL)]
    scopes: Annotated[list[Scope], msgspec.Meta(min_length=1, extra_json_schema={"uniqueItems": True})]


class ApiKeyBody(msgspec.Struct):
    """An API key; its secret cannot be shown again."""

    id: str
    org_id: str
    label: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: str
    last_used_at: str | None
    revoked_at: str | None


class ApiKeyCreated(ApiKeyBody, kw_only=True):
    """A new API key. `plaintext` is shown once."""

    plaintext: str


class ApiKeyList(msgspec.Struct):
    success: Literal[True]
    data: list[ApiKeyBody]
    meta: ListMeta


class ApiKeys:
    """Handlers over one store."""

    def __init__(self, store: Store, authenticator: Authenticator, idempotency: Idempotency) -> None:
        self._directory = Directory(store)
        self._authenticator = authenticator
        self._idempotency = idempotency
        self._cursor_key = store.vault.derive(CURSOR_KEY)

    async def create(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, WRITE, "keys")
        values, raw = await json_object(request)
        fields = Fields(values)
        label = fields.need("label", string(1, MAX_LABEL), "")
        asked = fields.take("scopes", _list_of_text, _NONE)
        fields.check()
        scopes = _known(asked)
        _within(scopes, principal)

        async def make(attempt: Attempt) -> Response:
            def body(issued: Issued) -> Response:
                return json_response(_created(principal.org_id, label, scopes, issued), status=201)

            async def beside(transaction: Transaction, issued: Issued) -> None:
                await attempt.answer(transaction, body(issued))

            actor = Actor("api_key", principal.key_id)
            return body(await self._directory.create_api_key(principal.org_id, label, scopes, None, actor, beside))

        return await self._idempotency.once(request, principal.org_id, raw, make)

    async def page(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, READ)
        asked = parse_list(request.scope["query_string"], _READERS, DEFAULT_LIMIT)
        page = asked.page(self._cursor_key, _LIST, principal.org_id)
        found = await self._directory.api_keys(page, include_revoked=asked.filters.get("include_revoked", True))
        last_id = found.items[-1].id if found.has_more else None
        meta = asked.meta_after(self._cursor_key, _LIST, principal.org_id, last_id)
        return json_response(ApiKeyList(True, [_body(key) for key in found.items], meta))

    async def get(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, READ)
        return json_response(_body(await self._one(request, principal)))

    async def revoke(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, WRITE)
        key_id = path_id(request.path_params["id"])
        actor = Actor("api_key", principal.key_id)
        if await self._directory.revoke_api_key(principal.org_id, key_id, actor) is None:
            raise not_found()
        return empty()

    async def rotate(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, WRITE, "keys")
        key = await self._one(request, principal)
        _, raw = await json_object(request)
        _within(key.scopes, principal)

        async def make(attempt: Attempt) -> Response:
            def body(issued: Issued) -> Response:
                return json_response(_created(principal.org_id, key.label, key.scopes, issued))

            async def beside(transaction: Transaction, issued: Issued) -> None:
                await attempt.answer(transaction, body(issued))

            issued = await self._directory.rotate_api_key(key, Actor("api_key", principal.key_id), beside)
            if issued is None:
                raise Refusal(409, "CONFLICT", "the key is revoked; create another one")
            return body(issued)

        return await self._idempotency.once(request, principal.org_id, raw, make)

    async def _one(self, request: Request, principal: Principal) -> StoredKey:
        key_id = path_id(request.path_params["id"])
        key = await self._directory.stored_api_key(principal.org_id, key_id)
        if key is None:
            raise not_found()
        return key

    def routes(self) -> Sequence[Route]:
        tag, path, security = "Dialect A: API keys", "/v1/api-keys", [SECURITY_KEY]
        one = [Parameter("id", "path", {"type": "string", "format": "uuid"}, "The key's id.")]
        listed = [
            Parameter("include_revoked", "query", {"type": "boolean", "default": True}, "Whether to list revoked keys."),
            limit_parameter(DEFAULT_LIMIT, MAX_LIMIT), CURSOR,
        ]  # fmt: skip
        return (
            Route("POST", path, self.create, tag, "Create an API key",
                  "Its secret is in the answer, and nowhere else. Only its hash is kept.",
                  [Answer(201, "The key", ApiKeyCreated, REPLAYED), *refusals(400, 403, 409, 413, 422)], [IDEMPOTENCY_KEY],
                  security, WRITE, body=NewApiKey),
            Route("GET", path, self.page, tag, "List API keys", "Newest first.",
                  [Answer(200, "A page", ApiKeyList), *refusals(403, 422)], listed, security, READ),
            Route("GET", f"{path}/{{id}}", self.get, tag, "Get an API key", "Revoked ones are there too.",
                  [Answer(200, "The key", ApiKeyBody), *refusals(400, 403, 404)], one, security, READ),
            Route("DELETE", f"{path}/{{id}}", self.revoke, tag, "Revoke an API key",
                  "It is refused within a second, in every process. Revoking it again changes nothing.",
                  [Answer(200, "It is revoked", None), *refusals(400, 403, 404)], one, security, WRITE),
            Route("POST", f"{path}/{{id}}/rotate", self.rotate, tag, "Rotate an API key",
                  "Another key with the same label and scopes takes its place; the old one is revoked at once.",
                  [Answer(200, "The new key", ApiKeyCreated, REPLAYED), *refusals(400, 403, 404, 409, 413, 422)],
                  [*one, IDEMPOTENCY_KEY], security, WRITE),
        )  # fmt: skip


def _list_of_text(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError("must be a list of scopes")
    return value


def _known(scopes: list[str]) -> list[str]:
    if not scopes:
        raise _invalid_input("at least one scope is required: EMPTY_SCOPES")
    for scope in scopes:
        if scope not in SCOPES:
            raise _invalid_input(f'unknown scope "{scope[:64]}": UNKNOWN_SCOPE')
        if scopes.count(scope) > 1:
            raise _invalid_input(f'duplicate scope "{scope}": DUPLICATE_SCOPE')
    return scopes


def _invalid_input(text: str) -> Refusal:
    return Refusal(400, "INVALID_INPUT", f"api key: {text}: invalid input")


def _within(scopes: Sequence[str], principal: Principal) -> None:
    """Nobody gives what they do not have."""
    if not principal.scopes.issuperset(scopes):
        raise Refusal(403, "FORBIDDEN", "missing required scope")


def _body(key: StoredKey) -> ApiKeyBody:
    times = (rfc3339(key.created_at), moment(key.last_used_at), moment(key.revoked_at))
    return ApiKeyBody(key.id, key.org_id, key.label, key.prefix, key.scopes, *times)


def _created(org_id: str, label: str, scopes: Sequence[str], issued: Issued) -> ApiKeyCreated:
    created_at = rfc3339(issued.created_at)
    key = (issued.id, org_id, label, issued.prefix, tuple(scopes), created_at, None, None)
    return ApiKeyCreated(*key, plaintext=issued.plaintext)
