"""The types that a caller sees: `make check` holds mypy, strict, to each line of this; nothing runs it."""

from typing import assert_type

from roost.client import (
    AsyncRoost,
    Event,
    EventType,
    InboundMessage,
    MessageReceived,
    OutboundMessage,
    Roost,
    verify_webhook,
)
from roost.client.claims import Claimed, Settled
from roost.client.models import AgentRequest, Consent, FoundCode, Number, Thread, ThreadMessage


def blocking(roost: Roost) -> None:
    assert_type(roost.messages.send("+1", "x", from_number="+2"), OutboundMessage)
    assert_type(roost.messages.wait_for_reply(roost.messages.get("7")), InboundMessage | None)
    for message in roost.inbound.list(opt_out=True):
        assert_type(message, InboundMessage)
    assert_type(roost.inbound.claim(limit=5), Claimed)
    for thread in roost.threads.list():
        assert_type(thread, Thread)
    assert_type(next(roost.threads.messages("7")), ThreadMessage)
    assert_type(roost.otp.newest("+1"), FoundCode | None)
    assert_type(next(roost.numbers.list()), Number)
    assert_type(roost.consent.record("7", "+1"), Consent)
    assert_type(roost.agent.send("+1", "x"), AgentRequest)
    for event in roost.stream():
        if isinstance(event, MessageReceived):
            assert_type(event.data, InboundMessage)
            assert_type(event.type, EventType)
    for event in roost.agent.stream(types=["message.status"]):
        assert_type(event, Event)
    assert_type(roost.inbound.wait(), InboundMessage | None)
    assert_type(roost.messages.wait("7"), OutboundMessage)
    assert_type(roost.webhooks.create("https://x", events=["message.received"]).secret, str)
    assert_type(verify_webhook("", {}, b""), Event)


async def awaiting(roost: AsyncRoost) -> None:
    assert_type(await roost.messages.send("+1", "x", from_number="+2"), OutboundMessage)
    async for message in roost.inbound.follow():
        assert_type(message, InboundMessage)
    assert_type(await roost.inbound.ack(await roost.inbound.claim()), list[Settled])
    assert_type(await roost.otp.wait("+1"), FoundCode | None)


def wrong(roost: Roost) -> None:
    roost.messages.send("+1", "x")  # type: ignore[call-arg]
    roost.messages.send("+1", "x", from_number="+2", prioritty="high")  # type: ignore[call-arg]
    roost.messages.list(status="lost")  # type: ignore[arg-type]
    roost.webhooks.create("https://x", events=["message.lost"])  # type: ignore[list-item]
    roost.stream(types=["message.lost"])  # type: ignore[list-item]
    roost.inbound.get(7)  # type: ignore[arg-type]
