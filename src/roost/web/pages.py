"""Pages: templates that escape whatever they are given, the headers they go out with, and the files they need."""

import hashlib
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlsplit

import structlog
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from roost.api.errors import general, not_found
from roost.core.times import rfc3339_short
from roost.errors import Refusal
from roost.store.errors import StoreUnavailable
from roost.web import wording

ROOT = "/inbox"
#: Nothing inline, nothing from elsewhere, nothing framed: a text that became markup in spite of all would be dead.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Numbers are in the addresses. With `no-referrer` a form's Origin would be null, which is what it is known by.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cache-Control": "no-store",
}
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

log = structlog.get_logger(__name__)
Handler = Callable[[Request], Awaitable[Response]]


class SignInNeeded(Exception):
    """Whoever asks is not signed in, or is not any more."""


class Pages:
    """Renders templates. `public_url` may have a path of its own, below which a proxy shows us."""

    def __init__(self, public_url: str) -> None:
        self.prefix = urlsplit(public_url).path.rstrip("/")
        self._environment = Environment(
            loader=PackageLoader("roost.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(at=self.at, asset=self.asset, thread_at=self.thread_at)
        self._environment.globals.update(statuses=wording.STATUSES)
        self._environment.filters.update(number=wording.number, iso=rfc3339_short, utc=wording.utc)
        self._environment.filters.update(hue=wording.hue, initials=wording.initials)

    def at(self, path: str = "") -> str:
        """The address of a page of ours."""
        return f"{self.prefix}{ROOT}{path}"

    def thread_at(self, pair: tuple[str, str], what: str = "threads") -> str:
        """The address of the thread of a number and a contact, or of something else about the two."""
        return self.at("/".join(("", what, *(quote(each, safe="+") for each in pair))))

    def asset(self, name: str) -> str:
        """The address of a file of ours, another one whenever its content is."""
        return self.at(f"/assets/{name}?{_asset(name)[1]}")

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """A template as an answer."""
        html = self._environment.get_template(template).render(**values)
        return HTMLResponse(html, status, HEADERS)

    def to(self, address: str) -> Response:
        """Look there, whatever was sent here."""
        return RedirectResponse(address, 303, {"Cache-Control": "no-store"})

    def guarded(self, handler: Handler) -> Handler:
        """The handler, whose refusals are pages."""

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except SignInNeeded:
                return self.to(self.at("/sign-in"))
            except StoreUnavailable as error:
                log.error("store_unavailable", error=str(error))
                refusal = general(503, "")
            except Refusal as refused:
                refusal = refused
            lines = [f"{name} {text}" for name, text in (refusal.details or {}).items()] or [refusal.message]
            answered = self.page(
                "problem.html", refusal.status, title=wording.PROBLEMS.get(refusal.status), lines=lines
            )
            answered.headers.update(refusal.headers)
            return answered

        return answer

    async def serve_asset(self, request: Request) -> Response:
        """A file of ours; it needs no session, and has an address of its own for each content."""
        name = request.path_params["name"]
        if name not in _assets():
            raise not_found()
        content, _ = _asset(name)
        headers = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
        return Response(content, 200, headers, _TYPES[name.rpartition(".")[2]])


@cache
def _assets() -> frozenset[str]:
    return frozenset(file.name for file in files("roost.web").joinpath("assets").iterdir())


@cache
def _asset(name: str) -> tuple[bytes, str]:
    content = files("roost.web").joinpath("assets", name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:16]
