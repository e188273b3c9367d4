"""Running the application: one process, until it is told to stop."""

import gc
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import structlog
import uvicorn
from starlette.types import ASGIApp

from roost.api.checkup import check_up
from roost.api.limits import Limits
from roost.app import build
from roost.backfill import Filler
from roost.carriers.outside import Outside
from roost.config import Config, ConfigError, unknown_variables
from roost.core.media_urls import URL_KEY, MediaUrls
from roost.indexer import Indexer
from roost.media.copier import Copier
from roost.media.fetch import Fetcher
from roost.media.sweep import sweep_media
from roost.push.push import Push
from roost.push.streams import Bounds
from roost.push.webhooks.deliverer import Deliverer
from roost.push.webhooks.poster import Poster
from roost.scrape import Scrape, Sibling
from roost.store.base import Store
from roost.store.connect import make_store
from roost.store.directory import Directory
from roost.store.objects import Objects
from roost.sweeper import Sweeper
from roost.wire.protocol import HttpProtocol
from roost.worker import Worker

#: What is in flight may take this long to finish once we are told to stop.
GRACE_SECONDS = 30
_RUNNING_FILE = "server.json"

log = structlog.get_logger(__name__)


class Running(NamedTuple):
    """A server that listens."""

    data_dir: Path
    store: Store
    base_url: str
    """Where this machine reaches it."""
    public_url: str
    """Where everybody else does."""


class Together(NamedTuple):
    """What one of several processes that serve together is given."""

    listener: socket.socket
    sibling: Sibling


def now_us() -> int:
    """The clock: microseconds since 1970."""
    return time.time_ns() // 1000


async def serve(config: Config, ready: Callable[[Running], Awaitable[None]], together: Together | None = None) -> None:
    """Open the store, listen, call `ready`, and serve until SIGTERM or SIGINT; then finish what is in flight.

    `together`: this is one of several processes; what is said and noted once is not for us then.
    """
    limits = Limits(config.limits, config.redis_url)
    store = make_store(config, now_us, secrets.randbits)
    listener = together.listener if together else listen(config)
    base_url = config._replace(port=listener.getsockname()[1]).local_url
    public_url = config.public_url or base_url
    running = Running(config.data_dir, store, base_url, public_url)
    outside = Outside(config, now_us)
    scrape = Scrape(store, together.sibling if together else None)
    try:
        await store.open()
        await scrape.open()
        if together is None:
            await announce(config, store)
        objects = Objects(config.media_url)
        worker = Worker(store, outside, public_url=public_url)
        copier = Copier(store, objects, Fetcher(config.media_max_bytes, config.allowed_networks))
        urls = MediaUrls(public_url, store.vault.derive(URL_KEY))
        push = Push(store, urls, config.stream_heartbeat, Bounds(config.max_streams, config.max_streams_per_org))
        poster = Poster(now_us, config.allowed_networks, total_seconds=config.webhook_timeout)
        deliverer = Deliverer(store, urls, poster)
        app = build(
            store, public_url, objects, worker.wake, copier.wake,
            oneshot_quotes=config.oneshot_quotes, limits=limits, push=push, poster=poster,
            allowed_networks=config.allowed_networks, scrape=scrape,
            check_up=lambda account: check_up(store, account, config.public_url, base_url, outside),
        )  # fmt: skip
        filler = Filler(store, outside, worker.wake)
        sweeper = Sweeper(store, besides=partial(sweep_media, store, objects))
        indexer = Indexer(store)
        beside = (worker, copier, deliverer, sweeper, indexer, filler)
        server = _Server(uvicorn_config(app), beside, push, lambda: ready(running))
        _settle_memory()
        # uvicorn raises the signal that stopped it once more when it is done; by then it has done its work.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        with noted_running(config.data_dir, base_url) if together is None else nullcontext():
            await server.serve(sockets=[listener])
        if together is None:
            log.info("stopped")
    finally:
        listener.close()
        await scrape.close()
        await outside.close()
        await limits.close()
        await store.close()


def running_server(data_dir: Path) -> str | None:
    """The base URL of the server that runs on this data directory, if one says so."""
    try:
        url = json.loads((data_dir / _RUNNING_FILE).read_text())["base_url"]
    except (OSError, ValueError, KeyError):
        return None
    return str(url)


class Beside(Protocol):
    """What works beside the server, as long as connections are accepted."""

    def start(self) -> None: ...

    def stop_soon(self) -> None:
        """Begin nothing more."""

    async def stop(self) -> None:
        """Finish what is under way."""


class _Server(uvicorn.Server):
    """Calls `ready` once connections are accepted; all that works `beside` it does so as long as they are.

    Who waits for something new is answered as soon as it is told to stop.
    """

    def __init__(
        self, config: uvicorn.Config, beside: Sequence[Beside], push: Push, ready: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(config)
        self._beside = beside
        self._push = push
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for each in self._beside:
            each.start()
        await self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for each in self._beside:
            each.stop_soon()
        self._push.stop()
        await super().shutdown(sockets)
        for each in self._beside:
            await each.stop()
        await self._push.close()


def uvicorn_config(app: ASGIApp) -> uvicorn.Config:
    """How the application is served."""
    return uvicorn.Config(
        app,
        http=HttpProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody's X-Forwarded-* is believed; ROOST_PUBLIC_URL says where we are reached
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _settle_memory() -> None:
    """What is there now stays: the collector need not look at it again, nor at every seven hundredth small object."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def listen_together(config: Config) -> list[socket.socket]:
    """A socket for each of the processes, all at one address. Raises ConfigError where that cannot be.

    Of one socket that all of them share, whoever wakes first takes all connections that are there. Where each has its own,
    Linux shares the connections out among them (socket(7), SO_REUSEPORT); other systems do not.
    """
    alone = listen(config)  # which fails where somebody else listens, as what shares its address does not
    if sys.platform != "linux":
        return [alone, *(alone.dup() for _ in range(config.processes - 1))]
    there = config._replace(port=alone.getsockname()[1])
    alone.close()
    return [listen(there, share=True) for _ in range(config.processes)]


def listen(config: Config, *, share: bool = False) -> socket.socket:
    """Where the server is to be reached; `share`: others of us listen there too. Raises ConfigError where that cannot be."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        return socket.create_server((config.host, config.port), family=family, backlog=2048, reuse_port=share)
    except OSError as error:
        reason = os.strerror(error.errno) if isinstance(error.errno, int) and error.errno > 0 else str(error)
        raise ConfigError(f"cannot listen on {config.host} port {config.port}: {reason}") from None


@contextmanager
def noted_running(data_dir: Path, base_url: str) -> Iterator[None]:
    """Meanwhile `running_server` tells the URL."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data_dir / _RUNNING_FILE
    path.write_text(json.dumps({"base_url": base_url, "pid": os.getpid()}))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


async def announce(config: Config, store: Store) -> None:
    """Say in the log, once at the start, what an operator had better know."""
    for name in unknown_variables():
        log.warning("unknown_setting", name=name)
    agents = await Directory(store).open_agents()
    if agents:
        log.warning(
            "open_agents",
            count=len(agents),
            loopback=config.loopback,
            advice="anybody who knows an open agent's address and reaches this server can read its inbox",
        )
    if config.allowed_networks:
        log.warning(
            "allowed_networks",
            networks=[str(each) for each in config.allowed_networks],
            advice="whoever can name a URL to this server can make it reach these networks",
        )
    if config.processes > 1 and config.limits and not config.redis_url:
        log.warning(
            "limits_not_shared",
            processes=config.processes,
            advice="each process allows what is allowed to all of them together; ROOST_REDIS_URL lets them count together",
        )
