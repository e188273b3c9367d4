"""Reads that the server holds back until there is something new (`wait=`), asked again for as long as one likes."""

import math
from collections.abc import Callable
from typing import TypeVar

from roost.client.drivers import Settings
from roost.client.errors import RoostError
from roost.client.flow import Answer, Flow, Pause, Request, answered, now
from roost.client.retry import is_passing

T = TypeVar("T")

#: The most seconds that the server holds a read back.
MAX_WAIT = 30
#: A server that will not wait (it is stopping, or too many wait already) is not asked more often than so.
_PAUSE_SECONDS = 1.0


def next_answer(request: Request, settings: Settings) -> Flow[Answer]:
    """The answer once there is something new, else after a while what it is then. A server that is away is waited for."""
    return answered(_waiting(request, MAX_WAIT, settings), settings.retry.persistent())


def rest(began: float, longest: float = _PAUSE_SECONDS) -> Flow[None]:
    """What to do between two answers without anything new: as a rule nothing, since the first was waited for."""
    passed = (yield from now()) - began
    if passed < _PAUSE_SECONDS:
        yield Pause(max(0.0, min(longest, _PAUSE_SECONDS - passed)))


def found(
    request: Request,
    read: Callable[[Answer], T | None],
    seconds: float,
    settings: Settings,
    *,
    takes: int | None = None,
) -> Flow[T | None]:
    """What `read` finds in an answer, once it finds something; None when it has not within so many seconds.

    A server that has answered once may be away for some of that time.
    """
    until = (yield from now()) + seconds
    has_answered, came = False, None
    while True:
        began = yield from now()
        wait = max(0, min(MAX_WAIT, math.ceil(until - began)))
        try:
            came = read((yield from answered(_waiting(request, wait, settings), settings.retry, takes=takes)))
            has_answered = True
        except RoostError as trouble:
            if not has_answered or not is_passing(trouble) or (yield from now()) >= until:
                raise
        left = until - (yield from now())
        if came is not None or left <= 0:
            return came
        yield from rest(began, left)


def _waiting(request: Request, seconds: int, settings: Settings) -> Request:
    if not seconds:
        return request
    params = (*request.params, ("wait", str(seconds)))
    return request._replace(params=params, timeout=settings.timeout + seconds)
