"""Search and usage: written after the messages, each once, and gone with them."""

import asyncio
from typing import Any

import pytest

from roost.indexer import Indexer
from roost.store.indexing import go_through, go_through_all, organizations_behind, usage_since
from roost.store.search import search
from roost.sweeper import Sweeper
from support.agents import hear
from support.house import House, Tenant

MARIA, PAUL = "+14155551234", "+12125559876"


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(carrier="loopback")


def found(house: House, tenant: Tenant, text: str, limit: int = 30, **more: Any) -> list[str]:
    house.wait(go_through_all(house.store))
    return [each.body for each in house.wait(search(house.store, tenant.org.org_id, text, limit, **more))[0]]


def test_messages_are_found_by_beginnings_of_words_either_way_newest_first(house: House, tenant: Tenant) -> None:
    hear(house, tenant, MARIA, "Can I come in tomorrow?")
    house.sent(tenant, MARIA, "You are welcome tomorrow at 7")
    hear(house, tenant, PAUL, "The delivery is late")
    assert found(house, tenant, "TOMOR") == ["You are welcome tomorrow at 7", "Can I come in tomorrow?"]
    assert found(house, tenant, "tomorrow welcome") == ["You are welcome tomorrow at 7"]
    assert found(house, tenant, "tomorrow delivery") == []
    assert found(house, tenant, "morrow") == []
    assert found(house, tenant, "") == found(house, tenant, "!!!") == []


@pytest.mark.parametrize("text", ["+1 415 555 1234", "(415) 555-1234", "5551234", "1234", "14155"])
def test_messages_are_found_by_number(house: House, tenant: Tenant, text: str) -> None:
    hear(house, tenant, MARIA, "hello")
    hear(house, tenant, PAUL, "good morning")
    house.sent(tenant, MARIA, "hello yourself")
    assert found(house, tenant, text) == ["hello yourself", "hello"]


HOSTILE = (
    "\"'* OR NEAR(a) NOT", "a' & 'b", "words:x AND org:y", "東京", "\N{LATIN SMALL LETTER SHARP S}\u0301", "\u1e9e𞤀",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_question_breaks_out_of_its_place(house: House, tenant: Tenant, text: str) -> None:
    hear(house, tenant, MARIA, text)
    assert found(house, tenant, text) == [text]


def test_nobody_finds_what_is_anothers(house: House, tenant: Tenant) -> None:
    other = house.tenant(carrier="loopback")
    hear(house, other, MARIA, "secret words")
    assert found(house, tenant, "secret") == []
    assert found(house, tenant, f"o{other.org.org_id.replace('-', '')}") == []
    assert found(house, other, "secret") == ["secret words"]


def test_older_ones_follow_page_by_page(house: House, tenant: Tenant) -> None:
    for nth in range(5):
        hear(house, tenant, MARIA, f"hello {nth}")
    house.wait(go_through_all(house.store))
    pages, below = [], "ffffffff-ffff-ffff-ffff-ffffffffffff"
    while True:
        hits, more = house.wait(search(house.store, tenant.org.org_id, "hello", 2, below))
        pages.append([hit.body[-1] for hit in hits])
        if not more:
            break
        below = hits[-1].id
    assert pages == [["4", "3"], ["2", "1"], ["0"]]


def test_every_message_is_gone_through_once_whoever_does_it(house: House, tenant: Tenant) -> None:
    house.clock.frozen_us = house.clock()  # usage is told by the day: it must not become midnight
    for nth in range(7):
        hear(house, tenant, MARIA, f"hello {nth}")
    house.sent(tenant, MARIA, "é" * 161)

    async def at_once() -> None:
        more = True
        while more:
            more = any(await asyncio.gather(*(go_through(house.store, tenant.org.org_id, 3) for _ in range(3))))

    house.wait(at_once())
    assert house.wait(organizations_behind(house.store)) == []
    [usage] = house.wait(usage_since(house.store, tenant.org.org_id, 0))
    assert usage[1:] == (tenant.number.number, 7, 7, 1, 2)
    assert len(found(house, tenant, "hello")) == 7
    hear(house, tenant, MARIA, "hello again")
    assert len(found(house, tenant, "hello")) == 8


def test_what_is_erased_cannot_be_found_any_more(house: House, tenant: Tenant) -> None:
    hear(house, tenant, MARIA, "my secret")
    house.sent(tenant, MARIA, "your secret")
    hear(house, tenant, PAUL, "another secret")
    assert len(found(house, tenant, "secret")) == 3
    assert house.http.post("/v1/contacts/%2B14155551234/erase", headers=tenant.auth).status_code == 200
    assert found(house, tenant, "secret") == ["another secret"]
    hidden = house.wait(house.store.fetch("SELECT count(*) FROM message_words"))
    assert hidden[0][0] == 1
    if house.store.dialect == "sqlite":
        left = house.wait(house.store.fetch("SELECT count(*) FROM documents WHERE documents MATCH 'words:your'"))
        assert left[0][0] == 0


def test_what_is_past_its_time_is_not_found_and_then_swept(house: House, tenant: Tenant) -> None:
    hear(house, tenant, MARIA, "an old one")
    assert found(house, tenant, "old") == ["an old one"]
    house.clock.offset_us = 31 * 24 * 3600 * 1_000_000
    assert found(house, tenant, "old") == []
    house.wait(Sweeper(house.store, rest=0).sweep())
    assert house.wait(house.store.fetch("SELECT count(*) FROM message_words"))[0][0] == 0


def test_the_indexer_goes_through_what_comes_by_itself(house: House, tenant: Tenant) -> None:
    house.clock.frozen_us = house.clock()
    indexers = [Indexer(house.store) for _ in range(2)]

    async def start() -> None:
        for indexer in indexers:
            indexer.start()

    async def stop() -> None:
        for indexer in indexers:
            await indexer.stop()

    async def gone_through() -> int:
        """Who has the lease goes on until the other one could."""
        async with asyncio.timeout(10):
            while await organizations_behind(house.store):
                await asyncio.sleep(0.01)
        return len((await search(house.store, tenant.org.org_id, "hello", 1000))[0])

    house.wait(start())
    for nth in range(3):
        hear(house, tenant, MARIA, f"hello {nth}")
        assert house.wait(gone_through()) == nth + 1
    house.wait(stop())
    [usage] = house.wait(usage_since(house.store, tenant.org.org_id, 0))
    assert usage.inbound == 3
