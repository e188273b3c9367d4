"""Claims: which messages a worker gets, and whether what it says of them later still counts."""

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

from roost.core.message import InboundMessage

DEFAULT_QUEUE = "default"
DEFAULT_LIMIT, MAX_LIMIT = 10, 100
DEFAULT_LEASE_SECONDS, MAX_LEASE_SECONDS = 60, 3600
#: So many messages of a queue are leased at a time: what a claim looks through is bounded by it.
MAX_LEASED = 10_000

Settling = Literal["ack", "release"]
Reason = Literal["outdated", "released", "acked", "unknown"]


class ClaimFilters(NamedTuple):
    """Which messages a worker takes. None does not filter."""

    agent_id: str | None = None
    phone_number_id: str | None = None
    to_number: str | None = None

    @property
    def name(self) -> str:
        """Of the place that claims with these filters have."""
        return " ".join(f"{name}={value}" for name, value in self._asdict().items() if value is not None)


class Wanted(NamedTuple):
    """What a worker asks for: at most `limit` messages of a queue, leased for so many microseconds."""

    org_id: str
    queue: str = DEFAULT_QUEUE
    limit: int = DEFAULT_LIMIT
    lease_us: int = DEFAULT_LEASE_SECONDS * 1_000_000
    filters: ClaimFilters = ClaimFilters()
    above: str = ""
    """Only messages after this id, besides the organization's retention."""


class Claimed(NamedTuple):
    """What it gets, oldest first: under one fence, until one time. Without messages there is neither."""

    messages: tuple[InboundMessage, ...] = ()
    fence: int = 0
    until: int = 0


class Held(NamedTuple):
    """One message as its holder names it."""

    message_id: str
    fence: int


class Standing(NamedTuple):
    """How a claimed message stands."""

    fence: int
    until: int
    acked_at: int | None


class Choice(NamedTuple):
    """Which messages are claimed, and through which id everything that fits is claimed then; None: no further than before."""

    taken: list[str]
    through: str | None


def choose(returned: Collection[str], passed: Sequence[tuple[str, bool]], limit: int, room: int) -> Choice:
    """The oldest `limit` of what came back and of what nobody has claimed yet, at most `room` of the latter.

    `passed` are the messages after the place, in order, and whether each is free to be claimed.
    """
    free = [message_id for message_id, is_free in passed if is_free][:room]
    taken = sorted([*returned, *free])[:limit]
    through, chosen = None, set(taken)
    for message_id, is_free in passed:
        if is_free and message_id not in chosen:
            break
        through = message_id
    return Choice(taken, through)


def refusal(how: Settling, standing: Standing | None, fence: int) -> Reason | None:
    """Why a worker may not settle a message under its fence; None: it may, or has done just that before.

    A lease that ran out still counts as long as nobody else has got the message: the work is done, and nobody does it again.
    """
    if standing is None:
        return "unknown"
    if standing.fence != fence:
        return "outdated" if standing.fence > fence else "unknown"
    if how == "ack":
        return "released" if standing.until == 0 and standing.acked_at is None else None
    return "acked" if standing.acked_at is not None else None
