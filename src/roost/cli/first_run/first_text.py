"""Waiting for the first text: beside a server that runs already, or one that is served meanwhile."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TextIO

from roost.config import Config
from roost.core.account import CarrierAccount
from roost.core.inbox import InboxQuery
from roost.core.message import InboundMessage
from roost.deliver import DeliveryFailed, call
from roost.server import Running, running_server, serve
from roost.store.base import Store
from roost.store.carrier_accounts import CarrierAccounts
from roost.store.directory import Number

_LOOK_SECONDS = 0.25
_WHEEL = "|/-\\"


class Interrupted(Exception):
    """Somebody stopped it."""


class Progress:
    """How long it has been waited: a line drawn again and again on a terminal, and elsewhere said once, plainly."""

    def __init__(self, what: str, *, aside: bool) -> None:
        self._stream: TextIO = sys.stderr if aside else sys.stdout
        self._what, self._looks = what, 0
        self._draws = self._stream.isatty()
        if not self._draws:
            self._write(f"{what} ...\n")

    def look(self) -> None:
        """Another look found nothing."""
        self._looks += 1
        minutes, seconds = divmod(int(self._looks * _LOOK_SECONDS), 60)
        if self._draws:  # the cursor goes back, so that what is logged meanwhile writes over it
            self._write(f"\r\x1b[2K{_WHEEL[self._looks % 4]} {self._what}, {minutes}:{seconds:02} (Ctrl-C stops)\r")

    def say(self, line: str) -> None:
        self.clear()
        self._write(f"{line}\n")

    def clear(self) -> None:
        if self._draws:
            self._write("\r\x1b[2K")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


async def first_text(
    store: Store, account: CarrierAccount, number: Number, progress: Progress, seconds: int | None
) -> InboundMessage | None:
    """The newest message to the number, once there is one; None when none came within `seconds`."""
    accounts = CarrierAccounts(store)
    query = InboxQuery(number.org_id, 1, phone_number_id=number.id)
    unrouted = (await accounts.reception(account)).unrouted
    try:
        async with asyncio.timeout(seconds):
            while not (found := (await store.list_inbound(query)).messages):
                waiting = (await accounts.reception(account)).unrouted
                if waiting > unrouted:
                    progress.say(
                        "Something came that could not be placed; another terminal shows it: roost unrouted list"
                    )
                unrouted = waiting
                progress.look()
                await asyncio.sleep(_LOOK_SECONDS)
            return found[0]
    except TimeoutError:
        return None
    finally:
        progress.clear()


def answering_server(data_dir: Path) -> str | None:
    """The base URL of a server that runs on the data directory and answers."""
    base_url = running_server(data_dir)
    try:
        return base_url if base_url and call("GET", f"{base_url}/healthz", {}).status == 200 else None
    except DeliveryFailed:
        return None


async def served(config: Config, work: Callable[[str], Awaitable[bool]]) -> None:
    """Serve while `work` is under way on the base URL, and until stopped where it returned True.

    Raises Interrupted when it is stopped before that, and what `work` raises.
    """
    working: list[asyncio.Future[bool]] = []

    def is_over(task: asyncio.Future[bool]) -> None:
        if not task.cancelled() and (task.exception() or not task.result()):
            signal.raise_signal(signal.SIGTERM)  # which is how a server is told

    async def ready(running: Running) -> None:
        working.append(asyncio.ensure_future(work(running.base_url)))
        working[0].add_done_callback(is_over)

    await serve(config, ready)
    for task in working:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
            raise Interrupted
        task.result()
