"""Webhook endpoints by both clients, on both databases, with a real receiver."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from roost.client import Forbidden, Invalid, MessageReceived, NotFound, UnknownEvent, verify_webhook
from support.agents import hear
from support.allowed import allowed
from support.callers import Caller
from support.databases import Database
from support.house import House, Tenant
from support.receiver import Receiver

Connect = Callable[..., Caller]
CONTACT = "+15554443333"


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    running = House(database, tmp_path / "data", telling=True, allowed_networks="127.0.0.0/8").start()
    yield running
    running.stop()


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(carrier="loopback")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


def test_an_endpoint_is_made_told_looked_up_and_let_go(
    house: House, tenant: Tenant, receiver: Receiver, connect: Connect
) -> None:
    roost = connect(house.base_url, api_key=tenant.key)
    events = ["message.received"]
    made = roost.call(
        lambda client: client.webhooks.create(receiver.url(), events=events, idempotency_key="the receiver")
    )
    again = roost.call(
        lambda client: client.webhooks.create(receiver.url(), events=events, idempotency_key="the receiver")
    )
    assert (again, made.active, made.events, made.previous_valid_until) == (made, True, ("message.received",), None)
    tested = roost.call(lambda client: client.webhooks.test(made.id))
    assert (tested.outcome, tested.response_status, tested.url) == ("success", 200, receiver.url())
    hear(house, tenant, CONTACT, "hello?")
    test, post = receiver.wait_for(2)
    assert isinstance(verify_webhook(made.secret, test.headers, test.body), UnknownEvent)
    event = verify_webhook(made.secret, post.headers, post.body)
    assert isinstance(event, MessageReceived)
    assert event.data.body == "hello?"
    told = logged(roost, event.id)
    assert (told.outcome, told.attempt, told.endpoint_id) == ("success", 1, made.id)
    replayed = roost.call(lambda client: client.webhooks.replay(told.id))
    assert receiver.wait_for(3)[2].headers["webhook-id"] == replayed.event_id != told.event_id
    rotated = roost.call(lambda client: client.webhooks.rotate_secret(made.id))
    assert rotated.secret != made.secret
    assert rotated.previous_valid_until > rotated.created_at
    changed = roost.call(lambda client: client.webhooks.change(made.id, active=False, description="off"))
    assert (changed.active, changed.description, changed.url) == (False, "off", made.url)
    assert roost.take(lambda client: client.webhooks.list()) == [changed]
    assert roost.call(lambda client: client.webhooks.get(made.id)) == changed
    assert roost.call(lambda client: client.webhooks.remove(made.id)) is None
    with pytest.raises(NotFound):
        roost.call(lambda client: client.webhooks.get(made.id))


def logged(roost: Caller, event_id: str) -> Any:
    """The entry for it, which is written once the receiver's answer has come."""
    while True:
        for delivery in roost.take(lambda client: client.webhooks.deliveries(outcome="success", page_size=1)):
            if delivery.event_id == f"evt_{event_id}":
                return delivery


def test_what_is_refused_says_what_to_do(house: House, tenant: Tenant, connect: Connect) -> None:
    roost = connect(house.base_url, api_key=tenant.key)
    with pytest.raises(Invalid) as wrong:
        roost.call(lambda client: client.webhooks.create("http://example.com/", events=["message.received"]))
    assert "url" in wrong.value.details
    key = allowed(house, tenant, "messages:read")["Authorization"].partition(" ")[2]
    with pytest.raises(Forbidden):
        connect(house.base_url, api_key=key).take(lambda client: client.webhooks.list())
