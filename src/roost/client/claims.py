"""Claims: how several workers share an inbox."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from roost.client.calls import D, call
from roost.client.flow import Flow
from roost.client.models import InboundMessage
from roost.client.resource import Resource, change, make, unwrapped

_PATH = "/v1/inbound-messages"
#: How much longer than it waits a claim may take to be answered.
_SPARE_SECONDS = 10.0


class Claimed(msgspec.Struct, frozen=True):
    """What a worker got, oldest first, until `leased_until`. Without messages there is neither a fence nor a lease."""

    queue: str
    fence: int | None
    leased_until: datetime | None
    messages: tuple[InboundMessage, ...]


class Settled(msgspec.Struct, frozen=True):
    """What became of one message. When it was refused, `reason` says why, and nothing was changed."""

    id: str
    fence: int
    status: Literal["acked", "released", "refused"]
    reason: str | None = None


class _SettledList(msgspec.Struct):
    messages: list[Settled]


class Claims(Resource[D]):
    """Messages that a worker takes, and settles."""

    @call
    def claim(
        self,
        *,
        queue: str | None = None,
        limit: int | None = None,
        lease_seconds: int | None = None,
        wait: int | None = None,
        to_number: str | None = None,
        phone_number_id: str | None = None,
        agent_id: str | None = None,
        include: Sequence[str] | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[Claimed]:
        """The oldest messages that no worker of the queue has and none is done with: yours for `lease_seconds`, else for 60.

        `wait`, up to 30 seconds, is how long to wait where there is nothing. A connection that breaks costs nothing: the claim
        is sent again under the same key, and gets the same messages.
        """
        body = {
            "queue": queue, "limit": limit, "lease_seconds": lease_seconds, "wait": wait, "to": to_number,
            "phone_number_id": phone_number_id, "agent_id": agent_id, "include": include,
        }  # fmt: skip
        request = make(f"{_PATH}/claim", body, idempotency_key)
        seconds = max(self._driver.settings.timeout, (wait or 0) + _SPARE_SECONDS)
        return self._fetch(request._replace(timeout=seconds), Claimed)

    @call
    def ack(self, claimed: Claimed, *messages: InboundMessage | str) -> Flow[list[Settled]]:
        """Done: no worker of the queue gets these again. All of the claim, or those that you name.

        Look at what comes back: one that is `refused` as `outdated` was claimed by another worker after your lease ran out.
        """
        return self._settle("ack", claimed, messages)

    @call
    def release(self, claimed: Claimed, *messages: InboundMessage | str) -> Flow[list[Settled]]:
        """Give these back, for whoever comes next. All of the claim, or those that you name."""
        return self._settle("release", claimed, messages)

    def _settle(self, how: str, claimed: Claimed, messages: Sequence[InboundMessage | str]) -> Flow[list[Settled]]:
        named = [each if isinstance(each, str) else each.id for each in messages or claimed.messages]
        if not named:
            return []
        held = [{"id": each, "fence": claimed.fence} for each in named]
        answer = yield from self._answer(change("POST", f"{_PATH}/{how}", {"queue": claimed.queue, "messages": held}))
        return unwrapped(answer, _SettledList).messages
