"""A server that answers as it is told, to the byte: late, half, broken, or not at all."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

_SECONDS = 20


class Asked(NamedTuple):
    """A request as it came; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


#: What to do with one request: write to its connection, which is closed afterwards.
Behaviour = Callable[[socket.socket], None]


def says(status: int, body: bytes | str = b"", **headers: str) -> Behaviour:
    """A whole answer."""
    raw = body.encode() if isinstance(body, str) else body

    def behave(connection: socket.socket) -> None:
        connection.sendall(_head(status, len(raw), headers) + raw)

    return behave


def breaks_off(body: bytes, length: int) -> Behaviour:
    """An answer that ends before it said it would."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(_head(200, length, {}) + body)

    return behave


def streams(*pieces: bytes | threading.Event, **headers: str) -> Behaviour:
    """A body without an end but the connection's, piece by piece; an event is waited for."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(_head(200, None, {"Content_Type": "text/event-stream", **headers}))
        for piece in pieces:
            if isinstance(piece, bytes):
                connection.sendall(piece)
            else:
                assert piece.wait(_SECONDS)

    return behave


def hangs_up(connection: socket.socket) -> None:
    """No answer."""


def resets(connection: socket.socket) -> None:
    """No answer, and not even a polite end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def says_nothing(until: threading.Event) -> Behaviour:
    """Silence for as long as the event is not set."""

    def behave(connection: socket.socket) -> None:
        until.wait(_SECONDS)

    return behave


def babbles(connection: socket.socket) -> None:
    """No HTTP."""
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


class Misbehaving:
    """One behaviour for each request, in order; `asked` are the requests so far. A `with` of it ends it."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self._behaviours = list(behaviours)
        self.asked: list[Asked] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Misbehaving":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(_SECONDS)

    def _serve(self) -> None:
        threads = []
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            threads.append(threading.Thread(target=self._answer, args=(connection,), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join(_SECONDS)

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(_SECONDS)
            asked = _read(connection)
            if asked is not None:
                self.asked.append(asked)
                assert self._behaviours, f"nobody said what to do with {asked}"
                self._behaviours.pop(0)(connection)


def _head(status: int, length: int | None, headers: dict[str, str]) -> bytes:
    """`_` in a header's name stands for `-`."""
    named = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Whatever", "Connection: close"]
    lines += [] if length is None else [f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in named.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _read(connection: socket.socket) -> Asked | None:
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = connection.recv(65536)
        if not piece:
            return None
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    method, target, _ = first.split(" ")
    return Asked(method, target, headers, body)
