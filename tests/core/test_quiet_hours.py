"""Quiet hours: when a recipient may be texted again, wherever its number says that it is."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.organization import QuietHours
from roost.core.quiet_hours import quiet_until, zones_of

NIGHT = QuietHours(enabled=True, start="21:00", end="08:00")
NEW_YORK, LOS_ANGELES, LONDON = "+12125550100", "+14155550100", "+442071234567"
SAO_PAULO, DELHI, KATHMANDU = "+551130001000", "+911123012345", "+97714200000"
RUSSIAN_MOBILE, TOLL_FREE, FICTIONAL = "+79161234567", "+18005550100", "+15554443333"


def us(text: str) -> int:
    return (datetime.fromisoformat(text).astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )


@pytest.mark.parametrize(
    ("recipient", "now", "until"),
    [
        # An ordinary day: the first and the last moment on each side of both ends.
        (NEW_YORK, "2026-06-10T20:59:59.999999-04:00", None),
        (NEW_YORK, "2026-06-10T21:00:00-04:00", "2026-06-11T08:00:00-04:00"),
        (NEW_YORK, "2026-06-10T23:59:59-04:00", "2026-06-11T08:00:00-04:00"),
        (NEW_YORK, "2026-06-11T00:00:00-04:00", "2026-06-11T08:00:00-04:00"),
        (NEW_YORK, "2026-06-11T07:59:59.999999-04:00", "2026-06-11T08:00:00-04:00"),
        (NEW_YORK, "2026-06-11T08:00:00-04:00", None),
        # The same moment elsewhere.
        (NEW_YORK, "2026-06-11T02:00:00Z", "2026-06-11T12:00:00Z"),
        (LOS_ANGELES, "2026-06-11T02:00:00Z", None),
        (LONDON, "2026-06-11T02:00:00Z", "2026-06-11T07:00:00Z"),
        (SAO_PAULO, "2026-06-11T02:00:00Z", "2026-06-11T11:00:00Z"),
        (DELHI, "2026-06-10T16:00:00Z", "2026-06-11T02:30:00Z"),
        (KATHMANDU, "2026-06-10T16:00:00Z", "2026-06-11T02:15:00Z"),
        # The year's end.
        (LONDON, "2026-12-31T23:30:00Z", "2027-01-01T08:00:00Z"),
        # The nights in which the clock is set: New York on 8 March and 1 November, London on 29 March.
        (NEW_YORK, "2026-03-07T22:00:00-05:00", "2026-03-08T08:00:00-04:00"),
        (NEW_YORK, "2026-10-31T22:00:00-04:00", "2026-11-01T08:00:00-05:00"),
        (LONDON, "2026-03-28T22:00:00Z", "2026-03-29T08:00:00+01:00"),
        # Several zones: from Kamchatka's 21:00 to Moscow's 8:00.
        (RUSSIAN_MOBILE, "2026-06-10T08:59:00Z", None),
        (RUSSIAN_MOBILE, "2026-06-10T09:00:00Z", "2026-06-11T05:00:00Z"),
        (RUSSIAN_MOBILE, "2026-06-11T04:59:00Z", "2026-06-11T05:00:00Z"),
        # Nobody knows where.
        (FICTIONAL, "2026-06-11T02:00:00Z", None),
        ("12345", "2026-06-11T02:00:00Z", None),
        ("Anonymous", "2026-06-11T02:00:00Z", None),
        ("+999123456", "2026-06-11T02:00:00Z", None),
        ("+0", "2026-06-11T02:00:00Z", None),
    ],
)
def test_the_night_is_the_recipients(recipient: str, now: str, until: str | None) -> None:
    assert quiet_until(NIGHT, recipient, us(now)) == (us(until) if until else None)


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        # Within one day.
        (("12:00", "14:00"), "2026-06-10T11:59:00-04:00", None),
        (("12:00", "14:00"), "2026-06-10T12:00:00-04:00", "2026-06-10T14:00:00-04:00"),
        (("12:00", "14:00"), "2026-06-10T14:00:00-04:00", None),
        (("00:00", "23:59"), "2026-06-10T00:00:00-04:00", "2026-06-10T23:59:00-04:00"),
        # They end when they begin.
        (("08:00", "08:00"), "2026-06-10T08:00:00-04:00", None),
        # The end is in the hour that is left out: over when the clock jumps, at 3:00.
        (("01:00", "02:30"), "2026-03-08T01:59:00-05:00", "2026-03-08T03:00:00-04:00"),
        (("01:00", "02:30"), "2026-03-08T03:00:00-04:00", None),
        # The beginning is: nobody's clock says 2:30, so that the jump begins it.
        (("02:30", "05:00"), "2026-03-08T01:59:59-05:00", None),
        (("02:30", "05:00"), "2026-03-08T03:00:00-04:00", "2026-03-08T05:00:00-04:00"),
        # The end comes twice, and what is quiet by the clock is quiet both times.
        (("00:30", "01:30"), "2026-11-01T01:10:00-04:00", "2026-11-01T01:30:00-04:00"),
        (("00:30", "01:30"), "2026-11-01T01:30:00-04:00", None),
        (("00:30", "01:30"), "2026-11-01T01:10:00-05:00", "2026-11-01T01:30:00-05:00"),
        # The whole of it comes twice.
        (("01:10", "01:20"), "2026-11-01T01:15:00-04:00", "2026-11-01T01:20:00-04:00"),
        (("01:10", "01:20"), "2026-11-01T01:15:00-05:00", "2026-11-01T01:20:00-05:00"),
    ],
)
def test_hours_of_any_kind_on_any_day(hours: tuple[str, str], now: str, until: str | None) -> None:
    quiet = QuietHours(True, *hours)
    assert quiet_until(quiet, NEW_YORK, us(now)) == (us(until) if until else None)


def test_off_is_never_quiet() -> None:
    assert quiet_until(NIGHT._replace(enabled=False), NEW_YORK, us("2026-06-11T02:00:00Z")) is None


def test_zones_that_no_hour_suits_are_as_good_as_unknown() -> None:
    assert len(zones_of(TOLL_FREE)) > 20
    all_but_an_hour = NIGHT._replace(start="13:00", end="12:00")
    assert quiet_until(all_but_an_hour, TOLL_FREE, us("2026-06-11T02:00:00Z")) is None


@given(
    st.sampled_from([NEW_YORK, LONDON, DELHI, KATHMANDU, SAO_PAULO, RUSSIAN_MOBILE]),
    st.integers(us("2026-01-01T00:00:00Z"), us("2027-12-31T00:00:00Z")),
    st.sampled_from(["00:00", "01:30", "02:30", "08:00", "21:00"]),
    st.sampled_from(["00:00", "01:15", "02:45", "07:00", "22:00"]),
)
def test_it_is_the_first_minute_that_no_clock_calls_quiet(recipient: str, now: int, start: str, end: str) -> None:
    hours = QuietHours(True, start, end)
    until = quiet_until(hours, recipient, now)
    if until is None:
        return

    def is_quiet(moment: int, zone: ZoneInfo) -> bool:
        clock = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)).astimezone(zone).strftime("%H:%M")
        return start <= clock < end if start < end else not end <= clock < start

    minute = 60_000_000
    moments = [now, *range(now - now % minute + minute, until, minute), until]
    assert all(before < after for before, after in pairwise(moments))
    assert all(any(is_quiet(moment, zone) for zone in zones_of(recipient)) for moment in moments[:-1])
    assert not any(is_quiet(until, zone) for zone in zones_of(recipient))
