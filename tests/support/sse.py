"""A reader of server-sent events, written from the WHATWG's text and not from our code: what an EventSource does."""

import http.client
import json
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from support.wire import NoAnswer

PATH = "/v1/events"
#: Longer than anything here takes; only a test that hangs sees it.
PATIENCE_SECONDS = 30


class Ended(Exception):
    """The server ended the stream as HTTP has it; `last_id` is where to resume."""


class Refused(Exception):
    """It was answered with a status that is not 200."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(f"{status} {body!r}")
        self.status, self.headers, self.body = status, headers, body


class Sse:
    """One stream, open once it is made; `last_id` and `retry_ms` are as the server last said, `comments` how many came.

    `small` reads with as small a buffer as there is, so that what is not read stays with the server.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        last_id: str | None = None,
        small: bool = False,
        **params: Any,
    ) -> None:
        self.last_id, self.retry_ms, self.comments = last_id, 0, 0
        address = urlsplit(base_url)
        self._connection = http.client.HTTPConnection(address.netloc, timeout=PATIENCE_SECONDS)
        if small:
            self._connection.sock = socket.socket()
            self._connection.sock.settimeout(PATIENCE_SECONDS)
            self._connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            self._connection.sock.connect((address.hostname, address.port))
        resumed = {} if last_id is None else {"Last-Event-ID": last_id}
        try:
            self._connection.request("GET", f"{PATH}?{urlencode(params)}", headers={**headers, **resumed})
            self.answer = self._connection.getresponse()
        except (ConnectionError, http.client.HTTPException) as error:
            self.close()
            raise NoAnswer(repr(error)) from None
        if self.answer.status != 200:
            body = self.answer.read()
            self.close()
            raise Refused(self.answer.status, self.answer.headers, body)
        assert self.answer.headers["Content-Type"] == "text/event-stream"
        assert self.next_block() == {}, "it says at once that it is open, and where one could resume"
        assert self.last_id is not None
        assert self.retry_ms > 0

    def __enter__(self) -> "Sse":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def within(self, seconds: float) -> None:
        """How long to wait for a line from now on."""
        assert self._connection.sock is not None or self.answer.fp is not None
        sock = self._connection.sock or self.answer.fp.raw._sock  # type: ignore[attr-defined]
        sock.settimeout(seconds)

    def next(self) -> dict[str, Any]:
        """The next event's data. Raises Ended, or NoAnswer where the connection broke."""
        while True:
            block = self.next_block()
            if "data" in block:
                event: dict[str, Any] = json.loads(block["data"])
                assert block == {"id": event["id"], "event": event["type"], "data": block["data"]}
                assert set(event) == {"id", "type", "created_at", "data"}
                return event

    def take(self, count: int) -> list[dict[str, Any]]:
        """The next events' data."""
        return [self.next() for _ in range(count)]

    def next_block(self) -> dict[str, str]:
        """The fields up to the next empty line, but for what they say of the stream itself."""
        fields: dict[str, str] = {}
        while (line := self._line()) != "":
            name, _, value = line.partition(":")
            if name == "":
                self.comments += 1
            elif name == "retry":
                self.retry_ms = int(value)
            else:
                fields[name] = value.removeprefix(" ")
        if "id" in fields:
            self.last_id = fields["id"]
        return fields if "data" in fields else {}

    def _line(self) -> str:
        try:
            line = self.answer.readline()
        except (ConnectionError, http.client.HTTPException) as error:
            raise NoAnswer(repr(error)) from None
        if not line.endswith(b"\n"):
            raise Ended
        return line[:-1].decode()
