"""Media: what is decided about one without looking at it. How long it is had, and how it is tried again."""

from collections.abc import Sequence
from typing import Literal

SECOND_US = 1_000_000
#: A message's media are had so long after it.
KEPT_US = 7 * 24 * 3600 * SECOND_US
#: What a carrier is given to fetch is good so long at least, however old the message is that goes out: it may wait in its queue.
SENDING_US = 2 * 24 * 3600 * SECOND_US
#: Of one message; no carrier takes more than a fraction.
MAX_MEDIA = 100
#: How an outbound message names a medium that was uploaded, among URLs.
UPLOAD_PREFIX = "upload:"

#: Seconds before each further try.
_WAITS = (2, 5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
#: A carrier may tell of a medium some seconds before it has it; what is not there after this many tries never will be.
_TRIES_WHERE_ABSENT = 7
#: Bandwidth keeps media for 48 hours ("Get Media"); others not longer than a message is of interest.
_GIVEN_UP_US = 48 * 3600 * SECOND_US

#: Why there is no medium, in words for whoever asks for it.
REASONS = {
    "not_found": "the carrier has it no longer, or never had",
    "refused": "the carrier refused it to us",
    "refused_address": "it is at an address that is not public",
    "bad_url": "the carrier gave no URL that can be fetched",
    "redirects": "it is behind too many redirects, or one that leads nowhere",
    "too_large": "it is larger than this server takes",
    "empty": "it has no content",
    "unreachable": "its server could not be reached",
    "too_slow": "its server did not deliver it in time",
    "broken_off": "its server broke off",
    "carrier_failed": "its server failed",
    "not_kept": "this server could not keep it",
}
Reason = Literal[
    "not_found", "refused", "refused_address", "bad_url", "redirects", "too_large", "empty", "unreachable", "too_slow",
    "broken_off", "carrier_failed", "not_kept",
]  # fmt: skip
#: Nothing of these gets better by trying again.
FINAL: frozenset[str] = frozenset({"refused_address", "bad_url", "redirects", "too_large"})


def uploads_in(media: Sequence[str]) -> dict[int, str]:
    """Which of an outbound message's media were uploaded: place -> the upload's id."""
    return {nth: each.removeprefix(UPLOAD_PREFIX) for nth, each in enumerate(media) if each.startswith(UPLOAD_PREFIX)}


def next_fetch(
    reason: str, attempts: int, message_at: int, now: int, retry_after: float | None, chance: float
) -> int | None:
    """When a medium that could not be had is tried again, after `attempts` tries; None: never.

    Times are microseconds since 1970, `retry_after` is in seconds; `chance` (0 to 1) spreads what failed together.
    """
    if reason in FINAL or attempts > len(_WAITS) or (reason == "not_found" and attempts >= _TRIES_WHERE_ABSENT):
        return None
    seconds = max(_WAITS[attempts - 1] * (1 + chance / 4), min(retry_after or 0, 3600.0))
    at = now + int(seconds * SECOND_US)
    return at if at <= message_at + _GIVEN_UP_US else None
