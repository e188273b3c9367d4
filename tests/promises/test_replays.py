"""Exactly one message for one carrier message, and nobody is hurt by what another one says."""

import asyncio
import json
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from roost import intake
from roost.core.message import Draft, InboundEvent, UnknownEvent, draft
from roost.store.base import Store
from roost.store.group import Delivery, Group, Outcome
from roost.store.unrouted import UnroutedDelivery, list_unrouted
from support.carrier import CREDENTIAL, deliveries
from support.house import BASIC, House, Tenant
from support.payloads import bandwidth_inbound, bandwidth_status
from support.pollers import whole_inbox
from support.wire import Answer, Wire

OURS = "+15550001111"
MANY = [f"+1666{index:07}" for index in range(1000)]
NOBODYS = ("+15559990001", "+15559990002")


@pytest.fixture(autouse=True)
def _usual_recursion_limit() -> Iterator[None]:
    """Python's own limit of 1000, which a library of other tests lifts for the whole process."""
    lifted = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(lifted)


def texts(house: House, tenant: Tenant) -> list[str]:
    """The bodies of the tenant's messages, sorted."""
    return sorted(message["body"] for message in whole_inbox(house.base_url, tenant.auth))


def unrouted(house: House, tenant: Tenant) -> list[UnroutedDelivery]:
    return house.wait(list_unrouted(house.store, tenant.org.org_id, 1000))


def group_copy(message_id: str, number: str, to: Sequence[str], *, text: str = "to all") -> dict[str, Any]:
    """The copy of a group text that is for one of the numbers it went to."""
    copy = bandwidth_inbound(message_id, number, text=text)
    copy["message"]["to"] = list(to)
    return copy


def counts(answer: Any) -> dict[str, int]:
    assert answer.status_code == 200, answer.text
    return {name: count for name, count in answer.json().items() if name != "ids" and count}


def post_at_once(house: House, tenant: Tenant, bodies: Sequence[bytes]) -> list[Answer]:
    """Each body on a connection of its own, all of them at the same moment."""
    barrier = threading.Barrier(len(bodies))

    def post(body: bytes) -> Answer:
        wire = Wire(house.base_url)
        barrier.wait()
        try:
            return wire.post(tenant.webhook, body, CREDENTIAL)
        finally:
            wire.close()

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(post, bodies))


class OneGroup:
    """Holds deliveries back until all that are expected have come, so that they are committed as one group.

    `sizes` are those of the groups that were tried.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, store: Store, expected: int) -> None:
        self._missing = expected
        self._complete = asyncio.Event()
        self._record = store.record
        self.sizes: list[int] = []
        initialize = Group.__init__

        def counted(group: Group, deliveries: list[Delivery], *rest: Any) -> None:
            self.sizes.append(len(deliveries))
            initialize(group, deliveries, *rest)

        monkeypatch.setattr(store, "record", self.record)
        monkeypatch.setattr(Group, "__init__", counted)

    async def record(self, delivery: Delivery) -> Outcome:
        self._missing -= 1
        if self._missing == 0:
            self._complete.set()
        await self._complete.wait()
        return await self._record(delivery)


# ---- replays


def test_the_same_event_again_changes_nothing(house: House) -> None:
    tenant = house.tenant(number=OURS)
    event = bandwidth_inbound("bw-1", OURS, text="once")
    assert counts(house.deliver(tenant, [event])) == {"stored": 1}
    before = whole_inbox(house.base_url, tenant.auth)
    for _ in range(2):
        assert counts(house.deliver(tenant, [event])) == {"duplicates": 1}
    assert whole_inbox(house.base_url, tenant.auth) == before


def test_the_first_telling_of_an_event_stands(house: House) -> None:
    tenant = house.tenant(number=OURS)
    assert counts(house.deliver(tenant, [bandwidth_inbound("bw-1", OURS, text="first")])) == {"stored": 1}
    assert counts(house.deliver(tenant, [bandwidth_inbound("bw-1", OURS, text="second")])) == {"duplicates": 1}
    assert texts(house, tenant) == ["first"]


def test_of_a_batch_that_overlaps_an_earlier_one_only_the_new_items_are_stored(house: House) -> None:
    tenant = house.tenant(number=OURS)
    events = [bandwidth_inbound(f"bw-{index}", OURS, text=str(index)) for index in range(5)]
    assert counts(house.deliver(tenant, events[:3])) == {"stored": 3}
    answer = house.deliver(tenant, events[1:])
    assert counts(answer) == {"stored": 2, "duplicates": 2}
    assert [message["id"] for message in house.inbound(tenant)][:2] == answer.json()["ids"][::-1]
    assert texts(house, tenant) == ["0", "1", "2", "3", "4"]


def test_an_event_that_is_in_its_batch_twice_is_stored_once(house: House) -> None:
    tenant = house.tenant(number=OURS)
    event = bandwidth_inbound("bw-1", OURS, text="once")
    assert counts(house.deliver(tenant, [event, event])) == {"stored": 1, "duplicates": 1}
    assert texts(house, tenant) == ["once"]


@pytest.mark.parametrize("in_one_group", [False, True], ids=["as they come", "in one group"])
def test_the_same_event_from_32_connections_at_once_is_stored_once(
    house: House, monkeypatch: pytest.MonkeyPatch, in_one_group: bool
) -> None:
    tenant = house.tenant(number=OURS)
    group = OneGroup(monkeypatch, house.store, 32 if in_one_group else 1)
    body = json.dumps([bandwidth_inbound("bw-1", OURS, text="once")]).encode()
    answers = post_at_once(house, tenant, [body] * 32)
    assert Counter(answer.status for answer in answers) == {200: 32}
    outcomes = Counter((answer.json()["stored"], answer.json()["duplicates"]) for answer in answers)
    assert outcomes == {(1, 0): 1, (0, 1): 31}
    assert texts(house, tenant) == ["once"]
    assert not in_one_group or group.sizes == [32]


def test_two_carrier_ids_with_the_same_text_are_two_messages(house: House) -> None:
    tenant = house.tenant(number=OURS)
    events = [bandwidth_inbound(f"bw-{index}", OURS, text="the same") for index in range(2)]
    assert counts(house.deliver(tenant, events[:1])) == {"stored": 1}
    assert counts(house.deliver(tenant, events[1:])) == {"stored": 1}
    assert texts(house, tenant) == ["the same", "the same"]


def test_one_carrier_id_at_two_numbers_of_ours_is_two_messages(house: House) -> None:
    tenant, second = house.tenant(number=OURS), "+15550002222"
    org_id, account_id = tenant.org.org_id, tenant.account.id
    assert house.wait(house.directory.add_number(org_id, second, account_id, tenant.agent.id, ""))
    both = [OURS, second]
    copies = [group_copy("bw-group", number, both) for number in both]
    assert counts(house.deliver(tenant, copies)) == {"stored": 2}
    assert counts(house.deliver(tenant, copies)) == {"duplicates": 2}
    assert sorted(message["to"] for message in house.inbound(tenant)) == both


def test_one_carrier_id_at_two_accounts_is_two_messages(house: House) -> None:
    tenants = [house.tenant(number=number) for number in ("+15550002222", "+15550003333")]
    for tenant in tenants:
        event = bandwidth_inbound("bw-1", tenant.number.number, text="each its own")
        assert counts(house.deliver(tenant, [event])) == {"stored": 1}
    assert [texts(house, tenant) for tenant in tenants] == [["each its own"]] * 2


def test_a_status_is_kept_once_and_each_other_status_too(house: House) -> None:
    tenant = house.tenant(number=OURS)
    events = [
        bandwidth_status(event, "bw-out", "+15554443333", OURS) for event in ("message-sent", "message-delivered")
    ]
    for _ in range(2):
        assert counts(house.deliver(tenant, events)) == {"receipts": 2}
    sql = "SELECT event, raw FROM delivery_receipts WHERE org_id = $1 ORDER BY event"
    kept = house.wait(house.store.fetch(sql, UUID(tenant.org.org_id)))
    assert [(event, json.loads(raw)) for event, raw in kept] == [("delivered", events[1]), ("sent", events[0])]


# ---- what nobody can place is kept, each once


def test_an_unrouted_delivery_that_comes_again_is_kept_once(house: House) -> None:
    tenant = house.tenant(number=OURS)
    for _ in range(2):
        assert counts(house.deliver(tenant, [bandwidth_inbound("bw-1", NOBODYS[0])])) == {"unrouted": 1}
    [kept] = unrouted(house, tenant)
    assert (kept.reason, kept.to_number) == ("unknown_number", NOBODYS[0])


def test_copies_of_a_group_text_for_two_numbers_that_nobody_holds_are_both_kept(house: House) -> None:
    tenant = house.tenant(number=OURS)
    copies = [group_copy("bw-group", number, NOBODYS) for number in NOBODYS]
    for copy in copies:
        assert counts(house.deliver(tenant, [copy])) == {"unrouted": 1}
    assert [json.loads(delivery.raw) for delivery in unrouted(house, tenant)] == copies


def test_two_unknown_events_about_one_carrier_message_are_both_kept(house: House) -> None:
    tenant = house.tenant(number=OURS)
    events = [bandwidth_inbound("bw-1", OURS) | {"type": word} for word in ("message-queued", "message-recalled")]
    for event in events:
        assert counts(house.deliver(tenant, [event])) == {"unrouted": 1}
    assert [json.loads(delivery.raw) for delivery in unrouted(house, tenant)] == events


# ---- tenants


def test_an_account_that_names_another_organizations_number_writes_nothing_there(house: House) -> None:
    ours, theirs = house.tenant(number=OURS), house.tenant()
    event = bandwidth_inbound("bw-1", OURS, text="let me in")
    assert counts(house.deliver(theirs, [event])) == {"unrouted": 1}
    assert texts(house, ours) == texts(house, theirs) == []
    assert unrouted(house, ours) == []
    assert [json.loads(delivery.raw) for delivery in unrouted(house, theirs)] == [event]
    # Nor does it keep our own account from delivering the same event.
    assert counts(house.deliver(ours, [event])) == {"stored": 1}
    assert texts(house, ours) == ["let me in"]


def test_another_account_of_the_same_organization_does_not_deliver_to_our_number_either(house: House) -> None:
    tenant = house.tenant(number=OURS)
    second = house.wait(
        house.directory.add_carrier_account(tenant.org.org_id, "bandwidth", "", {"basic": [list(BASIC)]})
    )
    answer = house.http.post(f"/carriers/bandwidth/{second.id}", json=[bandwidth_inbound("bw-1", OURS)], auth=BASIC)
    assert counts(answer) == {"unrouted": 1}
    assert texts(house, tenant) == []


def test_the_credential_of_one_account_is_no_good_at_another(house: House) -> None:
    tenant = house.tenant(number=OURS)
    other = ("carrier", "another password")
    second = house.wait(
        house.directory.add_carrier_account(tenant.org.org_id, "bandwidth", "", {"basic": [list(other)]})
    )
    event = [bandwidth_inbound("bw-1", OURS)]
    for path, credential in (
        (tenant.webhook, other),
        (f"/carriers/bandwidth/{second.id}", BASIC),
        (tenant.webhook.replace("bandwidth", "loopback"), BASIC),
        (f"/carriers/bandwidth/{tenant.org.org_id}", BASIC),
        (tenant.webhook, None),
    ):
        answer = house.http.post(path, json=event, **({"auth": credential} if credential else {}))
        assert answer.status_code == 401, path
    assert texts(house, tenant) == []
    assert unrouted(house, tenant) == []


# ---- odd things in the middle of a busy group


class Kept(NamedTuple):
    """What becomes of an odd delivery: a message with this body, or an unrouted delivery for this reason.

    Unrouted is kept to the byte: the item of the array, or, where that could not even be found, the `whole` request.
    """

    body: str | None = None
    reason: str | None = None
    whole: bool = False


def event(name: str, **changes: Any) -> bytes:
    return json.dumps([bandwidth_inbound(f"bw-{name}", OURS, **changes)]).encode()


NESTED = b"[" * 100_000 + b"]" * 100_000
ODD = {
    "a NUL": (event("nul", text="a\0b"), Kept(body="a\ufffdb")),
    "a NUL in the carrier's id": (event("nul\0id", text="nul id"), Kept(body="nul id")),
    "a NUL in the sender": (event("nul-from", text="nul sender", sender="+1555\0"), Kept(body="nul sender")),
    "a NUL that is not escaped": (event("nul-raw").replace(b"Hey", b"\0"), Kept(reason="not_json", whole=True)),
    "half a surrogate pair": (event("half", text="half \ud83d"), Kept(body="half \ufffd")),
    "a surrogate pair turned round": (event("pair", text="\ude00\ud83d"), Kept(body="\ufffd\ufffd")),
    "bytes that are no UTF-8": (event("latin", text="caf@").replace(b"@", b"\xe9"), Kept(body="caf\ufffd")),
    "a sender of 10,000 characters": (event("long", sender="+" + "5" * 9999), Kept(reason="malformed_sender")),
    "no sender": (event("nobody", sender=""), Kept(reason="malformed_sender")),
    "a sender's name": (event("name", text="by name", sender="SUPPORT"), Kept(body="by name")),
    "an id of 10,000 characters": (event("9" * 9999, text="long id"), Kept(body="long id")),
    "no id": (event("", text="no id", id=None), Kept(body="no id")),
    "a text of half a million characters": (event("big", text="€" * 150_000), Kept(body="€" * 150_000)),
    "a thousand recipients": (
        json.dumps([group_copy("bw-many", OURS, [OURS, *MANY], text="many")]).encode(),
        Kept(body="many"),
    ),
    "numbers where text should be": (event("17", text=17, id=17), Kept(body="17")),
    "a number of 5,000 digits": (event("digits").replace(b'"Hey', b"1" * 5000 + b',"x":"'), Kept(reason="not_json")),
    "a date that is none": (event("date", text="no date", time="yesterday"), Kept(body="no date")),
    "nothing but nesting": (NESTED, Kept(reason="not_json", whole=True)),
    "nesting inside an event": (
        event("deep").replace(b'"in"', b'"in","x":' + NESTED),
        Kept(reason="not_json", whole=True),
    ),
    "no JSON": (b"From=%2B15554443333&Body=hello", Kept(reason="not_json", whole=True)),
    "JSON that ends too soon": (event("short")[:-5], Kept(reason="not_json", whole=True)),
    "nothing": (b"", Kept(reason="not_json", whole=True)),
    "an empty array": (b"[]", Kept(reason="empty", whole=True)),
    "null": (b"null", Kept(reason="not_json", whole=True)),
    "an object": (b"{}", Kept(reason="unknown_event", whole=True)),
    "an event of nobody's": (event("unknown").replace(b"message-received", b"?"), Kept(reason="unknown_event")),
}


def test_odd_things_in_a_busy_group_are_kept_and_hurt_nobody(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = house.tenant(number=OURS)
    ordinary = [delivery.body for delivery in deliveries("ordinary", 100, OURS)]
    bodies = [*ordinary[:50], *(body for body, _ in ODD.values()), *ordinary[50:]]
    group = OneGroup(monkeypatch, house.store, len(bodies))
    answers = post_at_once(house, tenant, bodies)
    assert Counter(answer.status for answer in answers) == {200: len(bodies)}
    assert group.sizes == [len(bodies)]
    expected = [f"ordinary-{index:05}-0" for index in range(100)]
    assert texts(house, tenant) == sorted([*expected, *(kept.body for _, kept in ODD.values() if kept.body)])
    assert {delivery.raw: delivery.reason for delivery in unrouted(house, tenant)} == {
        body if kept.whole else body[1:-1]: kept.reason for body, kept in ODD.values() if kept.reason
    }


def test_the_exact_bytes_of_every_odd_message_are_kept(house: House) -> None:
    tenant = house.tenant(number=OURS)
    bodies = [body for body, kept in ODD.values() if kept.body]
    post_at_once(house, tenant, bodies)
    rows = house.wait(house.store.fetch("SELECT raw FROM inbound_messages WHERE org_id = $1", UUID(tenant.org.org_id)))
    assert {bytes(raw) for (raw,) in rows} == {body[1:-1] for body in bodies}


def test_one_odd_item_does_not_hide_the_others_of_its_batch(house: House) -> None:
    tenant = house.tenant(number=OURS)
    items = [
        event("first", text="first"),
        *(body for body, kept in ODD.values() if kept.body),
        event("last", text="last"),
    ]
    batch = b"[" + b",".join(item[1:-1] for item in items) + b"]"
    [answer] = post_at_once(house, tenant, [batch])
    assert answer.json()["stored"] == len(items)
    assert texts(house, tenant) == sorted(["first", "last", *(kept.body for _, kept in ODD.values() if kept.body)])


@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:60Z", "0000-00-00T00:00:00Z"]
)
def test_a_date_at_the_edge_of_time_hides_nobodys_inbox(house: House, time: str) -> None:
    tenant = house.tenant(number=OURS)
    events = [bandwidth_inbound("bw-1", OURS, text="ordinary"), bandwidth_inbound("bw-2", OURS, text="odd", time=time)]
    assert counts(house.deliver(tenant, events)) == {"stored": 2}
    assert texts(house, tenant) == ["odd", "ordinary"]
    assert house.http.get("/v1/tools/sms/inbox", headers=tenant.agent_header).json()["count"] == 2


@pytest.mark.parametrize("refused", ["\ud800", "\0"], ids=["by the driver", "by the database"])
def test_what_the_database_refuses_is_kept_as_it_came_and_hurts_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    if refused == "\0" and house.config.database_url == "sqlite":
        pytest.skip("SQLite takes a NUL")

    def spoil(event: InboundEvent, words: frozenset[str]) -> Draft | UnknownEvent:
        decided = draft(event, words)
        return decided._replace(body=refused) if isinstance(decided, Draft) and event.body == "poison" else decided

    monkeypatch.setattr(intake, "draft", spoil)
    tenant = house.tenant(number=OURS)
    ordinary = [delivery.body for delivery in deliveries("ordinary", 40, OURS)]
    bodies = [*ordinary[:20], event("poison", text="poison"), *ordinary[20:]]
    group = OneGroup(monkeypatch, house.store, len(bodies))
    answers = post_at_once(house, tenant, bodies)
    assert Counter(answer.status for answer in answers) == {200: len(bodies)}
    assert group.sizes == [len(bodies), *[1] * (len(bodies) + 1)]  # together, then one by one, and the poison as bytes
    assert texts(house, tenant) == [f"ordinary-{index:05}-0" for index in range(40)]
    assert [(delivery.reason, delivery.raw) for delivery in unrouted(house, tenant)] == [("unstorable", bodies[20])]
