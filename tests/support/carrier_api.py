"""A real HTTP server that behaves like a carrier's API, and misbehaves as it is told to. Each carrier's says what is its own."""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar

from aiohttp import web

from roost.server import now_us

T = TypeVar("T")
PATIENCE_SECONDS = 30


class Reply(NamedTuple):
    """How one send is answered. Where it takes the message, it is on the record, whatever the client hears of it."""

    status: int | None = None
    """None: as documented for a message that is taken."""
    body: bytes | None = None
    """None: as documented."""
    headers: Mapping[str, str] = {}
    how: Literal["answer", "hang", "abort", "abort_unread", "half"] = "answer"
    takes: bool | None = None
    """None: if the status is that of a message that is taken."""
    first: tuple[str, ...] = ()
    """Status callbacks that arrive at our webhook before the answer does."""
    wait: bool = False
    """Answer only after `release`."""


class CarrierApi:
    """Listens while it is entered. `posts` are the bodies that came, `records` the messages that were taken.

    A carrier's says how it is asked (`SEND`, `LIST`: paths), how it answers, and overrides what follows `_open`.
    """

    SEND: ClassVar[str]
    LIST: ClassVar[str | None] = None
    TAKEN: ClassVar[int] = 200

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.records: list[dict[str, Any]] = []
        self.queries: list[dict[str, str]] = []
        self.script: deque[Reply] = deque()
        self.webhook_url = ""
        self.clock: Callable[[], int] = now_us
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._held: list[asyncio.Event] = []

    def __enter__(self) -> "CarrierApi":
        self._thread.start()
        self._wait(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._wait(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()

    def wait_for_posts(self, count: int) -> list[dict[str, Any]]:
        """The bodies, once so many came."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.posts) >= count, PATIENCE_SECONDS)
            assert came, f"only {len(self.posts)} of {count} came"
            return list(self.posts)

    def wait_for_queries(self, count: int) -> list[dict[str, str]]:
        """The queries for the record, once so many came."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.queries) >= count, PATIENCE_SECONDS)
            return list(self.queries)

    def release(self) -> None:
        """Answer whoever waits for it."""
        self._loop.call_soon_threadsafe(lambda: [event.set() for event in self._held])

    async def _open(self) -> None:
        app = web.Application()
        app.router.add_post(self.SEND, self._post)
        if self.LIST is not None:
            app.router.add_get(self.LIST, self._list)
        self._more_routes(app)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.host_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    def _more_routes(self, app: web.Application) -> None:
        """What else the carrier answers."""

    async def _wanted(self, request: web.Request) -> dict[str, Any]:
        """What the request asks to send."""
        body: dict[str, Any] = await request.json()
        return body

    def _refused(self, request: web.Request) -> web.Response | None:
        """The answer to a wrong credential."""
        raise NotImplementedError

    def _record(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """The record of a message that is taken; it has an `id`."""
        raise NotImplementedError

    def _answer(self, record: Mapping[str, Any]) -> Any:
        """What is said of a record when it is taken: JSON."""
        return record

    def _listed(self, query: Mapping[str, str]) -> Any:
        """What is answered to a look into the record: JSON."""
        raise NotImplementedError

    def call_back(self, event: str, record: Mapping[str, Any], **changes: Any) -> None:
        """Deliver a status to our webhook."""
        raise NotImplementedError

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_SECONDS)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        reply = self.script.popleft() if self.script else Reply()
        wanted = {} if reply.how == "abort_unread" else await self._wanted(request)
        refused = self._refused(request)
        record: dict[str, Any] = {}
        if wanted and not refused and self._takes(reply):
            record = self._record(wanted)
            self.records.append(record)
        with self._changed:
            self.posts.append(wanted)
            self._changed.notify_all()
        for event in reply.first:
            await asyncio.to_thread(self.call_back, event, record)
        if reply.wait or reply.how == "hang":
            held = asyncio.Event()
            self._held.append(held)
            await held.wait()
        if refused:
            return refused
        if reply.how in ("abort", "abort_unread", "hang"):
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        body = reply.body if reply.body is not None else json.dumps(self._answer(record) if record else {}).encode()
        status = reply.status or self.TAKEN
        if reply.how == "half":
            return await self._half(request, status, body)
        return web.Response(status=status, body=body, headers=reply.headers, content_type="application/json")

    async def _half(self, request: web.Request, status: int, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        assert request.transport is not None
        request.transport.close()
        return response

    async def _list(self, request: web.Request) -> web.Response:
        refused = self._refused(request)
        if refused:
            return refused
        answer = self._listed(request.query)
        with self._changed:
            self.queries.append(dict(request.query))
            self._changed.notify_all()
        return json_answer(200, answer)

    def _takes(self, reply: Reply) -> bool:
        return reply.status in (None, self.TAKEN) if reply.takes is None else reply.takes


def json_answer(status: int, value: Any) -> web.Response:
    return web.Response(status=status, body=json.dumps(value).encode(), content_type="application/json")
