"""The routes of both inboxes: from the request to the query, and from the page to the answer."""

from collections.abc import Sequence
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from roost.api import agentmessage, oneshot
from roost.api.answers import oneshot_refusals, refusals
from roost.api.auth import Authenticator
from roost.api.errors import not_found
from roost.api.http import encode_json, json_bytes, json_response
from roost.api.listing import CURSOR, CURSOR_KEY, MAX_WAIT, include_parameter, limit_parameter, wait_parameter
from roost.api.queries import path_id
from roost.api.routes import SECURITY_AGENT, SECURITY_KEY, Answer, Parameter, Route
from roost.core.inbox import InboxQuery, Page
from roost.core.media_urls import MediaUrls
from roost.store.base import Store


class Waits(Protocol):
    """What waits for something new in a page; push has it."""

    async def page(self, request: Request, query: InboxQuery, newer_than: str, seconds: float) -> Page: ...


class Inbound:
    """Handlers over one store."""

    def __init__(self, store: Store, authenticator: Authenticator, urls: MediaUrls, waits: Waits) -> None:
        self._store = store
        self._urls = urls
        self._authenticator = authenticator
        self._waits = waits
        self._cursor_key = store.vault.derive(CURSOR_KEY)

    async def agentmessage_list(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "messages:read")
        question = request.scope["query_string"]
        asked = agentmessage.parse_list(question)
        query = agentmessage.inbox_query(asked, principal.org_id, self._cursor_key)
        newer_than = agentmessage.new_after(asked, query) if asked.wait else None
        page = await self._page(request, query, newer_than, asked.wait)
        if page.rendered is None or page.rendered[0] != question:
            body = agentmessage.list_body(page, asked, principal.org_id, self._cursor_key, self._urls)
            page.rendered = (question, encode_json(body))
        return json_bytes(page.rendered[1])

    async def agentmessage_get(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "messages:read")
        message_id = path_id(request.path_params["id"])
        include = agentmessage.parse_include(request.scope["query_string"])
        message = await self._store.get_inbound(principal.org_id, message_id)
        if message is None:
            raise not_found()
        return json_response(agentmessage.one_body(message, self._urls, include))

    async def oneshot_list(self, request: Request) -> Response:
        agent = await self._authenticator.agent(request, "read")
        now = self._store.clock()
        question = request.scope["query_string"]
        query = oneshot.parse_list(question, agent.org_id, agent.id, now)
        wait = oneshot.wait_of(question)
        page = await self._page(request, query, oneshot.new_after(query, now) if wait else None, wait)
        return json_response(
            oneshot.list_body(page, query, now, self._urls), {"X-Has-More": "true"} if page.has_more else None
        )

    async def _page(self, request: Request, query: InboxQuery, newer_than: str | None, wait: int) -> Page:
        if newer_than is None:
            return await self._store.list_inbound(query)
        return await self._waits.page(request, query, newer_than, wait)

    async def oneshot_get(self, request: Request) -> Response:
        agent = await self._authenticator.agent(request, "read")
        message_id = oneshot.path_id(request.path_params["id"])
        message = await self._store.get_inbound(agent.org_id, message_id)
        if message is None or not oneshot.is_visible(message, agent.id, self._store.clock()):
            raise oneshot.not_found()
        return json_response(oneshot.message_body(message, self._urls))

    def routes(self) -> Sequence[Route]:
        """The four routes, as documented."""
        return (
            Route(
                "GET",
                "/v1/inbound-messages",
                self.agentmessage_list,
                "Dialect A: AgentMessage",
                "List inbound messages",
                _LIST_TEXT,
                [Answer(200, "A page", agentmessage.InboundMessageList), *refusals(403, 422)],
                _LIST_PARAMETERS,
                [SECURITY_KEY],
                "messages:read",
            ),
            Route(
                "GET",
                "/v1/inbound-messages/{id}",
                self.agentmessage_get,
                "Dialect A: AgentMessage",
                "Get an inbound message",
                "Another organization's message is not found.",
                [Answer(200, "The message", agentmessage.InboundMessageOne), *refusals(400, 403, 404, 422)],
                [Parameter("id", "path", _UUID, "The message's id."), _INCLUDE],
                [SECURITY_KEY],
                "messages:read",
            ),
            Route(
                "GET",
                "/v1/tools/sms/inbox",
                self.oneshot_list,
                "Dialect B: OneShot",
                "List the agent's inbox",
                _INBOX_TEXT,
                [
                    Answer(200, "The messages", oneshot.Inbox, ("X-Has-More",)),
                    *oneshot_refusals(400),
                ],
                _INBOX_PARAMETERS,
                SECURITY_AGENT,
            ),
            Route(
                "GET",
                "/v1/tools/sms/inbox/{id}",
                self.oneshot_get,
                "Dialect B: OneShot",
                "Get a message of the agent's inbox",
                "Another agent's message is not found, nor is one older than 30 days.",
                [
                    Answer(200, "The message", oneshot.InboxMessage),
                    *oneshot_refusals(404),
                ],
                [Parameter("id", "path", {"type": "string"}, "The message's id: `msg_` and 26 characters.")],
                SECURITY_AGENT,
            ),
        )


_UUID: dict[str, Any] = {"type": "string", "format": "uuid"}
_SENDER: dict[str, Any] = {"type": "string", "maxLength": 255}
_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}
_INCLUDE = include_parameter(
    "`suspected` (a normal-language opt-out request), `recipients` (every number that a group text went to), `blocked` (its "
    "sender is on a block list), `otp` (the one-time code in it), `agent_id` (who held the number), `thread_id`, "
    "`related_outbound_id` (what it answers)",
    *agentmessage.INCLUDES,
)
_LIST_PARAMETERS = (
    CURSOR,
    limit_parameter(agentmessage.DEFAULT_LIMIT, agentmessage.MAX_LIMIT),
    Parameter("offset", "query", {"type": "integer", "enum": [0]}, "Only 0: go on with `cursor`."),
    Parameter("from", "query", _SENDER, "Sender: E.164 (`+` as `%2B`), short code or sender name, as stored."),
    Parameter("to", "query", _SENDER, "The number of ours that it was sent to."),
    Parameter("phone_number_id", "query", _UUID, "The same, by id."),
    Parameter("channel", "query", {"type": "string", "enum": ["sms", "mms"]}, "`sms` or `mms`."),
    Parameter(
        "opt_out", "query", {"type": "boolean"}, "Only messages that are an opt-out, or only those that are not."
    ),
    Parameter("since", "query", _TIME, "Received at this time or later, to the microsecond."),
    Parameter(
        "after", "query", _UUID, "What came after the message with this id, oldest first. Ours, not in the original."
    ),
    wait_parameter(
        "Wait so long for an answer that has something new (after `since` or `after`), and be answered as soon as it comes. Ours."
    ),
    _INCLUDE,
)
_INBOX_PARAMETERS = (
    Parameter("since", "query", {"type": "string"}, "Received after this ISO 8601 time, to the microsecond."),
    Parameter("limit", "query", {"type": "integer", "minimum": 1, "default": 50}, "At most 100; more counts as 100."),
    Parameter("from", "query", _SENDER, "Only from this sender."),
    Parameter(
        "wait",
        "query",
        {"type": "integer", "minimum": 0},
        f"Wait so many seconds for something new, and be answered as soon as it comes; more than {MAX_WAIT} counts as "
        f"{MAX_WAIT}. Ours.",
    ),
)
_LIST_TEXT = """The inbound messages of the key's organization, newest first, by cursor. With `after`, oldest first: whoever
asks again with the last id they saw gets exactly what came after it, however many messages arrive meanwhile. Filters
combine, and hold across pages. An unknown parameter is refused. Messages are kept for the organization's
`message_retention_days`."""
_INBOX_TEXT = """The messages of the agent's numbers, newest first. With `since`, the oldest `limit` of what came after it
(still listed newest first; `X-Has-More: true` when there is more), so that a poller who goes on from the newest
`received_at` it saw loses none. Messages are kept for 30 days."""
