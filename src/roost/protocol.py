"""uvicorn's HTTP protocol with two bounds that it lacks, how large a request's head may be and how long a request may take;
with turns for the requests of a crowd, bodies and answers in one piece, and word of a client that goes away.

Without them a client that never ends its headers is buffered for ever, and one that drips or sends nothing holds its connection.
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from roost.turns import Turns

Headers = Iterable[tuple[bytes, bytes]]

MAX_HEAD_BYTES = 64 * 1024
#: From its first byte to its last: longer than any carrier waits, short enough to get rid of who only holds on.
REQUEST_SECONDS = 30.0
#: Between an answer and the next request: longer than the minute that load balancers keep a connection by default.
IDLE_SECONDS = 75.0


class Connection(Protocol):
    """What a request's scope has as "roost.connection": the way to whoever asked."""

    def when_lost(self, told: Callable[[], None] | None) -> None: ...

    def abort(self) -> None: ...

    def whole_body(self, scope: Scope) -> bytes | None: ...

    def answer(self, scope: Scope, status: int, headers: Headers, body: bytes) -> bool: ...


class Deadline:
    """When a connection is to be closed. It is put off with each request, and the one timer is looked after when it runs out."""

    def __init__(self, loop: asyncio.AbstractEventLoop, passed: Callable[[], None]) -> None:
        self._loop = loop
        self._passed = passed
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    def set(self, seconds: float) -> None:
        """So many seconds from now, and no sooner."""
        self._at = self._loop.time() + seconds
        if self._timer is None:
            self._begin(self._at)
        elif self._timer_at > self._at:
            self._timer.cancel()
            self._begin(self._at)

    def clear(self) -> None:
        """Not until it is set again."""
        self._at = None

    def end(self) -> None:
        """The connection is closed."""
        self._at = None
        if self._timer is not None:
            self._timer.cancel()

    def _begin(self, at: float) -> None:
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._at is None:
            return
        if self._at > self._timer_at:
            self._begin(self._at)
        else:
            self._passed()


class BoundedProtocol(HttpToolsProtocol):
    """Answers 400 and closes when a head (request line and headers) grows too large; closes when a request drips."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Those of one server, whose connections share its state.
        self._turns: Turns = vars(self.server_state).setdefault("turns", Turns())
        self._in_head = True
        self._in_request = True
        self._head_bytes = 0
        self._is_timed = False
        self._is_lost = False
        self._when_lost: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it too
        super().connection_made(transport)
        self._deadline = Deadline(self.loop, transport.close)
        self._time_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.end()
        super().connection_lost(exc)
        # The scopes of requests have us in them: so that nothing is left to be collected.
        self.scope, self.cycle = {}, None  # type: ignore[typeddict-item, assignment]
        self._is_lost = True
        self.when_lost(self._when_lost)

    def when_lost(self, told: Callable[[], None] | None) -> None:
        """Call `told` once the client is gone, while its request goes on; None: nobody needs to know any more.

        A task that waits for it, as ASGI has it, costs every waiting reader more than the wait itself.
        """
        self._when_lost = told
        if told is not None and self._is_lost:
            told()

    def abort(self) -> None:
        """End the connection at once, whatever the client has not read yet.

        Without lingering the kernel throws away what it holds, and resets; else it would go on offering that to a client whose
        window is shut, more and more rarely, and the client would not hear of the end for minutes (RFC 9293, 3.8.6.1).
        """
        if self._is_lost:
            return
        with suppress(OSError, ValueError):  # it is being closed already
            at_once = struct.pack("ii", 1, 0)
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self.transport.abort()

    def whole_body(self, scope: Scope) -> bytes | None:
        """A request's body, once all of it is there; None: it has to be received as ASGI has it."""
        cycle = self.cycle
        if (
            cycle is None
            or cycle.scope is not scope
            or cycle.more_body
            or cycle.disconnected
            or cycle.response_complete
        ):
            return None
        body, cycle.body = bytes(cycle.body), bytearray()
        cycle.message_event.clear()
        self.flow.resume_reading()
        return body

    def answer(self, scope: Scope, status: int, headers: Headers, body: bytes) -> bool:
        """Send the whole answer to a request, with one system call; False: it has to be sent as ASGI has it.

        uvicorn writes its head and its body apart, and looks at each header by two patterns.
        """
        cycle = self.cycle
        if (
            cycle is None
            or cycle.scope is not scope
            or cycle.response_started
            or self.flow.write_paused
            or scope["method"] == "HEAD"
        ):
            return False
        lines = [*map(b": ".join, self.server_state.default_headers), *map(b": ".join, headers)]
        head = STATUS_LINE[status] + b"\r\n".join(lines)
        if b"\nconnection:" in head:
            return False
        if len(head.translate(None, b"\r\n\0")) != len(head) - 2 * len(lines):
            return False  # it has a line in it that is no header of ours: uvicorn says so
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.disconnected:
            ending = b"\r\n\r\n" if cycle.keep_alive else b"\r\nconnection: close\r\n\r\n"
            self.transport.write(b"%b%b%b" % (head, ending, body))
            if not cycle.keep_alive:
                self.transport.close()
            self.on_response_complete()
        return True

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._in_request:
            self._is_timed = False
            if not self.cycle.response_complete:  # it may be, by a refusal
                self._deadline.clear()
            return
        if not self._is_timed:
            self._time_request()
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.send_400_response("The request's headers are too large.")

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # What a request waits for, an answer of the database above all, waits itself until the event loop looks for it: after
        # one request more, instead of after all that came at once.
        self._turns.give(super()._start_asgi_task, cycle, app)

    def on_message_begin(self) -> None:
        self._in_head = self._in_request = True
        super().on_message_begin()
        self.scope["roost.connection"] = self  # type: ignore[typeddict-unknown-key]

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_request = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """As uvicorn has it, with the one timer instead of one for each answer."""
        if self.pipeline:
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        if not self.transport.is_closing():
            self.flow.resume_reading()
            if not self._in_request:
                self._deadline.set(IDLE_SECONDS)

    def _time_request(self) -> None:
        self._is_timed = True
        self._deadline.set(REQUEST_SECONDS)
