"""Outbound messages and threads."""

from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote

from roost.client.calls import D, call, each
from roost.client.flow import Flow, Pause, Walk, now
from roost.client.inbound import first_message
from roost.client.models import FINAL_STATUSES, InboundMessage, OutboundMessage, Status, Thread, ThreadMessage
from roost.client.resource import Resource, change, make, read
from roost.client.waits import found

PATH = "/v1/messages"
#: Between two looks at a message that is on its way: the first is short, because many are there at once.
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 2.0


class Messages(Resource[D]):
    """Texts that are sent."""

    @call
    def send(
        self,
        to_number: str,
        text: str = "",
        *,
        from_number: str,
        media: Sequence[str] = (),
        priority: Literal["default", "high"] | None = None,
        tag: str | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[OutboundMessage]:
        """Accept a text to be sent; its status goes on from there. `media` are public URLs, which make it an MMS.

        It is made once, however often it has to be sent to the server: the client makes an idempotency key itself. Give one
        of your own to make it once even if your program starts again. Raises ConsentRequired where the contact opted out.
        """
        body = {
            "from": from_number, "to": to_number, "text": text or None, "media": list(media) or None,
            "priority": priority, "tag": tag,
        }  # fmt: skip
        return self._fetch(make(PATH, body, idempotency_key), OutboundMessage)

    @each
    def list(
        self,
        *,
        status: Status | None = None,
        from_number: str | None = None,
        to_number: str | None = None,
        tag: str | None = None,
        include: Sequence[str] | None = None,
        page_size: int | None = None,
    ) -> Walk[OutboundMessage]:
        """Every message, newest first, page by page as you go. `include`: "error", "media_urls", "thread_id"."""
        return self._pages(
            read(PATH, status=status, from_=from_number, to=to_number, tag=tag, include=include, limit=page_size),
            OutboundMessage,
        )

    @call
    def get(self, message_id: str, *, include: Sequence[str] | None = None) -> Flow[OutboundMessage]:
        """One message. Raises NotFound."""
        return self._fetch(read(f"{PATH}/{quote(message_id, safe='')}", include=include), OutboundMessage)

    @call
    def cancel(self, message_id: str) -> Flow[OutboundMessage]:
        """Take a queued message back. Raises Conflict when it has left already."""
        return self._fetch(change("DELETE", f"{PATH}/{quote(message_id, safe='')}"), OutboundMessage)

    @call
    def wait(self, message_id: str, *, timeout: float = 60.0) -> Flow[OutboundMessage]:
        """The message once its status is final (delivered, undelivered, failed), or as it is after `timeout` seconds.

        Not every carrier says when a text was delivered: then it stays `sent`. Raises NotFound.
        """
        request = read(f"{PATH}/{quote(message_id, safe='')}")
        until, pause = (yield from now()) + timeout, _FIRST_PAUSE_SECONDS
        while True:
            message = yield from self._fetch(request, OutboundMessage)
            left = until - (yield from now())
            if message.status in FINAL_STATUSES or left <= 0:
                return message
            yield Pause(min(left, pause))
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    @call
    def wait_for_reply(self, message: OutboundMessage, *, timeout: float = 60.0) -> Flow[InboundMessage | None]:
        """The contact's first text to that number after `message`, or None when none comes within `timeout` seconds.

        What came between sending and this call counts: nothing is missed.
        """
        request = read(
            "/v1/inbound-messages", from_=message.to_number, to=message.from_number, after=message.id, limit=1
        )
        return found(request, first_message, timeout, self._driver.settings)


class Threads(Resource[D]):
    """What was written to and fro."""

    @each
    def list(self, *, contact_number: str | None = None, page_size: int | None = None) -> Walk[Thread]:
        """Every thread, the one that began last first."""
        return self._pages(read("/v1/threads", contact_number=contact_number, limit=page_size), Thread)

    @each
    def messages(self, thread_id: str, *, page_size: int | None = None) -> Walk[ThreadMessage]:
        """A thread's messages in both directions, oldest first. Raises NotFound."""
        return self._pages(read(f"/v1/threads/{quote(thread_id, safe='')}/messages", limit=page_size), ThreadMessage)
