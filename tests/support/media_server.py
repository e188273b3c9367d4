"""A real server that has media, and misbehaves as it is told to."""

import asyncio
from collections import defaultdict, deque
from typing import Literal, NamedTuple

from support.by_hand import ByHand, Head

_PATIENCE_SECONDS = 30

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + bytes(200) + b"\xff\xd9"


class Reply(NamedTuple):
    """How one GET is answered; `how`: whole, then closing half-way, never ending, a byte at a time, or once `release`d."""

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    how: Literal["whole", "half", "endless", "drip", "held"] = "whole"
    said_length: int | None = None


class MediaServer(ByHand):
    """`replies` are what each path is answered, the last one again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.replies: dict[str, deque[Reply]] = defaultdict(deque)
        self.asked: list[Head] = []
        self.sent_bytes = 0

    def has(self, path: str, *replies: Reply | bytes) -> str:
        """The URL of what is answered so."""
        self.replies[path] = deque(each if isinstance(each, Reply) else Reply(each) for each in replies)
        return self.base_url + path

    def wait_for(self, count: int) -> list[Head]:
        """What was asked, once it is so much."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.asked) >= count, _PATIENCE_SECONDS), self.asked
            return list(self.asked)

    async def _answer(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        with self._changed:
            self.asked.append(head)
            self._changed.notify_all()
        replies = self.replies[head.path]
        await self._say(
            (replies.popleft() if len(replies) > 1 else replies[0]) if replies else Reply(status=404), writer
        )
        return True

    async def _say(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        if reply.how == "held":
            await self._released.wait()
        lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in reply.headers)]
        if reply.how == "endless":
            lines.append("Transfer-Encoding: chunked")
        else:
            lines.append(f"Content-Length: {len(reply.body) if reply.said_length is None else reply.said_length}")
        writer.write("\r\n".join([*lines, "", ""]).encode())
        if reply.how == "endless":
            piece = b"10000\r\n" + bytes(1 << 16) + b"\r\n"
            while True:
                writer.write(piece)
                await writer.drain()
                self.sent_bytes += 1 << 16
        if reply.how == "drip":
            for byte in reply.body:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(1)
        writer.write(reply.body[: len(reply.body) // 2] if reply.how == "half" else reply.body)
        await writer.drain()
        if reply.how == "half" or (reply.said_length or 0) > len(reply.body):
            raise ConnectionError("as it was told to")
