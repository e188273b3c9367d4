"""Webhooks: what is decided about a delivery without making it: who is told of what, in which order, and when again."""

from typing import Any, Literal, NamedTuple

from roost.core.events import EVENT_TYPES, AccountEvent, ConsentChanged, Event, Interest, Received
from roost.core.ids import position_of

SECOND_US = 1_000_000
#: An organization's endpoints; its numbers' URLs are not counted. (The documentation: LIMIT_EXCEEDED)
MAX_ENDPOINTS = 50
#: What happens besides messages, of the documented catalogue.
ACCOUNT = (
    "api_key.created", "api_key.rotated", "api_key.revoked", "consent_pending.confirmed", "consent_pending.expired",
)  # fmt: skip
#: The documented catalogue. Brands, campaigns, wallets, subscriptions, bulk orders and look-ups are not here: an endpoint may ask
#: for their events, and none ever comes.
CATALOGUE = (
    "brand.vetted", "brand.vetting_failed", "campaign.approved", "campaign.rejected", "campaign.shared",
    "wallet.balance_low", "wallet.balance_zero", "subscription.past_due", "subscription.canceled", "api_key.created",
    "api_key.rotated", "api_key.revoked", "phone_number.bulk_order.completed", "phone_number.campaign.assigned",
    "consent_pending.confirmed", "consent_pending.expired", "lookup.completed",
)  # fmt: skip
TYPES = (*EVENT_TYPES, *CATALOGUE)
TEST = "webhook.test"

#: An event is tried for so long after it is first due, and a last time when that is over.
GIVEN_UP_US = 24 * 3600 * SECOND_US
#: Seconds before each further try; the last one again and again.
_WAITS = (2, 10, 60, 300, 900, 1800, 3600)
#: What a receiver asks for with Retry-After is done, up to an hour.
MAX_RETRY_AFTER = 3600.0
#: After so many failures in a row, an endpoint is asked ever more seldom, one event at a time, until it takes one.
FAILING = 5
_LONGEST_PAUSE = 60.0

#: How long the secret before is signed with as well. An organization's has the documented grace; an endpoint's receiver may need
#: a day to be given the new one.
OVERLAP_US = {"organization": 5 * 60 * SECOND_US, "endpoint": 24 * 3600 * SECOND_US}

Kind = Literal["organization", "inbound_url", "status_url"]
Outcome = Literal["success", "retry", "dead"]
OUTCOMES: tuple[Outcome, ...] = ("success", "retry", "dead")
#: What a number's URLs are for.
EVENT_OF: dict[Kind, str] = {"inbound_url": "message.received", "status_url": "message.status"}


class Target(NamedTuple):
    """Where a delivery goes. A number's URLs have the number's id, and differ by their kind."""

    org_id: str
    id: str
    kind: Kind


class Endpoint(NamedTuple):
    """Somebody to tell. `since` is the position from which on; `failures` are those since it last took an event."""

    target: Target
    url: str
    events: frozenset[str]
    since: int
    failures: int

    def wants(self, event: Event) -> bool:
        """Whether it is told of the event. Texts of blocked senders are nobody's."""
        interest = Interest(types=self.events, phone_number_id=self.number_id)
        return position_of(event.id) >= self.since and interest.matches(event)

    @property
    def number_id(self) -> str | None:
        """The number whose URL it is; None: it is the organization's own."""
        return None if self.target.kind == "organization" else self.target.id


class Attempt(NamedTuple):
    """What became of one POST. `status` is None where there was no answer, and `error` says why; `retry_after` is in seconds."""

    at: int
    status: int | None
    milliseconds: int
    excerpt: str | None = None
    error: str | None = None
    retry_after: float | None = None

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """The receiver wants nothing any more (RFC 9110, section 15.5.11)."""
        return self.status == 410


def thread_of(event: Event) -> str:
    """What is told in order: all that happens between one of our numbers and one contact, or to one thing of the account.

    What follows the first space is the contact, or the thing's id.
    """
    if isinstance(event, AccountEvent):
        return f"- {event.subject_id}"
    if isinstance(event, ConsentChanged):
        return f"{event.consent.number} {event.consent.contact_number}"
    message: Any = event.message
    if isinstance(event, Received):
        return f"{message.to_number} {message.from_number}"
    return f"{message.from_number} {message.to_number}"


def next_try(attempts: int, give_up_at: int, now: int, retry_after: float | None, chance: float) -> int | None:
    """When an event that was not taken is tried again, after `attempts` tries; None: never.

    Times are microseconds since 1970, `retry_after` is in seconds; `chance` (0 to 1) spreads what failed together.
    """
    if now >= give_up_at:
        return None
    wait = _WAITS[min(attempts, len(_WAITS)) - 1] * (1 + chance / 4)
    return min(now + int(max(wait, _bounded(retry_after)) * SECOND_US), give_up_at)


def paused_until(failures: int, now: int, retry_after: float | None) -> int:
    """Until when an endpoint that has failed so often in a row is left alone: it asked for it, or it takes nothing."""
    pause = min(2.0 ** (failures - FAILING), _LONGEST_PAUSE) if failures >= FAILING else 0.0
    return now + int(max(pause, _bounded(retry_after)) * SECOND_US)


def _bounded(retry_after: float | None) -> float:
    return min(max(retry_after or 0.0, 0.0), MAX_RETRY_AFTER)
