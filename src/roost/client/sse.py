"""Server-sent events: bytes, cut anywhere, to frames (https://html.spec.whatwg.org/multipage/server-sent-events.html, 9.2.6)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from roost.client.errors import BrokenAnswer

#: More than any frame of the server's; what never ends is not kept.
MAX_FRAME_BYTES = 8 << 20
_LINE_END = re.compile(rb"\r\n|\n|\r")


class Frame(NamedTuple):
    """One event as it came."""

    event: str
    data: bytes


class Frames:
    """Feed it what comes in. `last_id` is where to go on from; `retry` are the seconds that the server wants between tries."""

    def __init__(self, last_id: str | None = None) -> None:
        self.last_id = last_id
        self.retry: float | None = None
        self._begun = b""
        self._size = 0
        self._event, self._id = "", last_id
        self._data: list[bytes] = []

    def reconnected(self) -> None:
        """What was half-way when the connection ended is void."""
        self._begun, self._size, self._event, self._id, self._data = b"", 0, "", self.last_id, []

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The frames that this piece completes; `last_id` is each one's own while it is looked at."""
        self._size += len(piece)
        if self._size > MAX_FRAME_BYTES:
            raise BrokenAnswer(f"an event has more than {MAX_FRAME_BYTES} bytes")
        text = self._begun + piece
        # A carriage return at the very end may be half of a line end.
        whole = text[:-1] if text.endswith(b"\r") else text
        *lines, rest = _LINE_END.split(whole)
        self._begun = rest + text[len(whole) :]
        for line in lines:
            if line:
                self._field(line)
            elif (frame := self._dispatched()) is not None:
                yield frame

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit() and len(value) < 10:
            self.retry = int(value) / 1000

    def _dispatched(self) -> Frame | None:
        frame = Frame(self._event or "message", b"\n".join(self._data)) if self._data else None
        self.last_id, self._event, self._data, self._size = self._id, "", [], len(self._begun)
        return frame
