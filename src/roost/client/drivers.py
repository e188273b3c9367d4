"""The two drivers of flows: one blocks and one awaits. Nothing else of the client does any input or output."""

import time
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import aclosing, closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from roost import __version__
from roost.client.credentials import Credentials
from roost.client.errors import BrokenAnswer, ConnectionFailed, RoostError, TimedOut
from roost.client.flow import Answer, Emit, Exchange, Flow, Now, Open, Opened, Pause, Read, Request, Step, Walk
from roost.client.retry import Retry

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")
Item = TypeVar("Item")
S = TypeVar("S")

#: More than any answer of the server's; what never ends is not kept.
MAX_ANSWER_BYTES = 64 << 20


class Settings(NamedTuple):
    """What both drivers are made with. `timeout` is in seconds: to connect, and between any two bytes."""

    base_url: str
    credentials: Credentials
    timeout: float
    retry: Retry

    def options(self) -> dict[str, Any]:
        """Of the HTTP client. Redirects are not followed: the credential is for this server."""
        # As it is: what comes in small pieces must not wait for a decoder.
        headers = {"User-Agent": f"roost-python/{__version__}", "Accept-Encoding": "identity"}
        # Plain HTTP needs no certificates: to read every authority of the system takes longer than a request.
        return {"timeout": self.timeout, "headers": headers, "verify": self.base_url.startswith("https:")}

    def arguments(self, request: Request) -> dict[str, Any]:
        """Of the one request."""
        headers = {**dict(request.headers), **self.credentials.headers(request)}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        return {
            "method": request.method,
            "url": self.base_url + request.path,
            "params": request.params or None,
            "content": request.body,
            "headers": headers,
            "timeout": self.timeout if request.timeout is None else request.timeout,
        }


class _Body:
    """A body as it comes in; one that takes longer than it may, or too much room, is given up."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > MAX_ANSWER_BYTES:
            raise BrokenAnswer(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
        if time.monotonic() > self._until:
            raise TimedOut("the answer did not end in time")

    def whole(self) -> bytes:
        return b"".join(self._pieces)


class Blocking:
    """Runs flows in the caller's thread; several threads may share one."""

    def __init__(self, settings: Settings) -> None:
        import httpx2  # not with this module: whoever only looks at types or verifies a webhook needs no HTTP

        self.settings = settings
        self._http = httpx2.Client(**settings.options())

    def run(self, flow: Flow[T]) -> T:
        """The flow's result."""
        came: Any = None
        try:
            while True:
                came = self._come_of(_advance(flow, came))
        except StopIteration as done:
            return cast(T, done.value)

    def each(self, walk: Walk[Item]) -> Generator[Item, None, None]:
        """What the walk emits, one by one."""
        came, stream = None, None
        try:
            while True:
                step = _advance(walk, came)
                if isinstance(step, Emit):
                    came = None
                    yield step.item
                    continue
                if isinstance(step, Open) and stream is not None:
                    stream.handle.close()
                came = self._come_of(step)
                stream = came if isinstance(came, Opened) else stream
        except StopIteration:
            return
        finally:
            if stream is not None:
                stream.handle.close()

    def close(self) -> None:
        self._http.close()

    def _come_of(self, step: Step) -> Any:
        try:
            with _translated(self.settings.base_url):
                return self._do(step)
        except RoostError as error:
            return error

    def _do(self, step: Step) -> Any:
        match step:
            case Exchange(request):
                opened = self._open(request)
                with closing(opened.handle):
                    body = _Body(request.timeout or self.settings.timeout)
                    for piece in opened.handle:
                        body.add(piece)
                    return Answer(opened.status, opened.headers, body.whole())
            case Open(request):
                return self._open(request)
            case Read(opened):
                return next(opened.handle, b"")
            case Now():
                return time.monotonic()
            case Pause(seconds):
                return time.sleep(seconds)

    def _open(self, request: Request) -> Opened:
        if self._http.is_closed:
            raise RoostError("the client is closed")
        response = self._http.send(self._http.build_request(**self.settings.arguments(request)), stream=True)
        return Opened(response.status_code, response.headers, _pieces(response))


def _pieces(response: "httpx2.Response") -> Generator[bytes, None, None]:
    with closing(response):
        yield from response.iter_raw()


class Awaiting:
    """Runs flows in an event loop, asyncio's or trio's."""

    def __init__(self, settings: Settings) -> None:
        import httpx2

        self.settings = settings
        self._http = httpx2.AsyncClient(**settings.options())

    async def run(self, flow: Flow[T]) -> T:
        """The flow's result."""
        came: Any = None
        try:
            while True:
                came = await self._come_of(_advance(flow, came))
        except StopIteration as done:
            return cast(T, done.value)

    async def each(self, walk: Walk[Item]) -> AsyncGenerator[Item, None]:
        """What the walk emits, one by one."""
        came, stream = None, None
        try:
            while True:
                step = _advance(walk, came)
                if isinstance(step, Emit):
                    came = None
                    yield step.item
                    continue
                if isinstance(step, Open) and stream is not None:
                    await stream.handle.aclose()
                came = await self._come_of(step)
                stream = came if isinstance(came, Opened) else stream
        except StopIteration:
            return
        finally:
            if stream is not None:
                await stream.handle.aclose()

    async def close(self) -> None:
        await self._http.aclose()

    async def _come_of(self, step: Step) -> Any:
        try:
            with _translated(self.settings.base_url):
                return await self._do(step)
        except RoostError as error:
            return error

    async def _do(self, step: Step) -> Any:
        match step:
            case Exchange(request):
                opened = await self._open(request)
                async with aclosing(opened.handle):
                    body = _Body(request.timeout or self.settings.timeout)
                    async for piece in opened.handle:
                        body.add(piece)
                    return Answer(opened.status, opened.headers, body.whole())
            case Open(request):
                return await self._open(request)
            case Read(opened):
                return await anext(opened.handle, b"")
            case Now():
                return time.monotonic()
            case Pause(seconds):
                import anyio  # the HTTP client's own: sleeps in whichever loop this is

                return await anyio.sleep(seconds)

    async def _open(self, request: Request) -> Opened:
        if self._http.is_closed:
            raise RoostError("the client is closed")
        response = await self._http.send(self._http.build_request(**self.settings.arguments(request)), stream=True)
        return Opened(response.status_code, response.headers, _awaited_pieces(response))


async def _awaited_pieces(response: "httpx2.Response") -> AsyncGenerator[bytes, None]:
    async with aclosing(response):
        async for piece in response.aiter_raw():
            yield piece


def _advance(flow: Generator[S, Any, Any], came: Any) -> S:
    """The flow's next step. Raises StopIteration with its result."""
    return flow.throw(came) if isinstance(came, RoostError) else flow.send(came)


@contextmanager
def _translated(base_url: str) -> Iterator[None]:
    """The HTTP client's errors as ours; what is wrong with the request itself is no failed connection."""
    import httpx2

    try:
        yield
    except httpx2.TimeoutException as error:
        raise TimedOut(f"no answer from {base_url} in time ({type(error).__name__})") from error
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError) as error:
        raise RoostError(f"the request cannot be sent: {error}") from error
    except httpx2.TransportError as error:
        raise ConnectionFailed(f"no answer from {base_url}: {str(error) or type(error).__name__}") from error
