"""Inbound messages: listed, followed, waited for, claimed; and the one-time codes in them."""

from collections.abc import Sequence
from urllib.parse import quote

from roost.client.calls import D, call, each
from roost.client.claims import Claims
from roost.client.drivers import Settings
from roost.client.flow import Answer, Emit, Flow, Walk, answered, now
from roost.client.models import Channel, FoundCode, InboundMessage
from roost.client.resource import Resource, Time, read, read_page, unwrapped
from roost.client.waits import found, next_answer, rest

PATH = "/v1/inbound-messages"
#: Before everything: with `after`, what there is from the very first on.
BEGINNING = "00000000-0000-0000-0000-000000000000"


class Inbound(Claims[D]):
    """Texts that came."""

    @each
    def list(
        self,
        *,
        from_number: str | None = None,
        to_number: str | None = None,
        phone_number_id: str | None = None,
        channel: Channel | None = None,
        opt_out: bool | None = None,
        since: Time | None = None,
        after: str | None = None,
        include: Sequence[str] | None = None,
        page_size: int | None = None,
    ) -> Walk[InboundMessage]:
        """Every message, newest first, page by page as you go.

        With `after`, a message's id, it is what came after that one, oldest first: go on from the last id that you saw, and
        you get each message exactly once, however many come meanwhile. `since` is inclusive. `include`: "blocked", "otp",
        "recipients", "suspected".
        """
        return self._pages(
            read(
                PATH, from_=from_number, to=to_number, phone_number_id=phone_number_id, channel=channel, opt_out=opt_out,
                since=since, after=after, include=include, limit=page_size,
            ),
            InboundMessage,
        )  # fmt: skip

    @call
    def get(self, message_id: str, *, include: Sequence[str] | None = None) -> Flow[InboundMessage]:
        """One message. Raises NotFound."""
        return self._fetch(read(f"{PATH}/{quote(message_id, safe='')}", include=include), InboundMessage)

    @each
    def follow(
        self,
        *,
        after: str | None = None,
        from_number: str | None = None,
        to_number: str | None = None,
        include: Sequence[str] | None = None,
    ) -> Walk[InboundMessage]:
        """What came after the message with the id `after`, oldest first, and then whatever comes, without end.

        Each message exactly once. Keep the id of the last one that you are done with, and begin there the next time; without
        `after` it begins now. A server that is away is waited for.
        """
        settings = self._driver.settings
        seen = after if after is not None else (yield from _newest(settings))
        while True:
            began = yield from now()
            request = read(PATH, from_=from_number, to=to_number, include=include, after=seen, limit=100)
            messages, _ = read_page((yield from next_answer(request, settings)), InboundMessage)
            for message in messages:
                yield Emit(message)
                seen = message.id
            if not messages:
                yield from rest(began)

    @call
    def wait(
        self,
        *,
        from_number: str | None = None,
        to_number: str | None = None,
        after: str | None = None,
        include: Sequence[str] | None = None,
        timeout: float = 60.0,
    ) -> Flow[InboundMessage | None]:
        """The first message after the one with the id `after`, else from now on; None: none came within `timeout` seconds."""
        settings = self._driver.settings
        seen = after if after is not None else (yield from _newest(settings))
        request = read(PATH, from_=from_number, to=to_number, after=seen, include=include, limit=1)
        return (yield from found(request, first_message, timeout, settings))


class Codes(Resource[D]):
    """One-time codes that came in texts."""

    @call
    def newest(
        self, to_number: str, *, from_number: str | None = None, since: Time | None = None, after: str | None = None
    ) -> Flow[FoundCode | None]:
        """The newest code that came to a number, or None: `since` a time (else in the last ten minutes), or in what came after
        the message with the id `after`."""
        request = read("/v1/otp", to=to_number, from_=from_number, since=since, after=after)
        return found(request, _code, 0, self._driver.settings, takes=404)

    @call
    def wait(
        self,
        to_number: str,
        *,
        from_number: str | None = None,
        since: Time | None = None,
        after: str | None = None,
        timeout: float = 60.0,
    ) -> Flow[FoundCode | None]:
        """The same, waiting up to `timeout` seconds for one. Without `since` and `after`, one that comes from now on counts."""
        settings = self._driver.settings
        if since is None and after is None:
            after = yield from _newest(settings)
        request = read("/v1/otp", to=to_number, from_=from_number, since=since, after=after)
        return (yield from found(request, _code, timeout, settings, takes=404))


def first_message(answer: Answer) -> InboundMessage | None:
    """The first message that a list read forwards has."""
    messages, _ = read_page(answer, InboundMessage)
    return messages[0] if messages else None


def _newest(settings: Settings) -> Flow[str]:
    """The id of the newest message of all, so that nothing between this and the next request is missed."""
    answer = yield from answered(read(PATH, limit=1), settings.retry)
    messages, _ = read_page(answer, InboundMessage)
    return messages[0].id if messages else BEGINNING


def _code(answer: Answer) -> FoundCode | None:
    return None if answer.status == 404 else unwrapped(answer, FoundCode)
