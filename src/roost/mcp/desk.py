"""What each tool does, by the client's calls alone: so it has the API's own rules, limits and errors, wherever the server is."""

import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import TypeVar

from roost.client.clients import Client
from roost.client.drivers import Awaiting
from roost.client.errors import Forbidden, Invalid, NotFound
from roost.client.inbound import BEGINNING
from roost.client.models import Consent, InboundMessage, Thread, ThreadMessage
from roost.client.pages import Page
from roost.client.retry import Retry
from roost.mcp import questions, results

#: A call should not take long, and an agent can come again by itself.
RETRY = Retry(times=2, patience=5.0)
INCLUDE = ("blocked", "otp", "suspected", "thread_id")

T = TypeVar("T")


class Desk:
    """The tools of one credential. Every call raises RoostError."""

    def __init__(self, client: Client[Awaiting]) -> None:
        self._client = client

    async def list_inbound(self, asked: questions.ListInbound) -> results.Messages:
        page = await self._inbound(asked.from_number, asked.to, asked.after, asked.limit, asked.cursor)
        return results.page([results.inbound(message) for message in page.items], page.cursor)

    async def get_inbound(self, asked: questions.GetInbound) -> results.Messages:
        message = await self._client.inbound.get(asked.id, include=INCLUDE)
        return results.page([results.inbound(message, whole=True)])

    async def wait_for_text(self, asked: questions.WaitForText) -> results.Messages:
        from_number, to_number, after = asked.from_number, asked.to, asked.after
        if asked.reply_to is not None:
            ours = await self._client.messages.get(asked.reply_to)
            from_number, to_number, after = ours.to_number, ours.from_number, after or ours.id
        return await self._next(from_number, to_number, after or await self._newest(), asked.seconds)

    async def send_text(self, asked: questions.SendText) -> results.Sent:
        return await self._send(asked.from_number, asked.to, asked.text, asked.key, asked.media or ())

    async def reply(self, asked: questions.Reply) -> results.Sent:
        message = await self._client.inbound.get(asked.id)
        return await self._send(message.to_number, message.from_number, asked.text, asked.key)

    async def read_thread(self, asked: questions.ReadThread) -> results.Messages:
        thread_id = asked.id or await self._newest_thread(asked.contact)
        last, count = deque[ThreadMessage](maxlen=asked.limit), 0
        async for message in self._client.threads.messages(thread_id, page_size=200):
            last.append(message)
            count += 1
        return results.page([results.of_thread(message) for message in last], earlier=count - len(last))

    async def opt_out_state(self, asked: questions.OptOutState) -> results.OptOuts:
        consents = await _first(20, self._client.consent.list(contact_number=asked.contact, page_size=20))
        return results.OptOuts(asked.contact, [await self._state(consent) for consent in consents])

    async def one_time_code(self, asked: questions.OneTimeCode) -> results.Messages:
        # Taken before it is looked for the first time: what comes in between is not missed.
        begin_at = asked.after or (await self._newest() if asked.seconds else None)
        found = await self._client.otp.newest(asked.to, from_number=asked.from_number, after=asked.after)
        if found is None and asked.seconds:
            found = await self._client.otp.wait(
                asked.to, from_number=asked.from_number, after=begin_at, timeout=asked.seconds
            )
        if found is None:
            return results.page([])
        return results.page([results.inbound(await self._client.inbound.get(found.message_id, include=INCLUDE))])

    async def list_numbers(self, asked: questions.ListNumbers) -> results.Numbers:
        del asked
        numbers = await _first(100, self._client.numbers.list(page_size=100))
        return results.Numbers([results.OurNumber(each.number, each.label) for each in numbers])

    async def newest_threads(self) -> list[Thread]:
        """Those that began last."""
        return await _first(20, self._client.threads.list(page_size=20))

    async def _inbound(
        self, from_number: str | None, to_number: str | None, after: str | None, limit: int, cursor: str | None = None
    ) -> Page[InboundMessage]:
        return await self._client.pages.inbound(
            from_number=from_number, to_number=to_number, after=after, include=INCLUDE, page_size=limit, cursor=cursor
        )

    async def _newest(self) -> str:
        """The id of the newest message: whatever comes from now on comes after it."""
        page = await self._inbound(None, None, None, 1)
        return page.items[0].id if page.items else BEGINNING

    async def _next(
        self, from_number: str | None, to_number: str | None, after: str, seconds: float
    ) -> results.Messages:
        """The first text after a message. A blocked sender's wakes nobody."""
        until = time.monotonic() + seconds
        while True:
            message = await self._client.inbound.wait(
                from_number=from_number, to_number=to_number, after=after, include=INCLUDE,
                timeout=max(0.0, until - time.monotonic()),
            )  # fmt: skip
            if message is None:
                return results.page([], after=after)
            after = message.id
            if not message.blocked:
                return results.page([results.inbound(message)], after=after)

    async def _send(
        self, from_number: str, to_number: str, text: str, key: str | None, media: Sequence[str] = ()
    ) -> results.Sent:
        return results.sent(
            await self._client.messages.send(to_number, text, from_number=from_number, media=media, idempotency_key=key)
        )

    async def _newest_thread(self, contact: str | None) -> str:
        if contact is None:
            raise Invalid("give id, or contact")
        found = await _first(1, self._client.threads.list(contact_number=contact, page_size=1))
        if not found:
            raise NotFound("there is no thread with that contact: a thread begins with a text of ours")
        return found[0].id

    async def _state(self, consent: Consent) -> results.ContactState:
        number = consent.phone_number_id
        # A key that reads consent need not read numbers, and the number may be gone.
        with suppress(Forbidden, NotFound):
            number = (await self._client.numbers.get(number)).number
        return results.contact_state(number, consent)


async def _first(count: int, items: AsyncGenerator[T, None]) -> list[T]:
    """Of many, so many: what is longer is no answer for an agent."""
    taken: list[T] = []
    async with aclosing(items):
        async for item in items:
            taken.append(item)
            if len(taken) == count:
                break
    return taken
