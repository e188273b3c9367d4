"""A real server that has media, and misbehaves as it is told to: it speaks HTTP by hand, so that it can say anything."""

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Coroutine
from typing import Any, Literal, NamedTuple, TypeVar

T = TypeVar("T")
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


class Asked(NamedTuple):
    path: str
    headers: dict[str, str]


class MediaServer:
    """Listens while it is entered. `replies` are what each path is answered, the last one again and again."""

    def __init__(self) -> None:
        self.replies: dict[str, deque[Reply]] = defaultdict(deque)
        self.asked: list[Asked] = []
        self.sent_bytes = 0
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._released = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> "MediaServer":
        self._thread.start()
        self._wait(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._wait(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_SECONDS)
        self._loop.close()

    def has(self, path: str, *replies: Reply | bytes) -> str:
        """The URL of what is answered so."""
        self.replies[path] = deque(each if isinstance(each, Reply) else Reply(each) for each in replies)
        return self.base_url + path

    def wait_for(self, count: int) -> list[Asked]:
        """What was asked, once it is so much."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.asked) >= count, _PATIENCE_SECONDS), self.asked
            return list(self.asked)

    def release(self) -> None:
        """Answer whoever waits for it."""
        self._loop.call_soon_threadsafe(self._released.set)

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}"

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
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                first, *lines = head.strip().split("\r\n")
                path = first.split(" ")[1]
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                with self._changed:
                    self.asked.append(Asked(path, headers))
                    self._changed.notify_all()
                replies = self.replies[path]
                reply = (replies.popleft() if len(replies) > 1 else replies[0]) if replies else Reply(status=404)
                await self._answer(writer, reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, reply: Reply) -> None:
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

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_SECONDS)
