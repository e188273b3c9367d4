"""A real receiver of webhooks, which answers as it is told to: it speaks HTTP by hand, so that it can say anything."""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import httpx

_PATIENCE_SECONDS = 30
#: Settings of a server that may reach one, and believes soon that another server is gone.
REACHING_RECEIVERS = {"ROOST_ALLOWED_NETWORKS": "127.0.0.0/8", "ROOST_WEBHOOK_TIMEOUT": "1"}


class Reply(NamedTuple):
    """How one POST is answered; `how`: whole, without an end, with a piece now and then, not at all, or once `release`d."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    how: Literal["whole", "endless", "drip", "hang up", "held"] = "whole"


class Posted(NamedTuple):
    """A POST as it came; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def text(self) -> str:
        """The words of the message that it tells of."""
        words: str = self.event["data"]["body"]
        return words


Answering = Callable[[Posted], Reply]


def takes_it(posted: Posted) -> Reply:
    return Reply()


class Receiver:
    """Listens while it is entered, at each path; `answering` says how, and may be replaced at any time."""

    def __init__(self, answering: Answering = takes_it) -> None:
        self.answering = answering
        self.posts: list[Posted] = []
        self.at_once = 0
        self.most_at_once = 0
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._released = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> "Receiver":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(_PATIENCE_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_PATIENCE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_SECONDS)
        self._loop.close()

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def wait_for(self, done: int | Callable[[list[Posted]], bool]) -> list[Posted]:
        """What was posted, once it is so much, or enough."""

        def is_done() -> bool:
            return len(self.posts) >= done if isinstance(done, int) else done(self.posts)

        with self._changed:
            assert self._changed.wait_for(is_done, _PATIENCE_SECONDS), [each.body[:200] for each in self.posts]
            return list(self.posts)

    def release(self) -> None:
        """Answer whoever waits for it."""
        self._loop.call_soon_threadsafe(self._released.set)

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while await self._answer(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        posted = Posted(head[0].split(" ")[1], headers, body)
        reply = self.answering(posted)
        with self._changed:
            self.posts.append(posted)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self._changed.notify_all()
        try:
            return await self._say(reply, writer)
        finally:
            self.at_once -= 1

    async def _say(self, reply: Reply, writer: asyncio.StreamWriter) -> bool:
        if reply.how == "hang up":
            return False
        if reply.how == "held":
            await self._released.wait()
        lines = [f"HTTP/1.1 {reply.status} Whatever", *(f"{name}: {value}" for name, value in reply.headers)]
        if reply.how in ("endless", "drip"):
            writer.write("\r\n".join([*lines, "", ""]).encode())
            while True:
                writer.write(b"x" * (65536 if reply.how == "endless" else 1))
                await writer.drain()
                await asyncio.sleep(0 if reply.how == "endless" else 0.05)
        lines.append(f"Content-Length: {len(reply.body)}")
        writer.write("\r\n".join([*lines, "", ""]).encode() + reply.body)
        await writer.drain()
        return True


def tell_of_texts(base_url: str, auth: Mapping[str, str], url: str) -> None:
    """A new endpoint, over HTTP."""
    body = {"url": url, "events": ["message.received"]}
    answer = httpx.post(f"{base_url}/v1/webhooks", json=body, headers=dict(auth))
    assert answer.status_code == 201, answer.text
