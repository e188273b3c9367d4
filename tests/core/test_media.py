"""What is decided about media: when they are tried again, what their URLs say, and which part is asked for."""

from typing import Any

import pytest

from roost.core.ids import uuid7
from roost.core.media import FINAL, KEPT_US, REASONS, SECOND_US, SENDING_US, next_fetch, uploads_in
from roost.core.media_urls import MESSAGE, UPLOAD, MediaUrls
from roost.core.ranges import byte_range

AT = 1_790_000_000 * SECOND_US
ORG, MESSAGE_ID = uuid7(AT - 5, 1), uuid7(AT, 2)
URLS = MediaUrls("https://texts.example.com/roost", b"k" * 32)


def _waits(reason: str) -> list[float]:
    """Seconds between the tries, until it is given up."""
    waits: list[float] = []
    now = AT
    while (at := next_fetch(reason, len(waits) + 1, AT, now, None, 0)) is not None:
        waits.append((at - now) / SECOND_US)
        now = at
    return waits


def test_what_is_not_there_yet_is_tried_for_some_minutes_and_given_up() -> None:
    assert _waits("not_found") == [2, 5, 15, 60, 300, 900]


def test_a_server_that_is_away_is_tried_for_a_day_or_so() -> None:
    waits = _waits("unreachable")
    assert waits[:6] == [2, 5, 15, 60, 300, 900]
    assert 20 * 3600 < sum(waits) < 48 * 3600


@pytest.mark.parametrize("reason", sorted(FINAL))
def test_what_does_not_get_better_is_not_tried_again(reason: str) -> None:
    assert _waits(reason) == []
    assert reason in REASONS


def test_a_server_that_asks_to_wait_is_waited_for_but_not_for_ever() -> None:
    assert next_fetch("carrier_failed", 1, AT, AT, 30, 0) == AT + 30 * SECOND_US
    assert next_fetch("carrier_failed", 1, AT, AT, 999_999, 0) == AT + 3600 * SECOND_US
    assert next_fetch("carrier_failed", 1, AT, AT + 48 * 3600 * SECOND_US, None, 0) is None


def test_chance_spreads_what_failed_together() -> None:
    assert next_fetch("unreachable", 1, AT, AT, None, 1.0) == AT + 2_500_000


def test_a_url_says_which_medium_and_until_when_and_is_the_same_every_time() -> None:
    shown = URLS.of(ORG, MESSAGE_ID, ["https://carrier.example/1", "https://carrier.example/2"])
    assert shown == URLS.of(ORG, MESSAGE_ID, ["a", "b"])
    for nth, url in enumerate(shown):
        assert url.startswith("https://texts.example.com/roost/media/")
        read = URLS.read(url.rpartition("/")[2], MESSAGE)
        assert read == (MESSAGE, ORG, MESSAGE_ID, nth, AT + KEPT_US)


def test_an_outbound_message_shows_what_it_was_given_and_ours_for_what_was_uploaded() -> None:
    media = ["https://example.com/cat.png", f"upload:{ORG}"]
    given, ours = URLS.outbound(ORG, MESSAGE_ID, media)
    assert given == "https://example.com/cat.png"
    assert URLS.read(ours.rpartition("/")[2], MESSAGE)
    assert uploads_in(media) == {1: ORG}


def test_what_a_carrier_is_given_is_good_as_long_as_its_queue_may_take() -> None:
    late = AT + 30 * 24 * 3600 * SECOND_US
    (url,) = URLS.to_fetch(ORG, MESSAGE_ID, [f"upload:{ORG}"], late)
    read = URLS.read(url.rpartition("/")[2], MESSAGE)
    assert read is not None and read.expires_at == late + SENDING_US


def test_a_token_that_is_not_ours_to_the_bit_says_nothing() -> None:
    token = URLS.of(ORG, MESSAGE_ID, ["a"])[0].rpartition("/")[2]
    for at in range(len(token)):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        assert URLS.read(changed, MESSAGE) is None, at
    for other in ("", "x", token[:-1], token + "A", token + "=", token.replace("-", "+"), "../../etc/passwd", "é" * 78):
        assert other == token or URLS.read(other, MESSAGE) is None
    assert URLS.read(token, UPLOAD) is None, "good for one thing only"
    assert MediaUrls("https://texts.example.com", b"j" * 32).read(token, MESSAGE) is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None), ("bytes=0-0", (0, 1)), ("bytes=0-", (0, 10)), ("bytes=3-5", (3, 6)), ("bytes=9-100", (9, 10)),
        ("bytes=-3", (7, 10)), ("bytes=-100", (0, 10)), ("BYTES=1-2", (1, 3)), ("bytes= 1-2 ", (1, 3)),
        ("bytes=10-", "unsatisfiable"), ("bytes=-0", "unsatisfiable"), ("bytes=99-100", "unsatisfiable"),
        ("bytes=5-3", None), ("bytes=0-1,3-4", None), ("items=0-1", None), ("bytes=a-b", None), ("bytes=-", None),
        ("bytes=" + "9" * 40 + "-", None), ("", None),
    ],
)  # fmt: skip
def test_a_range_is_read_as_the_rfc_says(header: str | None, expected: Any) -> None:
    assert byte_range(header, 10) == expected
