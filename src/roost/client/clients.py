"""The two clients: `Roost` blocks, `AsyncRoost` is awaited. They have the same calls."""

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from roost.client.agent import Agent
from roost.client.calls import D, Driven, each
from roost.client.consent import Consents
from roost.client.credentials import Credentials
from roost.client.drivers import Awaiting, Blocking, Settings
from roost.client.endpoints import Webhooks
from roost.client.errors import RoostError
from roost.client.events import Event, EventType
from roost.client.flow import Walk
from roost.client.inbound import Codes, Inbound
from roost.client.messages import Messages, Threads
from roost.client.models import Channel
from roost.client.numbers import Numbers
from roost.client.pages import Pages
from roost.client.resource import Time, read
from roost.client.retry import Retry
from roost.client.stream import events

DEFAULT_URL = "http://127.0.0.1:8080"
DEFAULT_RETRY = Retry()


class Client(Driven[D]):
    """All the calls, over whatever carries them out."""

    def __init__(self, driver: D) -> None:
        super().__init__(driver)
        self.messages: Messages[D] = Messages(driver)
        self.inbound: Inbound[D] = Inbound(driver)
        self.threads: Threads[D] = Threads(driver)
        self.otp: Codes[D] = Codes(driver)
        self.numbers: Numbers[D] = Numbers(driver)
        self.pages: Pages[D] = Pages(driver)
        self.consent: Consents[D] = Consents(driver)
        self.webhooks: Webhooks[D] = Webhooks(driver)
        self.agent: Agent[D] = Agent(driver)

    @each
    def stream(
        self,
        *,
        last_event_id: str | None = None,
        since: Time | None = None,
        types: Sequence[EventType] | None = None,
        from_number: str | None = None,
        to_number: str | None = None,
        phone_number_id: str | None = None,
        channel: Channel | None = None,
        opt_out: bool | None = None,
    ) -> Walk[Event]:
        """Every event after the one with that id (or from a time on, or from now on), as it happens, without end.

        Each event exactly once, over however many connections it takes: a server that is away is waited for. Keep the id of the
        last event that you are done with, and begin there the next time. An event without the field that a filter asks about is
        left out; changes of consent are left out where the key may not read consent.
        """
        asked = read(
            "/v1/events", since=since, types=types, from_=from_number, to=to_number, phone_number_id=phone_number_id,
            channel=channel, opt_out=opt_out,
        )  # fmt: skip
        return events(asked, self._driver.settings, last_event_id)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._driver.settings.base_url!r})"


class Roost(Client[Blocking]):
    """A client that blocks. Close it, or use it in a `with`; several threads may share one.

    `base_url` is ROOST_URL unless it is given, and `api_key` ROOST_API_KEY. `client.agent` is an agent's inbox: `agent` is its
    wallet's address, with `token`, or with `wallet_key`, which then signs every request; an open agent needs neither.
    `timeout` is in seconds. Every call raises RoostError, and no other error but for what Python itself says of wrong arguments.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        api_key: str | None = None,
        agent: str | None = None,
        token: str | None = None,
        wallet_key: str | None = None,
        timeout: float = 30.0,
        retry: Retry = DEFAULT_RETRY,
    ) -> None:
        credentials = Credentials(api_key, agent, token, wallet_key)
        super().__init__(Blocking(Settings(_checked(base_url), credentials, timeout, retry)))

    def close(self) -> None:
        """Give the connections back."""
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncRoost(Client[Awaiting]):
    """The same, awaited: `await client.messages.send(...)`, `async for message in client.inbound.list()`."""

    def __init__(
        self,
        base_url: str | None = None,
        *,
        api_key: str | None = None,
        agent: str | None = None,
        token: str | None = None,
        wallet_key: str | None = None,
        timeout: float = 30.0,
        retry: Retry = DEFAULT_RETRY,
    ) -> None:
        credentials = Credentials(api_key, agent, token, wallet_key)
        super().__init__(Awaiting(Settings(_checked(base_url), credentials, timeout, retry)))

    async def aclose(self) -> None:
        """Give the connections back."""
        await self._driver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _checked(base_url: str | None) -> str:
    url = (base_url or os.environ.get("ROOST_URL") or DEFAULT_URL).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise RoostError(f"base_url must look like {DEFAULT_URL}, not {url!r}")
    return url
