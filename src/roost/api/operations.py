"""The routes for whoever runs the server: health, metrics, and the API's own description."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from roost.api.http import json_response
from roost.api.reference import reference_page
from roost.api.routes import Answer, Route
from roost.store.base import Store


class Health(msgspec.Struct):
    status: Literal["ok"]


class Readiness(msgspec.Struct):
    status: Literal["ready", "not_ready"]


class Operations:
    """Handlers; `document` gives the OpenAPI document, which describes these routes too, `llms` the page for models.

    `scrape` gives the metrics as Prometheus reads them.
    """

    def __init__(
        self,
        store: Store,
        document: Callable[[], dict[str, object]],
        llms: Callable[[], str],
        scrape: Callable[[], Awaitable[bytes]],
    ) -> None:
        self._store = store
        self._scrape = scrape
        self._document = document
        self._llms = llms

    async def healthz(self, request: Request) -> Response:
        return json_response(Health("ok"))

    async def readyz(self, request: Request) -> Response:
        ready = await self._store.migrated()
        response = json_response(Readiness("ready" if ready else "not_ready"))
        response.status_code = 200 if ready else 503
        return response

    async def metrics(self, request: Request) -> Response:
        return Response(await self._scrape(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def openapi(self, request: Request) -> Response:
        return json_response(self._document())

    async def llms(self, request: Request) -> Response:
        return PlainTextResponse(self._llms())

    async def docs(self, request: Request) -> Response:
        policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
        return HTMLResponse(reference_page(self._document()), headers={"Content-Security-Policy": policy})

    def routes(self) -> Sequence[Route]:
        tag = "Operations"
        not_ready = Answer(503, "The database is out of reach, or its schema is not this version's", Readiness)
        return (
            Route("GET", "/healthz", self.healthz, tag, "Whether the process answers",
                  "Never asks the database.", [Answer(200, "It does", Health)]),
            Route("GET", "/readyz", self.readyz, tag, "Whether it can do its work",
                  "The database is reachable and its migrations are current.",
                  [Answer(200, "It can", Readiness), not_ready]),
            Route("GET", "/metrics", self.metrics, tag, "Metrics for Prometheus",
                  "Counters and times of this process, or of all that serve together.",
                  [Answer(200, "The metrics", "text/plain")]),
            Route("GET", "/openapi.json", self.openapi, tag, "This document",
                  "OpenAPI 3.1.", [Answer(200, "The document", "application/json")]),
            Route("GET", "/llms.txt", self.llms, tag, "How to use this, for language models",
                  "One short page (https://llmstxt.org).", [Answer(200, "The page", "text/plain")]),
            Route("GET", "/docs", self.docs, tag, "This document, for people",
                  "One page, nothing loaded from elsewhere.", [Answer(200, "The page", "text/html")]),
        )  # fmt: skip
