"""What the client does, described without doing any of it.

A flow is a generator of steps: it yields what is to be done next and is sent what came of it. So every call, walk, wait and
stream is written once, and runs under two small drivers: one that blocks and one that awaits.
"""

from collections.abc import Generator, Mapping
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from roost.client.errors import RoostError, error_of
from roost.client.retry import Retry

T = TypeVar("T")
Item = TypeVar("Item")

Who = Literal["key", "agent"]


class Request(NamedTuple):
    """One request, without the server's address and the caller's credential, which the driver adds.

    `body` is JSON. `once` says that the server does it once however often it is sent: reads, and what has an idempotency key.
    """

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    who: Who = "key"
    once: bool = False
    timeout: float | None = None
    """Seconds, in place of the client's own."""


class Answer(NamedTuple):
    """What came back, whatever the status; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Exchange(NamedTuple):
    """Send the request: an Answer, or ConnectionFailed is thrown in."""

    request: Request


class Pause(NamedTuple):
    """Let so many seconds pass."""

    seconds: float


class Now(NamedTuple):
    """Tell the time, in seconds of a clock that never goes back."""


class Open(NamedTuple):
    """Send the request and leave its answer open, one at a time: an Opened, or ConnectionFailed is thrown in."""

    request: Request


class Opened(NamedTuple):
    """An answer whose body is still to come; `handle` is the driver's own."""

    status: int
    headers: Mapping[str, str]
    handle: Any


class Read(NamedTuple):
    """The next bytes of an open answer, empty at its end, or ConnectionFailed is thrown in."""

    opened: Opened


class Emit(NamedTuple, Generic[Item]):
    """Hand this to whoever iterates."""

    item: Item


Step = Exchange | Pause | Now | Open | Read
Flow = Generator[Step, Any, T]
Walk = Generator[Step | Emit[Item], Any, None]


def answered(request: Request, retry: Retry, *, takes: int | None = None) -> Flow[Answer]:
    """The success of a request (or the status that it `takes` as one), tried again where that is safe. Raises RoostError."""
    tried = 0
    while True:
        try:
            answer: Answer = yield Exchange(request)
            if answer.status < 400 or answer.status == takes:
                return answer
            trouble: RoostError = error_of(answer.status, answer.headers, answer.body)
        except RoostError as error:
            trouble = error
        wait = retry.wait(tried, trouble, once=request.once)
        if wait is None:
            raise trouble
        yield Pause(wait)
        tried += 1


def now() -> Flow[float]:
    """The time in seconds, of a clock that never goes back."""
    seconds: float = yield Now()
    return seconds
