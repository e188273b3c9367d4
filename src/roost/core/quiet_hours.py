"""Quiet hours in the recipient's zone, as far as a number tells where its holder is.

47 CFR 64.1200(c)(1) counts the hours at the called party's location. A number's prefix is only a guess at that: people keep
their numbers when they move.
"""

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from roost.core.numbers import is_e164
from roost.core.organization import QuietHours

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
#: Zones that have no hour in common within so long have none at all.
_HORIZON = timedelta(days=3)


def quiet_until(quiet_hours: QuietHours, recipient: str, now_us: int) -> int | None:
    """None when the recipient may be texted now, else the first microsecond since 1970 at which they may be again.

    A number that may be in several zones is quiet while any of them is. One whose zone nobody knows, such as a short
    code, is never quiet, and neither is one whose zones are so far apart that no hour suits them all. Hours that end
    when they begin are none.
    """
    if not quiet_hours.enabled or quiet_hours.start == quiet_hours.end:
        return None
    start, end = time.fromisoformat(quiet_hours.start), time.fromisoformat(quiet_hours.end)
    zones = zones_of(recipient)
    now = _EPOCH + timedelta(microseconds=now_us)
    allowed = now
    while quiet := [zone for zone in zones if _is_quiet(allowed, zone, start, end)]:
        allowed = max(_end_of_quiet(allowed, zone, start, end) for zone in quiet)
        if allowed - now > _HORIZON:
            return None
    return None if allowed == now else (allowed - _EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=4096)
def zones_of(number: str) -> tuple[ZoneInfo, ...]:
    """The zones that the number's prefix belongs to; none when nobody knows."""
    if not is_e164(number):
        return ()
    import phonenumbers.timezone  # its tables are large, and only quiet hours need them

    try:
        names = phonenumbers.timezone.time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ()
    return tuple(zone for name in names if (zone := _zone(name)) is not None)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:  # Etc/Unknown, or a name that is newer than this machine's zones
        return None


def _is_quiet(moment: datetime, zone: ZoneInfo, start: time, end: time) -> bool:
    clock = moment.astimezone(zone).time()
    return start <= clock < end if start < end else clock >= start or clock < end


def _end_of_quiet(moment: datetime, zone: ZoneInfo, start: time, end: time) -> datetime:
    """The first moment after a quiet one at which the clock of the zone does not say quiet."""
    local = moment.astimezone(zone)
    date = local.date() + (_DAY if start > end and local.time() >= start else timedelta())
    ending = datetime.combine(date, end, zone).astimezone(UTC)
    if ending <= moment:  # the clock is set back: this is the second time that it says so
        ending = datetime.combine(date, end.replace(fold=1), zone).astimezone(UTC)
    while not _is_quiet(ending - _MINUTE, zone, start, end):  # the clock jumps over the end: over at the jump
        ending -= _MINUTE
    return ending
