"""Dialect A: the newest one-time code that came to a number. Ours, not in the original."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from roost.api import queries
from roost.api.answers import refusals
from roost.api.auth import Authenticator
from roost.api.bodies import invalid, uuid
from roost.api.http import json_response
from roost.api.inbound import Waits
from roost.api.listing import MAX_WAIT, wait_parameter
from roost.api.routes import SECURITY_KEY, Answer, Parameter, Route
from roost.core.ids import FIRST_ID, floor_of
from roost.core.inbox import InboxQuery
from roost.core.message import InboundMessage
from roost.core.otp import Otp, find_otp
from roost.core.times import rfc3339
from roost.errors import Refusal
from roost.store.base import Store

#: How far back a code is looked for where `since` does not say.
RECENT_US = 10 * 60 * 1_000_000
#: Of a number that is flooded the newest so many texts are looked through.
_PAGE, _MOST_PAGES = 100, 10


class FoundOtpBody(msgspec.Struct, rename={"from_number": "from", "to_number": "to"}):
    """A one-time code, and the text that it came in; ask again with `after` its `message_id` for the next one."""

    code: str
    service: str | None
    domain: str | None
    message_id: str
    from_number: str
    to_number: str
    received_at: str


class FoundOtp(msgspec.Struct):
    success: Literal[True]
    data: FoundOtpBody


Found = tuple[Otp, InboundMessage]


class OtpRoutes:
    """Handlers over one store."""

    def __init__(self, store: Store, authenticator: Authenticator, waits: Waits) -> None:
        self._store = store
        self._authenticator = authenticator
        self._waits = waits

    async def newest(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "messages:read")
        query, wait = _query(request.scope["query_string"], principal.org_id, self._store.clock())
        found, seen = await self._search(query)
        if found is None and wait:
            found = await self._first(request, query._replace(above=seen, ascending=True), wait)
        if found is None:
            raise Refusal(404, "NOT_FOUND", "no one-time code has come to that number in that time")
        return json_response(FoundOtp(True, _body(*found)))

    async def _search(self, query: InboxQuery) -> tuple[Found | None, str]:
        """The newest code and its message; and the id up to which everything was looked at."""
        page = await self._store.list_inbound(query)
        seen = page.messages[0].id if page.messages else query.above
        found = _newest_code(page.messages)
        for _ in range(_MOST_PAGES - 1):
            if found is not None or not page.has_more:
                break
            page = await self._store.list_inbound(query._replace(below=page.messages[-1].id))
            found = _newest_code(page.messages)
        return found, seen

    async def _first(self, request: Request, query: InboxQuery, seconds: float) -> Found | None:
        """The next code to come, waited for: each text that comes is looked at once."""
        time = asyncio.get_running_loop().time
        until = time() + seconds
        while True:
            page = await self._waits.page(request, query, query.above, max(0.0, until - time()))
            found = _newest_code(reversed(page.messages))
            if found is not None or not page.messages or time() >= until:
                return found
            query = query._replace(above=page.messages[-1].id)

    def routes(self) -> Sequence[Route]:
        """The one route."""
        return (
            Route(
                "GET", "/v1/otp", self.newest, "Dialect A: AgentMessage", "Get the newest one-time code", _TEXT,
                [Answer(200, "The code", FoundOtp), *refusals(403, 404, 422)],
                _PARAMETERS, [SECURITY_KEY], "messages:read",
            ),
        )  # fmt: skip


def _newest_code(newest_first: Iterable[InboundMessage]) -> Found | None:
    """The first code in these and its message, a blocked sender's left out: nobody is to act on those."""
    for message in newest_first:
        found = None if message.blocked else find_otp(message.body)
        if found is not None:
            return found, message
    return None


def _query(query_string: bytes, org_id: str, now: int) -> tuple[InboxQuery, int]:
    """Which texts to look at, and how many seconds to wait where none has a code."""
    asked = queries.parse_query(query_string, _READERS)
    if "to" not in asked:
        raise invalid({"to": "is required: the number that the code was sent to"})
    since = asked.get("since", now - RECENT_US)
    above = max(floor_of(since), asked.get("after", FIRST_ID))
    query = InboxQuery(org_id, _PAGE, to_number=asked["to"], from_number=asked.get("from"), above=above)
    return query, asked.get("wait", 0)


def _body(otp: Otp, message: InboundMessage) -> FoundOtpBody:
    received_at = rfc3339(message.received_at)
    return FoundOtpBody(*otp, message.id, message.from_number, message.to_number, received_at)


_READERS: queries.Readers = {
    "to": queries.sender,
    "from": queries.sender,
    "since": queries.since,
    "after": uuid,
    "wait": queries.seconds(MAX_WAIT),
}
_SENDER: dict[str, Any] = {"type": "string", "maxLength": 255}
_PARAMETERS = (
    Parameter("to", "query", _SENDER, "The number of ours that it was sent to (`+` as `%2B`).", required=True),
    Parameter("from", "query", _SENDER, "Only from this sender: E.164, short code or sender name, as stored."),
    Parameter(
        "since",
        "query",
        {"type": "string", "format": "date-time"},
        "Received at this time or later; else in the last ten minutes.",
    ),
    Parameter(
        "after", "query", {"type": "string", "format": "uuid"}, "Only in what came after the message with this id."
    ),
    wait_parameter("Where there is no code, wait so long for one, and be answered as soon as it comes."),
)
_TEXT = """The newest code among the texts that came to a number: found by rule, as one types it, with the name of the service
and the domain where the text has them. Texts of blocked senders are left out. A message has its own with `include=otp`."""
