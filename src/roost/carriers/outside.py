"""The way out to a carrier's API: one HTTP session, answers of a bounded size, and what a failure means for a text."""

from __future__ import annotations

import asyncio
import email.utils
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from roost.carriers.contract import LastLook, SendFailed
from roost.config import Config
from roost.core.account import CarrierAccount

if TYPE_CHECKING:
    import aiohttp

#: The longest that one request takes, of which connecting may take the first part.
TOTAL_SECONDS, CONNECT_SECONDS = 15.0, 8.0
MAX_ANSWER_BYTES = 64 * 1024
_NO_HEADERS: Mapping[str, str] = {}
#: Shorter than servers keep an idle connection, so that a text is hardly ever written to one that is just being closed.
_KEEP_ALIVE_SECONDS = 10.0


class Answer(NamedTuple):
    """What an API answered; `body` is empty where it broke off or was too long. `retry_after` is in seconds."""

    status: int
    body: bytes
    retry_after: float | None


class _Departure:
    """One request on its way out; it has `begun` once something of it may be written."""

    def __init__(self, last_look: LastLook | None) -> None:
        self.last_look = last_look
        self.begun = False


#: The request that the running task waits for a connection with.
_departure: ContextVar[_Departure] = ContextVar("departure")


class Outside:
    """Handed to whatever reaches out. The session is made when it is first used, and so is aiohttp imported then."""

    def __init__(self, config: Config, clock: Callable[[], int]) -> None:
        self.config = config
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] = _NO_HEADERS,
        last_look: LastLook | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
        **options: Any,
    ) -> Answer:
        """The answer to one request; no redirect is followed. `auth` is a Basic credential (RFC 7617); `options` are aiohttp's.

        `last_look` is awaited once the connection is there, right before the request is written; what it raises is passed on.
        Raises SendFailed: `not_sent` when surely nothing was written, `uncertain` when something may have been and no answer
        came.
        """
        import aiohttp

        if auth is not None:
            headers = {**headers, "Authorization": aiohttp.encode_basic_auth(*auth, "utf-8")}
        departure = _Departure(last_look)
        _departure.set(departure)
        try:
            async with self._opened().request(
                method, url, headers=headers, allow_redirects=False, **options
            ) as response:
                retry_after = _seconds(response.headers.get("Retry-After"), self._clock())
                return Answer(response.status, await _bounded(response, max_bytes), retry_after)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if not departure.begun:
                raise SendFailed("not_sent", "CARRIER_UNREACHABLE", type(error).__name__) from None
            raise SendFailed("uncertain", "NO_ANSWER", type(error).__name__) from None

    def callback_url(self, account: CarrierAccount) -> str | None:
        """Where a carrier that wants to be told delivers; None where nobody said where the outside reaches us."""
        public_url = self.config.public_url
        return f"{public_url}/carriers/{account.carrier}/{account.id}" if public_url else None

    async def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=_connector(),
                timeout=aiohttp.ClientTimeout(total=TOTAL_SECONDS, connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def _connector() -> aiohttp.TCPConnector:
    import aiohttp

    class Connector(aiohttp.TCPConnector):
        """Lets a request look once more when its connection is there: connecting, or waiting for it, may take seconds."""

        async def connect(
            self,
            req: aiohttp.ClientRequest,
            traces: list[Any],
            timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own
        ) -> aiohttp.connector.Connection:
            connection = await super().connect(req, traces, timeout)
            departure = _departure.get()
            try:
                if departure.last_look is not None:
                    await departure.last_look()
                if connection.protocol is None or not connection.protocol.is_connected():
                    raise aiohttp.ClientConnectionError("closed before anything was written")
            except BaseException:
                connection.close()
                raise
            departure.begun = True
            return connection

    return Connector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS)


async def _bounded(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """The body; the status alone still says something where it breaks off or does not end."""
    import aiohttp

    body = bytearray()
    try:
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > max_bytes:
                response.close()
                return b""
    except (aiohttp.ClientError, TimeoutError, OSError, asyncio.IncompleteReadError):
        return b""
    return bytes(body)


def _seconds(header: str | None, now: int) -> float | None:
    """Retry-After (RFC 9110, section 10.2.3): seconds, or an HTTP date. What is neither is as good as missing."""
    if header is None:
        return None
    if header.isascii() and header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - now / 1_000_000)
    except (ValueError, OverflowError):
        return None
