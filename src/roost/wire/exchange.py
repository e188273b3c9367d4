"""One request and its answer: what ASGI calls `receive` and `send`, and the short ways beside them."""

import asyncio
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Protocol

from starlette.types import Message

Headers = Iterable[tuple[bytes, bytes]]

_STATUS_LINE = {each.value: b"HTTP/1.1 %d %b" % (each.value, each.phrase.encode()) for each in HTTPStatus}
#: Of a head, by whether another request may follow.
_ENDING = {True: b"\r\n\r\n", False: b"\r\nconnection: close\r\n\r\n"}
_DISCONNECT: Message = {"type": "http.disconnect"}


class Connection(Protocol):
    """What a request's scope has as "roost.connection": the way to whoever asked."""

    def when_lost(self, told: Callable[[], None] | None) -> None: ...

    def abort(self) -> None: ...

    def whole_body(self) -> bytes | None: ...

    def answer(self, status: int, headers: Headers, body: bytes) -> bool: ...


class Wire(Protocol):
    """What an exchange needs of the connection that it is on."""

    @property
    def is_blocked(self) -> bool:
        """Whether the client does not take what was written."""

    def default_headers(self) -> Headers: ...

    def write(self, data: bytes) -> None: ...

    async def drained(self) -> None:
        """Return once the client takes more."""

    def has_read(self, size: int) -> None:
        """So many bytes of a body are kept no more."""

    def read_on(self) -> None:
        """Somebody waits for what comes next."""

    def answered(self, exchange: "Exchange") -> None: ...

    def abort(self, exchange: "Exchange") -> None: ...


class Exchange:
    """A request as far as it has come, and its answer as far as it has gone.

    `keep_alive`: another request may follow on the connection. `knows_chunks`: the client does, which is to say since HTTP/1.1.
    `expects_continue`: the body comes when it is asked for.
    """

    __slots__ = (
        "_event",
        "_expects_continue",
        "_is_chunked",
        "_is_head",
        "_is_received",
        "_knows_chunks",
        "_left",
        "_pieces",
        "_told",
        "_unread",
        "_wire",
        "is_complete",
        "is_lost",
        "is_started",
        "is_whole",
        "keep_alive",
    )

    def __init__(
        self, wire: Wire, *, is_head: bool, keep_alive: bool, knows_chunks: bool, expects_continue: bool
    ) -> None:
        self._wire = wire
        self._is_head = is_head
        self._knows_chunks = knows_chunks
        self._expects_continue = expects_continue
        self.keep_alive = keep_alive
        self.is_whole = self.is_started = self.is_complete = self.is_lost = False
        self._pieces: list[bytes] = []
        self._unread = 0
        self._is_received = False
        self._is_chunked = False
        self._left: int | None = None
        self._event: asyncio.Event | None = None
        self._told: Callable[[], None] | None = None

    # From the connection.

    def take(self, piece: bytes) -> int:
        """A piece of the body; how much of it is kept."""
        if self.is_complete:
            return 0
        self._pieces.append(piece)
        self._unread += len(piece)
        self._wake()
        return len(piece)

    def end_request(self) -> None:
        """All of the request is here."""
        self.is_whole = True
        self._wake()

    def lose(self) -> None:
        """The client is gone."""
        self.is_lost = True
        self._wake()
        self.when_lost(self._told)

    # To whoever answers.

    def when_lost(self, told: Callable[[], None] | None) -> None:
        """Call `told` once the client is gone, while its request goes on; None: nobody needs to know any more.

        A task that waits for it, as ASGI has it, costs every waiting reader more than the wait itself.
        """
        self._told = told
        if told is not None and self.is_lost:
            told()

    def abort(self) -> None:
        """End the connection at once, whatever the client has not read yet."""
        if not self.is_lost:
            self._wire.abort(self)

    def whole_body(self) -> bytes | None:
        """The request's body, once all of it is there; None: it has to be received as ASGI has it."""
        if not self.is_whole or self.is_lost or self.is_complete:
            return None
        self._is_received = True
        return self._taken()

    def answer(self, status: int, headers: Headers, body: bytes) -> bool:
        """Send the whole answer with one system call; False: it has to be sent as ASGI has it.

        Whether the connection goes on is not for its headers to say. Raises ValueError for one with a line of its own in it.
        """
        if self.is_started or self._is_head or self._wire.is_blocked:
            return False
        head = self._head(status, headers)
        self._begin()
        if not self.is_lost:
            self._wire.write(b"".join((head, _ENDING[self.keep_alive], body)))
        self._complete()
        return True

    async def receive(self) -> Message:
        """ASGI's: the next piece of the body, or that the client is gone or answered."""
        while not self.is_lost and not self.is_complete:
            if self._pieces or (self.is_whole and not self._is_received):
                self._is_received = self.is_whole
                return {"type": "http.request", "body": self._taken(), "more_body": not self.is_whole}
            if self._expects_continue and not self.is_started:
                self._expects_continue = False
                self._wire.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._wire.read_on()
            self._event = self._event or asyncio.Event()
            self._event.clear()
            await self._event.wait()
        return _DISCONNECT

    async def send(self, message: Message) -> None:
        """ASGI's: the head of the answer, and then its body in pieces. Raises RuntimeError where they do not fit together."""
        if self._wire.is_blocked:
            await self._wire.drained()
        if self.is_lost:
            return
        if message["type"] == "http.response.start" and not self.is_started:
            self._start(message["status"], [(name.lower(), value) for name, value in message.get("headers", ())])
        elif message["type"] == "http.response.body" and self.is_started and not self.is_complete:
            self._go_on(message.get("body", b""), has_more=message.get("more_body", False))
        else:
            raise RuntimeError(f"{message['type']} does not follow what was sent of this answer")

    def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        said = dict(headers)
        if b"close" in said.get(b"connection", b"").lower():
            self.keep_alive = False
            headers = [each for each in headers if each[0] != b"connection"]
        if self._is_head or status < 200 or status in (204, 304):
            self._left = 0
        elif b"content-length" in said:
            self._left = int(said[b"content-length"])
        elif self._knows_chunks:
            self._is_chunked = True
            headers = [*headers, (b"transfer-encoding", b"chunked")]
        head = self._head(status, headers)
        self._begin()
        self._wire.write(head + _ENDING[self.keep_alive])

    def _begin(self) -> None:
        self.is_started = True
        if self._expects_continue and not self.is_whole:
            self.keep_alive = (
                False  # whether the body comes, that was not asked for, cannot be known (RFC 9110, 10.1.1)
            )

    def _go_on(self, body: bytes, *, has_more: bool) -> None:
        if self._is_chunked:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            self._wire.write(chunk if has_more else chunk + b"0\r\n\r\n")
        elif not self._is_head and body:
            if self._left is not None:
                self._left -= len(body)
                if self._left < 0:
                    raise RuntimeError("the body is longer than was said")
            self._wire.write(body)
        if not has_more:
            if self._left:
                raise RuntimeError("the body is shorter than was said")
            self._complete()

    def _complete(self) -> None:
        self.is_complete = True
        if self._unread:  # by whoever answered
            self._taken()
        self._wake()
        if not self.is_lost:
            self._wire.answered(self)

    def _taken(self) -> bytes:
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        size, self._unread = self._unread, 0
        self._wire.has_read(size)
        return body

    def _head(self, status: int, headers: Headers) -> bytes:
        first = _STATUS_LINE.get(status) or b"HTTP/1.1 %d " % status
        lines = [first, *map(b": ".join, self._wire.default_headers()), *map(b": ".join, headers)]
        head = b"\r\n".join(lines)
        if not head.count(b"\n") == head.count(b"\r") == len(lines) - 1 or 0 in head:
            raise ValueError("a header of the answer has a line of its own in it")
        return head

    def _wake(self) -> None:
        if self._event is not None:
            self._event.set()
