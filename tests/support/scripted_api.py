"""A carrier's API as a real HTTP server that keeps what it was asked and answers as it is told."""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from aiohttp import web

_PATIENCE_SECONDS = 30


class Asked(NamedTuple):
    """One request; `fields` are the body's, JSON or form."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    fields: dict[str, Any]


class Said(NamedTuple):
    """One answer; a `body` that is no bytes goes out as JSON. None for a status: the connection is torn down."""

    status: int | None
    body: Any = b""
    headers: Mapping[str, str] = {}


class ScriptedApi:
    """Listens while it is entered. `script` is said first, then what `usual` says to the request."""

    def __init__(self, usual: Callable[[Asked], Said]) -> None:
        self.asked: list[Asked] = []
        self.script: deque[Said] = deque()
        self._usual = usual
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "ScriptedApi":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(_PATIENCE_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(_PATIENCE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_SECONDS)
        self._loop.close()

    def wait_for(self, count: int, method: str = "POST") -> list[Asked]:
        """The requests of a method, once so many came."""

        def of_method() -> list[Asked]:
            return [each for each in self.asked if each.method == method]

        with self._changed:
            came = self._changed.wait_for(lambda: len(of_method()) >= count, _PATIENCE_SECONDS)
            assert came, f"only {len(of_method())} of {count} came"
            return of_method()

    async def _open(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.text()
        fields = (
            dict(parse_qsl(body, keep_blank_values=True))
            if "form" in request.content_type
            else json.loads(body or "{}")
        )
        asked = Asked(request.method, request.path, dict(request.query), request.headers, fields)
        said = self.script.popleft() if self.script else self._usual(asked)
        with self._changed:
            self.asked.append(asked)
            self._changed.notify_all()
        if said.status is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        body_bytes = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
        return web.Response(status=said.status, body=body_bytes, headers=said.headers, content_type="application/json")
