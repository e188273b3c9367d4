"""What the messages of one request come to, and which numbers nobody texts."""

import pytest

from roost.core.agent_request import Recipient, parse_request_id, public_request_id, tally
from roost.core.emergency import is_emergency
from roost.core.outbound import Status

REQUEST_ID = "01a2012b-128a-718c-9974-bf98b4b21e1f"


@pytest.mark.parametrize(
    ("statuses", "status", "outcome", "sent", "delivered", "failed"),
    [
        (["queued"], "processing", "in_progress", 0, 0, 0),
        (["sending"], "processing", "in_progress", 0, 0, 0),
        (["sent"], "completed", "all_sent", 1, 0, 0),
        (["delivered"], "completed", "all_delivered", 1, 1, 0),
        (["undelivered"], "failed", "all_failed", 0, 0, 1),
        (["failed", "failed"], "failed", "all_failed", 0, 0, 2),
        (["failed", "queued"], "processing", "in_progress", 0, 0, 1),
        (["sent", "delivered"], "completed", "all_sent", 2, 1, 0),
        (["delivered", "delivered"], "completed", "all_delivered", 2, 2, 0),
        (["delivered", "failed"], "completed", "partially_sent", 1, 1, 1),
        (["sent", "undelivered", "queued"], "processing", "in_progress", 1, 0, 1),
    ],
)
def test_a_request_is_settled_when_nothing_waits_to_be_handed_over(
    statuses: list[Status], status: str, outcome: str, sent: int, delivered: int, failed: int
) -> None:
    counts = tally([Recipient("+15554443333", "+14151234567", None, each) for each in statuses])
    assert (counts.status, counts.outcome) == (status, outcome)
    assert counts == (len(statuses), sent, delivered, failed)


def test_a_requests_id_goes_both_ways() -> None:
    shown = public_request_id(REQUEST_ID)
    assert shown.startswith("req_")
    assert parse_request_id(shown) == REQUEST_ID


@pytest.mark.parametrize("text", ["", "req_", "req_1", "msg_01M80JP4MAE669JX5ZK2TB47GZ", "01M80JP4MAE669JX5ZK2TB47GZ"])
def test_what_is_no_requests_id_is_none(text: str) -> None:
    assert parse_request_id(text) is None


@pytest.mark.parametrize(
    "number", ["911", "112", "999", "988", "+911", "+1911", "+1 (911)", "9-1-1", "+44999", "+353112"]
)
def test_an_emergency_number_is_known_however_it_is_written(number: str) -> None:
    assert is_emergency(number)


@pytest.mark.parametrize(
    "number", ["", "+", "5", "91", "912", "68911", "1911112", "+15554443911", "+2901911", "SUPPORT", "+1555"]
)
def test_other_numbers_are_none(number: str) -> None:
    assert not is_emergency(number)
