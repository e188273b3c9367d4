"""A real HTTP server that behaves like Bandwidth's Messaging API, and misbehaves as it is told to."""

import asyncio
import base64
import json
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Literal, NamedTuple, TypeVar

import httpx
from aiohttp import web

from roost.core.times import parse_instant, rfc3339
from roost.server import now_us
from support.credentials import ACCOUNT_ID, BASIC, PASSWORD, USER
from support.payloads import bandwidth_status

T = TypeVar("T")
_PATIENCE_SECONDS = 30
_CREDENTIAL = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


class Reply(NamedTuple):
    """How one POST is answered. Where it takes the message, it is on the record, whatever the client hears of it."""

    status: int = 202
    body: bytes | None = None
    """None: as documented."""
    headers: Mapping[str, str] = {}
    how: Literal["answer", "hang", "abort", "abort_unread", "half"] = "answer"
    takes: bool | None = None
    """None: if the status is 202."""
    first: tuple[str, ...] = ()
    """Status callbacks that arrive at our webhook before the answer does."""
    wait: bool = False
    """Answer only after `release`."""


class BandwidthApi:
    """Listens while it is entered. `posts` are the bodies that came, `records` the messages that were taken."""

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

    def __enter__(self) -> "BandwidthApi":
        self._thread.start()
        self._wait(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._wait(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_SECONDS)
        self._loop.close()

    def wait_for_posts(self, count: int) -> list[dict[str, Any]]:
        """The bodies, once so many came."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.posts) >= count, _PATIENCE_SECONDS)
            assert came, f"only {len(self.posts)} of {count} came"
            return list(self.posts)

    def wait_for_queries(self, count: int) -> list[dict[str, str]]:
        """The queries for the record, once so many came."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.queries) >= count, _PATIENCE_SECONDS)
            return list(self.queries)

    def release(self) -> None:
        """Answer whoever waits for it."""
        self._loop.call_soon_threadsafe(lambda: [event.set() for event in self._held])

    def status(self, event: str, record: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """A status callback about a message on the record."""
        payload = bandwidth_status(event, record["id"], record["to"][0], record["from"], **changes)
        payload["message"]["tag"] = record["tag"]
        return payload

    def call_back(self, event: str, record: Mapping[str, Any], **changes: Any) -> None:
        """Deliver it to our webhook."""
        answer = httpx.post(self.webhook_url, json=[self.status(event, record, **changes)], auth=BASIC, timeout=30)
        assert answer.status_code == 200, answer.text

    async def _open(self) -> None:
        app = web.Application()
        app.router.add_post("/api/v2/users/{account}/messages", self._post)
        app.router.add_get("/api/v2/users/{account}/messages", self._list)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{port}/api/v2"

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_SECONDS)

    def _refused(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") != _CREDENTIAL:
            return _json(401, {"type": "unauthorized", "description": "Authentication Failed"})
        if request.match_info["account"] != ACCOUNT_ID:
            return _json(403, {"type": "forbidden", "description": "Access Denied"})
        return None

    async def _post(self, request: web.Request) -> web.StreamResponse:
        reply = self.script.popleft() if self.script else Reply()
        wanted = {} if reply.how == "abort_unread" else await request.json()
        refused = self._refused(request)
        record = self._record(wanted) if wanted and not refused and _takes(reply) else {}
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
        body = reply.body if reply.body is not None else json.dumps(record).encode()
        if reply.how == "half":
            return await self._half(request, body)
        return web.Response(status=reply.status, body=body, headers=reply.headers, content_type="application/json")

    async def _half(self, request: web.Request, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(status=202, headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        assert request.transport is not None
        request.transport.close()
        return response

    async def _list(self, request: web.Request) -> web.Response:
        refused = self._refused(request)
        if refused:
            return refused
        since, until = (parse_instant(request.query[name])[0] for name in ("fromDateTime", "toDateTime"))
        found = [
            {"messageId": each["id"], "sourceTn": each["from"], "destinationTn": each["to"][0], "messageStatus": "SENT"}
            for each in self.records
            if (each["from"], each["to"][0]) == (request.query["sourceTn"], request.query["destinationTn"])
            and since <= parse_instant(each["time"])[0] <= until
        ]
        with self._changed:
            self.queries.append(dict(request.query))
            self._changed.notify_all()
        return _json(200, {"totalCount": len(found), "pageInfo": {}, "messages": found})

    def _record(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """As documented for 202."""
        record = {
            "id": f"bw-{len(self.records) + 1:06}",
            "owner": wanted["from"],
            "time": rfc3339(self.clock()),
            "segmentCount": 1,
            "direction": "out",
            **wanted,
        }
        self.records.append(record)
        return record


def _takes(reply: Reply) -> bool:
    return reply.status == 202 if reply.takes is None else reply.takes


def _json(status: int, value: Any) -> web.Response:
    return web.Response(status=status, body=json.dumps(value).encode(), content_type="application/json")
