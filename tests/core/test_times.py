"""Instants on the wire: RFC 3339 both ways, to the microsecond."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.times import parse_any_instant, parse_instant, rfc3339, rfc3339_short

NOON = int(datetime(2026, 4, 26, 12, 1, tzinfo=UTC).timestamp()) * 1_000_000


@given(st.integers(0, 253_402_300_799_999_999))
def test_what_is_written_is_read_back_to_the_microsecond(us: int) -> None:
    assert parse_instant(rfc3339(us)) == (us, True)
    assert parse_instant(rfc3339_short(us)) == (us, True)


@pytest.mark.parametrize(
    ("us", "full", "short"),
    [
        (NOON, "2026-04-26T12:01:00.000000Z", "2026-04-26T12:01:00Z"),
        (NOON + 123_000, "2026-04-26T12:01:00.123000Z", "2026-04-26T12:01:00.123Z"),
        (NOON + 1, "2026-04-26T12:01:00.000001Z", "2026-04-26T12:01:00.000001Z"),
        (0, "1970-01-01T00:00:00.000000Z", "1970-01-01T00:00:00Z"),
    ],
)
def test_received_times_carry_six_digits_and_carriers_times_no_more_than_they_need(
    us: int, full: str, short: str
) -> None:
    assert (rfc3339(us), rfc3339_short(us)) == (full, short)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-04-26T12:01:00Z", (NOON, True)),
        ("2026-04-26t12:01:00z", (NOON, True)),
        ("2026-04-26 12:01:00Z", (NOON, True)),
        ("2026-04-26T14:01:00+02:00", (NOON, True)),
        ("2026-04-26T14:01:00 02:00", (NOON, True)),  # a "+" that was not escaped in a query string
        ("2026-04-26T06:31:00-05:30", (NOON, True)),
        ("2026-04-26T12:01:00.1Z", (NOON + 100_000, True)),
        ("2026-04-26T12:01:00.1234560000Z", (NOON + 123_456, True)),
        ("2026-04-26T12:01:00.1234561Z", (NOON + 123_456, False)),
        ("2016-12-31T23:59:60Z", (1_483_228_800_000_000, True)),  # a leap second
    ],
)
def test_rfc_3339_is_read_strictly(text: str, expected: tuple[int, bool]) -> None:
    assert parse_instant(text) == expected
    assert parse_any_instant(text) == expected[0]


@pytest.mark.parametrize(
    ("text", "us"),
    [("2026-04-26", NOON - 43_260_000_000), ("2026-04-26T12:01", NOON), ("2026-04-26T12:01:00", NOON)]
    + [("2026-04-26T12:01:00.5", NOON + 500_000), ("2026-04-26T14:01:00+0200", NOON), ("2026-04-26T14:01:00+02", NOON)],
)
def test_scripts_times_without_a_zone_or_a_clock_are_read_leniently_as_utc(text: str, us: int) -> None:
    assert parse_any_instant(text) == us
    with pytest.raises(ValueError, match="not a date"):
        parse_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "yesterday",
        "1700000000",
        "1710122860123",
        "2026-04-26x12:01:00Z",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-04-26T24:00:00Z",
    ]
    + ["2026-04-26T12:60:00Z", "2026-04-26T12:01:61Z", "2026-04-26T12:01:00+99:00", "٢٠٢٦-04-26T12:01:00Z"]
    + ["2026-04-26T12:01:00Z\n", " 2026-04-26T12:01:00Z", "0000-01-01T00:00:00Z"],
)
def test_anything_else_is_no_time(text: str) -> None:
    for parse in (parse_instant, parse_any_instant):
        with pytest.raises(ValueError):
            parse(text)


@given(st.text(max_size=60))
def test_no_text_raises_anything_but_value_error(text: str) -> None:
    for parse in (parse_instant, parse_any_instant):
        with suppress(ValueError):
            parse(text)
