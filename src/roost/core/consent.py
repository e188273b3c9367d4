"""Who may be texted: what a keyword does to a contact's consent, and what a send is decided by."""

from typing import Literal, NamedTuple

from roost.core.optout import Keyword

State = Literal["opted_in", "opted_out", "pending"]
Event = Literal["opt_in", "opt_out", "reconfirm", "expired"]
Reply = Literal["stop", "help", "start"]

#: A confirmation of an opt-out may be sent within five minutes of it: 47 CFR 64.1200(a)(12).
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
    challenge_expires_at: int | None
    created_at: int
    updated_at: int


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
        prompt = now - carrier_at <= CONFIRMATION_US
        return Heard("opted_out", "opt_out", "stop" if prompt else None)
    if keyword.kind == "help":
        # Somebody who opted out gets one confirmation and nothing after it.
        return NOTHING if state == "opted_out" else Heard(None, None, "help")
    conversational = keyword.keyword in _CONVERSATIONAL
    if standing is None or state == "opted_in":
        if conversational:
            return NOTHING
        return Heard("opted_in", "reconfirm", None) if standing else Heard("opted_in", "opt_in", "start")
    if state == "pending":
        open_ = standing.challenge_expires_at is not None and now < standing.challenge_expires_at
        return NOTHING if conversational and not open_ else Heard("opted_in", "opt_in", "start")
    too_old = standing.opted_out_carrier_at is not None and carrier_at < standing.opted_out_carrier_at
    return NOTHING if too_old or keyword.keyword == "CONFIRM" else Heard("opted_in", "opt_in", "start")


#: Ordinary words of a conversation, unless something was asked that they answer.
_CONVERSATIONAL = ("YES", "CONFIRM")
