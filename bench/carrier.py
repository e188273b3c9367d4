"""A carrier that takes every text at once, in a process of its own: `python -m bench.carrier`.

It answers Bandwidth's POST with 202, remembers when each text arrived by its tag, and answers questions on stdin:

    {}                             the port that it listens on
    {"count": N}                   waits until N texts arrived since the last such question: how many a second, the first
                                   tenth of them not counted
    {"tag": ID}                    waits for that text: when it arrived, in seconds of `perf_counter`, which on Linux is the same
                                   clock in each process
"""

import asyncio
import json
import threading
from time import perf_counter
from typing import Any

import httptools
import uvloop

from bench.worker import answer_questions

#: How long a text is waited for.
PATIENCE = 60


class Arrivals:
    """When what arrived; written by the event loop, read by the thread that answers."""

    def __init__(self) -> None:
        self.by_tag: dict[str, float] = {}
        self.times: list[float] = []
        self._changed = threading.Condition()

    def note(self, tag: str) -> int:
        """How many there are with this one."""
        with self._changed:
            self.times.append(perf_counter())
            self.by_tag[tag] = self.times[-1]
            self._changed.notify_all()
            return len(self.times)

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        with self._changed:
            if "tag" in question:
                self._wait(lambda: question["tag"] in self.by_tag)
                return {"at": self.by_tag[question["tag"]]}
            count = question["count"]
            self._wait(lambda: len(self.times) >= count)
            first, last = self.times[count // 10], self.times[count - 1]
            self.times.clear()
            return {"per_second": (count - 1 - count // 10) / (last - first)}

    def _wait(self, is_so: Any) -> None:
        if not self._changed.wait_for(is_so, PATIENCE):
            raise RuntimeError(f"it never arrived; {len(self.times)} others did")


class Connection(asyncio.Protocol):
    """Keep-alive HTTP/1.1."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport  # uvloop's, which is no asyncio.Transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        count = self._arrivals.note(_tag(json.loads(self._body)))
        self._body = b""
        answer = json.dumps({"id": f"bench-{perf_counter()}-{count}"})
        self._transport.write(
            f"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n{answer}".encode()
        )


def _tag(posted: Any) -> str:
    """What is no text to be sent has none."""
    return str(posted.get("tag", "")) if isinstance(posted, dict) else ""


def main() -> None:
    arrivals = Arrivals()
    loop = uvloop.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: Connection(arrivals), "127.0.0.1", 0, backlog=1024))
    port = server.sockets[0].getsockname()[1]
    threading.Thread(target=loop.run_forever, daemon=True).start()
    answer_questions(lambda question: arrivals.answer(question) if question else {"port": port})


if __name__ == "__main__":
    main()
