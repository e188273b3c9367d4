"""/mcp: streamable HTTP (Model Context Protocol, "Transports"), without sessions, so that any process answers any request."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from roost.api.auth import Authenticator
from roost.api.http import read_body
from roost.client.clients import Client
from roost.client.drivers import Awaiting
from roost.errors import Refusal
from roost.mcp.inside import Inside
from roost.mcp.room import Room
from roost.mcp.tools import Toolset, toolset_of
from roost.wire.exchange import Connection

PATH = "/mcp"
#: As of any other body.
MAX_BODY_BYTES = 1 << 20
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Endpoint:
    """Answers /mcp. Tools call `app`, which this is a part of; `stopping` is set when the server is told to stop."""

    def __init__(self, authenticator: Authenticator, public_url: str, stopping: asyncio.Event) -> None:
        self._authenticator = authenticator
        self._public_url = public_url
        self._stopping = stopping
        self._room = Room()
        self._answer_http: Callable[[Toolset, Scope, Receive, Send], Awaitable[None]] | None = None
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["roost.route"] = PATH
        request = Request(scope, receive)
        self._check_origin(request)
        if request.method != "POST":
            # No stream of the server's own, and no session to end: the specification has 405 for both.
            raise Refusal(405, "METHOD_NOT_ALLOWED", "/mcp takes POST only", headers={"Allow": "POST"})
        org_id = await self._authenticator.anybody(request)
        body = await read_body(request, MAX_BODY_BYTES)
        connection: Connection = scope["roost.connection"]
        with self._room.taken(org_id), anyio.CancelScope() as work:
            connection.when_lost(work.cancel)  # what nobody waits for any more is given up
            try:
                await self._answer(scope, _once(body), send)
            finally:
                connection.when_lost(None)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None, "it is part of an application"
        if self._answer_http is None:
            # The SDK takes most of a second to import: who asks first waits for it, and nobody else for anything.
            self._answer_http = await asyncio.to_thread(_import_sdk)
        client: Client[Awaiting] = Client(Inside(self.app, scope, self._stopping))
        is_agent = "x-agent-id" in Headers(scope=scope)
        await self._answer_http(toolset_of(client, is_agent=is_agent), scope, receive, send)

    def _check_origin(self, request: Request) -> None:
        """Refuse what another site's page makes a browser send, by DNS rebinding or not, as the specification demands."""
        origin = request.headers.get("origin")
        if origin is None:
            return
        own, theirs = urlsplit(self._public_url), urlsplit(origin)
        same = (own.scheme, own.netloc) == (theirs.scheme, theirs.netloc)
        both_here = own.hostname in _LOOPBACK and theirs.hostname in _LOOPBACK
        if not same and not both_here:
            raise Refusal(403, "FORBIDDEN", "the request's Origin is another site; ROOST_PUBLIC_URL says which is ours")


def _import_sdk() -> Callable[[Toolset, Scope, Receive, Send], Awaitable[None]]:
    from roost.mcp.protocol import answer_http

    return answer_http


def _once(body: bytes) -> Receive:
    """A request that is read already; then nothing more comes."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        return await asyncio.Future()

    return receive
