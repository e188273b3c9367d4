"""Serving media under their signed URLs. What strangers sent is never given to a browser to run."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from roost.api.answers import AgentMessageError
from roost.api.errors import not_found
from roost.api.routes import Answer, Parameter, Route
from roost.core.media import REASONS
from roost.core.media_urls import MESSAGE, MediaUrls
from roost.core.ranges import byte_range
from roost.core.sniffing import KINDS, UNKNOWN
from roost.errors import Refusal
from roost.store.base import Store
from roost.store.media import Medium, find_medium
from roost.store.media_objects import Content
from roost.store.objects import ObjectMissing, Objects, ObjectsUnavailable

TAG = "Media"
_RETRY_SECONDS = "2"


class MediaRoutes:
    """The handler over one store and the place where content is."""

    def __init__(self, store: Store, objects: Objects, urls: MediaUrls) -> None:
        self._store = store
        self._objects = objects
        self._urls = urls

    async def get(self, request: Request) -> Response:
        reference = self._urls.read(request.path_params["token"], MESSAGE)
        if reference is None:
            raise not_found()
        if reference.expires_at <= self._store.clock():
            raise Refusal(410, "GONE", "media are had for 7 days")
        medium = await find_medium(self._store, reference.org_id, reference.id, reference.nth)
        if medium is None or medium.object_id is None or medium.content is None:
            _refuse(medium)
        content, headers = medium.content, _headers(medium.content, reference.nth)
        if _matches(request.headers.get("if-none-match"), headers["ETag"]):
            return Response(None, 304, {name: headers[name] for name in ("ETag", "Cache-Control")})
        if request.method == "HEAD":
            return _Head(headers | {"Content-Length": str(content.byte_size)})
        wanted = byte_range(_applicable_range(request.headers, headers["ETag"]), content.byte_size)
        if wanted == "unsatisfiable":
            said = {"Content-Range": f"bytes */{content.byte_size}"}
            raise Refusal(416, "RANGE_NOT_SATISFIABLE", "the range begins after the end", headers=said)
        start, end = wanted or (0, content.byte_size)
        headers["Content-Length"] = str(end - start)
        if wanted is not None:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{content.byte_size}"
        try:
            pieces = await self._objects.get(reference.org_id, medium.object_id, start, end)
        except ObjectMissing:
            raise Refusal(404, "NOT_FOUND", "its content is not where this server keeps media") from None
        except ObjectsUnavailable:
            raise _wait("the place where media are kept cannot be reached now") from None
        return StreamingResponse(pieces, 200 if wanted is None else 206, headers)

    def routes(self) -> Sequence[Route]:
        """The route; HEAD is answered like GET."""
        refused = [
            Answer(
                404, "No such URL was made here, or the medium cannot be had: the message says why", AgentMessageError
            ),
            Answer(410, "It has run out after 7 days, or its message was erased", AgentMessageError),
            Answer(416, "The range begins after the end", AgentMessageError, ("Content-Range",)),
            Answer(503, "It is still being copied; ask again", AgentMessageError, ("Retry-After",)),
        ]
        return (
            Route(
                "GET", "/media/{token}", self.get, TAG, "Get a medium", _TEXT,
                [
                    Answer(200, "The content", "application/octet-stream", _SAID),
                    Answer(206, "The part of it that was asked for", "application/octet-stream", (*_SAID, "Content-Range")),
                    Answer(304, "It is still the same", None, ("ETag",)),
                    *refused,
                ],
                [
                    Parameter("token", "path", {"type": "string"}, "Which medium, until when, and a signature."),
                    Parameter("Range", "header", {"type": "string"}, "One range of bytes (RFC 9110, section 14)."),
                    Parameter("If-Range", "header", {"type": "string"}, "The `ETag` that the range is good for."),
                    Parameter("If-None-Match", "header", {"type": "string"}, "An `ETag` that is there already."),
                ],
            ),
        )  # fmt: skip


class _Head(Response):
    """A HEAD's answer, whose length is of what GET would send."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__(None, 200, headers)
        self.raw_headers = [(name, value) for name, value in self.raw_headers if value != b"0"]


def _refuse(medium: Medium | None) -> NoReturn:
    if medium is None:
        raise Refusal(410, "GONE", "the medium is not kept any more")
    if medium.state == "failed":
        raise Refusal(404, "NOT_FOUND", f"the medium cannot be had: {REASONS.get(medium.reason or '', 'it failed')}")
    raise _wait("the medium is still being copied")


def _wait(message: str) -> Refusal:
    return Refusal(503, "UNAVAILABLE", message, headers={"Retry-After": _RETRY_SECONDS})


def _headers(content: Content, nth: int) -> dict[str, str]:
    """Nothing of it runs, whatever it is and whoever is deceived about it."""
    kind = KINDS.get(content.content_type, KINDS[UNKNOWN])
    how = "inline" if kind.inline else "attachment"
    return {
        "Content-Type": content.content_type if content.content_type in KINDS else UNKNOWN,
        "Content-Disposition": f'{how}; filename="medium-{nth + 1}.{kind.extension}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Referrer-Policy": "no-referrer",
        "Accept-Ranges": "bytes",
        "ETag": f'"{content.sha256.hex()}"',
        # It may be erased at any time.
        "Cache-Control": "private, no-cache",
    }


def _matches(header: str | None, etag: str) -> bool:
    """If-None-Match (RFC 9110, section 13.1.2), compared weakly."""
    given = [each.strip().removeprefix("W/") for each in header.split(",")] if header else []
    return etag in given or "*" in given


def _applicable_range(headers: Mapping[str, str], etag: str) -> str | None:
    """A range is good for the content that If-Range names (RFC 9110, section 13.1.5); a date we do not know."""
    condition = headers.get("if-range")
    return headers.get("range") if condition is None or condition.strip() == etag else None


_SAID = (
    "Content-Disposition", "X-Content-Type-Options", "Content-Security-Policy", "Accept-Ranges", "ETag", "Cache-Control",
)  # fmt: skip
_TEXT = """What an MMS carried, under the URL that `media_urls` has. It needs no credential: whoever has the URL may read, for 7
days after the message. Pictures, sound and film are shown; everything else, such as HTML, SVG, XML and PDF, is an attachment. The
type is read from the content."""
