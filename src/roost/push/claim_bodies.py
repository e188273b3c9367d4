"""What a worker says when it claims and settles messages, and what it is told; dialect A's shapes."""

import re
from typing import Annotated, Any, Literal

import msgspec

from roost.api.agentmessage import INCLUDES, InboundMessageBody, message_body
from roost.api.answers import moment
from roost.api.bodies import Fields, PhoneNumber, one_of, uuid, whole
from roost.api.listing import MAX_WAIT
from roost.core.claims import (
    DEFAULT_LEASE_SECONDS,
    DEFAULT_LIMIT,
    DEFAULT_QUEUE,
    MAX_LEASE_SECONDS,
    MAX_LIMIT,
    Claimed,
    ClaimFilters,
    Held,
    Reason,
    Settling,
    Wanted,
)
from roost.core.ids import FIRST_ID
from roost.core.media_urls import MediaUrls
from roost.core.numbers import is_sender

MAX_SETTLED = 1000
#: What JSON numbers hold everywhere (RFC 8259, 6).
_MAX_FENCE = (1 << 53) - 1
_QUEUE = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$"
_is_queue = re.compile(_QUEUE.replace("$", r"\Z"), re.ASCII).match

Queue = Annotated[str, msgspec.Meta(pattern=_QUEUE)]
Uuid = Annotated[str, msgspec.Meta(extra_json_schema={"format": "uuid"})]
Include = Literal["agent_id", "blocked", "otp", "recipients", "related_outbound_id", "suspected", "thread_id"]


class ClaimBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a worker asks for. `wait` is how many seconds it waits where there is nothing; `to`, `phone_number_id` and
    `agent_id` narrow what it gets; `include` is as with the list."""

    queue: Queue = DEFAULT_QUEUE
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    lease_seconds: Annotated[int, msgspec.Meta(ge=1, le=MAX_LEASE_SECONDS)] = DEFAULT_LEASE_SECONDS
    wait: Annotated[int, msgspec.Meta(ge=0, le=MAX_WAIT)] = 0
    to: PhoneNumber | None = None
    phone_number_id: Uuid | None = None
    agent_id: Uuid | None = None
    include: list[Include] = []


class HeldBody(msgspec.Struct, forbid_unknown_fields=True):
    """A message, and the fence under which it was claimed."""

    id: Uuid
    fence: Annotated[int, msgspec.Meta(ge=1, le=_MAX_FENCE)]


class SettleBody(msgspec.Struct, forbid_unknown_fields=True):
    """Messages of one queue."""

    messages: Annotated[list[HeldBody], msgspec.Meta(min_length=1, max_length=MAX_SETTLED)]
    queue: Queue = DEFAULT_QUEUE


class ClaimedBody(msgspec.Struct):
    """What it gets, oldest first. `fence` is to be shown with each ack or release; null, as `leased_until`, without messages."""

    queue: str
    fence: int | None
    leased_until: str | None
    messages: list[InboundMessageBody]


class ClaimedOne(msgspec.Struct):
    success: Literal[True]
    data: ClaimedBody


class SettledBody(msgspec.Struct):
    """What became of one. `reason` says why it was refused, which changes nothing: `outdated` (another worker has it, or had
    it since, under a newer fence), `released` (it was given back), `acked` (it is done), `unknown` (it was not claimed so)."""

    id: str
    fence: int
    status: Literal["acked", "released", "refused"]
    reason: Reason | None


class SettledListBody(msgspec.Struct):
    """In the order in which they were asked; `refused` is how many were."""

    queue: str
    refused: int
    messages: list[SettledBody]


class SettledList(msgspec.Struct):
    success: Literal[True]
    data: SettledListBody


class AskedClaim(msgspec.Struct):
    """A claim, checked."""

    wanted: Wanted
    wait: int
    include: tuple[str, ...]


def parse_claim(values: dict[str, Any], org_id: str, agent_id: str | None, above: str = FIRST_ID) -> AskedClaim:
    """Refuses with 422. `agent_id` is the one who asks, who gets its own messages and no others."""
    fields = Fields(values)
    queue = fields.take("queue", _queue, DEFAULT_QUEUE)
    limit = fields.take("limit", whole(1, MAX_LIMIT), DEFAULT_LIMIT)
    lease_seconds = fields.take("lease_seconds", whole(1, MAX_LEASE_SECONDS), DEFAULT_LEASE_SECONDS)
    wait = fields.take("wait", whole(0, MAX_WAIT), 0)
    to_number: str | None = fields.take("to", _number, None)
    number_id: str | None = fields.take("phone_number_id", uuid, None)
    asked_agent: str | None = fields.take("agent_id", uuid, None)
    include: tuple[str, ...] = fields.take("include", _included, ())
    if agent_id is not None and asked_agent not in (None, agent_id):
        fields.details["agent_id"] = "must be left out: an agent claims its own messages"
    fields.check()
    filters = ClaimFilters(agent_id or asked_agent, number_id, to_number)
    return AskedClaim(Wanted(org_id, queue, limit, lease_seconds * 1_000_000, filters, above), wait, include)


def parse_settling(values: dict[str, Any]) -> tuple[str, list[Held]]:
    """The queue, and what is to be settled in it. Refuses with 422."""
    fields = Fields(values)
    queue = fields.take("queue", _queue, DEFAULT_QUEUE)
    held: list[Held] = fields.need("messages", _held, [])
    fields.check()
    return queue, held


def claimed_body(claimed: Claimed, queue: str, urls: MediaUrls, include: tuple[str, ...]) -> ClaimedOne:
    """A claim in the envelope."""
    messages = [message_body(message, urls, include) for message in claimed.messages]
    fence, until = (claimed.fence, claimed.until) if messages else (None, None)
    return ClaimedOne(True, ClaimedBody(queue, fence, moment(until), messages))


def settled_body(how: Settling, queue: str, held: list[Held], refused: list[Reason | None]) -> SettledList:
    """What became of each, in the envelope."""
    done: Literal["acked", "released"] = "acked" if how == "ack" else "released"
    messages = [
        SettledBody(each.message_id, each.fence, done if reason is None else "refused", reason)
        for each, reason in zip(held, refused, strict=True)
    ]
    return SettledList(True, SettledListBody(queue, sum(reason is not None for reason in refused), messages))


def _queue(value: Any) -> str:
    if not isinstance(value, str) or not _is_queue(value):
        raise ValueError("must be 1..64 of A-Z a-z 0-9 _ . : -, beginning with a letter or digit")
    return value


def _number(value: Any) -> str:
    if not isinstance(value, str) or not is_sender(value):
        raise ValueError("must be a number of ours, as E.164")
    return value


def _included(value: Any) -> tuple[str, ...]:
    read = one_of(*INCLUDES)
    if not isinstance(value, list):
        raise ValueError(f"must be a list of {', '.join(INCLUDES)}")
    return tuple(sorted({read(each) for each in value}))


def _held(value: Any) -> list[Held]:
    wanted = f'must be a list of 1..{MAX_SETTLED} objects such as {{"id": "...", "fence": 1}}'
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_SETTLED:
        raise ValueError(wanted)
    fence = whole(1, _MAX_FENCE)
    found = []
    for nth, each in enumerate(value):
        if not isinstance(each, dict) or each.keys() != {"id", "fence"}:
            raise ValueError(f"{wanted}; number {nth} is none")
        try:
            found.append(Held(uuid(each["id"]), fence(each["fence"])))
        except ValueError as error:
            raise ValueError(f"number {nth}: id must be a UUID and fence a whole number; it {error}") from None
    return found
