"""The stream of a real server, by both clients, on both databases."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from roost.client import ConsentChanged, Forbidden, MessageReceived, MessageStatus
from support.agents import hear
from support.allowed import allowed
from support.callers import Caller
from support.databases import Database
from support.house import House, Tenant

Connect = Callable[..., Caller]
CONTACT, GOOGLE = "+15554443333", "22000"
BEFORE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    """It sends: by loopback, at once."""
    running = House(database, tmp_path / "data", working=True, segments_per_second=0).start()
    yield running
    running.stop()


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(carrier="loopback", number="+15551112222")


@pytest.fixture
def roost(house: House, tenant: Tenant, connect: Connect) -> Caller:
    return connect(house.base_url, api_key=tenant.key)


def what(event: Any) -> str:
    """An event in a word or two."""
    match event:
        case MessageReceived(data=message):
            return f"{message.from_number}: {message.body}"
        case MessageStatus(data=message):
            return f"{message.text} {message.status}"
        case ConsentChanged(data=change):
            return f"{change.contact_number} {change.event} {change.opted_in}"
        case _:
            return str(event)


def test_events_come_typed_in_their_order_with_what_they_have_beyond_the_list(
    house: House, tenant: Tenant, roost: Caller
) -> None:
    hear(house, tenant, CONTACT, "hello?")
    sent = roost.call(lambda client: client.messages.send(CONTACT, "3 pm?", from_number=tenant.number.number))
    statuses = roost.take(lambda client: client.stream(last_event_id=sent.id, types=["message.status"]), 2)
    assert [what(event) for event in statuses] == ["3 pm? sending", "3 pm? delivered"]
    hear(house, tenant, CONTACT, "STOP")
    hear(house, tenant, GOOGLE, "G-482913 is your Google verification code.")
    types = ["message.received", "consent.changed"]
    events = roost.take(lambda client: client.stream(last_event_id=statuses[1].id, types=types), 3)
    assert [what(event) for event in events] == [
        f"{CONTACT}: STOP",
        f"{CONTACT} opt_out False",
        f"{GOOGLE}: G-482913 is your Google verification code.",
    ]
    stop, opt_out, code = events
    assert stop.data.related_outbound_id == sent.id
    assert (opt_out.data.keyword, opt_out.data.message_id) == ("STOP", stop.id)
    assert (code.id, code.data.otp.code, code.data.otp.service) == (code.data.id, "482913", "Google")


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"from_number": GOOGLE}, ["code 2"]),
    ({"types": ["message.received"], "opt_out": True}, ["STOP"]),
    ({"types": ["message.received"], "channel": "sms"}, ["hello", "STOP", "code 2"]),
]


@pytest.mark.parametrize(("filters", "bodies"), FILTERS)
def test_filters_are_those_of_the_list(
    house: House, tenant: Tenant, roost: Caller, filters: dict[str, Any], bodies: list[str]
) -> None:
    hear(house, tenant, CONTACT, "hello")
    hear(house, tenant, CONTACT, "STOP")
    hear(house, tenant, GOOGLE, "code 2")
    number_id = tenant.number.id
    seen = roost.take(
        lambda client: client.stream(
            last_event_id=BEFORE, to_number="+15551112222", phone_number_id=number_id, **filters
        ),
        len(bodies),
    )
    assert [event.data.body for event in seen] == bodies


def test_it_begins_at_a_time_or_now(house: House, tenant: Tenant, roost: Caller) -> None:
    hear(house, tenant, CONTACT, "before")
    [before] = house.inbound(tenant)
    [first] = roost.take(lambda client: client.stream(since=before["received_at"]), 1)
    assert first.id == before["id"], "inclusive"

    def hear_once_it_has_begun() -> None:
        while "\nroost_streams 1.0" not in house.http.get("/metrics").text:
            pass
        hear(house, tenant, CONTACT, "after")

    while "\nroost_streams 0.0" not in house.http.get("/metrics").text:
        pass  # the first has ended
    with ThreadPoolExecutor(1) as other:
        heard = other.submit(hear_once_it_has_begun)
        [event] = roost.take(lambda client: client.stream(types=["message.received"]), 1)
        heard.result(10)
    assert event.data.body == "after"


def test_who_may_not_read_is_told_and_who_may_not_see_consent_is_not_shown_it(
    house: House, tenant: Tenant, connect: Connect
) -> None:
    reads, sends = (
        connect(house.base_url, api_key=allowed(house, tenant, scope)["Authorization"].partition(" ")[2])
        for scope in ("messages:read", "messages:send")
    )
    hear(house, tenant, CONTACT, "STOP")
    hear(house, tenant, CONTACT, "START")
    seen = reads.take(lambda client: client.stream(last_event_id=BEFORE), 6)
    assert {event.type for event in seen} == {"message.received", "message.status"}
    for caller, options in ((sends, {}), (reads, {"types": ["consent.changed"]})):
        with pytest.raises(Forbidden):
            caller.take(lambda client, options=options: client.stream(**options), 1)


def test_an_agents_stream_has_its_own(house: House, tenant: Tenant, connect: Connect) -> None:
    agent = connect(house.base_url, agent=tenant.agent.wallet)
    nobodys = house.wait(house.directory.add_number(tenant.org.org_id, "+15551230000", tenant.account.id, None, ""))
    assert nobodys is not None
    hear(house, tenant, CONTACT, "nobody's", nobodys.number)
    hear(house, tenant, CONTACT, "mine")
    agent.call(lambda client: client.agent.send(CONTACT, "on my way"))
    seen = agent.take(lambda client: client.agent.stream(last_event_id=BEFORE), 3)
    assert [what(event) for event in seen] == [f"{CONTACT}: mine", "on my way sending", "on my way delivered"]
