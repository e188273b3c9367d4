"""How long things are kept: what is older is hidden at the minute, and swept soon afterwards."""

from roost.core.ids import floor_of

DAY_US = 24 * 3600 * 1_000_000
MINUTE_US = 60 * 1_000_000

#: Dialect B keeps messages, requests and notifications this long, whatever the organization keeps for dialect A.
ONESHOT_DAYS = 30
#: A deduplication key outlives its message by this: no carrier delivers again after more than a day.
KEY_DAYS = 30
#: What became of telling webhook endpoints.
WEBHOOK_DAYS = 30
#: The audit log says how consent was come by and who changed what: 16 CFR 310.5 asks for such records for five years.
AUDIT_DAYS = 5 * 365 + 1


def kept_since(now_us: int, days: int) -> int:
    """The time from which on things are kept: at the minute, so that it stands still in between."""
    return (now_us - days * DAY_US) // MINUTE_US * MINUTE_US


def kept_above(now_us: int, days: int) -> str:
    """The same as an id: greater than every one before, and smaller than every one that is kept."""
    return floor_of(kept_since(now_us, days))
