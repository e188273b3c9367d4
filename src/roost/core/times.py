"""Instants: integers of microseconds since 1970 inside, RFC 3339 in UTC with `Z` on the wire."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_US = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
# The seconds, their fraction, the zone's sign, hours and minutes; what comes before always takes as many characters.
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:(\d\d)(?:\.(\d{1,30}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)
_TO_THE_MINUTE = slice(len("2026-04-26T12:01"))
_BETWEEN_DATE_AND_CLOCK = ("T", " ", "t", "")


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")


@lru_cache(maxsize=4096)
def _minute(text: str) -> int:
    """When a minute of UTC begins: the texts that come now share theirs."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def rfc3339(us: int) -> str:
    """With all six digits of the fraction, so that what a client echoes as `since` is exact."""
    seconds, fraction = divmod(us, 1_000_000)
    return f"{_second(seconds)}.{fraction:06d}Z"


def rfc3339_short(us: int) -> str:
    """Without a fraction where there is none: how a carrier's whole seconds are shown."""
    seconds, fraction = divmod(us, 1_000_000)
    if not fraction:
        return f"{_second(seconds)}Z"
    return f"{_second(seconds)}.{f'{fraction:06d}'.rstrip('0')}Z"


def parse_instant(text: str) -> tuple[int, bool]:
    """Read an RFC 3339 time as (microseconds since 1970, whether that is exact).

    A time finer than a microsecond is cut, and said to be inexact. Raises ValueError for anything else.
    """
    # A "+02:00" that was not escaped in a query string arrives as " 02:00".
    if len(text) > 6 and text[-6] == " " and ":" in text[:-6]:
        text = f"{text[:-6]}+{text[-5:]}"
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("not a date and time")
    second, fraction, sign, zone_hours, zone_minutes = match.groups("0")
    # RFC 3339, section 5.7: a leap second is written 60; POSIX time has no place for it but the next second.
    seconds, ahead = int(second), int(zone_hours) * 60 + int(zone_minutes)
    if seconds > 60 or ahead >= 24 * 60:
        raise ValueError("not a date and time")
    us = _minute(text[_TO_THE_MINUTE]) + seconds * 1_000_000 + int(fraction[:6].ljust(6, "0"))
    us -= ahead * 60_000_000 if sign == "+" else -ahead * 60_000_000
    return _writable(us), not fraction[6:].strip("0")


@lru_cache(maxsize=4096)  # carriers tell whole seconds, which many texts share
def parse_any_instant(text: str) -> int:
    """Read a time as scripts and carriers write it, as microseconds since 1970: finer ones are cut.

    That is RFC 3339, and what `datetime.fromisoformat` knows of ISO 8601: without seconds, clock or zone (then UTC) among it.
    Raises ValueError for anything else.
    """
    try:
        # Digits alone are no date: they may well be seconds since 1970.
        if text[4:5] != "-" or text[10:11] not in _BETWEEN_DATE_AND_CLOCK:
            raise ValueError("not a date and time")
        when = datetime.fromisoformat(text)
    except ValueError:
        return parse_instant(text)[0]  # a leap second, or one of the rarer ways to write a zone
    since = (when if when.tzinfo else when.replace(tzinfo=UTC)) - _EPOCH
    return _writable((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def _writable(us: int) -> int:
    if not _FIRST_US <= us <= _LAST_US:  # its zone moved it out of the years that can be written
        raise ValueError("not a date and time between the years 1 and 9999")
    return us
