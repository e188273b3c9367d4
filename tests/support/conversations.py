"""A model of what is between one number of ours and one contact: pure, small, and written from the promises alone.

Times are microseconds since 1970, and ids are those that the server gave, which tell when.
"""

from typing import Literal, NamedTuple

from roost.core.ids import position_of

Kind = Literal["ordinary", "stop", "start", "help", "suspected"]
DAY_US = 24 * 3600 * 1_000_000
RANKS = {"queued": 0, "sending": 1, "sent": 2, "delivered": 3, "undelivered": 3, "failed": 3}


class Link(NamedTuple):
    """Of a text that came: its thread, and which of our messages it answers."""

    thread_id: str | None
    related_outbound_id: str | None


class Said:
    """A message of ours, as it was last seen."""

    def __init__(self, between: "Between", message_id: str, *, is_auto: bool) -> None:
        self.between, self.id, self.is_auto = between, message_id, is_auto
        self.at = position_of(message_id)
        self.thread_id = between.thread_for(message_id)
        self.status = "queued"
        self.carrier_message_id: str | None = None

    @property
    def surely_never_left(self) -> bool:
        return self.status == "failed" and self.carrier_message_id is None

    def now_is(self, status: str, carrier_message_id: str | None) -> None:
        """Seen again: it never moves backwards, what is final stays, and the carrier's name for it too."""
        before, after = RANKS[self.status], RANKS[status]
        assert after > before or status == self.status, f"{self.id} went from {self.status} to {status}"
        assert self.carrier_message_id in (None, carrier_message_id)
        self.status, self.carrier_message_id = status, carrier_message_id


class Between:
    """One number of ours and one contact."""

    def __init__(self, ours: str, theirs: str) -> None:
        self.ours, self.theirs = ours, theirs
        self.state: Literal["opted_in", "opted_out"] | None = None
        self.opted_out_at = 0
        self.opt_outs = 0
        self.wrote_first = False
        self.said: list[Said] = []
        self._heard_at: dict[str, int] = {}

    def hear(self, message_id: str, kind: Kind, carrier_at: int) -> tuple[Link, bool]:
        """What a text is linked to, and whether it is answered by us."""
        link = self._link_of(message_id)
        if link.thread_id is not None:
            self._heard_at[link.thread_id] = position_of(message_id)
        self.wrote_first |= kind not in ("stop", "suspected")
        return link, self._obey(kind, carrier_at)

    def may_be_texted(self) -> bool:
        return self.state == "opted_in" or (self.state is None and self.wrote_first)

    def say(self, message_id: str, *, is_auto: bool = False) -> Said:
        """A message is accepted."""
        said = Said(self, message_id, is_auto=is_auto)
        if not is_auto:
            self.state = "opted_in"  # the text that came first allows it, and is on record now
        self.said.append(said)
        return said

    def thread_for(self, message_id: str) -> str:
        """The thread of the last message while that lives: 24 hours since anything was said in it. Else its own."""
        if not self.said:
            return message_id
        last = self.said[-1]
        last_at = max(last.at, self._heard_at.get(last.thread_id, 0))
        return last.thread_id if position_of(message_id) - last_at <= DAY_US else message_id

    def _link_of(self, message_id: str) -> Link:
        since = position_of(message_id) - DAY_US
        for said in reversed(self.said):
            if said.at >= since and not said.surely_never_left:
                return Link(said.thread_id, said.id)
        return Link(None, None)

    def _obey(self, kind: Kind, carrier_at: int) -> bool:
        is_out = self.state == "opted_out"
        if kind == "stop":
            self.opted_out_at = max(carrier_at, self.opted_out_at if is_out else carrier_at)
            self.state = "opted_out"
            self.opt_outs += not is_out
            return not is_out
        if kind == "help":
            return not is_out
        if kind != "start" or (is_out and carrier_at < self.opted_out_at):
            return False
        is_new = self.state != "opted_in"
        self.state = "opted_in"
        return is_new
