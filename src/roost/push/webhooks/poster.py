"""One POST to somebody's endpoint: bounded in time and in what is read of the answer; no redirect is followed."""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from roost.core.addresses import Network
from roost.core.webhooks import Attempt
from roost.guard import UrlRefused, checked_url, guarded_connector, is_refusal

if TYPE_CHECKING:
    import aiohttp
    from aiohttp.abc import AbstractResolver

TOTAL_SECONDS, CONNECT_SECONDS = 15.0, 8.0
#: Of an answer, so much is read and so much is shown. Its end is waited for a moment, so that its connection can be used again.
MAX_ANSWER_BYTES, EXCERPT_CHARACTERS = 16 * 1024, 500
_ANSWER_SECONDS = 1.0
#: Shorter than servers keep an idle connection, so that hardly anything is written to one that is just being closed.
_KEEP_ALIVE_SECONDS = 10.0


class Poster:
    """Posts over one session, which is made when it is first used."""

    def __init__(
        self,
        clock: Callable[[], int],
        allowed: Sequence[Network] = (),
        *,
        total_seconds: float = TOTAL_SECONDS,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._clock = clock
        self._allowed = allowed
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None
        self.total_seconds = total_seconds
        """The longest that one takes."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Attempt:
        """What became of it: whoever answers 2xx has it, whatever the answer says."""
        import aiohttp

        at, began = self._clock(), time.perf_counter()
        try:
            async with asyncio.timeout(self.total_seconds) as patience:
                request = self._opened().post(checked_url(url), data=body, headers=headers, allow_redirects=False)
                async with request as response:
                    patience.reschedule(None)
                    took = _milliseconds(began)
                    retry_after = _seconds(response.headers.get("Retry-After"), self._clock())
                    return Attempt(at, response.status, took, await _excerpt(response), None, retry_after)
        except UrlRefused as error:
            failure = f"the URL cannot be used: {error}"
        except TimeoutError:
            failure = f"no answer within {self.total_seconds:g} seconds"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = "the address is not public" if is_refusal(error) else f"no answer: {type(error).__name__}"
        return Attempt(at, None, _milliseconds(began), None, failure)

    async def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            connector = guarded_connector(self._allowed, self._resolver, limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


async def _excerpt(response: aiohttp.ClientResponse) -> str | None:
    """The beginning of the answer. It is only to be shown: one that breaks off, or never ends, takes nothing back."""
    import aiohttp

    content = bytearray()
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            async for piece in response.content.iter_any():
                content += piece
                if len(content) > MAX_ANSWER_BYTES:
                    response.close()
                    break
    except (aiohttp.ClientError, OSError, ValueError, TimeoutError):
        response.close()
    return content[: 4 * EXCERPT_CHARACTERS].decode("utf-8", "replace")[:EXCERPT_CHARACTERS] or None


def _milliseconds(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


def _seconds(header: str | None, now: int) -> float | None:
    """Retry-After: seconds, or a date (RFC 9110, section 10.2.3); what is neither is as good as missing."""
    if header is None:
        return None
    if header.isascii() and header.isdigit() and len(header) < 10:
        return float(header)
    try:
        return max(email.utils.parsedate_to_datetime(header).timestamp() - now / 1_000_000, 0.0)
    except (ValueError, TypeError, OverflowError):
        return None
