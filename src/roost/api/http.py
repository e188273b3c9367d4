"""The few things between ASGI and a handler: reading a bounded body, writing JSON, and calling a handler."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from roost.api.errors import general

Handler = Callable[[Request], Awaitable[Response]]

encode_json = msgspec.json.Encoder().encode


class Endpoint:
    """A handler as the ASGI callable that a route wants, without a middleware stack around each."""

    def __init__(self, path: str, handler: Handler) -> None:
        self._path = path
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["roost.route"] = self._path  # what metrics and logs call it, without ids
        response = await self._handler(Request(scope, receive))
        await response(scope, receive, send)


def json_response(body: Any, headers: dict[str, str] | None = None, status: int = 200) -> Response:
    """`body` as JSON."""
    return Response(encode_json(body), status, headers, "application/json")


def json_bytes(body: bytes) -> Response:
    """200 with JSON that is encoded already."""
    return Response(body, 200, None, "application/json")


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Refuses with 413 beyond `limit` bytes, whatever its length was said to be."""
    if int(request.headers.get("content-length") or 0) > limit:
        raise general(413, request.scope["path"])
    pieces: list[bytes] = []
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message["body"])
        size += len(pieces[-1])
        more = message.get("more_body", False)
        if size > limit:
            raise general(413, request.scope["path"])
    return b"".join(pieces)
