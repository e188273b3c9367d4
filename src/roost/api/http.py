"""The few things between ASGI and a handler: reading a bounded body, writing JSON, and calling a handler."""

from collections.abc import Awaitable, Callable, Mapping
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


class _Json(Response):
    """Encoded JSON. Its headers are known, and need not be worked out each time."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        self.raw_headers = [(b"content-length", b"%d" % len(self.body)), (b"content-type", b"application/json")]
        for name, value in (headers or {}).items():
            self.raw_headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))


def json_response(body: Any, headers: dict[str, str] | None = None, status: int = 200) -> Response:
    """`body` as JSON."""
    return _Json(encode_json(body), status, headers)


def json_bytes(body: bytes) -> Response:
    """200 with JSON that is encoded already."""
    return _Json(body)


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
