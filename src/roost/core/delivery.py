"""How far an outbound message has come: what a carrier's word, an answer or a failed try does to it."""

from collections.abc import Sequence
from typing import NamedTuple

from roost.core.message import ReceiptEvent
from roost.core.outbound import Status, advanced
from roost.core.text import storable

SECOND_US = 1_000_000
#: A text that the carrier would not take for so long, or so often, is of no use any more.
MAX_ATTEMPTS, MAX_AGE_US = 32, 24 * 3600 * SECOND_US
_FIRST_BACKOFF_US, _LONGEST_BACKOFF_US = SECOND_US, 3600 * SECOND_US
#: Without being asked to, a number rests no longer than this after one of its texts was not taken.
_LONGEST_REST_US = 5 * SECOND_US
#: How soon the carrier's record is asked about a text that was perhaps sent, and until when.
_FIRST_LOOK_UP_US, _LAST_LOOK_UP_US = 30 * SECOND_US, 24 * 3600 * SECOND_US
#: As good as never, and still a time that can be written.
NEVER = 253_402_300_799 * SECOND_US


class Progress(NamedTuple):
    """How far a message has come. Times are microseconds since 1970."""

    status: Status
    carrier_message_id: str | None = None
    sent_at: int | None = None
    delivered_at: int | None = None
    error_code: str | None = None
    error_description: str | None = None


def after_acceptance(progress: Progress, carrier_message_id: str, at: int) -> Progress:
    """The carrier has taken it, and calls it so."""
    return progress._replace(
        status=advanced(progress.status, "sent"),
        carrier_message_id=progress.carrier_message_id or carrier_message_id or None,
        sent_at=at if progress.sent_at is None else progress.sent_at,
    )


def after_receipt(progress: Progress, receipt: ReceiptEvent, now: int) -> Progress:
    """The carrier said something of it, and so it has it: whatever comes in whatever order, it never moves back."""
    at = now if receipt.carrier_time is None else receipt.carrier_time
    status = advanced(progress.status, receipt.event)
    moved = status != progress.status
    if moved and status in ("failed", "undelivered"):
        progress = progress._replace(
            error_code=storable(receipt.error_code) if receipt.error_code else "CARRIER_FAILED",
            error_description=storable(receipt.description) if receipt.description else None,
        )
    if moved and status == "delivered":
        progress = progress._replace(delivered_at=at)
    return after_acceptance(progress._replace(status=status), receipt.carrier_message_id, at)


def after_receipts(progress: Progress, receipts: Sequence[ReceiptEvent], now: int) -> Progress:
    """Several, in the order in which they came."""
    for receipt in receipts:
        progress = after_receipt(progress, receipt, now)
    return progress


def failed(progress: Progress, code: str, description: str) -> Progress:
    """It surely never arrives; what is final stays as it is."""
    status = advanced(progress.status, "failed")
    if status == progress.status:
        return progress
    return progress._replace(status=status, error_code=storable(code), error_description=storable(description))


def next_attempt(attempts: int, created_at: int, now: int, retry_after: float | None, chance: float) -> int | None:
    """When a text that surely was not sent is tried again after `attempts` tries; None: never.

    Exponential backoff with full jitter: `chance` is from 0 to 1. What the carrier asked for (seconds) is waited for,
    as far as it is not longer than the longest backoff.
    """
    backoff_us = min(_LONGEST_BACKOFF_US, _FIRST_BACKOFF_US << min(attempts - 1, 20))
    asked_us = min(_LONGEST_BACKOFF_US, int((retry_after or 0) * SECOND_US))
    # Where the carrier names a time, chance only keeps all that wait for it from coming at once.
    at = now + asked_us + int((min(backoff_us, SECOND_US) if asked_us else backoff_us) * chance)
    return None if attempts >= MAX_ATTEMPTS or at - created_at > MAX_AGE_US else at


def rest_until(now: int, next_at: int, retry_after: float | None) -> int:
    """How long the number of a text that was not taken sends nothing else either."""
    return next_at if retry_after else min(next_at, now + _LONGEST_REST_US)


def next_look_up(leased_at: int, now: int) -> int:
    """When the carrier is asked about a text that was perhaps sent: later and later, and after a day never."""
    passed_us = max(now - leased_at, 0)
    return NEVER if passed_us > _LAST_LOOK_UP_US else now + max(passed_us, _FIRST_LOOK_UP_US)
