"""Rate limits: per organization in dialect A, per wallet in B, and per address for what fails to sign in.

They count in this process, or in Redis for all of them when `ROOST_REDIS_URL` is set.
"""

import math
import time
from collections.abc import Mapping
from typing import Literal

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.requests import Request

from roost.api.errors import is_oneshot
from roost.errors import Refusal

Limited = Literal["sends", "reads", "sign_ins", "keys", "erases", "consents"]


class Limits:
    """`rates` maps what is limited to a rate such as "100/second"; None limits nothing."""

    def __init__(self, rates: Mapping[str, str] | None, redis_url: str | None = None) -> None:
        self._rates: dict[str, RateLimitItem] = {name: parse(rate) for name, rate in (rates or {}).items()}
        self._limiter = FixedWindowRateLimiter(_storage(redis_url))

    async def take(self, what: Limited, whose: str, request: Request) -> None:
        """Count one; refuses with 429 and how long to wait when it was one too many.

        In dialect B the answer says in its headers how many are left, whatever it is.
        """
        rate = self._rates.get(what)
        if rate is None:
            return
        allowed = await self._limiter.hit(rate, what, whose)
        path = request.scope["path"]
        if allowed and not is_oneshot(path):
            return
        reset_time, remaining = await self._limiter.get_window_stats(rate, what, whose)
        wait = max(1, math.ceil(reset_time - time.time()))
        if is_oneshot(path):
            request.scope["roost.headers"] = [
                (b"ratelimit-limit", str(rate.amount).encode()),
                (b"ratelimit-remaining", str(max(0, remaining)).encode()),
                (b"ratelimit-reset", str(wait).encode()),
            ]
        if not allowed:
            raise _too_many(path, wait)

    async def failed_sign_in(self, request: Request, refusal: Refusal) -> Refusal:
        """What to answer to a wrong credential: the refusal, or 429 when its address fails too often.

        A right credential is never held up: behind a proxy all of its clients have one address.
        """
        address = request.client.host if request.client else "unknown"
        try:
            await self.take("sign_ins", address, request)
        except Refusal as too_many:
            return too_many
        return refusal


#: What a part takes that is used without limits.
NO_LIMITS = Limits(None)


def _storage(redis_url: str | None) -> Storage:
    if redis_url is None:
        return MemoryStorage()
    return RedisStorage(f"async+{redis_url}", implementation="valkey")


def _too_many(path: str, wait: int) -> Refusal:
    headers = {"Retry-After": str(wait)}
    if is_oneshot(path):
        message = "Too many requests, please try again later."
        return Refusal(429, "rate_limit_exceeded", message, extra={"retry_after": wait}, headers=headers)
    return Refusal(429, "RATE_LIMITED", "rate limited", headers=headers)
