"""Around every request: a request id, one place where errors become answers, a count, and a line in the log."""

import logging
import os
import time
from collections.abc import Callable, Iterator

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from roost.api.errors import error_response, general
from roost.api.http import Answering
from roost.core.ids import ULID_RANDOM_BYTES, new_ulid
from roost.errors import Refusal
from roost.metrics import LATENCY, REQUESTS
from roost.store.errors import StoreUnavailable


class Shell:
    """The outermost ASGI application. `clock` gives microseconds since 1970."""

    def __init__(self, app: ASGIApp, clock: Callable[[], int]) -> None:
        self._app = app
        self._clock = clock
        self._chance = _chance()
        # Once: to look for its settings at every line, or to give it what it does not write, costs more.
        self._log = structlog.get_logger(__name__).bind()
        self._tells_all = self._log.is_enabled_for(logging.DEBUG)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # no websockets; the lifespan is the command's
        started = time.perf_counter()
        scope["app"] = self  # so that the router raises what it refuses, instead of answering in a shape of its own
        request_id = new_ulid(self._clock(), next(self._chance))
        answering = Answering(scope, send, (b"x-request-id", request_id.encode()))
        refusal: Refusal | None = None
        try:
            await self._app(scope, receive, answering)
        except Refusal as error:
            refusal = error
        except StoreUnavailable as error:
            self._log.error("store_unavailable", request_id=request_id, error=str(error))
            refusal = general(503, scope["path"])
        except HTTPException as error:
            refusal = general(error.status_code, scope["path"], **(error.headers or {}))
        except ClientDisconnect:
            self._log.info("client_gone", request_id=request_id)
            return
        except Exception:
            self._log.exception("request_failed", request_id=request_id)
            refusal = general(500, scope["path"])
        if refusal is not None and answering.status == 0:
            response = error_response(refusal, scope["path"], request_id)
            if not answering.whole(response):
                await response(scope, receive, answering)
        # What lasts as long as the client likes would say nothing of how quick the server is.
        seconds = time.perf_counter() - started - scope.get("roost.waited", 0.0)
        self._account(scope, answering.status, seconds, request_id)

    def _account(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        route = scope.get("roost.route", "none")
        REQUESTS.counts[route, status] += 1
        LATENCY.observe(route, seconds)
        if status < 400 and not self._tells_all:
            return
        write = self._log.debug if status < 400 else self._log.info if status < 500 else self._log.error
        # The route alone: a path or a query string holds phone numbers, headers hold credentials, bodies hold people's words.
        write(
            "request",
            request_id=request_id,
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1e3, 2),
        )


def _chance() -> Iterator[bytes]:
    """Random bytes for one id after the other, asked of the operating system for many at a time."""
    while True:
        pool = os.urandom(256 * ULID_RANDOM_BYTES)
        for at in range(0, len(pool), ULID_RANDOM_BYTES):
            yield pool[at : at + ULID_RANDOM_BYTES]
