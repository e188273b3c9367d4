"""The client's calls without a network: straight into the application that we are part of, as whoever asked it."""

import asyncio
from typing import Any
from urllib.parse import unquote, urlencode

from starlette.types import ASGIApp, Message, Scope

from roost.client.credentials import Credentials
from roost.client.drivers import Awaiting, Settings
from roost.client.errors import ConnectionFailed
from roost.client.flow import Answer, Exchange, Pause, Request, Step
from roost.mcp.desk import RETRY
from roost.wire.exchange import Connection

#: What says who is asking, and nothing else of a request: a proof works once, and so cannot be handed on.
_SHOWN = ("authorization", "x-agent-id")


class Inside(Awaiting):
    """Carries out calls in `app`, with the credential of the request `scope`, until `stopping` is set. It has no HTTP client."""

    def __init__(self, app: ASGIApp, scope: Scope, stopping: asyncio.Event) -> None:
        self.settings = Settings("", _Same(scope), 30.0, RETRY)
        self._app = app
        self._scope = scope
        self._stopping = stopping

    async def close(self) -> None:
        """There is nothing to give back."""

    async def _do(self, step: Step) -> Any:
        match step:
            case Exchange(request):
                self._check()
                return await self._call(request)
            case Pause(seconds):
                try:
                    async with asyncio.timeout(seconds):
                        await self._stopping.wait()
                except TimeoutError:
                    return None
                self._check()
                return None
        return await super()._do(step)

    def _check(self) -> None:
        if self._stopping.is_set():
            raise ConnectionFailed("the server is about to stop; call again in a moment")

    async def _call(self, request: Request) -> Answer:
        asked = self.settings.arguments(request)
        status, headers, pieces = 0, {}, list[bytes]()

        async def receive() -> Message:
            return {"type": "http.request", "body": asked["content"] or b"", "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = {
                    name.decode("latin-1").lower(): value.decode("latin-1") for name, value in message["headers"]
                }
            else:
                pieces.append(message.get("body", b""))

        inner = self._inner(request, asked)
        await self._app(inner, receive, send)
        self._scope["roost.waited"] = self._scope.get("roost.waited", 0.0) + inner.get("roost.waited", 0.0)
        return Answer(status, headers, b"".join(pieces))

    def _inner(self, request: Request, asked: dict[str, Any]) -> Scope:
        path, query = asked["url"], urlencode(asked["params"] or ())
        headers = {name.lower(): value for name, value in asked["headers"].items()}
        connection: Connection = _NoConnection()
        return {
            "type": "http", "asgi": self._scope["asgi"], "http_version": "1.1", "scheme": self._scope["scheme"],
            "method": request.method, "path": unquote(path), "raw_path": path.encode(), "root_path": "",
            "query_string": query.encode(), "client": self._scope["client"], "server": self._scope["server"],
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
            "roost.connection": connection,
        }  # fmt: skip


class _Same(Credentials):
    """Whatever the caller showed, and never anything of this process's own environment."""

    def __init__(self, scope: Scope) -> None:
        shown = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self._headers = {name: shown[name] for name in _SHOWN if name in shown}

    def headers(self, request: Request) -> dict[str, str]:
        return self._headers


class _NoConnection:
    """In a connection's place: who asked from outside is watched there, and what is done for them is cancelled."""

    def when_lost(self, told: Any) -> None:
        pass

    def abort(self) -> None:
        pass

    def whole_body(self) -> None:
        return None

    def answer(self, *whole: Any) -> bool:
        return False
