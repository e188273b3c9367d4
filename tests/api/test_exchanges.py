"""Requests however they are cut, sent ahead and answered: each is read whole, and answered in its order."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import httptools
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from roost.server import uvicorn_config
from roost.wire.protocol import HttpProtocol


class Asked(NamedTuple):
    """A request as it is sent, and what of it the application is to see."""

    sent: bytes
    body: bytes = b""
    ends: bool = False
    """Nothing that follows is answered."""
    is_request: bool = True


def plain(body: bytes, more: bytes = b"", *, ends: bool = False) -> Asked:
    return Asked(b"POST / HTTP/1.1\r\nhost: x\r\n%bcontent-length: %d\r\n\r\n%b" % (more, len(body), body), body, ends)


def chunked(pieces: list[bytes]) -> Asked:
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)
    head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    return Asked(head + chunks + b"0\r\ntrailer: x\r\n\r\n", b"".join(pieces))


OFFER = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMA\r\n"
BODIES = st.sampled_from([b"", b"a", b"GET / HTTP/1.1\r\n\r\n", b"b" * 100, b"c" * 70_000, b"d" * 300_000])
SHORT = st.sampled_from([b"", b"a", b"b" * 100])
SHORTEST = Asked(b"GET /?a=b HTTP/1.1\r\nhost: x\r\n\r\n")
REQUESTS = st.one_of(
    st.just(SHORTEST),
    st.builds(plain, BODIES),
    st.builds(plain, BODIES, st.just(OFFER)),
    st.builds(plain, BODIES, st.just(b"expect: 100-continue\r\n")),
    st.builds(chunked, st.lists(BODIES, max_size=3)),
    st.builds(plain, SHORT, st.just(b"connection: close\r\n"), ends=st.just(True)),
    st.just(Asked(b"GET / HTTP/1.0\r\n\r\n", ends=True)),
    st.just(Asked(b"nonsense\r\n\r\n", ends=True, is_request=False)),
)


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_paused = self.is_closed = False

    def write(self, data: Any) -> None:
        assert not self.is_closed
        self.written += bytes(data)

    def pause_reading(self) -> None:
        assert not self.is_paused
        self.is_paused = True

    def resume_reading(self) -> None:
        assert self.is_paused
        self.is_paused = False

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def get_write_buffer_size(self) -> int:
        return 0


class Application:
    """Answers with what it was sent, in one of three ways, after so many turns of the event loop."""

    def __init__(self, ways: list[int]) -> None:
        self._ways = ways
        self.seen: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = self._ways[len(self.seen) % len(self._ways)]
        connection = scope["roost.connection"]
        for _ in range(way // 3):
            await asyncio.sleep(0)
        body = connection.whole_body()
        if body is None:
            body, more = b"", True
            while more:
                message = await receive()
                assert message["type"] == "http.request"
                body += message["body"]
                more = message["more_body"]
        self.seen.append(body)
        answer = b"%d" % len(body)
        length = (b"content-length", b"%d" % len(answer))
        if way % 3 == 0:
            assert connection.answer(200, [length], answer)
            return
        await send({"type": "http.response.start", "status": 200, "headers": [length] if way % 3 == 1 else []})
        for piece in (answer[:1], answer[1:]):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})


class Answers:
    """Reads answers as a client does."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.bodies: list[bytes] = []

    def read(self, written: bytes) -> None:
        while written:
            parser = httptools.HttpResponseParser(self)
            self._body, self._is_whole = b"", False
            head, _, _ = written.partition(b"\r\n\r\n")
            end = len(head) + 4
            parser.feed_data(written[:end])
            while not self._is_whole and end < len(written):
                parser.feed_data(written[end : end + 1])
                end += 1
            if parser.get_status_code() != 100:
                self.statuses.append(parser.get_status_code())
                self.bodies.append(self._body)
            written = written[end:]

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._is_whole = True


async def _exchanged(
    asked: list[Asked], cuts: list[int], ways: list[int], waits: list[bool]
) -> tuple[Application, Transport]:
    app, state, transport = Application(ways), ServerState(), Transport()
    protocol = HttpProtocol(uvicorn_config(app), state, {})
    protocol.connection_made(transport)
    sent, at, turn = b"".join(each.sent for each in asked), 0, 0

    async def until(done: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not done():
                await asyncio.sleep(0)

    while at < len(sent) and not transport.is_closed:
        size = cuts[turn % len(cuts)]
        protocol.data_received(sent[at : at + size])
        at += size
        if waits[turn % len(waits)]:
            await asyncio.sleep(0)
        turn += 1
        await until(lambda: not transport.is_paused or transport.is_closed)
    expected = next((index for index, each in enumerate(asked) if each.ends), None)
    await until(lambda: transport.is_closed or (expected is None and len(app.seen) == len(asked) and not state.tasks))
    await until(lambda: not state.tasks)
    protocol.connection_lost(None)
    return app, transport


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(st.lists(REQUESTS, min_size=1, max_size=10), st.just([SHORTEST] * 600)), min_size=1, max_size=4),
    st.lists(st.sampled_from([1, 7, 50, 1000, 20_000, 256_000]), min_size=1, max_size=4),
    st.lists(st.integers(0, 11), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=1, max_size=3),
)
def test_requests_are_read_whole_and_answered_in_their_order(
    groups: list[list[Asked]], cuts: list[int], ways: list[int], waits: list[bool]
) -> None:
    asked = [each for group in groups for each in group]
    if sum(len(each.sent) for each in asked) > 20_000 * min(cuts):
        cuts = [256_000, *cuts[:1]] if min(cuts) > 1 else [256_000]
    app, transport = asyncio.run(_exchanged(asked, cuts, ways, waits))
    last = next((index for index, each in enumerate(asked) if each.ends), len(asked) - 1)
    taken = [each for each in asked[: last + 1] if each.is_request]
    assert [len(body) for body in app.seen] == [len(each.body) for each in taken]
    assert app.seen == [each.body for each in taken]
    answers = Answers()
    answers.read(transport.written)
    if not asked[last].is_request and answers.statuses[-1:] == [400]:
        answers.statuses.pop(), answers.bodies.pop()
    assert answers.statuses == [200] * len(taken)
    assert answers.bodies == [b"%d" % len(each.body) for each in taken]
    assert transport.is_closed == asked[last].ends
