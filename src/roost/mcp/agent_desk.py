"""What the tools of an agent do (dialect B): it has an inbox of its own, and sends from its own numbers."""

import asyncio
import time
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from roost.client.clients import Client
from roost.client.drivers import Awaiting
from roost.client.models import InboxMessage
from roost.core.otp import find_otp
from roost.mcp import questions, results

#: Older than anything that is kept.
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_RECENT = timedelta(minutes=10)


class AgentDesk:
    """The tools of one agent. Every call raises RoostError."""

    def __init__(self, client: Client[Awaiting]) -> None:
        self._agent = client.agent

    async def list_inbound(self, asked: questions.ListInbox) -> results.Messages:
        since = await self._time_of(asked.after)
        found = await self._agent.inbox(since=since, from_number=asked.from_number, limit=asked.limit)
        ordered = found if since is None else found[::-1]
        return results.page([results.of_inbox(message) for message in ordered])

    async def get_inbound(self, asked: questions.GetInbound) -> results.Messages:
        return results.page([results.of_inbox(await self._agent.get(asked.id), whole=True)])

    async def wait_for_text(self, asked: questions.WaitForInbox) -> results.Messages:
        newest = await self._newest() if asked.after is None else None
        after = asked.after or (newest.id if newest else None)
        since = newest.received_at if newest else await self._time_of(after)
        message = await self._next(asked.from_number, since or _BEGINNING, asked.seconds)
        if message is None:
            return results.page([], after=after)
        return results.page([results.of_inbox(message)], after=message.id)

    async def send_text(self, asked: questions.SendFromInbox) -> results.Requested:
        return await self._send(asked.to, asked.text, asked.key)

    async def reply(self, asked: questions.Reply) -> results.Requested:
        message = await self._agent.get(asked.id)
        return await self._send(message.from_number, asked.text, asked.key)

    async def one_time_code(self, asked: questions.InboxCode) -> results.Messages:
        since = await self._time_of(asked.after) or datetime.now(UTC) - _RECENT
        found = await self._agent.inbox(since=since, from_number=asked.from_number, limit=100)
        message = next((each for each in found if find_otp(each.body) is not None), None)
        until = time.monotonic() + asked.seconds
        while message is None and (left := until - time.monotonic()) > 0:
            came = await self._next(asked.from_number, found[0].received_at if found else since, left)
            found = [] if came is None else [came]
            message = came if came is not None and find_otp(came.body) is not None else None
        return results.page([] if message is None else [results.of_inbox(message)])

    async def _time_of(self, message_id: str | None) -> datetime | None:
        """Dialect B goes on from times, which are as exact as ids are."""
        return None if message_id is None else (await self._agent.get(message_id)).received_at

    async def _newest(self) -> InboxMessage | None:
        found = await self._agent.inbox(limit=1)
        return found[0] if found else None

    async def _next(self, from_number: str | None, since: datetime, seconds: float) -> InboxMessage | None:
        """The first text after a time, or None when none comes within so many seconds."""
        if seconds <= 0:
            found = await self._agent.inbox(since=since, from_number=from_number, limit=1)
            return found[0] if found else None
        try:
            async with (
                asyncio.timeout(seconds),
                aclosing(self._agent.follow(since=since, from_number=from_number)) as came,
            ):
                return await anext(came)
        except TimeoutError:
            return None

    async def _send(self, to_number: str, text: str, key: str | None) -> results.Requested:
        request = await self._agent.send(to_number, text, idempotency_key=key)
        return results.Requested(request.request_id, to_number, request.status)
