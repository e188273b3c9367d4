"""The few things between ASGI and a handler: reading a bounded body, writing JSON, and calling a handler."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from roost.api.errors import general

Handler = Callable[[Request], Awaitable[Response]]

#: How long a body may take to arrive: longer than any carrier waits, short enough to get rid of who only holds on.
BODY_SECONDS = 30.0

_encode = msgspec.json.Encoder().encode


class Endpoint:
    """A handler as the ASGI callable that a route wants, without a middleware stack around each."""

    def __init__(self, path: str, handler: Handler) -> None:
        self._path = path
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["roost.route"] = self._path  # what metrics and logs call it, without ids
        response = await self._handler(Request(scope, receive))
        await response(scope, receive, send)


def json_response(body: Any, headers: dict[str, str] | None = None) -> Response:
    """200 with `body` as JSON."""
    return Response(_encode(body), 200, headers, "application/json")


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body.

    Refuses with 413 beyond `limit` bytes, whatever its length was said to be, and with 408 if it drips.
    """
    if int(request.headers.get("content-length") or 0) > limit:
        raise general(413, request.scope["path"])
    first = await _chunk(request, BODY_SECONDS)
    body: bytes = first["body"]
    if first.get("more_body"):
        body = await _rest(request, body, limit)
    if len(body) > limit:
        raise general(413, request.scope["path"])
    return body


async def _rest(request: Request, begun: bytes, limit: int) -> bytes:
    chunks, size, deadline = [begun], len(begun), asyncio.get_running_loop().time() + BODY_SECONDS
    while size <= limit:
        message = await _chunk(request, deadline - asyncio.get_running_loop().time())
        chunks.append(message["body"])
        size += len(message["body"])
        if not message.get("more_body"):
            break
    return b"".join(chunks)


async def _chunk(request: Request, seconds: float) -> Message:
    try:
        async with asyncio.timeout(seconds):
            message = await request.receive()
    except TimeoutError:
        raise general(408, request.scope["path"]) from None
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message
