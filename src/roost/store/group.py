"""One group commit as a plan: which rows the deliveries of a group become, decided without touching a database.

Both databases walk through the same steps inside one transaction: look up the `wanted` numbers, `route`, lock the
counters of `org_ids`, `place`, insert the `key_rows` and hear which were new, insert the `messages`, and the rest. Only
where a delivery brings parts of texts (`has_parts`) they are assembled before the texts are routed.
"""

import json
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, NamedTuple

from roost.core.ids import RANDOM_BITS, floor_of, uuid7
from roost.core.message import MAX_INDEXED, Draft, ReceiptEvent, UnknownEvent, carrier_key
from roost.core.organization import Settings
from roost.core.outbound import THREAD_US
from roost.core.parts import Part
from roost.core.text import storable


class Policy(NamedTuple):
    """What a delivery's effects depend on: the organization's settings, and what its carrier does by itself."""

    settings: Settings = Settings()
    organization: str = ""
    """Its name."""
    answers_opt_outs: Callable[[str], bool] = lambda _: False
    """Whether the carrier confirms opt-outs on this number of ours, so that we must not."""


DEFAULT_POLICY = Policy()


class Delivery(NamedTuple):
    """What one authenticated request of a carrier brought."""

    org_id: str
    account_id: str
    drafts: list[Draft]
    receipts: list[ReceiptEvent]
    unknown: list[UnknownEvent]
    policy: Policy = DEFAULT_POLICY
    parts: Sequence[Part] = ()
    overdue_at: int | None = None
    """Nobody's request, but ours: make messages of the account's parts that have waited too long at this time."""


class Outcome(NamedTuple):
    """What became of one delivery. A replay changes nothing: all of it is duplicates."""

    stored: list[str]
    """Ids of the new messages."""
    duplicates: int
    unrouted: int
    receipts: int


class Holder(NamedTuple):
    """Who holds a number: the row of the number, and the agent whose number it is."""

    phone_number_id: str
    agent_id: str | None


class New(NamedTuple):
    """A message that was new, with what it may set off."""

    id: str
    org_id: str
    holder: Holder
    number: str
    draft: Draft
    policy: Policy


class _Candidate(NamedTuple):
    delivery: int
    org_id: str
    account_id: str
    draft: Draft
    to_number: str
    holder: Holder


class _Unrouted(NamedTuple):
    delivery: int
    org_id: str
    account_id: str
    key: str
    reason: str
    to_number: str | None
    raw: bytes


def _nobodys(index: int, delivery: Delivery, draft: Draft) -> _Unrouted:
    """A text to no number of the account. One of the carrier's ids may stand for a copy to each of several numbers."""
    sent_to = next(iter(draft.to_numbers), None)
    key = carrier_key(f"{draft.carrier_message_id} to {sent_to}", draft.raw)
    return _Unrouted(index, delivery.org_id, delivery.account_id, key, "unknown_number", sent_to, draft.raw)


Row = tuple[Any, ...]


class Group:
    """The rows of one group. Ids are canonical text here; each database binds them in its own form."""

    def __init__(self, deliveries: list[Delivery], random_bits: Callable[[int], int]) -> None:
        self._deliveries = deliveries
        self.has_parts = any(delivery.parts or delivery.overdue_at is not None for delivery in deliveries)
        self._replays: list[int] = []
        self._random_bits = random_bits
        self._candidates: list[_Candidate] = []
        self._positions: list[int] = []
        self._ids: list[str] = []
        self._unrouted: list[_Unrouted] = []

    def wanted(self) -> set[str]:
        """The numbers that the texts were sent to."""
        wanted = {number for d in self._deliveries for draft in d.drafts for number in draft.to_numbers}
        if self.has_parts:
            wanted |= {number for d in self._deliveries for part in d.parts for number in part.draft.to_numbers}
        return wanted

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """As they came."""
        return tuple(self._deliveries)

    def add_draft(self, index: int, draft: Draft) -> None:
        """A text that was assembled with a delivery. The delivery itself stays as it came: it may be written again."""
        deliveries = list(self._deliveries)
        deliveries[index] = deliveries[index]._replace(drafts=[*deliveries[index].drafts, draft])
        self._deliveries = deliveries

    def add_unrouted(self, index: int, draft: Draft) -> None:
        """A part that was sent to no number of the account."""
        self._unrouted.append(_nobodys(index, self._deliveries[index], draft))

    def add_replay(self, index: int) -> None:
        """A part that is there already."""
        self._replays.append(index)

    def route(self, held: Mapping[tuple[str, str], Holder]) -> None:
        """`held` is (carrier account, number) -> holder: a text routes only to numbers of the account it came by."""
        for index, delivery in enumerate(self._deliveries):
            org_id, account_id = delivery.org_id, delivery.account_id
            for draft in delivery.drafts:
                for number in draft.to_numbers:
                    holder = held.get((account_id, number))
                    if holder is not None:
                        self._candidates.append(_Candidate(index, org_id, account_id, draft, number, holder))
                        break
                else:
                    self._unrouted.append(_nobodys(index, delivery, draft))
            self._unrouted += [
                _Unrouted(index, org_id, account_id, carrier_key("", event.raw), event.reason, None, event.raw)
                for event in delivery.unknown
            ]

    def org_ids(self) -> list[str]:
        """Whose counters must be locked: for a message's place, and so that a receipt and its send see each other.

        In the order that keeps two groups from a deadlock.
        """
        return sorted(
            {d.org_id for d in self._deliveries if d.drafts or d.receipts or d.parts or d.overdue_at is not None}
        )

    def place(self, take: Callable[[str], int]) -> None:
        """Give every candidate the next position of its organization, which `take` takes."""
        self._positions = [take(c.org_id) for c in self._candidates]
        self._ids = [uuid7(position, self._random_bits(RANDOM_BITS)) for position in self._positions]

    def key_rows(self) -> list[Row]:
        """Rows of message_keys; those that conflict with a stored one are replays."""
        return [
            (c.org_id, c.account_id, c.draft.carrier_message_id, c.to_number, message_id)
            for c, message_id in zip(self._candidates, self._ids, strict=True)
        ]

    @property
    def ids(self) -> Sequence[str]:
        """Of every message that may turn out to be new."""
        return self._ids

    def new(self, new_ids: set[str]) -> list[New]:
        """The messages whose keys were new, in order."""
        return [
            New(message_id, c.org_id, c.holder, c.to_number, c.draft, self._deliveries[c.delivery].policy)
            for c, message_id in zip(self._candidates, self._ids, strict=True)
            if message_id in new_ids
        ]

    def messages(self, new_ids: Container[str]) -> list[Row]:
        """Rows of inbound_messages, for the ids whose keys were new; the last column is before what they can answer."""
        return [
            (
                c.org_id,
                message_id,
                c.holder.phone_number_id,
                c.holder.agent_id,
                c.draft.from_number,
                c.to_number,
                c.draft.body,
                c.draft.channel,
                json.dumps(c.draft.media) if c.draft.media else None,
                json.dumps(c.draft.recipients) if c.draft.recipients else None,
                c.draft.segment_count,
                c.draft.opt_out_keyword,
                c.draft.suspected,
                c.draft.carrier_message_id,
                c.draft.carrier_received_at,
                c.draft.opt_out_keyword is not None,
                c.account_id,
                c.draft.raw,
                floor_of(position - THREAD_US),
            )
            for c, message_id, position in zip(self._candidates, self._ids, self._positions, strict=True)
            if message_id in new_ids
        ]

    def receipt_events(self) -> list[tuple[str, str, list[ReceiptEvent]]]:
        """(organization, carrier account, receipts) of each delivery that brought some."""
        return [(d.org_id, d.account_id, d.receipts) for d in self._deliveries if d.receipts]

    def receipts(self, now_us: int) -> list[Row]:
        """Rows of delivery_receipts; one that is stored already is a replay."""
        return [
            (
                delivery.org_id,
                delivery.account_id,
                carrier_key(receipt.carrier_message_id, receipt.raw),
                storable(receipt.recipient)[:MAX_INDEXED],
                receipt.event,
                storable(receipt.error_code) if receipt.error_code else None,
                storable(receipt.description) if receipt.description else None,
                receipt.carrier_time,
                now_us,
                receipt.raw,
            )
            for delivery in self._deliveries
            for receipt in delivery.receipts
        ]

    def unrouted(self, now_us: int) -> list[Row]:
        """Rows of unrouted_deliveries; one that is stored already is a replay."""
        return [
            (
                u.org_id,
                uuid7(now_us, self._random_bits(RANDOM_BITS)),
                u.account_id,
                u.key,
                u.reason,
                u.to_number,
                now_us,
                u.raw,
            )
            for u in self._unrouted
        ]

    def outcomes(self, new_ids: set[str]) -> list[Outcome]:
        """One per delivery, in order."""
        stored: list[list[str]] = [[] for _ in self._deliveries]
        duplicates = [0] * len(self._deliveries)
        for candidate, message_id in zip(self._candidates, self._ids, strict=True):
            if message_id in new_ids:
                stored[candidate.delivery].append(message_id)
            else:
                duplicates[candidate.delivery] += 1
        for index in self._replays:
            duplicates[index] += 1
        unrouted = [0] * len(self._deliveries)
        for each in self._unrouted:
            unrouted[each.delivery] += 1
        return [
            Outcome(stored[index], duplicates[index], unrouted[index], len(delivery.receipts))
            for index, delivery in enumerate(self._deliveries)
        ]
