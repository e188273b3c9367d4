"""Dialect A's routes for outbound messages and threads."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from roost.api import outbound
from roost.api.answers import refusals
from roost.api.auth import Authenticator
from roost.api.bodies import invalid, json_object
from roost.api.errors import not_found
from roost.api.http import json_response
from roost.api.idempotency import IDEMPOTENCY_KEY, REPLAYED, Attempt, Idempotency
from roost.api.listing import CURSOR, CURSOR_KEY, include_parameter, limit_parameter
from roost.api.queries import path_id
from roost.api.routes import SECURITY_KEY, Answer, Parameter, Route
from roost.api.sender import Sender
from roost.core.ids import FIRST_ID
from roost.core.media_urls import MediaUrls
from roost.core.outbound import MAX_TAG, STATUSES, OutboundMessage
from roost.errors import Refusal
from roost.store.base import Store
from roost.store.outbound import get_outbound, get_thread, list_outbound, list_threads, thread_messages
from roost.store.sending import SendRefused, cancel
from roost.store.transaction import Transaction

CANCELED = ("CANCELED", "canceled before it was sent")


class Messages:
    """Handlers over one store."""

    def __init__(
        self, store: Store, authenticator: Authenticator, sender: Sender, idempotency: Idempotency, urls: MediaUrls
    ) -> None:
        self._store = store
        self._authenticator = authenticator
        self._sender = sender
        self._idempotency = idempotency
        self._urls = urls
        self._cursor_key = store.vault.derive(CURSOR_KEY)

    async def send(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "messages:send", "sends")
        values, raw = await json_object(request)

        async def make(attempt: Attempt) -> Response:
            async def noted(tx: Transaction, message: OutboundMessage) -> None:
                await attempt.name(tx, 202, message.id)

            try:
                message = await self._sender.send(outbound.parse_send(values, principal.org_id), noted)
            except SendRefused as refused:
                raise refusal_of(refused) from None
            return json_response(outbound.accepted_body(message), status=202)

        async def rebuild(message_id: str) -> Response:
            message = await get_outbound(self._store, principal.org_id, message_id)
            if message is None:
                raise not_found()
            return json_response(outbound.accepted_body(message._replace(status="queued")), status=202)

        return await self._idempotency.once(request, principal.org_id, raw, make, rebuild=rebuild)

    async def list(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "messages:read")
        asked = outbound.parse_messages_list(request.scope["query_string"])
        below = asked.seen(self._cursor_key, "messages", principal.org_id)
        messages, more = await list_outbound(self._store, outbound.outbound_query(asked, principal.org_id, below))
        data = [outbound.outbound_body(message, self._urls, asked.include) for message in messages]
        # The documentation of this list puts the cursor into a header, and leaves meta.next_cursor null.
        headers = {}
        if more:
            headers["X-Next-Cursor"] = asked.cursor_after(self._cursor_key, "messages", principal.org_id, data[-1].id)
        return json_response(outbound.OutboundMessageList(True, data, asked.meta(None)), headers)

    async def get(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "messages:read")
        message_id = path_id(request.path_params["id"])
        include = outbound.parse_message_include(request.scope["query_string"])
        message = await get_outbound(self._store, principal.org_id, message_id)
        if message is None:
            raise not_found()
        return json_response(outbound.OutboundMessageOne(True, outbound.outbound_body(message, self._urls, include)))

    async def cancel(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "messages:send")
        message_id = path_id(request.path_params["id"])
        canceled = await self._store.transact(lambda tx: cancel(tx, principal.org_id, message_id, *CANCELED))
        message = await get_outbound(self._store, principal.org_id, message_id)
        if message is None:
            raise not_found()
        if not canceled and message.error_code != CANCELED[0]:
            raise Refusal(
                409, "CONFLICT", f"the message is {message.status} already; only what is queued can be canceled"
            )
        return json_response(outbound.OutboundMessageOne(True, outbound.outbound_body(message, self._urls, ("error",))))

    async def threads(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "messages:read")
        asked = outbound.parse_threads_list(request.scope["query_string"])
        below = asked.seen(self._cursor_key, "threads", principal.org_id)
        contact = asked.filters.get("contact_number")
        threads, more = await list_threads(self._store, principal.org_id, asked.limit, below, contact)
        data = [outbound.thread_body(thread) for thread in threads]
        last_id = data[-1].id if more else None
        meta = asked.meta_after(self._cursor_key, "threads", principal.org_id, last_id)
        return json_response(outbound.ThreadList(True, data, meta))

    async def thread_messages(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "messages:read")
        thread_id = path_id(request.path_params["id"])
        asked = outbound.parse_thread_messages(request.scope["query_string"])
        name = f"thread {thread_id}"
        above = asked.seen(self._cursor_key, name, principal.org_id, FIRST_ID)
        if await get_thread(self._store, principal.org_id, thread_id) is None:
            raise not_found()
        messages, more = await thread_messages(self._store, principal.org_id, thread_id, asked.limit, above)
        data = [outbound.thread_message_body(message, principal.org_id, self._urls) for message in messages]
        meta = asked.meta_after(self._cursor_key, name, principal.org_id, data[-1].id if more else None)
        return json_response(outbound.ThreadMessageList(True, data, meta))

    def routes(self) -> Sequence[Route]:
        """The routes, as documented; canceling and threads are ours."""
        tag, key = "Dialect A: AgentMessage", [SECURITY_KEY]
        return (
            Route(
                "POST", "/v1/messages", self.send, tag, "Send a message", _SEND_TEXT,
                [Answer(202, "Accepted; it is sent afterwards", outbound.Accepted, REPLAYED), *refusals(403, 409, 413, 422, 453)],
                [IDEMPOTENCY_KEY], key, "messages:send", body=outbound.SendBody,
            ),
            Route(
                "GET", "/v1/messages", self.list, tag, "List outbound messages",
                "Newest first; the next page's cursor is in the header `X-Next-Cursor`, which the last page has not.",
                [Answer(200, "A page", outbound.OutboundMessageList, ("X-Next-Cursor",)), *refusals(403, 422)],
                _LIST_PARAMETERS, key, "messages:read",
            ),
            Route(
                "GET", "/v1/messages/{id}", self.get, tag, "Get an outbound message",
                "Another organization's message is not found.",
                [Answer(200, "The message", outbound.OutboundMessageOne), *refusals(400, 403, 404, 422)],
                [_ID, _INCLUDE], key, "messages:read",
            ),
            Route(
                "DELETE", "/v1/messages/{id}", self.cancel, tag, "Cancel a queued message",
                "What is not queued any more cannot be canceled. Canceling twice is canceling once.",
                [Answer(200, "It will not be sent", outbound.OutboundMessageOne), *refusals(400, 403, 404, 409)],
                [_ID], key, "messages:send",
            ),
            Route(
                "GET", "/v1/threads", self.threads, tag, "List threads", "The thread that began last first.",
                [Answer(200, "A page", outbound.ThreadList), *refusals(403, 422)],
                [
                    CURSOR,
                    limit_parameter(20, 100),
                    Parameter("contact_number", "query", {"type": "string"}, "Only threads with this contact."),
                ],
                key, "messages:read",
            ),
            Route(
                "GET", "/v1/threads/{id}/messages", self.thread_messages, tag, "List a thread's messages",
                "Both directions, oldest first.",
                [Answer(200, "A page", outbound.ThreadMessageList), *refusals(400, 403, 404, 422)],
                [_ID, CURSOR, limit_parameter(50, 200)], key, "messages:read",
            ),
        )  # fmt: skip


def refusal_of(refused: SendRefused) -> Refusal:
    """What dialect A answers to a send that was not accepted."""
    details = _DETAILS.get(refused.reason)
    if details is not None:
        return invalid(details)
    status, code, message = _REFUSALS[refused.reason]
    return Refusal(status, code, message)


_DETAILS = {
    "not_owned": {"from": "must be a number of the organization"},
    "unknown_media": {"media": "names a media_id that is unknown, not uploaded yet, or has run out"},
    "receive_only": {"from": "is on a carrier account that only receives; add the account's API credentials to send"},
}
_REFUSALS = {
    # 453 is the documented status, and no registered one.
    "consent_required": (
        453,
        "CONSENT_REQUIRED",
        "the contact has not consented to texts from this number, or opted out",
    ),
    "quiet_hours": (
        422,
        "QUIET_HOURS",
        "it is night where the contact is; send later, or set quiet_hours.mode to defer",
    ),
}

_SEND_TEXT = """The message is stored, with its consent check, before this answers; it is sent afterwards, and its status
goes from `queued` over `sending` and `sent` to `delivered`, `failed` or `undelivered`, never backwards. With an
`Idempotency-Key` the same request is accepted once."""
_UUID: dict[str, Any] = {"type": "string", "format": "uuid"}
_ID = Parameter("id", "path", _UUID, "The id.")
_INCLUDE = include_parameter("`error` (why it failed), `media_urls`, `thread_id`", *outbound.INCLUDES)
_SENDER: dict[str, Any] = {"type": "string", "maxLength": 255}
_LIST_PARAMETERS = (
    CURSOR,
    limit_parameter(50, 200),
    Parameter("status", "query", {"type": "string", "enum": list(STATUSES)}, "How far it has come."),
    Parameter("from", "query", _SENDER, "The number of ours that it is sent from."),
    Parameter("to", "query", _SENDER, "The contact."),
    Parameter("tag", "query", {"type": "string", "minLength": 1, "maxLength": MAX_TAG}, "The tag it was sent with."),
    _INCLUDE,
)
