"""A whole Roost in this process: a real server on a real port, over a real database, with a clock that can be set."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn
import uvloop

from roost import config
from roost.api.checkup import check_up
from roost.api.limits import Limits
from roost.app import build
from roost.carriers.outside import Outside
from roost.core.account import CarrierAccount
from roost.core.media_urls import URL_KEY, MediaUrls
from roost.core.scopes import SCOPES
from roost.media.copier import Copier
from roost.media.fetch import Fetcher
from roost.push.push import Push
from roost.push.streams import Bounds
from roost.push.webhooks.deliverer import Deliverer
from roost.push.webhooks.poster import Poster
from roost.server import uvicorn_config
from roost.store.base import Store
from roost.store.connect import make_store
from roost.store.directory import Agent, Directory, Number, Organization
from roost.store.objects import Objects
from roost.worker import Worker
from support.credentials import BASIC, SECRETS
from support.databases import Database
from support.resolver import Resolver

T = TypeVar("T")
#: Where nobody listens: what is sent from a house that is given no carrier goes nowhere.
NOWHERE = "http://127.0.0.1:9"
#: For clients that speak plain HTTP: one of their own reads every certificate authority of the system, in 30 ms.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

_SECONDS_TO_STOP = 30


class Clock:
    """The real time, moved by `offset_us` or held still at `frozen_us`."""

    def __init__(self) -> None:
        self.offset_us = 0
        self.frozen_us: int | None = None

    def __call__(self) -> int:
        return self.frozen_us if self.frozen_us is not None else time.time_ns() // 1000 + self.offset_us


class Tenant:
    """An organization with a carrier account, a number, an open agent and a key, made through the directory."""

    def __init__(
        self,
        house: "House",
        name: str,
        number: str,
        carrier: str,
        wallet: str,
        secrets: Mapping[str, Any] | None = None,
    ) -> None:
        directory = house.directory
        self.org: Organization = house.wait(directory.create_organization(name))
        self.account: CarrierAccount = house.wait(
            directory.add_carrier_account(
                self.org.org_id, carrier, "", {"basic": [list(BASIC)], **(SECRETS if secrets is None else secrets)}
            )
        )
        agent = house.wait(directory.add_agent(self.org.org_id, wallet, open_=True))
        assert agent is not None
        self.agent: Agent = agent
        registered = house.wait(directory.add_number(self.org.org_id, number, self.account.id, agent.id, ""))
        assert registered is not None
        self.number: Number = registered
        self.key = house.wait(directory.create_api_key(self.org.org_id, "test", sorted(SCOPES), None)).plaintext
        self.webhook = f"/carriers/{carrier}/{self.account.id}"
        self.auth = {"Authorization": f"Bearer {self.key}"}
        self.agent_header = {"X-Agent-ID": wallet}


class Listening(uvicorn.Server):
    """Begins and ends at once: uvicorn's own loop looks every tenth of a second whether it is to end, and whether it has."""

    async def begin(self, listener: socket.socket) -> None:
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.on_tick(0)
        await self.startup(sockets=[listener])

    async def end(self) -> None:
        """Return once everything that was asked is answered."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        async with asyncio.timeout(_SECONDS_TO_STOP):
            while self.server_state.connections or self.server_state.tasks:
                await asyncio.sleep(0.001)


class House:
    """Start with `start()`, stop with `stop()`; `http` is a client of it. Nothing is sent unless it is `working`, no medium
    copied unless it is `copying`, and no endpoint told unless it is `telling`, by address alone: there is nobody here who knows
    names."""

    def __init__(
        self,
        database: Database,
        data_dir: Path,
        *,
        working: bool = False,
        copying: bool = False,
        telling: bool = False,
        fetch_seconds: float = 30,
        **options: Any,
    ) -> None:
        options = {"bandwidth_url": NOWHERE, "rate_limits": "off", **options}
        database.lay(data_dir)
        self.config = config.load({}, data_dir=data_dir, database_url=database.url, **options)
        self._working, self._copying, self._telling = working, copying, telling
        self._fetch_seconds = fetch_seconds
        self.clock = Clock()
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tenants = 0

    def start(self) -> "House":
        self._thread.start()
        listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.store: Store = make_store(self.config, self.clock)
        self.wait(self.store.open())
        self.directory = Directory(self.store)
        self.outside = Outside(self.config, self.clock)
        self.media_urls = MediaUrls(self.base_url, self.store.vault.derive(URL_KEY))
        self.objects = Objects(self.config.media_url)
        self.worker = self.wait(self._start_worker())
        self.copier = self.wait(self._start_copier())
        self.deliverer = self.wait(self._start_deliverer())
        self.limits = Limits(self.config.limits, self.config.redis_url)
        bounds = Bounds(self.config.max_streams, self.config.max_streams_per_org)
        self.push = Push(self.store, self.media_urls, self.config.stream_heartbeat, bounds)
        app = build(
            self.store,
            self.base_url,
            self.objects,
            self.worker.wake,
            self.copier.wake,
            oneshot_quotes=self.config.oneshot_quotes,
            limits=self.limits,
            push=self.push,
            poster=self.poster,
            allowed_networks=self.config.allowed_networks,
            check_up=lambda account: check_up(self.store, account, self.base_url, self.base_url, self.outside),
        )
        self._server = Listening(uvicorn_config(app))
        self.wait(self._server.begin(listener))
        self.http = httpx.Client(base_url=self.base_url, timeout=30, verify=NO_TLS)
        return self

    def stop(self) -> None:
        self.http.close()
        self.wait(self._stop_pushing())
        self.wait(self._server.end())
        self.wait(self.push.close())
        self.wait(self.worker.stop())
        self.wait(self.copier.stop())
        self.wait(self.deliverer.stop())
        self.wait(self.outside.close())
        self.wait(self.limits.close())
        self.wait(self.store.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _stop_pushing(self) -> None:
        self.push.stop()

    async def _start_worker(self) -> Worker:
        worker = Worker(self.store, self.outside, public_url=self.base_url)
        if self._working:
            worker.start()
        return worker

    async def _start_copier(self) -> Copier:
        limits = (self.config.media_max_bytes, self.config.allowed_networks)
        fetcher = Fetcher(*limits, total_seconds=self._fetch_seconds, resolver=Resolver([]))
        copier = Copier(self.store, self.objects, fetcher)
        if self._copying:
            copier.start()
        return copier

    async def _start_deliverer(self) -> Deliverer:
        networks, seconds = self.config.allowed_networks, self.config.webhook_timeout
        self.poster = Poster(self.clock, networks, total_seconds=seconds, resolver=Resolver([]))
        deliverer = Deliverer(self.store, self.media_urls, self.poster)
        if self._telling:
            deliverer.start()
        return deliverer

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine, run on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def tenant(
        self,
        *,
        carrier: str = "bandwidth",
        number: str | None = None,
        wallet: str | None = None,
        secrets: Mapping[str, Any] | None = None,
    ) -> Tenant:
        """Another organization, complete. `secrets` are what its carrier account sends with: none, and it only receives."""
        self._tenants += 1
        count = self._tenants
        wallet = wallet or f"0x{count:040x}"
        return Tenant(self, f"Org {count}", number or f"+1555000{count:04}", carrier, wallet, secrets)

    def under_way(self) -> list[Any]:
        """The requests that are not answered yet."""
        return list(self._server.server_state.tasks)

    def connections(self) -> set[Any]:
        """The protocols of those that are open."""
        return set(self._server.server_state.connections)

    def deliver(self, tenant: Tenant, payload: Any, **options: Any) -> httpx.Response:
        """POST a carrier's payload to the tenant's real webhook URL with its real credential."""
        return self.http.post(tenant.webhook, json=payload, auth=BASIC, **options)

    def send(self, tenant: Tenant, to: str, text: str = "hello", **fields: Any) -> httpx.Response:
        """POST /v1/messages from the tenant's number."""
        body = {"from": tenant.number.number, "to": to, "text": text, **fields}
        return self.http.post("/v1/messages", json=body, headers=tenant.auth)

    def sent(self, tenant: Tenant, to: str, text: str = "hello", **fields: Any) -> str:
        """The id of a message that is accepted."""
        answer = self.send(tenant, to, text, **fields)
        assert answer.status_code == 202, answer.text
        message_id: str = answer.json()["data"]["id"]
        return message_id

    def outbound(self, tenant: Tenant, **params: Any) -> list[dict[str, Any]]:
        """One page of the outbound messages, newest first, with everything that `include` knows."""
        params = {"include": "error,thread_id,media_urls", **params}
        answer = self.http.get("/v1/messages", params=params, headers=tenant.auth)
        assert answer.status_code == 200, answer.text
        data: list[dict[str, Any]] = answer.json()["data"]
        return data

    def shows(self, tenant: Tenant, message: dict[str, Any], count: int) -> bool:
        """Whether an inbound message of dialect A shows so many media, all under our own URLs."""
        urls: list[str] = message["media_urls"]
        return tuple(urls) == self.media_urls.of(tenant.org.org_id, message["id"], [""] * count)

    def inbound(self, tenant: Tenant, **params: Any) -> list[dict[str, Any]]:
        """One page of dialect A."""
        answer = self.http.get("/v1/inbound-messages", params=params, headers=tenant.auth)
        assert answer.status_code == 200, answer.text
        data: list[dict[str, Any]] = answer.json()["data"]
        return data
