"""The tools over standard input and output (stdio), until either is closed or we are told to stop."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

import anyio
from mcp.server.stdio import stdio_server

from roost.mcp.protocol import server_of
from roost.mcp.tools import Toolset

#: A longer line is no request of ours; what is over is thrown away, and the rest no JSON.
MAX_LINE_BYTES = 1 << 20
#: Who does not read what we write cannot keep us from stopping.
_SECONDS_TO_STOP = 2.0


async def serve_stdio(toolset: Toolset) -> None:
    """Serve one agent program."""
    server = server_of(toolset)
    loop = asyncio.get_running_loop()
    with anyio.CancelScope() as serving:

        def stop() -> None:
            serving.cancel()
            loop.call_later(_SECONDS_TO_STOP, os._exit, 0)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        async with stdio_server(stdin=_Lines(0)) as (read, write):  # type: ignore[arg-type]  # all that it does is iterate
            await server.run(read, write, server.create_initialization_options())


class _Lines:
    """The lines that come from a file descriptor.

    A thread of its own reads them: it may be a pipe, a terminal or a file, and nothing else can be told to stop while it waits.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._came: asyncio.Queue[str | None] = asyncio.Queue()
        self._taken = threading.Semaphore(1)

    async def __aiter__(self) -> AsyncIterator[str]:
        threading.Thread(target=self._read, args=(asyncio.get_running_loop(),), daemon=True).start()
        while (line := await self._came.get()) is not None:
            yield line
            self._taken.release()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        begun = bytearray()
        try:
            while piece := os.read(self._descriptor, 1 << 16):
                *ended, rest = piece.split(b"\n")
                for end in ended:
                    self._give(loop, begun + end)
                    begun.clear()
                begun += rest[: MAX_LINE_BYTES - len(begun)]
        finally:
            self._hand_over(loop, None)

    def _give(self, loop: asyncio.AbstractEventLoop, line: bytes | bytearray) -> None:
        """Not before the one before is taken: a program that asks faster than it is answered waits."""
        self._taken.acquire()
        self._hand_over(loop, line[:MAX_LINE_BYTES].decode(errors="replace"))

    def _hand_over(self, loop: asyncio.AbstractEventLoop, line: str | None) -> None:
        with suppress(RuntimeError):  # the loop is closed: we have stopped
            loop.call_soon_threadsafe(self._came.put_nowait, line)
