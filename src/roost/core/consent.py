"""Who may be texted: what a keyword does to a contact's consent, and what a send is decided by."""

from typing import Literal, NamedTuple

from roost.core.optout import Keyword
from roost.core.organization import Settings

State = Literal["opted_in", "opted_out", "pending"]
Event = Literal["opt_in", "opt_out", "reconfirm", "expired"]
Reply = Literal["stop", "help", "start"]

#: A confirmation of an opt-out may be sent within five minutes of its receipt: 47 CFR 64.1200(a)(12).
CONFIRMATION_US = 5 * 60 * 1_000_000


class Consent(NamedTuple):
    """What a contact has told one of our numbers. Times are microseconds since 1970."""

    id: str
    org_id: str
    phone_number_id: str
    contact_number: str
    number: str
    state: State
    opted_in_at: int | None
    opted_out_at: int | None
    opted_out_carrier_at: int | None
    source: str
    consent_method: str
    challenge_id: str | None
    challenge_message_id: str | None
    challenge_agreement: str | None
    challenge_expires_at: int | None
    created_at: int
    updated_at: int


class Standing(NamedTuple):
    """All that a send is decided by, of one of our numbers and one contact."""

    state: State | None
    """None: nothing was ever recorded."""
    opted_out_anywhere: bool = False
    """From any number of the organization."""
    wrote_first_id: str | None = None
    """A text of the contact to this number that is neither an opt-out nor suspected to be one."""
    is_suspected: bool = False
    """Asked in ordinary language to be left alone, and nobody has recorded an opt-in since."""


def may_text(standing: Standing, settings: Settings) -> bool:
    """Whether the contact may be texted from this number.

    An opt-out always holds. Without one, an opt-in allows it; a contact who never said anything, or never answered a
    double opt-in, may be answered, and may be texted first only where the organization does not require consent.
    """
    if standing.state == "opted_out" or (settings.opt_out_scope == "organization" and standing.opted_out_anywhere):
        return False
    return standing.state == "opted_in" or standing.wrote_first_id is not None or not settings.consent_required


def is_challenged(standing: Consent | None, now: int) -> bool:
    """Whether a double opt-in is open: the contact was asked, and may still answer."""
    return standing is not None and standing.challenge_expires_at is not None and now < standing.challenge_expires_at


def is_lifted(opted_out: Consent, carrier_at: int | None) -> bool:
    """Whether an opt-in that the carrier had at `carrier_at` (None: it did not come by text) lifts an opt-out."""
    standing_at = opted_out.opted_out_carrier_at
    return carrier_at is None or standing_at is None or carrier_at >= standing_at


class Heard(NamedTuple):
    """What a keyword from a contact comes to: the state after it, the ledger's entry, the auto-reply."""

    state: State | None
    event: Event | None
    reply: Reply | None


NOTHING = Heard(None, None, None)


def hear(keyword: Keyword, standing: Consent | None, carrier_at: int, now: int) -> Heard:
    """Decide what a keyword does. `carrier_at` is when the carrier received the text, or our own time.

    An opt-out holds at once, whatever came before. An opt-in does not lift an opt-out that is newer in the carrier's
    time. YES is an opt-in only after an opt-out or inside a double opt-in.
    """
    state = standing.state if standing else None
    if keyword.kind == "opt_out":
        if state == "opted_out":
            return Heard("opted_out", "reconfirm", None)
        return Heard("opted_out", "opt_out", "stop")
    if keyword.kind == "help":
        # Somebody who opted out gets one confirmation and nothing after it.
        return NOTHING if state == "opted_out" else Heard(None, None, "help")
    conversational = keyword.keyword in _CONVERSATIONAL
    if standing is None or state == "opted_in":
        if conversational:
            return NOTHING
        return Heard("opted_in", "reconfirm", None) if standing else Heard("opted_in", "opt_in", "start")
    if state == "pending":
        asked = is_challenged(standing, now)
        return NOTHING if conversational and not asked else Heard("opted_in", "opt_in", "start")
    lifts = is_lifted(standing, carrier_at) and keyword.keyword != "CONFIRM"
    return Heard("opted_in", "opt_in", "start") if lifts else NOTHING


#: Ordinary words of a conversation, unless something was asked that they answer.
_CONVERSATIONAL = ("YES", "CONFIRM")
