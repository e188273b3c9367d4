"""The block list's routes; ours, in dialect A's shapes."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from roost.api import queries
from roost.api.answers import refusals
from roost.api.auth import Authenticator, Principal
from roost.api.bodies import Fields, json_object, string, uuid
from roost.api.errors import not_found
from roost.api.http import json_response
from roost.api.idempotency import IDEMPOTENCY_KEY, REPLAYED, Idempotency
from roost.api.listing import CURSOR, CURSOR_KEY, Asked, ListMeta, limit_parameter, parse_list
from roost.api.queries import parse_query, path_id
from roost.api.routes import SECURITY_KEY, Answer, Parameter, Route
from roost.core.numbers import is_sender
from roost.core.times import rfc3339
from roost.store.audit import Actor
from roost.store.base import Store
from roost.store.blocking import BlockedSender, block, block_list, unblock
from roost.store.consent import own_number

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
MAX_REASON = 200
_LIST = "blocked senders"


class NewBlockedSender(msgspec.Struct, forbid_unknown_fields=True):
    """`sender` is E.164, a short code or a sender name; without `phone_number_id`, on all of the organization's numbers."""

    sender: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    phone_number_id: str | None = None
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_REASON)] | None = None


class BlockedSenderBody(msgspec.Struct):
    """A blocked sender; `number` null: on all of the organization's numbers."""

    id: str
    sender: str
    number: str | None
    phone_number_id: str | None
    reason: str | None
    created_at: str


class BlockedSenderOne(msgspec.Struct):
    success: Literal[True]
    data: BlockedSenderBody


class BlockedSenderList(msgspec.Struct):
    success: Literal[True]
    data: list[BlockedSenderBody]
    meta: ListMeta


class UnblockedBody(msgspec.Struct):
    id: str
    status: Literal["removed"]


class Unblocked(msgspec.Struct):
    success: Literal[True]
    data: UnblockedBody


class Blocking:
    """Handlers over one store."""

    def __init__(self, store: Store, authenticator: Authenticator, idempotency: Idempotency) -> None:
        self._store = store
        self._authenticator = authenticator
        self._idempotency = idempotency
        self._cursor_key = store.vault.derive(CURSOR_KEY)

    async def list(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "consent:read")
        asked = _parse_list(request.scope["query_string"])
        below = asked.seen(self._cursor_key, _LIST, principal.org_id)
        entries, more = await block_list(self._store, principal.org_id, asked.limit, below)
        last_id = entries[-1].id if more else None
        meta = asked.meta_after(self._cursor_key, _LIST, principal.org_id, last_id)
        return json_response(BlockedSenderList(True, [*map(_body, entries)], meta))

    async def block(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "consent:write")
        values, raw = await json_object(request)
        return await self._idempotency.once(request, principal.org_id, raw, lambda _: self._block(principal, values))

    async def _block(self, principal: Principal, values: dict[str, Any]) -> Response:
        fields = Fields(values)
        sender = fields.need("sender", _sender, "")
        number_id: str | None = fields.take("phone_number_id", uuid, None)
        reason = fields.take("reason", string(1, MAX_REASON), None)
        fields.check()
        number = await own_number(self._store, principal.org_id, number_id) if number_id else None
        if number_id is not None and number is None:
            raise not_found()
        actor = Actor("api_key", principal.key_id)
        entry, is_new = await block(self._store, actor, principal.org_id, sender, number, reason)
        return json_response(BlockedSenderOne(True, _body(entry)), status=201 if is_new else 200)

    async def unblock(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "consent:write")
        entry_id = path_id(request.path_params["id"])
        parse_query(request.scope["query_string"], {})
        if not await unblock(self._store, Actor("api_key", principal.key_id), principal.org_id, entry_id):
            raise not_found()
        return json_response(Unblocked(True, UnblockedBody(entry_id, "removed")))

    def routes(self) -> Sequence[Route]:
        """The three routes."""
        tag, key = "Block list", [SECURITY_KEY]
        path = Parameter("id", "path", {"type": "string", "format": "uuid"}, "The entry's id.")
        return (
            Route(
                "GET", "/v1/blocked-senders", self.list, tag, "List blocked senders", "Newest first.",
                [Answer(200, "A page", BlockedSenderList), *refusals(403, 422)],
                [CURSOR, limit_parameter(DEFAULT_LIMIT, MAX_LIMIT)], key, "consent:read",
            ),
            Route(
                "POST", "/v1/blocked-senders", self.block, tag, "Block a sender", _BLOCK_TEXT,
                [
                    Answer(201, "Blocked from now on", BlockedSenderOne, REPLAYED),
                    Answer(200, "The sender was blocked there already; its entry as it was", BlockedSenderOne, REPLAYED),
                    *refusals(403, 404, 409, 413, 422),
                ],
                [IDEMPOTENCY_KEY], key, "consent:write", body=NewBlockedSender,
            ),
            Route(
                "DELETE", "/v1/blocked-senders/{id}", self.unblock, tag, "Unblock a sender",
                "What came meanwhile stays marked.",
                [Answer(200, "Not blocked any more", Unblocked), *refusals(400, 403, 404, 422)],
                [path], key, "consent:write",
            ),
        )  # fmt: skip


def _parse_list(query_string: bytes) -> Asked:
    return parse_list(query_string, {"limit": queries.limit(MAX_LIMIT)}, DEFAULT_LIMIT)


def _sender(value: Any) -> str:
    if not isinstance(value, str) or not is_sender(value):
        raise ValueError("must be E.164, a short code or a sender name")
    return value


def _body(entry: BlockedSender) -> BlockedSenderBody:
    return BlockedSenderBody(
        entry.id, entry.sender, entry.number, entry.phone_number_id, entry.reason, rfc3339(entry.created_at)
    )


_BLOCK_TEXT = """Its texts are stored, marked (`include=blocked`) and never pushed: on the number of `phone_number_id`, or on all
of the organization's. Keywords still count: a blocked sender's STOP opts out. Blocking twice is blocking once."""
