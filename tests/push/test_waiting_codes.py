"""`GET /v1/otp?wait=`: answered with the code that comes, or when the time is up."""

import time
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from support.reads import Reads

OTP = "/v1/otp"
GOOGLE, OTHER = "22000", "+15550001234"
CODE, NEXT = "G-482913 is your Google verification code.", "G-111111 is your Google verification code."


def code(answer: httpx.Response) -> str | None:
    """The code in the answer; None when there is none."""
    if answer.status_code == 404:
        assert answer.json()["error"]["code"] == "NOT_FOUND"
        return None
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["data"]["code"]
    return found


def number(reads: Reads) -> str:
    return f"to={quote(reads.tenant.number.number)}"


def test_a_code_answers_who_waits_for_it_and_other_texts_do_not(reads: Reads) -> None:
    asked = reads.begin(OTP, f"&{number(reads)}")
    from_google = reads.begin(OTP, f"&{number(reads)}&from={GOOGLE}")
    reads.hear("how are you?")
    reads.hear("order 777777 is on its way", GOOGLE)
    assert not asked.done()
    reads.hear("Acme: Your code is 333333", OTHER)
    assert code(asked.result(10)) == "333333"
    assert not from_google.done()
    reads.hear(CODE, GOOGLE)
    assert code(from_google.result(10)) == "482913"
    assert reads.waiting() == 0


def test_a_code_that_is_there_is_answered_at_once_and_one_that_is_known_is_not_new(reads: Reads) -> None:
    reads.hear(CODE, GOOGLE)
    found = reads.get(OTP, f"{number(reads)}&wait=30")
    assert code(found) == "482913"
    data = found.json()["data"]
    assert code(reads.get(OTP, f"{number(reads)}&wait=30&since={data['received_at']}")) == "482913", "inclusive"
    asked = reads.begin(OTP, f"&{number(reads)}&after={data['message_id']}")
    reads.hear(NEXT, GOOGLE)
    assert code(asked.result(10)) == "111111"


def test_a_blocked_senders_code_answers_nobody(reads: Reads) -> None:
    blocked = reads.house.http.post("/v1/blocked-senders", json={"sender": OTHER}, headers=reads.tenant.auth)
    assert blocked.status_code == 201
    asked = reads.pool.submit(reads.get, OTP, f"{number(reads)}&wait=1")
    while not reads.waiting():
        assert not asked.done()
    reads.hear("G-666666 is your Google verification code.", OTHER)
    assert code(asked.result(10)) is None


def test_the_time_is_up_however_many_other_texts_come(reads: Reads) -> None:
    began = time.monotonic()
    asked = reads.pool.submit(reads.get, OTP, f"{number(reads)}&wait=1")
    while not asked.done():
        reads.hear("how are you?")
    assert code(asked.result()) is None
    assert 0.9 < time.monotonic() - began < 10


def test_it_is_answered_at_once_when_the_server_is_told_to_stop(reads: Reads) -> None:
    asked = reads.begin(OTP, f"&{number(reads)}")

    async def stop() -> Any:
        reads.house.push.stop()

    reads.house.wait(stop())
    assert code(asked.result(10)) is None


@pytest.mark.parametrize("wait", ["31", "-1", "soon"])
def test_how_long_is_a_whole_number_of_seconds(reads: Reads, wait: str) -> None:
    answer = reads.get(OTP, f"{number(reads)}&wait={wait}")
    assert (answer.status_code, answer.json()["error"]["details"]) == (
        422,
        {"wait": "must be a whole number of seconds from 0 to 30"},
    )
