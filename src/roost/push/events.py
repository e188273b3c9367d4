"""`GET /v1/events`: who asks, from where on, for what; and the stream that answers."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request

from roost.api import queries
from roost.api.answers import refusals
from roost.api.auth import Authenticator
from roost.api.bodies import invalid, one_of, uuid
from roost.api.oneshot import RETENTION_US
from roost.api.routes import SECURITY_AGENT, SECURITY_KEY, Answer, Parameter, Route
from roost.core.events import EVENT_TYPES, EventType, Interest
from roost.core.ids import floor_of, parse_uuid
from roost.errors import Refusal
from roost.push.envelope import ENVELOPES
from roost.push.feeds import Feeds
from roost.push.stream import Asked, Manner, Stream
from roost.push.streams import Streams
from roost.store.base import Store
from roost.store.directory import Shown
from roost.store.event_log import last_positions

#: Clients that are cut off together do not come again together.
_RETRY_MS, _RETRY_BITS = 500, 10
#: Up to this part of the silence that it may be, a heartbeat comes sooner.
_SOONER = 0.25

_MESSAGES: tuple[EventType, ...] = ("message.received", "message.status")


class Reader(NamedTuple):
    """Who asks, and which events they may see."""

    shown: Shown
    agent_id: str | None
    types: tuple[EventType, ...]

    @classmethod
    def of_organization(cls, shown: Shown, scopes: Collection[str]) -> "Reader":
        """Who may read an organization's messages, and with one scope more its consents."""
        return cls(shown, None, EVENT_TYPES if "consent:read" in scopes else _MESSAGES)


class Following:
    """Opens streams over one process's feeds, for whoever may follow."""

    def __init__(self, store: Store, feeds: Feeds, streams: Streams, heartbeat_seconds: float) -> None:
        self._store = store
        self._feeds = feeds
        self._streams = streams
        self._heartbeat_seconds = heartbeat_seconds

    async def open(self, request: Request, reader: Reader) -> Stream:
        """What the request's parameters ask for. Refuses with 403, 422 and 505, and 429 or 503 where there is no room."""
        asked = queries.parse_query(request.scope["query_string"], _READERS)
        wanted = asked.pop("types", reader.types)
        if not set(wanted) <= set(reader.types):
            needed = "missing required scope" if reader.agent_id is None else "an agent has no events of that type"
            raise Refusal(403, "FORBIDDEN", needed)
        if request.scope["http_version"] == "1.0":
            raise Refusal(505, "HTTP_VERSION_NOT_SUPPORTED", "a stream needs HTTP/1.1 (nginx: proxy_http_version 1.1)")
        after = await self._after(request, asked, reader)
        filters = {_FIELDS.get(name, name): value for name, value in asked.items()}
        interest = Interest(types=frozenset(wanted), agent_id=reader.agent_id, **filters)
        self._streams.admit(reader.shown.org_id)
        manner = Manner(self._heartbeat(), _RETRY_MS + self._store.random_bits(_RETRY_BITS))
        return Stream(self._store, self._feeds, Asked(reader.shown, after, interest), manner, self._streams.opened)

    def _heartbeat(self) -> float:
        """Sooner by chance: streams that were all silent since one text would all speak at once, again and again."""
        return self._heartbeat_seconds * (1 - _SOONER * self._store.random_bits(_RETRY_BITS) / (1 << _RETRY_BITS))

    async def _after(self, request: Request, asked: dict[str, Any], reader: Reader) -> str:
        """The id after which it begins. A client that comes again sends its last one along with its first question."""
        after: str | None = asked.pop("after", None)
        since: int | None = asked.pop("since", None)
        last_id = request.headers.get("last-event-id", "")
        if last_id:
            resumed = parse_uuid(last_id)
            if resumed is None:
                raise invalid({"Last-Event-ID": "must be the id of an event"})
            after = resumed
        elif since is not None:
            after = max(after or "", floor_of(since))
        if after is None:
            org_id = reader.shown.org_id
            after = floor_of((await last_positions(self._store, [org_id])).get(org_id, 0) + 1)
        # An agent's messages are gone after their time, here too.
        return after if reader.agent_id is None else max(after, floor_of(self._store.clock() - RETENTION_US))


class EventRoutes:
    """The route of the API."""

    def __init__(self, authenticator: Authenticator, following: Following) -> None:
        self._authenticator = authenticator
        self._following = following

    async def follow(self, request: Request) -> Stream:
        return await self._following.open(request, await self._reader(request))

    async def _reader(self, request: Request) -> Reader:
        if "x-agent-id" in request.headers:
            agent, shown = await self._authenticator.agent_in_a(request, "read")
            return Reader(shown, agent.id, _MESSAGES)
        principal = await self._authenticator.api_key(request, "messages:read")
        return Reader.of_organization(principal.shown, principal.scopes)

    def routes(self) -> Sequence[Route]:
        """The one route."""
        return (
            Route(
                "GET",
                "/v1/events",
                self.follow,
                "Events",
                "Follow what happens",
                _TEXT,
                [
                    Answer(200, "Events, until one of the two ends it", "text/event-stream", events=ENVELOPES),
                    *refusals(403, 422, 505),
                ],
                _PARAMETERS,
                [SECURITY_KEY, *SECURITY_AGENT],
                "messages:read",
            ),
        )


_FIELDS = {"from": "from_number", "to": "to_number"}
_READERS: queries.Readers = {
    "types": queries.some_of(*EVENT_TYPES),
    "after": uuid,
    "since": queries.since,
    "from": queries.sender,
    "to": queries.sender,
    "phone_number_id": uuid,
    "channel": one_of("sms", "mms"),
    "opt_out": queries.boolean,
}
_UUID: dict[str, Any] = {"type": "string", "format": "uuid"}
_SENDER: dict[str, Any] = {"type": "string", "maxLength": 255}
_ANY_TYPE = "|".join(each.replace(".", r"\.") for each in EVENT_TYPES)
_PARAMETERS = (
    Parameter(
        "types",
        "query",
        {"type": "string", "pattern": f"^({_ANY_TYPE})(,({_ANY_TYPE}))*$"},
        "Only these types, separated by commas.",
    ),
    Parameter("after", "query", _UUID, "Begin with what came after the event with this id."),
    Parameter(
        "since", "query", {"type": "string", "format": "date-time"}, "Begin with what came at this time or later."
    ),
    Parameter(
        "Last-Event-ID", "header", _UUID, "The same as `after`, and goes before it: clients send it by themselves."
    ),
    Parameter("from", "query", _SENDER, "Only messages from this number (`+` as `%2B`), short code or sender name."),
    Parameter("to", "query", _SENDER, "Only messages to this number."),
    Parameter("phone_number_id", "query", _UUID, "Only what happens at this number of ours."),
    Parameter("channel", "query", {"type": "string", "enum": ["sms", "mms"]}, "Only messages of this channel."),
    Parameter("opt_out", "query", {"type": "boolean"}, "Only texts that are an opt-out, or only those that are not."),
)
_TEXT = """Server-Sent Events (WHATWG): `message.received`, `message.status`, `consent.changed`, each with the data
`{"id", "type", "created_at", "data"}`, in the organization's one order. Without `after`, `since` or `Last-Event-ID` it begins
now. Whoever resumes from the last id they have misses nothing and sees nothing twice, on whichever server. Changes of consent
need the `consent:read` scope as well, and are left out without it. With `X-Agent-ID` and a proof (scope `read`) or an access
token: the agent's own messages. A filter leaves out what lacks the field it asks about; texts of blocked senders never come."""
