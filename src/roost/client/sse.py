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
        self.reconnected()

    def reconnected(self) -> None:
        """What was half-way when the connection ended is void."""
        self._begun: list[bytes] = []
        self._held = 0
        self._event, self._id = "", self.last_id
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The frames that this piece completes; `last_id` is each one's own while it is looked at."""
        self._held += len(piece)
        self._begun.append(piece)
        if b"\n" in piece or b"\r" in piece or self._begun[0].endswith(b"\r"):
            yield from self._lines(b"".join(self._begun))
        if self._held > MAX_FRAME_BYTES:
            raise BrokenAnswer(f"an event has more than {MAX_FRAME_BYTES} bytes")

    def _lines(self, text: bytes) -> Iterator[Frame]:
        # A carriage return at the very end may be half of a line end.
        whole = text[:-1] if text.endswith(b"\r") else text
        *lines, rest = _LINE_END.split(whole)
        self._begun = [rest + text[len(whole) :]]
        for line in lines:
            if line.startswith(b":"):  # a comment, which keeps the connection alive
                self._held -= len(line) + 1
            elif line:
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
        self.last_id, self._event, self._data, self._held = self._id, "", [], len(self._begun[0])
        return frame
