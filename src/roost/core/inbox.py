"""One shared query over an inbox; each dialect turns its parameters into it and its page into JSON."""

from dataclasses import dataclass
from typing import NamedTuple

from roost.core.ids import FIRST_ID, LAST_ID
from roost.core.message import Channel, InboundMessage


class InboxQuery(NamedTuple):
    """Which inbound messages of one organization, between two positions (both exclusive), in which direction.

    `agent_id` narrows to what the agent's numbers received while it held them. A filter of None does not filter.
    """

    org_id: str
    limit: int
    agent_id: str | None = None
    from_number: str | None = None
    to_number: str | None = None
    phone_number_id: str | None = None
    channel: Channel | None = None
    opt_out: bool | None = None
    above: str = FIRST_ID
    below: str = LAST_ID
    ascending: bool = False


@dataclass(slots=True)
class Page:
    """Up to `limit` messages in the query's direction, and whether there are more beyond the last.

    `rendered` is what was last made of it, with the question that it answers: a store may remember a page, and pollers
    ask the same again and again.
    """

    messages: list[InboundMessage]
    has_more: bool
    rendered: tuple[bytes, bytes] | None = None
