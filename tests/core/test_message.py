"""What is decided about a text from the text alone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.message import MAX_INDEXED, Draft, InboundEvent, UnknownEvent, carrier_key, draft


def event(**changes: Any) -> InboundEvent:
    base = InboundEvent("id-1", "+15554443333", ("+15551112222",), "Hello", b"{}")
    return base._replace(**changes)


def drafted(**changes: Any) -> Draft:
    made = draft(event(**changes))
    assert isinstance(made, Draft)
    return made


@pytest.mark.parametrize(
    ("changes", "channel", "segment_count"),
    [
        ({}, "sms", 1),
        ({"body": "x" * 161}, "sms", 2),
        ({"body": "x" * 161, "segment_count": 3}, "sms", 3),  # the carrier's count is what it bills
        ({"segment_count": 0}, "sms", 1),
        ({"segment_count": 5000}, "sms", 1),
        ({"media": ("https://example.com/a.jpg",)}, "mms", 1),
        ({"media": ("https://example.com/a.jpg",), "segment_count": 7}, "mms", 1),
        ({"recipients": ("+15551112222", "+15551113333")}, "mms", 1),
        ({"recipients": ("+15551112222",)}, "sms", 1),
        ({"body": ""}, "sms", 1),
    ],
)
def test_media_or_several_recipients_make_an_mms(changes: dict[str, Any], channel: str, segment_count: int) -> None:
    made = drafted(**changes)
    assert (made.channel, made.segment_count) == (channel, segment_count)


@pytest.mark.parametrize(
    ("body", "keyword", "suspected"),
    [
        ("STOP", "STOP", False),
        ("stop all", "STOPALL", False),
        ("START", None, False),
        ("HELP", None, False),
        ("please stop texting me", None, True),
        ("Don't stop", None, False),
    ],
)
def test_an_opt_out_is_detected_and_a_request_is_suspected(body: str, keyword: str | None, suspected: bool) -> None:
    made = drafted(body=body)
    assert (made.opt_out_keyword, made.suspected) == (keyword, suspected)


def test_what_no_database_can_keep_is_replaced_and_the_raw_payload_is_not() -> None:
    made = drafted(body="a\x00b\ud800c", from_number="SUP\x00PORT", raw=b"exact \x00")
    assert (made.body, made.from_number, made.raw) == ("a\ufffdb\ufffdc", "SUP\ufffdPORT", b"exact \x00")


@pytest.mark.parametrize("sender", ["", "x" * (MAX_INDEXED + 1)])
def test_a_sender_that_cannot_be_indexed_is_kept_for_an_operator(sender: str) -> None:
    assert draft(event(from_number=sender)) == UnknownEvent("malformed_sender", b"{}")


def test_a_missing_carrier_id_is_never_equal_to_another_missing_one() -> None:
    assert carrier_key("", b"one") != carrier_key("", b"two")
    assert carrier_key("", b"one") == carrier_key("", b"one"), "but the same bytes again are a replay"
    assert len(carrier_key("x" * 10_000, b"")) <= MAX_INDEXED


@given(st.text(st.characters(codec=None), max_size=200), st.text(st.characters(codec=None), max_size=300))
def test_no_text_fails_and_all_of_it_can_be_stored(body: str, sender: str) -> None:
    made = draft(event(body=body, from_number=sender, carrier_message_id=sender))
    kept = (made.body, made.from_number, made.carrier_message_id) if isinstance(made, Draft) else (made.reason,)
    for text in kept:
        assert "\x00" not in text
        text.encode()
