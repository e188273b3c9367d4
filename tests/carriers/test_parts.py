"""Texts that come in parts: in any order, twice, at several processes, and never all."""

import asyncio
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from roost.core.parts import joined
from roost.store.base import Store
from roost.store.connect import make_store
from roost.store.parts import KEPT_US, LATE_US, WAIT_US
from support.databases import Database
from support.house import House, Tenant
from support.vonage import CONTACT, SMS_SECRETS, deliver, inbound, parts

NUMBER = "+447700900000"


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(carrier="vonage", number=NUMBER, secrets=SMS_SECRETS)


def bodies(house: House, tenant: Tenant) -> list[str]:
    """Oldest first."""
    return [message["body"] for message in reversed(house.inbound(tenant))]


def stored(house: House, tenant: Tenant, *fields: dict[str, str]) -> list[int]:
    answers = [deliver(house, tenant, each) for each in fields]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.json()["stored"] for answer in answers]


def kept(house: House, tenant: Tenant) -> list[tuple[Any, ...]]:
    sql = "SELECT part, body, made_at IS NULL FROM message_parts WHERE org_id = $1 ORDER BY part"
    return [
        (part, body, bool(waits)) for part, body, waits in house.wait(house.store.fetch(sql, UUID(tenant.org.org_id)))
    ]


def later(house: House, by_us: int) -> None:
    house.clock.offset_us += by_us
    house.wait(house.worker.make_overdue())


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_in_whatever_order_the_last_part_makes_the_message(
    house: House, tenant: Tenant, order: tuple[int, ...]
) -> None:
    text = parts("p", NUMBER, "one ", "two ", "three")
    assert stored(house, tenant, *(text[each] for each in order)) == [0, 0, 1]
    [message] = house.inbound(tenant)
    assert (message["body"], message["segment_count"], message["from"]) == ("one two three", 3, CONTACT)
    assert (message["bandwidth_message_id"], message["channel"]) == ("p-1", "sms")
    assert [deliver(house, tenant, each).json()["duplicates"] for each in text] == [1, 1, 1], "a replay changes nothing"
    assert bodies(house, tenant) == ["one two three"]
    assert kept(house, tenant) == [(1, "", False), (2, "", False), (3, "", False)], "the message has the words"


def test_a_part_that_comes_twice_is_one(house: House, tenant: Tenant) -> None:
    first, second = parts("p", NUMBER, "one ", "two")
    assert stored(house, tenant, first, first, second) == [0, 0, 1]
    assert bodies(house, tenant) == ["one two"]


def test_texts_do_not_mix(house: House, tenant: Tenant) -> None:
    """Of another sender, another reference, another total."""
    first = parts("a", NUMBER, "a1 ", "a2")
    other = [{**each, "messageId": f"b{each['messageId']}", "msisdn": "447700900002"} for each in first]
    more = parts("c", NUMBER, "c1 ", "c2", reference="13") + parts("d", NUMBER, "d1 ", "d2 ", "d3")
    pieces = [first[0], other[0], *more[::2], other[1], first[1], *more[1::2], inbound("e", NUMBER, "whole")]
    stored(house, tenant, *pieces)
    assert sorted(bodies(house, tenant)) == ["a1 a2", "a1 a2", "c1 c2", "d1 d2 d3", "whole"]


def test_a_keyword_counts_in_the_whole_alone(house: House, tenant: Tenant) -> None:
    stored(house, tenant, *parts("p", NUMBER, "STOP", " by the house"))
    stored(house, tenant, *parts("q", NUMBER, "ST", "OP", reference="13"))
    assert [message["opt_out"]["detected"] for message in house.inbound(tenant)] == [True, False]
    assert [message["text"] for message in house.outbound(tenant)] != [], "it is answered"


def test_after_ten_minutes_what_is_there_becomes_a_message_and_says_what_is_missing(
    house: House, tenant: Tenant
) -> None:
    text = parts("p", NUMBER, "one ", "two ", "three")
    stored(house, tenant, text[0], text[2])
    later(house, WAIT_US - 10_000_000)
    assert bodies(house, tenant) == []
    later(house, 20_000_000)
    later(house, 1_000_000)
    [message] = house.inbound(tenant)
    assert (message["body"], message["segment_count"]) == ("one [part 2 of 3 is missing]three", 3)


def test_a_part_that_comes_later_still_is_a_message_of_its_own(house: House, tenant: Tenant) -> None:
    text = parts("p", NUMBER, "one ", "two")
    stored(house, tenant, text[1])
    later(house, WAIT_US + 1_000_000)
    assert stored(house, tenant, text[0], text[0]) == [1, 0]
    assert bodies(house, tenant) == ["[part 1 of 2 is missing]two", "[part 1 of 2, which came late] one "]


def test_a_sender_uses_a_reference_again(house: House, tenant: Tenant) -> None:
    """After a whole text, after one that never was, and while one still waits."""
    stored(house, tenant, *parts("a", NUMBER, "a1 ", "a2"))
    stored(house, tenant, *parts("b", NUMBER, "b1 ", "b2"))
    stored(house, tenant, parts("c", NUMBER, "c1 ", "c2")[0])
    stored(house, tenant, *parts("d", NUMBER, "d1 ", "d2"))
    assert bodies(house, tenant) == ["a1 a2", "b1 b2", "c1 [part 2 of 2 is missing]", "d1 d2"]
    later(house, LATE_US + 1)
    stored(house, tenant, *reversed(parts("e", NUMBER, "e1 ", "e2")))
    assert bodies(house, tenant)[-1] == "e1 e2"


def test_what_was_made_is_forgotten_after_vonage_has_given_up(house: House, tenant: Tenant) -> None:
    stored(house, tenant, *parts("a", NUMBER, "a1 ", "a2"))
    house.clock.offset_us += KEPT_US + 1_000_000
    stored(house, tenant, *parts("b", NUMBER, "b1 ", "b2"))
    assert len(kept(house, tenant)) == 2


def test_parts_to_nobodys_number_are_unrouted_each(house: House, tenant: Tenant) -> None:
    text = parts("p", "+447700900099", "one ", "two")
    assert [deliver(house, tenant, each).json()["unrouted"] for each in (*text, text[0])] == [1, 1, 1]
    sql = "SELECT to_number FROM unrouted_deliveries WHERE org_id = $1"
    assert len(house.wait(house.store.fetch(sql, UUID(tenant.org.org_id)))) == 2
    assert kept(house, tenant) == []


def test_erasing_a_contact_erases_what_waits(house: House, tenant: Tenant) -> None:
    stored(house, tenant, parts("p", NUMBER, "secret ", "words")[0])
    answer = house.http.post(f"/v1/contacts/{CONTACT}/erase", headers=tenant.auth)
    assert answer.status_code == 200, answer.text
    assert kept(house, tenant) == [(1, "", False)]
    later(house, WAIT_US + 1_000_000)
    assert house.inbound(tenant) == []


ODD: list[tuple[str, dict[str, str]]] = [
    ("more than all", {"concat-part": "3"}),
    ("none", {"concat-part": "0"}),
    ("no number", {"concat-part": "x"}),
    ("no total", {"concat-total": ""}),
    ("too many", {"concat-total": "999"}),
    ("not concatenated", {"concat": "false"}),
    ("alone", {"concat-total": "1", "concat-part": "1"}),
]


@pytest.mark.parametrize("changes", [each[1] for each in ODD], ids=[each[0] for each in ODD])
def test_a_part_whose_numbers_cannot_be_is_a_text(house: House, tenant: Tenant, changes: dict[str, str]) -> None:
    assert stored(house, tenant, {**parts("p", NUMBER, "one", "two")[0], **changes}) == [1]
    assert bodies(house, tenant) == ["one"]


def test_the_last_parts_at_several_processes_at_once_make_one_message(
    database: Database, house: House, tenant: Tenant
) -> None:
    """Two stores on one database, as two processes have them."""
    from urllib.parse import urlencode

    from roost.carriers import vonage
    from roost.carriers.contract import IntakeRequest
    from roost.intake import delivery_of
    from support.vonage import signed

    async def race() -> None:
        stores: list[Store] = [make_store(house.config, house.clock) for _ in range(2)]
        for store in stores:
            await store.open()
        for turn in range(10):
            text = parts(f"r{turn}", NUMBER, *(f"{turn}.{part} " for part in range(4)), reference=str(turn))
            bodies = [urlencode(signed(each, house.clock())).encode() for each in (*text, *text)]
            deliveries = [delivery_of(tenant.account, vonage.parse(IntakeRequest({}, body))) for body in bodies]
            await asyncio.gather(*(stores[n % 2].record(each) for n, each in enumerate(deliveries)))
        for store in stores:
            await store.close()

    asyncio.run(race())
    assert bodies(house, tenant) == [f"{turn}.0 {turn}.1 {turn}.2 {turn}.3 " for turn in range(10)]


def test_an_ordinary_delivery_costs_no_exchange_more(
    house: House, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: Any) -> None:
        raise AssertionError("an ordinary text is not assembled")

    for name in ("sqlite", "postgres"):
        monkeypatch.setattr(f"roost.store.{name}.assemble", never)
    assert stored(house, tenant, inbound("1", NUMBER)) == [1]


def test_the_words_of_the_whole() -> None:
    assert joined({1: "a", 2: "b"}, 2) == "ab"
    assert joined({2: "b"}, 3) == "[part 1 of 3 is missing]b[part 3 of 3 is missing]"
