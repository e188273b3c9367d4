"""The load generator: keep-alive HTTP/1.1 connections that each ask again as soon as they were answered.

It runs in a process of its own (`python -m bench.load`), so that it does not share the server's interpreter.
"""

import asyncio
import secrets
from functools import partial
from itertools import count
from time import perf_counter
from typing import Any

import httptools
import uvloop

from bench.worker import answer_questions

#: Stands in a request where an id belongs that no other request has; as long as Bandwidth's own.
UNIQUE = "@" * 29
#: How many seconds late the last answer may be.
PATIENCE = 60


class Run:
    """One measurement: what to send, until when, and how long the answers took."""

    def __init__(self, requests: list[str], warm_up: float, seconds: float) -> None:
        self.requests = [request.encode("latin-1").split(UNIQUE.encode()) for request in requests]
        self.begins = perf_counter() + warm_up
        self.ends = self.begins + seconds
        self.last = 0.0
        self.answered = 0
        self.times: list[float] = []
        self._run_id = secrets.token_hex(8)[:13]
        self._counter = count()

    def request(self, index: int) -> bytes:
        """The next bytes to send."""
        pieces = self.requests[index % len(self.requests)]
        if len(pieces) == 1:
            return pieces[0]
        return f"{self._run_id}{next(self._counter):016x}".encode().join(pieces)

    def note(self, sent: float, now: float) -> None:
        """An answer arrived."""
        self.answered += 1
        self.last = now
        if sent >= self.begins:
            self.times.append(now - sent)

    def goes_on(self) -> bool:
        """Until it is time, and at least one answer was measured."""
        return self.last < self.ends or not self.times


class Client(asyncio.Protocol):
    """One connection; `done` is set when the run is over and the last answer is here."""

    def __init__(self, run: Run, index: int) -> None:
        self._run = run
        self._index = index
        self._parser = httptools.HttpResponseParser(self)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport  # uvloop's, which is no asyncio.Transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if not 200 <= status < 300:
            self._fail(f"the server answered {status}")
            return
        self._run.note(self._sent, perf_counter())
        if self._run.goes_on():
            self._send()
        elif not self.done.done():
            self.done.set_result(None)
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        self._fail("the server closed the connection")

    def _send(self) -> None:
        request = self._run.request(self._index)
        self._index += 1
        self._sent = perf_counter()
        self._transport.write(request)

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))


async def measure(port: int, connections: int, requests: list[str], warm_up: float, seconds: float) -> dict[str, float]:
    """Answers a second, median and 99th percentile of their time in ms, and how many were answered, warm-up included."""
    loop = asyncio.get_running_loop()
    run = Run(requests, warm_up, seconds)
    clients = []
    for index in range(connections):
        _, client = await loop.create_connection(partial(Client, run, index), "127.0.0.1", port)
        clients.append(client)
    async with asyncio.timeout(warm_up + seconds + PATIENCE):
        await asyncio.gather(*(client.done for client in clients))
    return {**percentiles(run.times), "per_second": len(run.times) / (run.last - run.begins), "answered": run.answered}


def percentiles(times: list[float]) -> dict[str, float]:
    """The median, 95th and 99th percentile of seconds, in ms."""
    ordered = sorted(times)
    return {f"p{share}_ms": ordered[len(ordered) * share // 100] * 1e3 for share in (50, 95, 99)}


def main() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:

        def answer(question: dict[str, Any]) -> dict[str, Any]:
            return runner.run(measure(**question))

        answer_questions(answer)


if __name__ == "__main__":
    main()
