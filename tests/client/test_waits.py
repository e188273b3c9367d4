"""Waiting without a network: the flow is driven by hand, and time passes when a server holds an answer back or one pauses."""

from typing import Any

import pytest

from roost.client import ConnectionFailed, Retry, RoostError, Unauthorized
from roost.client.credentials import Credentials
from roost.client.drivers import Settings
from roost.client.errors import error_of
from roost.client.flow import Answer, Exchange, Now, Pause, Request
from roost.client.waits import found

READ = Request("GET", "/v1/inbound-messages", (("limit", "1"),), once=True)
SETTINGS = Settings("http://x", Credentials(), 20.0, Retry(times=1, first=0.0))


class Held:
    """An answer that the server holds back for so long, or as long as it was asked to."""

    def __init__(self, body: bytes = b"", seconds: float | None = None, status: int = 200) -> None:
        self.answer, self.seconds = Answer(status, {}, body), seconds


def driven(seconds: float, *came: Held | RoostError) -> tuple[Any, list[int], list[float]]:
    """What was found or raised; for how long each request asked to wait, and how long each pause was."""
    flow = found(READ, lambda answer: answer.body or None, seconds, SETTINGS)
    clock, coming, asked, pauses = 0.0, iter(came), [], []
    sent: Any = None
    try:
        while True:
            step = flow.throw(sent) if isinstance(sent, RoostError) else flow.send(sent)
            sent = None
            match step:
                case Now():
                    sent = clock
                case Pause(paused):
                    pauses.append(paused)
                    clock += paused
                case Exchange(request):
                    wait = int(dict(request.params).get("wait", "0"))
                    assert request.timeout == (20.0 + wait if wait else None), (
                        "an answer may come as late as it was asked to"
                    )
                    asked.append(wait)
                    what = next(coming)
                    if isinstance(what, RoostError):
                        sent = what
                    else:
                        clock += wait if what.seconds is None else what.seconds
                        sent = what.answer
    except StopIteration as done:
        return done.value, asked, pauses
    except RoostError as error:
        return error, asked, pauses


def test_what_is_there_is_found_at_once() -> None:
    assert driven(60, Held(b"x", 0.0)) == (b"x", [30], [])


def test_a_long_wait_is_several_and_no_longer_than_it_should_be() -> None:
    assert driven(70, Held(), Held(), Held()) == (None, [30, 30, 10], [])
    assert driven(70, Held(), Held(b"x", 7.0)) == (b"x", [30, 30], [])
    assert driven(31.5, Held(), Held(seconds=1.5)) == (None, [30, 2], [])


def test_no_time_at_all_is_one_question() -> None:
    assert driven(0, Held()) == (None, [0], [])
    assert driven(-1, Held()) == (None, [0], [])


def test_a_server_that_will_not_wait_is_asked_once_a_second() -> None:
    assert driven(3, *[Held(seconds=0.25)] * 4) == (None, [3, 2, 1, 0], [0.75] * 3)


@pytest.mark.parametrize("trouble", [ConnectionFailed("no answer"), error_of(503, {}, b"")])
def test_a_server_may_go_away_once_it_has_answered(trouble: RoostError) -> None:
    away = [trouble] * 4
    assert driven(60, Held(seconds=10.0), *away, Held(b"x", 0.0)) == (b"x", [30] * 6, [0.0, 1.0, 0.0, 1.0])
    assert driven(12, Held(seconds=10.0), *away, *away) == (trouble, [12, 2, 2, 1, 1, 0, 0], [0.0, 1.0, 0.0, 1.0, 0.0])


@pytest.mark.parametrize("trouble", [ConnectionFailed("no answer"), error_of(401, {}, b"")])
def test_what_will_not_pass_is_told_at_once_and_so_is_a_server_that_was_never_there(trouble: RoostError) -> None:
    result, asked, _ = driven(60, trouble, trouble)
    assert (result, len(asked)) == (trouble, 1 if isinstance(trouble, Unauthorized) else 2)
