"""Several processes that serve together: all listen at one address, and one starts them, keeps them up and ends them.

`python -m roost.processes FD FOLDER NUMBER` is one of them: it is given the settings by standard input, says by standard
output that it accepts connections, and ends when it is told to or when the one that started it is gone.
"""

import asyncio
import os
import pickle
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from socket import socket

import structlog

from roost.config import Config, ConfigError
from roost.logs import configure
from roost.loop import run_async
from roost.scrape import Sibling
from roost.server import (
    GRACE_SECONDS,
    Running,
    Together,
    announce,
    listen,
    listen_together,
    noted_running,
    now_us,
    serve,
)
from roost.store.connect import make_store
from roost.store.errors import StoreError

_READY = b"ready\n"
#: How long to wait before another takes the place of one that died: doubled each time, until one has lived long enough.
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.1, 30.0
LONG_ENOUGH_SECONDS = 60.0

log = structlog.get_logger(__name__)


async def serve_together(config: Config, ready: Callable[[str], Awaitable[None]]) -> None:
    """Serve by `config.processes` processes until SIGTERM or SIGINT; `ready` is called with the URL once all of them do.

    Raises ConfigError and StoreError where it cannot begin.
    """
    if config.database_url == "sqlite":
        raise ConfigError("ROOST_PROCESSES must be 1 on SQLite, which has one writer; several need PostgreSQL")
    store = make_store(config, now_us)
    try:
        await store.open()  # what is wrong is said once, and by us
        await announce(config, store)
    finally:
        await store.close()
    with ExitStack() as open_now:
        listeners = [open_now.enter_context(each) for each in listen_together(config)]
        folder = Path(open_now.enter_context(tempfile.TemporaryDirectory(prefix="roost-")))
        there = config._replace(port=listeners[0].getsockname()[1])
        processes = _Processes(there, listeners, folder)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, processes.stop)
        try:
            await processes.start()
            with noted_running(config.data_dir, there.local_url):
                await ready(there.local_url)
                await processes.told_to_stop()
        finally:
            await processes.end()
    log.info("stopped")


class _Processes:
    """One for each of the `listeners`; `folder` is where they find each other."""

    def __init__(self, config: Config, listeners: Sequence[socket], folder: Path) -> None:
        self._config = config
        self._places = [
            Together(listener, Sibling(folder, number)) for number, listener in enumerate(listeners, start=1)
        ]
        self._stopping = asyncio.Event()
        self._children: set[asyncio.subprocess.Process] = set()
        self._keepers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """All of them accept connections. Raises ConfigError when one ends before it does."""
        first = [await self._start(place) for place in self._places]
        accepting = await asyncio.gather(*map(_accepts, first))
        if not all(accepting) and not self._stopping.is_set():
            raise ConfigError("a process of the server ended before it was ready; the lines above say why")
        self._keepers = [asyncio.create_task(self._keep(*pair)) for pair in zip(first, self._places, strict=True)]

    async def told_to_stop(self) -> None:
        await self._stopping.wait()

    def stop(self) -> None:
        """Let every process finish what is in flight, and start none anew."""
        self._stopping.set()
        for child in self._children:
            _terminate(child)

    async def end(self) -> None:
        """Whatever happened: none of them is left."""
        self.stop()
        for child in list(self._children):
            try:
                async with asyncio.timeout(GRACE_SECONDS + 10):
                    await child.wait()
            except TimeoutError:
                child.kill()
                await child.wait()
        await asyncio.gather(*self._keepers)

    async def _start(self, place: Together) -> asyncio.subprocess.Process:
        fd, (folder, number) = place.listener.fileno(), place.sibling
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "roost.processes", str(fd), str(folder), str(number),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, pass_fds=[fd],
        )  # fmt: skip
        self._children.add(child)
        assert child.stdin
        if not child.stdin.is_closing():  # else it has died already: uvloop refuses to write, and its end is seen later
            child.stdin.write(pickle.dumps(self._config))  # and stays open, as long as we are there
        if self._stopping.is_set():
            _terminate(child)
        return child

    async def _keep(self, child: asyncio.subprocess.Process, place: Together) -> None:
        """Wait for its end, and start another in its place: who connects meanwhile is served by that one.

        Where that one ends soon as well, or cannot be started, who connects is served by the others.
        """
        wait = FIRST_WAIT_SECONDS
        running: asyncio.subprocess.Process | None = child
        while True:
            began, code = time.monotonic(), None
            if running is not None:
                code = await running.wait()
                self._children.discard(running)
            if self._stopping.is_set():
                break
            if time.monotonic() - began > LONG_ENOUGH_SECONDS:
                wait = FIRST_WAIT_SECONDS
            log.error("process_died", process=place.sibling.number, exit_code=code, again_in_seconds=wait)
            if wait > FIRST_WAIT_SECONDS and sys.platform == "linux":  # elsewhere they have one queue
                place.listener.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._stopping.wait()
            if self._stopping.is_set():
                break
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)
            try:
                if place.listener.fileno() < 0:
                    place = place._replace(listener=listen(self._config, share=True))
                running = await self._start(place)
            except (OSError, ConfigError):  # no room for another process, pipe or socket: as if it had died at once
                running = None
        place.listener.close()


def _terminate(child: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):  # it has ended
        child.terminate()


async def _accepts(child: asyncio.subprocess.Process) -> bool:
    assert child.stdout
    return await child.stdout.readline() == _READY


async def _one_of_them(config: Config, together: Together) -> None:
    async def ready(_: Running) -> None:
        os.write(1, _READY)
        asyncio.get_running_loop().add_reader(0, _when_alone)

    await serve(config, ready, together)


def _when_alone() -> None:
    """Nothing more is sent, so that there is something to read only when the one that started us is gone."""
    asyncio.get_running_loop().remove_reader(0)
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """One of the processes."""
    config: Config = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started us
    configure(config.log_level)
    fd, folder, number = sys.argv[1:]
    together = Together(socket(fileno=int(fd)), Sibling(Path(folder), int(number)))
    try:
        run_async(_one_of_them(config, together))
    except (ConfigError, StoreError) as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
