"""A real receiver of webhooks, which answers as it is told to."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import httpx

from support.by_hand import ByHand, Head

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


class Receiver(ByHand):
    """Listens at each path; `answering` says how, and may be replaced at any time."""

    def __init__(self, answering: Answering = takes_it) -> None:
        super().__init__()
        self.answering = answering
        self.posts: list[Posted] = []
        self.at_once = 0
        self.most_at_once = 0

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def wait_for(self, done: int | Callable[[list[Posted]], bool]) -> list[Posted]:
        """What was posted, once it is so much, or enough."""

        def is_done() -> bool:
            return len(self.posts) >= done if isinstance(done, int) else done(self.posts)

        with self._changed:
            assert self._changed.wait_for(is_done, _PATIENCE_SECONDS), [each.body[:200] for each in self.posts]
            return list(self.posts)

    def wait_for_more(self, count: int, seconds: float) -> None:
        """Return once more than `count` were posted, or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.posts) > count, seconds)

    async def _answer(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        body = await reader.readexactly(int(head.headers.get("content-length", "0")))
        posted = Posted(*head, body)
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
