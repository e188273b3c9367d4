"""An agent's request to send: what became of each recipient, and what that comes to."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from roost.core.ids import parse_ulid, ulid_of
from roost.core.outbound import Status

RequestStatus = Literal["processing", "completed", "failed"]
Outcome = Literal["all_delivered", "all_sent", "partially_sent", "all_failed", "in_progress"]

_PREFIX = "req_"


class Recipient(NamedTuple):
    """One recipient. `message_id` is None when there is no message, and `error_code` then says why."""

    to_number: str
    from_number: str
    message_id: str | None
    status: Status
    error_code: str | None = None
    error_description: str | None = None


class Tally(NamedTuple):
    """Numbers of recipients. `sent`: the carrier took it, delivered or not yet; `failed` will never be delivered."""

    total: int
    sent: int
    delivered: int
    failed: int

    @property
    def status(self) -> RequestStatus:
        """Settled as soon as nothing waits to be handed over; failed when nothing was."""
        if self.failed == self.total:
            return "failed"
        return "completed" if self.sent + self.failed == self.total else "processing"

    @property
    def outcome(self) -> Outcome:
        """The same in one word, with deliveries."""
        if self.status == "processing":
            return "in_progress"
        if self.failed:
            return "all_failed" if self.status == "failed" else "partially_sent"
        return "all_delivered" if self.delivered == self.total else "all_sent"


def tally(recipients: Sequence[Recipient]) -> Tally:
    """Count them."""
    statuses = [recipient.status for recipient in recipients]
    delivered = statuses.count("delivered")
    failed = statuses.count("failed") + statuses.count("undelivered")
    return Tally(len(statuses), statuses.count("sent") + delivered, delivered, failed)


def public_request_id(request_id: str) -> str:
    """`req_` and the same 128 bits as a ULID."""
    return _PREFIX + ulid_of(request_id)


def parse_request_id(text: str) -> str | None:
    """The id that is shown so, or None."""
    return parse_ulid(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) else None
