"""What an organization can set for itself, and what holds when it does not."""

from typing import Literal, NamedTuple

OptOutScope = Literal["number", "organization"]
SuspectedAction = Literal["flag", "hold"]
QuietMode = Literal["reject", "defer"]


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
    message_retention_days: int = 90
    mms_retention_days: int = 30
