"""Readers of streams, reads that wait, and a carrier that posts at a steady rate: `python -m bench.readers`.

All of it in one process, so that what was posted and what arrived are told by one clock; and not in the server's. Questions:

    {"do": "open", "port", "request", "count"}                  opens so many readers: how many seconds it took
    {"do": "steady", "port", "request", "rate", "seconds"}      posts so many a second; each has to arrive at one reader: the
                                                                percentiles from post to arrival in ms, the median from post to
                                                                answer, and the rate that was kept
    {"do": "burst", "port", "request"}                          posts once, and every reader gets it: how many seconds until the
                                                                last one had it
    {"do": "close"}                                             closes all readers
"""

import asyncio
import re
import secrets
import threading
from collections import deque
from itertools import count
from time import perf_counter
from typing import Any

import httptools
import uvloop

from bench.load import PATIENCE, UNIQUE, percentiles
from bench.worker import answer_questions

#: Stands in a reader's request where the id belongs that it has seen last.
SEEN = "00000000-0000-0000-0000-000000000000"
_ID = re.compile(rb'"id":"([0-9a-f-]{36})"')
_POSTERS, _OPENING_AT_ONCE = 32, 100


class Board:
    """What was posted when, and how long each took to arrive."""

    def __init__(self) -> None:
        self.run_id = secrets.token_hex(8)[:13]
        self._token = re.compile(self.run_id.encode() + rb"[0-9a-f]{16}")
        self._counter = count()
        self._posted: dict[bytes, float] = {}
        self.times: list[float] = []
        self.answered: list[float] = []

    def post(self) -> bytes:
        token = f"{self.run_id}{next(self._counter):016x}".encode()
        self._posted[token] = perf_counter()
        return token

    def look_in(self, data: bytes) -> bool:
        """Whether anything in it was posted here; its first arrival counts."""
        found = self._token.findall(data)
        for token in found:
            posted = self._posted.pop(token, None)
            if posted is not None:
                self.times.append(perf_counter() - posted)
        return bool(found)


class Reader(asyncio.Protocol):
    """One stream, or one read that waits and is asked again from the last id that it brought."""

    def __init__(self, bench: "Readers", request: str) -> None:
        self._bench, self._request = bench, request
        self._is_stream = "/v1/events" in request or "wait=" not in request
        self._parser = None if self._is_stream else httptools.HttpResponseParser(self)
        self._body = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(self._request.encode())  # type: ignore[attr-defined]
        if not self._is_stream:
            self.opened.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._parser is not None:
            self._parser.feed_data(data)
        elif self.opened.done():
            self._look_in(data)
        elif b"retry: " in data:
            self.opened.set_result(None)
        elif not data.startswith(b"HTTP/1.1 200"):
            self.opened.set_exception(RuntimeError(data[:200].decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        assert self._parser is not None
        if self._parser.get_status_code() != 200:
            self._bench.failure = self._body.decode()
            return
        self._look_in(self._body)
        seen = _ID.findall(self._body)
        if seen:
            self._request = re.sub(r"after=[0-9a-f-]{36}", f"after={seen[-1].decode()}", self._request)
        self._body = b""
        self.transport.write(self._request.encode())

    def _look_in(self, data: bytes) -> None:
        if self._bench.board.look_in(data):
            self._bench.reached.add(self)


class Poster(asyncio.Protocol):
    """One connection of the carrier's, which stands in `free` while nothing is under way on it."""

    def __init__(self, free: "deque[Poster]", answered: list[float]) -> None:
        self._free, self._answered = free, answered
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self._free.append(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() != 200:
            raise RuntimeError(f"the server answered {self._parser.get_status_code()}")
        self._answered.append(perf_counter() - self._posted)
        self._free.append(self)

    def post(self, request: bytes) -> None:
        self._posted = perf_counter()
        self.transport.write(request)


class Readers:
    """Everything in one event loop."""

    def __init__(self) -> None:
        self.board = Board()
        self.readers: list[Reader] = []
        self.reached: set[Reader] = set()
        self.failure: str | None = None

    async def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        work = {"open": self._open, "steady": self._steady, "burst": self._burst, "close": self._close}
        found: dict[str, Any] = await work[question.pop("do")](**question)
        if self.failure is not None:
            raise RuntimeError(f"a reader was answered {self.failure}")
        return found

    async def _open(self, port: int, request: str, count: int) -> dict[str, Any]:
        began, turns = perf_counter(), asyncio.Semaphore(_OPENING_AT_ONCE)

        async def one(nth: int) -> Reader:
            async with turns:
                # Of one address there are some 28,000 ports, many of them just used.
                address = (f"127.0.0.{nth // 5000 + 1}", 0)
                loop = asyncio.get_running_loop()
                _, reader = await loop.create_connection(
                    lambda: Reader(self, request), "127.0.0.1", port, local_addr=address
                )
                await reader.opened
                return reader

        async with asyncio.timeout(PATIENCE):
            self.readers += await asyncio.gather(*map(one, range(count)))
        return {"seconds": perf_counter() - began}

    async def _steady(self, port: int, request: str, rate: float, seconds: float) -> dict[str, Any]:
        self.board = board = Board()
        free = await self._posters(port)
        pieces = request.encode().split(UNIQUE.encode())
        total, began = int(rate * seconds), perf_counter()
        for nth in range(total):
            await asyncio.sleep(max(0, began + nth / rate - perf_counter()))
            while not free:
                await asyncio.sleep(0)
            free.popleft().post(board.post().join(pieces))
        kept = total / (perf_counter() - began)
        async with asyncio.timeout(PATIENCE):
            while len(board.times) < total:
                await asyncio.sleep(0.01)
        self._hang_up(free)
        return {**percentiles(board.times), "per_second": kept, "answered_ms": percentiles(board.answered)["p50_ms"]}

    async def _burst(self, port: int, request: str) -> dict[str, Any]:
        self.board = Board()
        free = await self._posters(port)
        self.reached.clear()
        began, expected = perf_counter(), len(self.readers)
        free.popleft().post(self.board.post().join(request.encode().split(UNIQUE.encode())))
        async with asyncio.timeout(PATIENCE):
            while len(self.reached) < expected and self.failure is None:
                await asyncio.sleep(0.001)
        took = perf_counter() - began
        self._hang_up(free)
        return {"seconds": took, "readers": expected}

    async def _close(self) -> dict[str, Any]:
        for reader in self.readers:
            reader.transport.abort()
        self.readers.clear()
        return {}

    async def _posters(self, port: int) -> deque[Poster]:
        free: deque[Poster] = deque()
        for _ in range(_POSTERS):
            await asyncio.get_running_loop().create_connection(
                lambda: Poster(free, self.board.answered), "127.0.0.1", port
            )
        return free

    def _hang_up(self, free: deque[Poster]) -> None:
        for poster in free:
            poster.transport.close()


def main() -> None:
    loop = uvloop.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    readers = Readers()
    answer_questions(lambda question: asyncio.run_coroutine_threadsafe(readers.answer(question), loop).result())


if __name__ == "__main__":
    main()
