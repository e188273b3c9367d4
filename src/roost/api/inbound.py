"""The routes of both inboxes: from the request to the query, and from the page to the answer."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from roost.api import agentmessage, oneshot
from roost.api.auth import Authenticator
from roost.api.http import json_response
from roost.api.routes import SECURITY_AGENT, SECURITY_KEY, Answer, Parameter, Route
from roost.store.base import Store

CURSOR_KEY = "cursors"


class AgentMessageErrorDetail(msgspec.Struct, omit_defaults=True):
    code: str
    message: str
    request_id: str
    details: dict[str, str] = {}


class AgentMessageError(msgspec.Struct):
    """Dialect A's error. Branch on the status, then on `code`; `details` says what to do about each field."""

    success: Literal[False]
    error: AgentMessageErrorDetail


class OneShotError(msgspec.Struct, omit_defaults=True):
    """Dialect B's error. `reason` comes with `invalid_proof`."""

    error: str
    message: str
    reason: str | None = None


class Inbound:
    """Handlers over one store."""

    def __init__(self, store: Store, authenticator: Authenticator) -> None:
        self._store = store
        self._authenticator = authenticator
        self._cursor_key = store.vault.derive(CURSOR_KEY)

    async def agentmessage_list(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "messages:read")
        asked = agentmessage.parse_list(request.scope["query_string"])
        page = await self._store.list_inbound(asked.query(principal.org_id, self._cursor_key))
        return json_response(agentmessage.list_body(page, asked, self._cursor_key))

    async def agentmessage_get(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "messages:read")
        message_id = agentmessage.path_id(request.path_params["id"])
        include = agentmessage.parse_include(request.scope["query_string"])
        message = await self._store.get_inbound(principal.org_id, message_id)
        if message is None:
            raise agentmessage.not_found()
        return json_response(agentmessage.one_body(message, include))

    async def oneshot_list(self, request: Request) -> Response:
        agent = await self._authenticator.agent(request, "read")
        now = self._store.clock()
        query = oneshot.parse_list(request.scope["query_string"], agent.org_id, agent.id, now)
        page = await self._store.list_inbound(query)
        return json_response(oneshot.list_body(page, query, now), {"X-Has-More": "true"} if page.has_more else None)

    async def oneshot_get(self, request: Request) -> Response:
        agent = await self._authenticator.agent(request, "read")
        message_id = oneshot.path_id(request.path_params["id"])
        message = await self._store.get_inbound(agent.org_id, message_id)
        if message is None or not oneshot.is_visible(message, agent.id, self._store.clock()):
            raise oneshot.not_found()
        return json_response(oneshot.message_body(message))

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
                [Answer(200, "A page", agentmessage.InboundMessageList), *errors(401, 403, 422, 503)],
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
                [Answer(200, "The message", agentmessage.InboundMessageOne), *errors(400, 401, 403, 404, 422, 503)],
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
                    *(Answer(status, text, OneShotError) for status, text in _ONESHOT_ERRORS if status != 404),
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
                    *(Answer(status, text, OneShotError) for status, text in _ONESHOT_ERRORS if status != 400),
                ],
                [Parameter("id", "path", {"type": "string"}, "The message's id: `msg_` and 26 characters.")],
                SECURITY_AGENT,
            ),
        )


_ERROR_TEXTS = {
    400: "The id is not a UUID",
    401: "No API key, or none that is valid",
    403: "The API key lacks the scope",
    404: "Unknown, or another organization's",
    409: "It conflicts with what is there",
    413: "More than 1 MiB",
    422: "A parameter or field is wrong; `details` says which",
    429: "Too many requests; `Retry-After` says when to go on",
    453: "The contact has not consented, or opted out",
    503: "The database cannot be reached now",
}
_ONESHOT_ERRORS = (
    (400, "A parameter is wrong"),
    (401, "Nobody who may read this; `reason` says what is wrong with a proof"),
    (404, "Unknown, gone, or another agent's"),
    (503, "The database cannot be reached now"),
)


def errors(*statuses: int) -> list[Answer]:
    headers = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
    return [Answer(status, _ERROR_TEXTS[status], AgentMessageError, headers.get(status, ())) for status in statuses]


_UUID: dict[str, Any] = {"type": "string", "format": "uuid"}
_SENDER: dict[str, Any] = {"type": "string", "maxLength": 255}
_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}
_EXTRAS = "|".join(agentmessage.INCLUDES)
_INCLUDE = Parameter(
    "include", "query", {"type": "string", "pattern": f"^({_EXTRAS})(,({_EXTRAS}))*$"},
    "Extra fields, separated by commas: `suspected` (a normal-language opt-out request), `recipients` (every number that "
    "a group text went to), `blocked` (its sender is on a block list).",
)  # fmt: skip
_LIST_PARAMETERS = (
    Parameter("cursor", "query", {"type": "string"}, "`next_cursor` of the page before, with the same filters."),
    Parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "Messages per page."),
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
    _INCLUDE,
)
_INBOX_PARAMETERS = (
    Parameter("since", "query", {"type": "string"}, "Received after this ISO 8601 time, to the microsecond."),
    Parameter("limit", "query", {"type": "integer", "minimum": 1, "default": 50}, "At most 100; more counts as 100."),
    Parameter("from", "query", _SENDER, "Only from this sender."),
)
_LIST_TEXT = """The inbound messages of the key's organization, newest first, by cursor. With `after`, oldest first: whoever
asks again with the last id they saw gets exactly what came after it, however many messages arrive meanwhile. Filters
combine, and hold across pages. An unknown parameter is refused."""
_INBOX_TEXT = """The messages of the agent's numbers, newest first. With `since`, the oldest `limit` of what came after it
(still listed newest first; `X-Has-More: true` when there is more), so that a poller who goes on from the newest
`received_at` it saw loses none. Messages are kept for 30 days."""
