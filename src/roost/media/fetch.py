"""Fetching one medium: bounded in time, in size and in redirects; a credential never leaves the origin that it is for."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import unquote_to_bytes

from roost.core.addresses import Network
from roost.core.media import Reason
from roost.guard import UrlRefused, checked_url, guarded_connector, is_refusal

if TYPE_CHECKING:
    import aiohttp
    import yarl
    from aiohttp.abc import AbstractResolver

#: From the first byte out to the last byte in, redirects included.
TOTAL_SECONDS, CONNECT_SECONDS = 60.0, 8.0
#: Twilio has one, to a place that is good for some hours. ("Fetch a Media resource")
MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)

Credential = Callable[[str], tuple[str, str] | None]
"""The user and password for a URL; None where it gets none."""


class FetchFailed(Exception):
    """It could not be had, this time or ever; `retry_after` is in seconds, where the server said so."""

    def __init__(self, reason: Reason, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class Fetcher:
    """Fetches over one session, which is made when it is first used."""

    def __init__(
        self,
        max_bytes: int,
        allowed: Sequence[Network] = (),
        *,
        total_seconds: float = TOTAL_SECONDS,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._allowed = allowed
        self._total_seconds = total_seconds
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, url: str, credential: Credential) -> bytes:
        """The content, as it was sent: nothing is unpacked. Raises FetchFailed."""
        import aiohttp

        try:
            if url.startswith("data:"):
                return self._inline(url)
            async with asyncio.timeout(self._total_seconds):
                return await self._follow(url, credential)
        except UrlRefused:
            raise FetchFailed("bad_url") from None
        except TimeoutError:
            raise FetchFailed("too_slow") from None
        except aiohttp.InvalidURL:
            raise FetchFailed("bad_url") from None
        except aiohttp.ClientPayloadError:
            raise FetchFailed("broken_off") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise FetchFailed("refused_address" if is_refusal(error) else "unreachable") from None

    async def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()

    def _inline(self, url: str) -> bytes:
        """What a URL holds itself (RFC 2397): nobody is asked for it."""
        head, comma, data = url.partition(",")
        if not comma:
            raise FetchFailed("bad_url")
        try:
            content = b64decode(data, validate=True) if head.endswith(";base64") else unquote_to_bytes(data)
        except ValueError:
            raise FetchFailed("bad_url") from None
        return self._sized(content)

    def _sized(self, content: bytes) -> bytes:
        if len(content) > self._max_bytes:
            raise FetchFailed("too_large")
        if not content:
            raise FetchFailed("empty")
        return content

    async def _follow(self, text: str, credential: Credential) -> bytes:
        import aiohttp

        url = first = checked_url(text)
        crossed = False
        for _ in range(MAX_REDIRECTS + 1):
            # Once another origin was asked, what follows is its word, also where it leads back.
            crossed = crossed or url.origin() != first.origin()
            auth = None if crossed else credential(str(url))
            headers = {"Accept-Encoding": "identity"}
            if auth is not None:
                headers["Authorization"] = aiohttp.encode_basic_auth(*auth, "utf-8")
            async with self._opened().get(url, headers=headers, allow_redirects=False) as response:
                if response.status not in _REDIRECTS:
                    return await self._content(response)
                url = _next(response, url)
        raise FetchFailed("redirects")

    async def _content(self, response: aiohttp.ClientResponse) -> bytes:
        if response.status != 200:
            _refuse(response)
        if (response.content_length or 0) > self._max_bytes:
            raise FetchFailed("too_large")
        content = bytearray()
        async for piece in response.content.iter_any():
            content += piece
            if len(content) > self._max_bytes:
                response.close()
                raise FetchFailed("too_large")
        return self._sized(bytes(content))

    def _opened(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=guarded_connector(self._allowed, self._resolver, limit=0),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


def _next(response: aiohttp.ClientResponse, url: yarl.URL) -> yarl.URL:
    location = response.headers.get("Location")
    if not location:
        raise FetchFailed("redirects")
    try:
        return checked_url(location, url)
    except UrlRefused:
        raise FetchFailed("redirects") from None


def _refuse(response: aiohttp.ClientResponse) -> NoReturn:
    if response.status in (404, 410):
        raise FetchFailed("not_found")
    if response.status in (408, 425, 429) or response.status >= 500 or response.status < 400:
        raise FetchFailed("carrier_failed", _seconds(response.headers.get("Retry-After")))
    raise FetchFailed("refused")


def _seconds(header: str | None) -> float | None:
    """Retry-After in seconds (RFC 9110, section 10.2.3); a date, or nonsense, is as good as missing."""
    return float(header) if header and header.isascii() and header.isdigit() and len(header) < 7 else None
