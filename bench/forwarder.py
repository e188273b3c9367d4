"""The same path without us, in a process of its own: `python -m bench.forwarder`.

A bare server: a GET is answered with a stream of server-sent events; a POST's body is written to every stream as it came, and
then answered. Nothing is verified, kept or ordered. It answers any question on stdin with the port that it listens on.
"""

import asyncio
import threading
from typing import Any

import httptools
import uvloop

from bench.worker import answer_questions

_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\nretry: 500\n\n"
_TAKEN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Connection(asyncio.Protocol):
    """Keep-alive HTTP/1.1; `streams` are those that read."""

    def __init__(self, streams: set[Any]) -> None:
        self._streams = streams
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport  # uvloop's, which is no asyncio.Transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if self._parser.get_method() == b"GET":
            self._streams.add(self._transport)
            self._transport.write(_STREAM)
            return
        frame = b"event: message.received\ndata: %b\n\n" % self._body
        for stream in self._streams:
            stream.write(frame)
        self._body = b""
        self._transport.write(_TAKEN)

    def connection_lost(self, _: Exception | None) -> None:
        self._streams.discard(self._transport)


def main() -> None:
    streams: set[Any] = set()
    loop = uvloop.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: Connection(streams), "127.0.0.1", 0, backlog=1024))
    port = server.sockets[0].getsockname()[1]
    threading.Thread(target=loop.run_forever, daemon=True).start()
    answer_questions(lambda _: {"port": port})


if __name__ == "__main__":
    main()
