"""When a request is sent again, without a network: the flow is driven by hand."""

from itertools import pairwise
from typing import Any

import pytest

from roost.client import ConnectionFailed, Retry, RoostError, TimedOut
from roost.client.errors import error_of
from roost.client.flow import Answer, Exchange, Pause, Request, answered

SURE = Retry(chance=lambda: 1.0)
READ = Request("GET", "/v1/messages", once=True)
GOOD = Answer(200, {}, b"{}")


def refusal(status: int, retry_after: str | None = None) -> Answer:
    return Answer(status, {} if retry_after is None else {"retry-after": retry_after}, b"")


def driven(request: Request, *came: Any, retry: Retry = SURE) -> tuple[Any, list[float], int]:
    """The flow's result or error when this came of its exchanges; how long it paused each time, and how many it made."""
    flow = answered(request, retry)
    coming, pauses = iter(came), []
    made = 0
    step = next(flow)
    try:
        while True:
            if isinstance(step, Pause):
                pauses.append(step.seconds)
                step = flow.send(None)
            else:
                assert step == Exchange(request)
                made += 1
                what = next(coming)
                step = flow.throw(what) if isinstance(what, RoostError) else flow.send(what)
    except StopIteration as done:
        return done.value, pauses, made
    except RoostError as error:
        return error, pauses, made


def test_a_success_is_the_end() -> None:
    assert driven(READ, GOOD) == (GOOD, [], 1)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_is_said_of_the_moment_is_tried_again(status: int) -> None:
    assert driven(READ, refusal(status), refusal(status), GOOD) == (GOOD, [0.25, 0.5], 3)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 410, 413, 422, 453, 501])
def test_what_is_said_of_the_request_is_not(status: int) -> None:
    error, pauses, made = driven(READ, refusal(status))
    assert (error.status, pauses, made) == (status, [], 1)


@pytest.mark.parametrize("trouble", [ConnectionFailed("no answer"), TimedOut("no answer in time")])
def test_a_connection_that_failed_is_tried_again(trouble: RoostError) -> None:
    assert driven(READ, trouble, GOOD) == (GOOD, [0.25], 2)


def test_it_ends_with_the_last_trouble() -> None:
    error, pauses, made = driven(READ, *[ConnectionFailed("no answer")] * 4, refusal(503))
    assert (error.status, pauses, made) == (503, [0.25, 0.5, 1.0, 2.0], 5)


@pytest.mark.parametrize("came", [refusal(503), ConnectionFailed("no answer"), refusal(429, "1")])
def test_what_the_server_would_do_twice_is_sent_once(came: Any) -> None:
    error, pauses, made = driven(READ._replace(method="POST", once=False), came)
    assert isinstance(error, RoostError)
    assert (pauses, made) == ([], 1)


def test_the_server_says_how_long() -> None:
    assert driven(READ, refusal(429, "7"), GOOD) == (GOOD, [7.25], 2), "and all who were told so come a little apart"
    assert driven(READ, refusal(409, "1"), GOOD)[1] == [1.25], "the first with the same key is still running"


def test_who_is_told_to_wait_too_long_is_told_so() -> None:
    error, pauses, made = driven(READ, refusal(429, "3600"))
    assert (error.status, error.retry_after, pauses, made) == (429, 3600, [], 1)


def test_a_follower_waits_however_long_and_often() -> None:
    trouble = [refusal(429, "3600"), *[ConnectionFailed("no answer")] * 100]
    answer, pauses, made = driven(READ, *trouble, GOOD, retry=SURE.persistent())
    assert (answer, made) == (GOOD, 102)
    assert pauses[0] == 3600.25
    assert max(pauses[1:]) == SURE.longest


def test_waits_are_random_below_a_bound_that_doubles_up_to_the_longest() -> None:
    bounds = [SURE.backoff(tried) for tried in range(2000)]
    assert bounds[:3] == [0.25, 0.5, 1.0]
    assert all(before <= after for before, after in pairwise(bounds))
    assert bounds[-1] == SURE.longest
    assert Retry(chance=lambda: 0.0).backoff(7) == 0.0
    assert 0 <= Retry().backoff(3) <= 2


BODIES = [
    (
        b'{"success":false,"error":{"code":"NOT_FOUND","message":"not found","request_id":"01J"}}',
        ("NOT_FOUND", "not found", "01J", {}),
    ),
    (
        b'{"success":false,"error":{"code":"VALIDATION_FAILED","message":"validation failed","request_id":"01J",'
        b'"details":{"to":"must be E.164"}}}',
        ("VALIDATION_FAILED", "validation failed", "01J", {"to": "must be E.164"}),
    ),
    (b'{"error":"not_found","message":"Message not found."}', ("not_found", "Message not found.", "header", {})),
    (b'{"error":"invalid_proof","reason":"expired","message":"Sign."}', ("invalid_proof", "Sign.", "header", {})),
    *(
        (body, (None, "the server answered 418", "header", {}))
        for body in (b"", b"<html>Bad Gateway</html>", b"[]", b"null", b'{"error":7}', b"\xff\xfe", b"[" * 100_000,
                     b'{"error":{"code":7}}')
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), BODIES)
def test_an_error_is_what_the_body_says_in_either_dialect_and_any_body_is_survived(body: bytes, expected: Any) -> None:
    error = error_of(418, {"x-request-id": "header"}, body)
    assert (error.code, error.message, error.request_id, dict(error.details)) == expected
    assert error.status == 418
    for name, text in error.details.items():
        assert f"{name} {text}" in str(error)


def test_dialect_bs_word_for_missing_consent_is_the_same_error() -> None:
    assert type(error_of(403, {}, b'{"error":"consent_required","message":"x"}')) is type(error_of(453, {}, b""))


@pytest.mark.parametrize("text", ["", "-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 400, "１"])
def test_a_retry_after_that_is_no_number_of_seconds_is_none(text: str) -> None:
    assert error_of(429, {"retry-after": text}, b"").retry_after is None
