"""What stands on the wire: whole answers, in their order, on connections that last as long as they may and no longer."""

import asyncio
import base64
import gc
import json
import socket
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest
import uvloop
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from roost.api.http import sent_at_once
from roost.api.shell import Shell
from roost.server import uvicorn_config
from roost.wire import protocol
from support.by_byte import connected, rest_of
from support.credentials import BASIC
from support.house import House, Listening
from support.payloads import bandwidth_inbound

HEALTH = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"


def answers_in(received: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """Each answer's status, headers and body, by the length that it says."""
    found = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = [line.partition(": ")[::2] for line in lines]
        headers = dict(pairs)
        assert len(headers) == len(pairs), "no header is there twice"
        length = int(headers.get("content-length", 0))
        found.append((int(first.split(" ")[1]), headers, received[:length]))
        received = received[length:]
    return found


@pytest.mark.parametrize(
    ("request_bytes", "status", "closes"),
    [
        (b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 200, True),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 200, True),
        (b"GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 404, True),
        (b"PUT /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 405, True),
        (b"GET /v1/inbound-messages HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 401, True),
        (b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n", 200, False),
    ],
)
def test_an_answer_is_whole_and_says_when_the_connection_ends(
    house: House, request_bytes: bytes, status: int, closes: bool
) -> None:
    with connected(house.base_url) as connection:
        connection.sendall(request_bytes)
        received = rest_of(connection) if closes else connection.recv(65536)
        [(answered, headers, body)] = answers_in(received)
        assert answered == status
        assert len(body) == int(headers["content-length"]) > 0
        assert {"date", "x-request-id", "content-type"} <= set(headers)
        assert ("connection" in headers) == closes
        if not closes:
            connection.sendall(request_bytes)
            assert answers_in(connection.recv(65536))[0][0] == status, "it goes on"


def test_requests_sent_at_once_are_answered_in_their_order(house: House) -> None:
    tenant = house.tenant()
    listing = (
        f"GET /v1/inbound-messages?limit=7 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {tenant.key}\r\n\r\n".encode()
    )
    last = b"GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    with connected(house.base_url) as connection:
        connection.sendall(listing + HEALTH + listing + last)
        answers = answers_in(rest_of(connection))
    assert [status for status, _, _ in answers] == [200, 200, 200, 404]
    assert answers[0][2] == answers[2][2] != answers[1][2]
    assert len({headers["x-request-id"] for _, headers, _ in answers}) == 4


def test_however_many_are_sent_at_once_each_is_answered(house: House) -> None:
    count = 3_000
    with connected(house.base_url) as connection:
        sending = threading.Thread(target=connection.sendall, args=(HEALTH * count,), daemon=True)
        sending.start()
        received = b""
        while received.count(b"HTTP/1.1 200 OK\r\n") < count:
            chunk = connection.recv(65536)
            assert chunk, "it goes on"
            received += chunk
        sending.join()
    assert len(answers_in(received)) == count


def test_who_leaves_while_one_waits_is_noticed_whatever_was_sent_after_it(house: House) -> None:
    asked = WAITING.replace(b"KEY", house.tenant().key.encode())
    with connected(house.base_url) as connection:
        connection.sendall(asked + HEALTH)
        while "\nroost_waiting_reads 1.0\n" not in house.http.get("/metrics").text:
            pass
    left = time.monotonic()
    while "\nroost_waiting_reads 0.0\n" not in house.http.get("/metrics").text:
        pass
    assert time.monotonic() - left < 20, "long before it would have been answered"


def test_an_answer_that_is_not_read_holds_its_connection_no_longer_than_a_request_may(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.5)
    house.http.get("/healthz")
    others, gone = house.connections(), threading.Event()
    with connected(house.base_url) as connection:
        connection.sendall(HEALTH)
        assert connection.recv(65536)
        [mine] = house.connections() - others
        watched = weakref.ref(mine, lambda _: gone.set())
        del mine
        connection.sendall(HEALTH.replace(b"/healthz", b"/openapi.json") * 100)  # more than the kernel takes for it
        assert gone.wait(20)
        assert watched() is None


TEXTED = "Zoë wrote: 👍"


def posted(house: House, headers: str = "") -> tuple[Any, bytes, bytes]:
    """A tenant, and the head and the body of a text to it; with `headers` there is no length but what they say."""
    tenant = house.tenant()
    whole = json.dumps([bandwidth_inbound("1", tenant.number.number, text=TEXTED)], ensure_ascii=False).encode()
    basic = base64.b64encode(":".join(BASIC).encode()).decode()
    said = headers or f"content-length: {len(whole)}\r\n"
    head = f"POST {tenant.webhook} HTTP/1.1\r\nhost: x\r\nauthorization: Basic {basic}\r\n{said}\r\n"
    return tenant, head.encode(), whole


def test_a_body_may_come_in_chunks(house: House) -> None:
    tenant, head, body = posted(house, "transfer-encoding: chunked\r\n")
    pieces = [body[at : at + 100] for at in range(0, len(body), 100)]
    with connected(house.base_url) as connection:
        connection.sendall(head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n")
        assert answers_in(connection.recv(65536))[0][0] == 200
    assert [message["body"] for message in house.inbound(tenant)] == [TEXTED]


def test_a_body_is_asked_for_where_the_client_waits_for_that(house: House) -> None:
    tenant, head, body = posted(house)
    with connected(house.base_url) as connection:
        connection.sendall(head.removesuffix(b"\r\n") + b"expect: 100-continue\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert answers_in(connection.recv(65536))[0][0] == 200
    assert [message["body"] for message in house.inbound(tenant)] == [TEXTED]


def test_a_body_that_was_not_asked_for_is_not_waited_for(house: House) -> None:
    _, head, _ = posted(house, f"content-length: {(1 << 20) + 1}\r\nexpect: 100-continue\r\n")
    with connected(house.base_url) as connection:
        connection.sendall(head)
        [(status, headers, _)] = answers_in(rest_of(connection))
    assert (status, headers["connection"]) == (413, "close")


def test_what_follows_a_body_is_no_header(house: House) -> None:
    _, head, body = posted(house, "transfer-encoding: chunked\r\n")
    first, _, rest = head.partition(b"authorization: ")
    credential, _, rest = rest.partition(b"\r\n")
    trailer = b"authorization: " + credential
    with connected(house.base_url) as connection:
        connection.sendall(first + rest + b"%x\r\n%b\r\n0\r\n%b\r\n\r\n" % (len(body), body, trailer))
        assert answers_in(connection.recv(65536))[0][0] == 401


def test_another_protocol_that_is_offered_is_not_taken_up(house: House) -> None:
    tenant, head, body = posted(house)
    offer = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n"
    with connected(house.base_url) as connection:
        connection.sendall(head.removesuffix(b"\r\n") + offer + body)
        [(status, _, answer)] = answers_in(connection.recv(65536))
        assert (status, json.loads(answer)["stored"]) == (200, 1)
        connection.sendall(HEALTH)
        assert answers_in(connection.recv(65536))[0][0] == 200
    assert [message["body"] for message in house.inbound(tenant)] == [TEXTED]


NONSENSE = b"this is no request\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (NONSENSE, [400]),
        (HEALTH + NONSENSE, [200]),
        (HEALTH + HEALTH + NONSENSE + HEALTH, [200, 200]),
        (b"GET /caf\xc3\xa9 HTTP/1.1\r\nhost: x\r\n\r\n", [400]),
        (b"CONNECT roost:443 HTTP/1.1\r\nhost: roost:443\r\n\r\n", [400]),
        (b"GET http://elsewhere/healthz HTTP/1.1\r\nhost: elsewhere\r\nconnection: close\r\n\r\n", [200]),
        (b"GET /healthz?a#b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", [200]),
        (HEALTH.replace(b"host: x", b"connection: close") + HEALTH, [200]),
        (b"POST /carriers/none/1 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", [400]),
    ],
    ids=[
        "nonsense", "after a request", "between requests", "no ASCII", "a tunnel", "absolute", "fragment", "the last", "chunk",
    ],
)  # fmt: skip
def test_what_is_no_request_ends_the_connection_and_spoils_no_answer(
    house: House, sent: bytes, statuses: list[int]
) -> None:
    with connected(house.base_url) as connection:
        connection.sendall(sent)
        answers = answers_in(rest_of(connection))
    assert [status for status, _, _ in answers] == statuses
    assert ["connection" in headers for _, headers, _ in answers] == [False] * (len(answers) - 1) + [True]


def test_head_is_answered_without_a_body(house: House) -> None:
    with connected(house.base_url) as connection:
        connection.sendall(b"HEAD /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        head, _, body = rest_of(connection).partition(b"\r\n\r\n")
    assert b"content-length" in head
    assert body == b""


def test_a_connection_that_is_used_no_more_is_closed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "IDLE_SECONDS", 0.3)
    started = time.monotonic()
    with connected(house.base_url) as connection:
        connection.sendall(HEALTH)
        [(status, headers, _)] = answers_in(rest_of(connection))
    assert status == 200
    assert "connection" not in headers, "it might have been used again"
    assert time.monotonic() - started < 10


def test_who_waits_for_an_answer_is_not_cut_off(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.2)
    monkeypatch.setattr(protocol, "IDLE_SECONDS", 0.2)
    tenant = house.tenant()
    with connected(house.base_url) as connection:
        connection.sendall(HEALTH)
        assert connection.recv(65536)
        head = f"GET /v1/inbound-messages?wait=1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {tenant.key}\r\n\r\n"
        connection.sendall(head.encode())
        assert answers_in(connection.recv(65536))[0][0] == 200


WAITING = b"GET /v1/inbound-messages?wait=30 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer KEY\r\n\r\n"


@pytest.mark.parametrize(
    ("asked", "waits"),
    [(HEALTH, False), (WAITING, True)],
    ids=["answered", "while it waits"],
)
def test_a_connection_that_is_gone_leaves_nothing_for_the_garbage_collector(
    house: House, asked: bytes, waits: bool
) -> None:
    asked = asked.replace(b"KEY", house.tenant().key.encode())
    house.http.get("/healthz")
    others, gone = house.connections(), threading.Event()
    gc.disable()
    try:
        with connected(house.base_url) as connection:
            connection.sendall(asked)
            if waits:
                while "\nroost_waiting_reads 1.0\n" not in house.http.get("/metrics").text:
                    pass
            else:
                assert answers_in(connection.recv(65536))[0][0] == 200
            [mine] = house.connections() - others
            watched = weakref.ref(mine, lambda _: gone.set())
            del mine
        assert gone.wait(10)
        assert watched() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "cuts", [(), (-1,), (-700, -600), range(-900, 0)], ids=["whole", "last byte", "twice", "by byte"]
)
def test_a_body_is_the_same_in_however_many_pieces_it_comes(house: House, cuts: Iterable[int]) -> None:
    tenant = house.tenant()
    body = json.dumps(
        [bandwidth_inbound("1", tenant.number.number, text="Zoë wrote: 👍" * 30)], ensure_ascii=False
    ).encode()
    basic = base64.b64encode(":".join(BASIC).encode()).decode()
    head = f"POST {tenant.webhook} HTTP/1.1\r\nhost: x\r\nauthorization: Basic {basic}\r\ncontent-length: {len(body)}\r\n\r\n"
    sent = head.encode() + body
    with connected(house.base_url) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start, end in pairwise([0, *(len(sent) + cut for cut in cuts), len(sent)]):
            connection.sendall(sent[start:end])
        assert answers_in(connection.recv(65536))[0][0] == 200
        connection.sendall(HEALTH)  # what has been taken is not taken again
        assert answers_in(connection.recv(65536))[0][0] == 200
    assert [message["body"] for message in house.inbound(tenant)] == ["Zoë wrote: 👍" * 30]


@pytest.mark.parametrize("sends_the_rest", [True, False])
def test_who_was_answered_before_all_was_read_is_closed_in_time(
    house: House, monkeypatch: pytest.MonkeyPatch, sends_the_rest: bool
) -> None:
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.5)
    monkeypatch.setattr(protocol, "IDLE_SECONDS", 0.5)
    tenant = house.tenant()
    length = (1 << 20) + 1
    started = time.monotonic()
    with connected(house.base_url) as connection:
        connection.sendall(f"POST {tenant.webhook} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n".encode())
        assert answers_in(connection.recv(65536))[0][0] == 413
        if sends_the_rest:
            connection.sendall(b" " * length)
        assert rest_of(connection) == b""
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(("settings", "least"), [([0.05, 0.3], 0.3), ([0.3, 0.05], 0.05), ([0.05, None, 0.2], 0.2)])
def test_a_deadline_that_is_put_off_is_not_kept(settings: list[float | None], least: float) -> None:
    async def passed_after() -> float:
        loop, passed = asyncio.get_running_loop(), asyncio.Event()
        deadline, started = protocol.Deadline(loop, passed.set), loop.time()
        for seconds in settings:
            deadline.clear() if seconds is None else deadline.set(seconds)
        async with asyncio.timeout(20):
            await passed.wait()
        return loop.time() - started

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(passed_after()) >= least - 0.002, "uvloop tells time by the millisecond"


class _Echo:
    """Answers with whatever a header is to be, or piece by piece."""

    def __init__(self) -> None:
        self.value = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/pieces":
            await StreamingResponse(iter(["one, ", "", "two, ", "three"]))(scope, receive, send)
            return
        response = Response(b"good", headers={"x-said": self.value})
        if not sent_at_once(response, send):
            await response(scope, receive, send)


@pytest.fixture
def echo() -> Iterator[Any]:
    """A server that does so, over the same protocol."""
    loop, said = uvloop.new_event_loop(), _Echo()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listener = socket.create_server(("127.0.0.1", 0))
    server = Listening(uvicorn_config(Shell(said, lambda: time.time_ns() // 1000)))
    asyncio.run_coroutine_threadsafe(server.begin(listener), loop).result(30)
    yield said, f"http://127.0.0.1:{listener.getsockname()[1]}"
    asyncio.run_coroutine_threadsafe(server.end(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)
    loop.close()


def test_a_header_is_said_as_it_is(echo: Any) -> None:
    said, base_url = echo
    said.value = "à la carte, 50 %"
    with connected(base_url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        [(status, headers, body)] = answers_in(rest_of(connection))
    assert (status, headers["x-said"], body) == (200, said.value, b"good")


@pytest.mark.parametrize(
    ("asked", "head", "body"),
    [
        ("GET /pieces HTTP/1.1", b"transfer-encoding: chunked", b"5\r\none, \r\n5\r\ntwo, \r\n5\r\nthree\r\n0\r\n\r\n"),
        ("GET /pieces HTTP/1.0", b"connection: close", b"one, two, three"),
        ("HEAD /pieces HTTP/1.1", b"connection: close", b""),
    ],
)
def test_an_answer_of_unknown_length_is_said_as_the_client_understands_it(
    echo: Any, asked: str, head: bytes, body: bytes
) -> None:
    _, base_url = echo
    with connected(base_url) as connection:
        connection.sendall(f"{asked}\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        said, _, received = rest_of(connection).partition(b"\r\n\r\n")
    assert head in said
    assert (b"chunked" in said) == (b"chunked" in head)
    assert received == body


EVIL = {
    "a line more": "a\r\nset-cookie: session=theirs",
    "a line feed": "a\nset-cookie: session=theirs",
    "a carriage return": "a\rset-cookie: session=theirs",
    "a body of their own": "a\r\n\r\n<script>",
    "NUL": "a\0b",
}


@pytest.mark.parametrize("value", EVIL.values(), ids=EVIL)
def test_nobody_gets_a_line_of_their_own_into_an_answer(echo: Any, value: str) -> None:
    said, base_url = echo
    said.value = value
    with connected(base_url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        [(status, headers, _)] = answers_in(rest_of(connection))
    assert status == 500, "rather none than one that a stranger has a hand in"
    assert not {"x-said", "set-cookie"} & set(headers)
