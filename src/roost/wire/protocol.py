"""A connection that speaks HTTP/1.1 (RFC 9112), as uvicorn's `http` protocol: httptools reads requests, each is an exchange.

With bounds on all that a client can make us hold: how large a request's head may be, how long a request may take and an
answer not be read, how much of what was sent ahead is looked at; with turns for the requests of a crowd, and word of a client
that goes away.
"""

import asyncio
from collections import deque
from typing import Any
from urllib.parse import unquote

import httptools
from starlette.types import Scope
from uvicorn import Config
from uvicorn.server import ServerState

from roost.turns import Turns
from roost.wire.deadline import Deadline
from roost.wire.exchange import Exchange, Headers
from roost.wire.sockets import abort, address

MAX_HEAD_BYTES = 64 * 1024
#: From its first byte to its last: longer than any carrier waits, short enough to get rid of who only holds on.
REQUEST_SECONDS = 30.0
#: Between an answer and the next request: longer than the minute that load balancers keep a connection by default.
IDLE_SECONDS = 75.0
#: So much of bodies, and so many requests behind the one that is being answered, wait before no more is read.
_UNREAD_BYTES = 64 * 1024
_BEHIND = 8
#: The parser reads so much at a time, since it cannot be told to wait: some hundred requests, if they are as short as can be.
_SLICE_BYTES = 16 * 1024

_FRAGMENT = ord("#")
_ASGI = {"version": "3.0", "spec_version": "2.3"}


class HttpProtocol(asyncio.Protocol):
    """One connection. `server_state` is shared by all of a server's."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        self._app = config.loaded_app
        self._loop = _loop or asyncio.get_running_loop()
        self._state = server_state
        self._turns: Turns = vars(server_state).setdefault("turns", Turns())
        self._parser = self._new_parser()
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._expects_continue = False
        self._in_head = self._in_request = True
        self._head_bytes = 0
        self._is_timed = False
        self._deadline = Deadline(self._loop, self._expire)
        #: Whose body comes, who is answered, and who is next.
        self._receiving: Exchange | None = None
        self._current: Exchange | None = None
        self._behind: deque[tuple[Exchange, Scope]] = deque()
        self._is_last = False
        self._is_paused = False
        self._held = b""
        self._unread = 0
        self._can_write: asyncio.Event | None = None

    def _new_parser(self) -> Any:
        parser = httptools.HttpRequestParser(self)
        # What follows "connection: close" is passed over, and does not spoil the answer to what came before.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    # What uvicorn and the event loop call.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport  # uvloop's, which is no asyncio.Transport
        self._server, self._client = address(transport, "sockname"), address(transport, "peername")
        self._scheme = "https" if transport.get_extra_info("sslcontext") else "http"
        self._state.connections.add(self)  # type: ignore[arg-type]  # uvicorn names only its own
        self._time_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(self)
        self._deadline.end()
        self._behind.clear()
        self.resume_writing()
        current, self._current, self._receiving = self._current, None, None
        self._parser = None  # so that nothing is left to be collected: it has our methods
        if current is not None:
            current.lose()

    def data_received(self, data: bytes) -> None:
        for at in range(0, len(data), _SLICE_BYTES):
            if len(self._behind) >= _BEHIND:
                self._held = data[at:]
                return
            self._parse(data[at : at + _SLICE_BYTES])

    def _parse(self, data: bytes) -> None:
        if self._is_last and self._receiving is None:
            return
        unread = data
        while unread:
            try:
                self._parser.feed_data(unread)
                break
            except httptools.HttpParserUpgrade as stopped:
                unread = self._without_offer() + unread[stopped.args[0] :]
            except httptools.HttpParserError:
                self._refuse("Invalid HTTP request received.")
                return
        if not self._in_request:
            self._is_timed = False
            if self._current is not None:
                self._deadline.clear()
            return
        if not self._is_timed:
            self._time_request()
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse("The request's headers are too large.")

    def _without_offer(self) -> bytes:
        """The head that was read, as if it had not offered another protocol, which nobody has to agree to (RFC 9110, 7.8).

        The parser stops behind it, and would take what follows for the other protocol's, a body too.
        """
        stopped, self._parser = self._parser, self._new_parser()
        first = b"%b %b HTTP/%b" % (stopped.get_method(), self._url, stopped.get_http_version().encode())
        kept = [each for each in self._headers if each[0] not in (b"connection", b"upgrade")]
        if not stopped.should_keep_alive():
            kept.append((b"connection", b"close"))
        return b"\r\n".join([first, *map(b": ".join, kept)]) + b"\r\n\r\n"

    def pause_writing(self) -> None:
        self._can_write = asyncio.Event()

    def resume_writing(self) -> None:
        if self._can_write is not None:
            self._can_write.set()
            self._can_write = None

    def shutdown(self) -> None:
        """Take nothing more; what was taken is answered."""
        self._end_after_last()

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._in_head = self._in_request = True
        self._url, self._headers, self._expects_continue = b"", [], False

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # a trailer, which is not to be taken for a header (RFC 9110, 6.5.1)
        name = name.lower()
        if name == b"expect":
            self._expects_continue = value.lower() == b"100-continue"
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        parser, url = self._parser, self._url
        version, method = parser.get_http_version(), parser.get_method().decode("ascii")
        if method == "CONNECT":
            raise ValueError("this is no proxy")
        if self._is_last or parser.should_upgrade():
            return
        path, _, query = url.partition(b"?")
        if not path.startswith(b"/") or _FRAGMENT in url:  # in its absolute form, or with what is never sent
            parsed = httptools.parse_url(url)
            path, query = parsed.path or b"/", parsed.query or b""
        text = path.decode("ascii")
        exchange = Exchange(
            self,
            is_head=method == "HEAD",
            keep_alive=version != "1.0" and parser.should_keep_alive(),
            knows_chunks=version != "1.0",
            expects_continue=self._expects_continue,
        )
        scope: Scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "server": self._server,
            "client": self._client,
            "scheme": self._scheme,
            "method": method,
            "root_path": "",
            "path": unquote(text) if "%" in text else text,
            "raw_path": path,
            "query_string": query,
            "headers": self._headers,
            "roost.connection": exchange,
        }
        self._receiving = exchange
        self._is_last = not exchange.keep_alive
        if self._current is None:
            self._begin(exchange, scope)
            return
        self._behind.append((exchange, scope))
        if len(self._behind) >= _BEHIND:
            self._pause()

    def on_body(self, body: bytes) -> None:
        if self._receiving is not None:
            self._unread += self._receiving.take(body)
            if self._unread > _UNREAD_BYTES:
                self._pause()

    def on_message_complete(self) -> None:
        self._in_request = False
        receiving, self._receiving = self._receiving, None
        if receiving is not None:
            receiving.end_request()

    # What an exchange calls.

    @property
    def is_blocked(self) -> bool:
        return self._can_write is not None

    async def drained(self) -> None:
        if self._can_write is not None:
            self._deadline.set(REQUEST_SECONDS)
            await self._can_write.wait()
            self._deadline.clear()

    def default_headers(self) -> Headers:
        return self._state.default_headers

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def has_read(self, size: int) -> None:
        self._unread -= size
        self.read_on()

    def read_on(self) -> None:
        if not self._is_paused or self._unread > _UNREAD_BYTES or len(self._behind) >= _BEHIND:
            return
        self._is_paused = False
        if self._transport.is_closing():
            return
        self._transport.resume_reading()
        if self._held:
            held, self._held = self._held, b""
            self.data_received(held)

    def answered(self, exchange: Exchange) -> None:
        self._state.total_requests += 1
        self._current = None
        if not exchange.keep_alive:
            self._close()
        elif self._behind:
            self._begin(*self._behind.popleft())
            self.read_on()
        else:
            self._deadline.set(REQUEST_SECONDS if self._in_request else IDLE_SECONDS)

    def abort(self, exchange: Exchange) -> None:
        if exchange is not self._current and not (self._current is None and self._transport.get_write_buffer_size()):
            return  # it has been answered, and has the answer
        abort(self._transport)

    def _begin(self, exchange: Exchange, scope: Scope) -> None:
        self._current = exchange
        # What a request waits for, an answer of the database above all, waits itself until the event loop looks for it: after
        # one request more, instead of after all that came at once.
        self._turns.give(self._start, exchange, scope)

    def _start(self, exchange: Exchange, scope: Scope) -> None:
        # With a name, since to make one up takes as long as to make the task; and it says itself when it is done, for a callback
        # would need a turn of the event loop.
        task = asyncio.Task(self._run(exchange, scope), loop=self._loop, name="request")
        self._state.tasks.add(task)

    async def _run(self, exchange: Exchange, scope: Scope) -> None:
        try:
            await self._app(scope, exchange.receive, exchange.send)
        finally:
            self._state.tasks.discard(asyncio.current_task())
            if not exchange.is_complete and not exchange.is_lost:
                self._close()  # which says that there will be no more of it

    def _refuse(self, why: str) -> None:
        """What comes makes no sense: answer 400 and close, but what was asked before is answered first."""
        broken, self._receiving = self._receiving, None
        if self._behind and self._behind[-1][0] is broken:
            self._behind.pop()
        elif broken is not None:
            if broken is self._current:
                self._current = None
                broken.lose()
            if broken.is_started:
                self._close()
                return
        if self._current is not None:
            self._end_after_last()
            return
        self._is_last = True
        body = why.encode()
        lines = [*self._state.default_headers, (b"content-type", b"text/plain; charset=utf-8")]
        lines += [(b"content-length", b"%d" % len(body)), (b"connection", b"close")]
        self.write(b"HTTP/1.1 400 Bad Request\r\n%b\r\n\r\n%b" % (b"\r\n".join(map(b": ".join, lines)), body))
        self._close()

    def _end_after_last(self) -> None:
        """Take no other request than those that are there."""
        self._is_last = True
        last = self._behind[-1][0] if self._behind else self._current
        if last is None:
            self._close()
        else:
            last.keep_alive = False

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def _time_request(self) -> None:
        self._is_timed = True
        self._deadline.set(REQUEST_SECONDS)

    def _close(self) -> None:
        """Once what was written is sent, which takes no longer than a request may."""
        self._deadline.set(REQUEST_SECONDS)
        self._transport.close()

    def _expire(self) -> None:
        if self._transport.is_closing() or self._transport.get_write_buffer_size():
            abort(self._transport)
        else:
            self._transport.close()
