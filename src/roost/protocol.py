"""uvicorn's HTTP protocol with two bounds that it lacks, how large a request's head may be and how long a request may take;
with answers that leave in one piece, and with word of a client that goes away.

Without them a client that never ends its headers is buffered for ever, and one that drips or sends nothing holds its connection.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024
#: From its first byte to its last: longer than any carrier waits, short enough to get rid of who only holds on.
REQUEST_SECONDS = 30.0


class JoinedWrites:
    """A transport on which what is written in one turn of the loop leaves with one system call.

    uvicorn writes a response's head and its body apart, which costs a second call for every answer.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, []
            self._transport.write(held[0] if len(held) == 1 else b"".join(held))


class BoundedProtocol(HttpToolsProtocol):
    """Answers 400 and closes when a head (request line and headers) grows too large; closes when a request drips."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._in_request = True
        self._head_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._is_lost = False
        self._when_lost: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it too
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport, self.loop)))
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._request_read()
        super().connection_lost(exc)
        self.scope = {}  # type: ignore[typeddict-item]  # which has us in it: so that nothing is left to be collected
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

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._in_request:
            self._request_read()
            return
        if self._deadline is None:
            self._await_request()
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.send_400_response("The request's headers are too large.")

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

    def _await_request(self) -> None:
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self.transport.close)

    def _request_read(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
