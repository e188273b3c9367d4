"""An agent's own inbox (dialect B), by access token or by its wallet's key."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec

from roost.client.calls import D, call, each
from roost.client.errors import RoostError
from roost.client.events import Event, EventType
from roost.client.flow import Answer, Emit, Flow, Pause, Request, Walk, answered, now
from roost.client.models import AgentRequest, InboxMessage
from roost.client.resource import Resource, Time, decoded, make, read, when
from roost.client.stream import events
from roost.client.waits import found, next_answer, rest

INBOX, SEND = "/v1/tools/sms/inbox", "/v1/tools/sms/send"
_PAUSE_SECONDS = 1.0
_BEGINNING = datetime.fromtimestamp(0, UTC)
_UNFINISHED = frozenset({"pending", "processing"})


class Agent(Resource[D]):
    """What an agent reads and sends through its own numbers."""

    @call
    def inbox(
        self, *, since: Time | None = None, from_number: str | None = None, limit: int | None = None
    ) -> Flow[list[InboxMessage]]:
        """The newest messages first; with `since`, the oldest `limit` of what came strictly after it. `follow` gives all."""
        answer = yield from self._answer(_as_agent(read(INBOX, since=since, from_=from_number, limit=limit)))
        return decoded(answer.body, _Inbox).messages

    @each
    def follow(self, *, since: Time, from_number: str | None = None) -> Walk[InboxMessage]:
        """What came after the time `since`, oldest first, and then whatever comes, without end.

        Each message exactly once. Go on from the `received_at` of the last one that you are done with.
        """
        seen = when(since)
        while True:
            began = yield from now()
            request = _as_agent(read(INBOX, since=seen, from_=from_number, limit=100))
            answer = yield from next_answer(request, self._driver.settings)
            messages = decoded(answer.body, _Inbox).messages
            for message in reversed(messages):
                yield Emit(message)
                seen = when(message.received_at)
            if not messages:
                yield from rest(began)

    @call
    def wait(
        self, *, since: Time | None = None, from_number: str | None = None, timeout: float = 60.0
    ) -> Flow[InboxMessage | None]:
        """The first message after the time `since`, else from now on; None: none came within `timeout` seconds."""
        if since is None:
            newest = yield from self._answer(_as_agent(read(INBOX, limit=1)))
            since = next((message.received_at for message in decoded(newest.body, _Inbox).messages), _BEGINNING)
        request = _as_agent(read(INBOX, since=since, from_=from_number, limit=1))
        return (yield from found(request, _first_message, timeout, self._driver.settings))

    @each
    def stream(
        self,
        *,
        last_event_id: str | None = None,
        types: Sequence[EventType] | None = None,
        from_number: str | None = None,
    ) -> Walk[Event]:
        """The agent's own texts, and what becomes of those that it sent, as `stream` of the client gives an organization's."""
        asked = _as_agent(read("/v1/events", types=types, from_=from_number))
        return events(asked, self._driver.settings, last_event_id)

    @call
    def get(self, message_id: str) -> Flow[InboxMessage]:
        """One message. Raises NotFound."""
        return self._fetch(_as_agent(read(f"{INBOX}/{quote(message_id, safe='')}")), InboxMessage)

    @call
    def send(
        self,
        to_numbers: str | Sequence[str],
        message: str,
        *,
        memo: str | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[AgentRequest]:
        """Ask for a text to be sent, to up to ten. Accepts the quote that the server makes first, if its price is zero."""
        to = to_numbers if isinstance(to_numbers, str) else list(to_numbers)
        request = _as_agent(make(SEND, {"message": message, "to_number": to, "memo": memo}, idempotency_key))
        answer = yield from answered(request, self._driver.settings.retry, takes=402)
        if answer.status == 402:
            asked = request._replace(headers=(*request.headers, ("x-quote-id", _quote_id(answer))))
            answer = yield from self._answer(asked)
        return decoded(answer.body, AgentRequest)

    @call
    def progress(self, request_id: str) -> Flow[AgentRequest]:
        """How far a request to send has come. Raises NotFound."""
        return self._fetch(_as_agent(read(f"/v1/requests/{quote(request_id, safe='')}")), AgentRequest)

    @call
    def wait_until_sent(self, request_id: str, *, timeout: float = 60.0) -> Flow[AgentRequest]:
        """The same once it has completed or failed, or as it is after `timeout` seconds."""
        request = _as_agent(read(f"/v1/requests/{quote(request_id, safe='')}"))
        until = (yield from now()) + timeout
        while True:
            asked = yield from self._fetch(request, AgentRequest)
            if asked.status not in _UNFINISHED or (yield from now()) >= until:
                return asked
            yield Pause(_PAUSE_SECONDS)


class _Inbox(msgspec.Struct):
    messages: list[InboxMessage]


def _first_message(answer: Answer) -> InboxMessage | None:
    return next(iter(decoded(answer.body, _Inbox).messages), None)


class _Context(msgspec.Struct):
    quote_id: str
    total: str


class _Quote(msgspec.Struct):
    context: _Context


def _quote_id(answer: Answer) -> str:
    quoted = decoded(answer.body, _Quote).context
    if quoted.total.strip("0."):
        raise RoostError(f"the server wants {quoted.total} to be paid, which this client does not", status=402)
    return quoted.quote_id


def _as_agent(request: Request) -> Request:
    return request._replace(who="agent")
