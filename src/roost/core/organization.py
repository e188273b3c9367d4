"""What an organization can set for itself, and what holds when it does not."""

import re
from typing import Literal, NamedTuple

OptOutScope = Literal["number", "organization"]
SuspectedAction = Literal["flag", "hold"]
QuietMode = Literal["reject", "defer"]

#: What the settings may be.
MESSAGE_RETENTION_DAYS, MMS_RETENTION_DAYS = range(30, 366), range(1, 366)
MAX_OPT_OUT_WORDS, MAX_WORD_CHARACTERS, MAX_REPLY_CHARACTERS = 100, 40, 320

_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


def is_clock(text: str) -> bool:
    """Whether this is a time of day as quiet hours have it: HH:MM, from 00:00 to 23:59."""
    return _CLOCK.fullmatch(text) is not None


class AutoReplies(NamedTuple):
    """Answers to keywords; a text of None is the default one."""

    enabled: bool = True
    stop_text: str | None = None
    help_text: str | None = None
    start_text: str | None = None


class QuietHours(NamedTuple):
    """From `start` to `end` (HH:MM, in the recipient's zone) nothing is sent: it is rejected, or deferred to the end."""

    enabled: bool = False
    start: str = "21:00"
    end: str = "08:00"
    mode: QuietMode = "reject"


class Settings(NamedTuple):
    """An organization's settings. `opt_out_words` are added to the built-in keywords and never replace them."""

    consent_required: bool = True
    opt_out_scope: OptOutScope = "number"
    suspected: SuspectedAction = "flag"
    opt_out_words: tuple[str, ...] = ()
    auto_replies: AutoReplies = AutoReplies()
    quiet_hours: QuietHours = QuietHours()
    billing_email: str | None = None
    message_retention_days: int = 30
    mms_retention_days: int = 30
