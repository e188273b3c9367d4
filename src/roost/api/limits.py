"""Rate limits: per organization in dialect A, per wallet in B, and per address for what fails to sign in.

They count in this process, or in Redis for all of them when `ROOST_REDIS_URL` is set.
"""

import asyncio
import ipaddress
import math
import time
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from starlette.requests import Request

from roost.api.errors import is_oneshot
from roost.api.local_counts import LocalCounts
from roost.config import ConfigError
from roost.errors import Refusal

Limited = Literal["sends", "reads", "sign_ins", "keys", "erases", "consents", "replays"]

#: How long Redis may take to count; then, and for a while after, requests are served uncounted.
PATIENCE_SECONDS, SKIP_SECONDS, WARNING_SECONDS = 0.25, 5, 60
_MAX_CONNECTIONS = 32

log = structlog.get_logger(__name__)


class _Standing(NamedTuple):
    """How it stands with a limit: seconds until all of it is there again, and how much is left until then."""

    allowed: bool
    remaining: int
    wait: int


class Limits:
    """`rates` maps what is limited to a rate such as "100/second"; what it does not have is not limited."""

    def __init__(self, rates: Mapping[str, str], redis_url: str | None = None) -> None:
        self._pool = _pool(redis_url) if rates and redis_url else None
        shared = None if self._pool is None else _shared_counts(self._pool)
        # Locally each has counts of its own: addresses, of which anybody has many, push out no organization.
        self._limits = {
            name: (parse(rate), FixedWindowRateLimiter(shared or LocalCounts())) for name, rate in rates.items()
        }
        self._patience = PATIENCE_SECONDS if shared else None
        self._skip_until = 0.0
        self._next_warning = 0.0

    async def take(self, what: Limited, whose: str, request: Request) -> None:
        """Count one; refuses with 429 and how long to wait when it was one too many.

        In dialect B the answer says in its headers how many are left, whatever it is.
        """
        path = request.scope["path"]
        found = self._limits.get(what)
        standing = found and await self._count(*found, (what, whose), always_tell=is_oneshot(path))
        if not found or not standing:
            return
        if is_oneshot(path):
            request.scope["roost.headers"] = [
                (b"ratelimit-limit", str(found[0].amount).encode()),
                (b"ratelimit-remaining", str(standing.remaining).encode()),
                (b"ratelimit-reset", str(standing.wait).encode()),
            ]
        if not standing.allowed:
            raise _too_many(path, standing.wait)

    async def failed_sign_in(self, request: Request, refusal: Refusal) -> Refusal:
        """What to answer to a wrong credential: the refusal, or 429 when its address fails too often.

        A right credential is never held up: behind a proxy all of its clients have one address.
        """
        address = request.client.host if request.client else "unknown"
        try:
            await self.take("sign_ins", _network(address), request)
        except Refusal as too_many:
            return too_many
        return refusal

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._pool is not None:
            await self._pool.aclose()

    async def _count(
        self, rate: RateLimitItem, limiter: FixedWindowRateLimiter, key: tuple[str, str], *, always_tell: bool
    ) -> _Standing | None:
        """None when all is well and nobody asks for more, or when it could not be counted."""
        if self._skip_until and time.monotonic() < self._skip_until:
            return None
        try:
            async with asyncio.timeout(self._patience):
                allowed = await limiter.hit(rate, *key)
                if allowed and not always_tell:
                    return None
                reset_time, remaining = await limiter.get_window_stats(rate, *key)
        except (OSError, StorageError) as error:
            self._skip(error)
            return None
        return _Standing(allowed, remaining, max(1, math.ceil(reset_time - time.time())))

    def _skip(self, error: Exception) -> None:
        now = time.monotonic()
        self._skip_until = now + SKIP_SECONDS
        if now >= self._next_warning:
            self._next_warning = now + WARNING_SECONDS
            # Without the error's words, which may hold the URL.
            log.warning("limits_unavailable", error=type(error.__cause__ or error).__name__)


#: For what is used without limits.
NO_LIMITS = Limits({})


def _pool(redis_url: str) -> Any:
    try:
        from valkey.asyncio import BlockingConnectionPool
    except ImportError:
        raise ConfigError("ROOST_REDIS_URL needs one more package: pip install 'roost[redis]'") from None
    return BlockingConnectionPool.from_url(redis_url, max_connections=_MAX_CONNECTIONS, timeout=PATIENCE_SECONDS)


def _shared_counts(pool: Any) -> Storage:
    return RedisStorage(
        "async+redis://", wrap_exceptions=True, implementation="valkey", key_prefix="roost", connection_pool=pool
    )


def _network(address: str) -> str:
    """The address, or of IPv6 its network: the other 64 bits are for a device to choose (RFC 4291, section 2.5.1)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))


def _too_many(path: str, wait: int) -> Refusal:
    headers = {"Retry-After": str(wait)}
    if is_oneshot(path):
        message = "Too many requests, please try again later."
        return Refusal(429, "rate_limit_exceeded", message, extra={"retry_after": wait}, headers=headers)
    return Refusal(429, "RATE_LIMITED", "rate limited", headers=headers)
