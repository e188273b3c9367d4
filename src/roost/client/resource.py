"""What all resources share: making a request of values, and reading answers and pages of them."""

import secrets
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from roost.client.calls import D, Driven
from roost.client.errors import BrokenAnswer
from roost.client.flow import Answer, Emit, Flow, Request, Walk, answered

T = TypeVar("T")

_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_making = threading.Lock()

Time = datetime | str
"""A time as the server wrote it, or a datetime that knows its zone."""


class Resource(Driven[D]):
    """A part of the API."""

    def _answer(self, request: Request) -> Flow[Answer]:
        return (yield from answered(request, self._driver.settings.retry))

    def _fetch(self, request: Request, kind: type[T]) -> Flow[T]:
        answer = yield from self._answer(request)
        return unwrapped(answer, kind)

    def _pages(self, request: Request, kind: type[T]) -> Walk[T]:
        """Every item of a list, page by page."""
        cursor: str | None = ""
        while cursor is not None:
            page = request._replace(params=(*request.params, ("cursor", cursor))) if cursor else request
            answer = yield from self._answer(page)
            items, cursor = read_page(answer, kind)
            for item in items:
                yield Emit(item)


class _List(msgspec.Struct):
    data: msgspec.Raw
    meta: dict[str, Any] = {}


def read_page(answer: Answer, kind: type[T]) -> tuple[list[T], str | None]:
    """The items of a list's answer, and the next page's cursor: from its `meta`, or where the documentation has a header."""
    page = decoded(answer.body, _List)
    cursor = page.meta.get("next_cursor") or answer.headers.get("x-next-cursor")
    return decoded(page.data, list[kind]), str(cursor) if cursor else None  # type: ignore[valid-type]


def unwrapped(answer: Answer, kind: type[T]) -> T:
    """The one object that an answer has, in its envelope or without one."""
    found = decoded(answer.body, dict[str, msgspec.Raw])
    body = found["data"] if "success" in found and "data" in found else answer.body
    return decoded(body, kind)


def decoded(body: bytes | msgspec.Raw, kind: type[T]) -> T:
    """JSON as `kind`. Raises BrokenAnswer, which says where it is not, and quotes nothing of it."""
    try:
        return _decoder(kind).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenAnswer(f"the answer is not what is documented: {error}") from None


def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Made by one thread at a time: two that ready the same type at once crash the process, with msgspec before 0.23."""
    if kind not in _decoders:
        with _making:
            _decoders.setdefault(kind, msgspec.json.Decoder(kind))
    return _decoders[kind]


def read(path: str, **params: Any) -> Request:
    """A GET; a parameter of None is left out."""
    return Request("GET", path, parameters(params), once=True)


def change(method: str, path: str, body: Mapping[str, Any] | None = None) -> Request:
    """A request that sets something, and does no more when it is repeated."""
    return Request(method, path, body=None if body is None else encoded(body), once=True)


def make(path: str, body: Mapping[str, Any], idempotency_key: str | None) -> Request:
    """A POST that makes something, once: with the caller's idempotency key, or one of its own."""
    key = idempotency_key or secrets.token_urlsafe(24)
    return Request("POST", path, body=encoded(body), headers=(("Idempotency-Key", key),), once=True)


def encoded(body: Mapping[str, Any]) -> bytes:
    """JSON, without what is None."""
    return msgspec.json.encode({name: value for name, value in body.items() if value is not None})


def parameters(params: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """As they are written in a query string. A trailing `_` is for names that Python keeps for itself."""
    return tuple((name.rstrip("_"), _written(value)) for name, value in params.items() if value is not None)


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return when(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else ",".join(value) if isinstance(value, Iterable) else str(value)


def when(value: Time) -> str:
    """A time on the wire, to the microsecond. Raises ValueError for one without a zone, which could be any time."""
    if isinstance(value, str):
        return value
    if value.tzinfo is None:
        raise ValueError("a datetime needs a time zone, such as datetime.now(UTC)")
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
