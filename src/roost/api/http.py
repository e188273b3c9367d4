"""The few things between ASGI and a handler: reading a bounded body, writing JSON, and calling a handler."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from roost.api.errors import general
from roost.wire.exchange import Connection

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
        if not sent_at_once(response, send):
            await response(scope, receive, send)


class Answering:
    """The `send` of a request: marks its answer with a header, and knows its `status`, which is 0 until it has begun."""

    __slots__ = ("_mark", "_scope", "_send", "status")

    def __init__(self, scope: Scope, send: Send, mark: tuple[bytes, bytes]) -> None:
        self._scope = scope
        self._send = send
        self._mark = mark
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"].extend(self._marks())
        await self._send(message)

    def whole(self, response: Response) -> bool:
        """Send all of a response at once; False: it is of those that are sent in pieces."""
        connection: Connection | None = self._scope.get("roost.connection")
        if connection is None or type(response).__call__ is not Response.__call__ or response.background is not None:
            return False
        headers = [*response.raw_headers, *self._marks()]
        if not connection.answer(response.status_code, headers, bytes(response.body)):
            return False
        self.status = response.status_code
        return True

    def _marks(self) -> Iterable[tuple[bytes, bytes]]:
        return (self._mark, *self._scope.get("roost.headers", ()))


def sent_at_once(response: Response, send: Send) -> bool:
    """Whether it could be sent in one piece, and has been; else it is to be sent as ASGI has it."""
    return isinstance(send, Answering) and send.whole(response)


class _Json(Response):
    """Encoded JSON. Its headers are known, and need not be worked out each time."""

    def __init__(self, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.body, self.status_code, self.background = body, status, None
        self.raw_headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        if headers:
            self.raw_headers += [
                (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
            ]


def json_response(body: Any, headers: dict[str, str] | None = None, status: int = 200) -> Response:
    """`body` as JSON."""
    return _Json(encode_json(body), status, headers)


def json_bytes(body: bytes) -> Response:
    """200 with JSON that is encoded already."""
    return _Json(body)


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Refuses with 413 beyond `limit` bytes, whatever its length was said to be."""
    connection: Connection | None = request.scope.get("roost.connection")
    body = connection.whole_body() if connection is not None else None
    if body is None:
        body = await _received(request, limit)
    if len(body) > limit:
        raise general(413, request.scope["path"])
    return body


async def _received(request: Request, limit: int) -> bytes:
    """What comes piece by piece, of which no more than the first too many is kept."""
    for name, value in request.scope["headers"]:
        if name == b"content-length" and int(value or 0) > limit:
            raise general(413, request.scope["path"])
    pieces: list[bytes] = []
    size, more = 0, True
    while more and size <= limit:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message["body"])
        size += len(pieces[-1])
        more = message.get("more_body", False)
    return b"".join(pieces)
