"""Claims in the store: whatever workers do, they agree with a model that fits on a page."""

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roost import config
from roost.core.claims import Claimed, ClaimFilters, Held, Settling, Wanted
from roost.store import claimable, claims
from roost.store.claims import QueueFull, claim, settle
from roost.store.connect import make_store
from support.agents import hear
from support.house import House, Tenant
from support.sweeping import DAY_US, counted, sweep

SECOND, START_US = 1_000_000, 1_800_000_000_000_000
CONTACT, SPAMMER = "+15554443333", "+15550006666"
QUEUES = st.sampled_from(["default", "default", "audit"])
DOING = st.one_of(
    st.tuples(st.just("arrive"), st.integers(0, 1), st.sampled_from([CONTACT, CONTACT, CONTACT, SPAMMER])),
    st.tuples(
        st.just("claim"), QUEUES, st.integers(1, 4), st.integers(1, 5), st.sampled_from([None, 0, 1]), st.booleans()
    ),
    st.tuples(st.sampled_from(["ack", "release"]), QUEUES, st.integers(0, 9), st.integers(-1, 1)),
    st.tuples(st.just("pass"), st.integers(1, 4)),
)


class Desk(NamedTuple):
    """A tenant with two numbers, the second of nobody."""

    house: House
    tenant: Tenant

    @property
    def numbers(self) -> tuple[str, str]:
        first = self.tenant.number.number
        return first, first.replace("+1555", "+1666")

    def hear(self, number: int = 0, sender: str = CONTACT) -> str:
        """A text comes; its id."""
        hear(self.house, self.tenant, sender, "hello", self.numbers[number])
        message_id: str = self.house.inbound(self.tenant, limit=1)[0]["id"]
        return message_id

    def claim(self, queue: str = "default", limit: int = 10, seconds: int = 60, **filters: Any) -> Claimed:
        wanted = Wanted(self.tenant.org.org_id, queue, limit, seconds * SECOND, ClaimFilters(**filters))
        return self.house.wait(claim(self.house.store, wanted))

    def settle(self, how: Settling, *held: Held, queue: str = "default", agent_id: str | None = None) -> list[Any]:
        return self.house.wait(settle(self.house.store, how, self.tenant.org.org_id, queue, held, agent_id))


def desk_in(house: House) -> Desk:
    desk = Desk(house, house.tenant(carrier="loopback"))
    org_id, account_id = desk.tenant.org.org_id, desk.tenant.account.id
    house.wait(house.directory.add_number(org_id, desk.numbers[1], account_id, None, ""))
    return desk


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    yield desk_in(house)


def ids(claimed: Claimed) -> list[str]:
    return [message.id for message in claimed.messages]


class _Row:
    def __init__(self, fence: int, until: int) -> None:
        self.fence, self.until, self.acked = fence, until, False


class Model:
    """What should be so: the messages in order, and of each queue who has which."""

    def __init__(self) -> None:
        self.now = START_US
        self.messages: list[tuple[str, int, str]] = []
        self.queues: dict[str, dict[str, _Row]] = {"default": {}, "audit": {}}
        self.fences: dict[str, list[int]] = {"default": [], "audit": []}

    def due(self, queue: str, limit: int, number: int | None) -> list[str]:
        rows = self.queues[queue]
        return [
            message_id
            for message_id, held_by, sender in self.messages
            if sender != SPAMMER
            and number in (None, held_by)
            and (message_id not in rows or (not rows[message_id].acked and rows[message_id].until <= self.now))
        ][:limit]

    def settle(self, how: str, queue: str, message_id: str, fence: int) -> str | None:
        row = self.queues[queue].get(message_id)
        if row is None or fence > row.fence:
            return "unknown"
        if fence < row.fence:
            return "outdated"
        if row.acked:
            return None if how == "ack" else "acked"
        if how == "ack" and row.until == 0:
            return "released"
        row.acked, row.until = how == "ack", row.until if how == "ack" else 0
        return None


def perform(desk: Desk, model: Model, doing: list[Any]) -> None:
    for what, *rest in doing:
        desk.house.clock.frozen_us = model.now
        if what == "arrive":
            number, sender = rest
            model.messages.append((desk.hear(number, sender), number, sender))
        elif what == "pass":
            model.now += rest[0] * SECOND
        elif what == "claim":
            queue, limit, seconds, number, by_id = rest
            filters = {} if number is None else _filters(desk, number, by_id)
            expected = model.due(queue, limit, number)
            claimed = desk.claim(queue, limit, seconds, **filters)
            assert ids(claimed) == expected, (what, rest)
            if expected:
                assert all(claimed.fence > fence for fence in model.fences[queue]), "it increases"
                assert claimed.until == model.now + seconds * SECOND
                model.fences[queue].append(claimed.fence)
                model.queues[queue] |= {each: _Row(claimed.fence, claimed.until) for each in expected}
        else:
            queue, nth, off_by = rest
            if model.messages:
                message_id = model.messages[nth % len(model.messages)][0]
                row = model.queues[queue].get(message_id)
                fence = max(1, (row.fence if row else 1) + off_by)
                expected_reason = model.settle(what, queue, message_id, fence)
                assert desk.settle(what, Held(message_id, fence), queue=queue) == [expected_reason], (what, rest)


def _filters(desk: Desk, number: int, by_id: bool) -> dict[str, Any]:
    if number == 0 and by_id:
        return {"phone_number_id": desk.tenant.number.id}
    return {"to_number": desk.numbers[number]}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(doing=st.lists(DOING, max_size=25))
def test_whatever_workers_do_each_message_is_with_one_of_them_and_is_done_once(house: House, doing: list[Any]) -> None:
    house.clock.frozen_us = START_US
    desk, model = desk_in(house), Model()
    house.http.post("/v1/blocked-senders", json={"sender": SPAMMER}, headers=desk.tenant.auth)
    perform(desk, model, doing)
    # In the end all that is left is handed out, oldest first, and done once.
    model.now += 10 * SECOND
    left = model.due("default", 1000, None)
    perform(desk, model, [("claim", "default", 100, 5, None, False)])
    held = [Held(each, model.queues["default"][each].fence) for each in left]
    assert desk.settle("ack", *held) == [None] * len(left)
    house.clock.frozen_us = model.now + 3600 * SECOND
    assert desk.claim() == Claimed()


def test_what_others_claimed_with_other_filters_is_passed_in_strides_and_only_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claimable, "_STRIDE", 2)
    monkeypatch.setattr(claimable, "_MOST_PASSED", 4)
    for _ in range(9):
        desk.hear(0)
    assert len(ids(desk.claim(to_number=desk.tenant.number.number))) == 9
    last = desk.hear(1)
    assert ids(desk.claim(limit=2)) == [last]
    rows = desk.house.wait(desk.house.store.fetch("SELECT through_id FROM claim_places WHERE filters = ''"))
    through = rows[0][0]
    assert UUID(bytes=through) if isinstance(through, bytes) else through == UUID(last)


def test_so_many_are_leased_and_no_more_until_some_are_done(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "MAX_LEASED", 3)
    first, *_ = [desk.hear() for _ in range(5)]
    claimed = desk.claim(limit=2)
    assert len(ids(desk.claim(limit=2))) == 1
    with pytest.raises(QueueFull):
        desk.claim()
    assert len(ids(desk.claim("audit"))) == 3, "another queue has its own"
    assert desk.settle("ack", Held(first, claimed.fence)) == [None]
    assert len(ids(desk.claim())) == 1


def test_an_agent_settles_its_own_messages_and_no_others(desk: Desk) -> None:
    mine, nobodys = desk.hear(0), desk.hear(1)
    claimed = desk.claim()
    assert ids(claimed) == [mine, nobodys]
    held = [Held(each, claimed.fence) for each in (mine, nobodys)]
    for how in ("release", "ack"):
        refused = desk.settle(how, *held, agent_id=desk.tenant.agent.id)
        assert refused == [None if how == "release" else "released", "unknown"]
    assert ids(desk.claim()) == [mine]


def test_a_lease_by_a_clock_that_was_far_ahead_is_over(desk: Desk) -> None:
    message_id = desk.hear()
    desk.house.clock.offset_us = 7 * DAY_US
    assert ids(desk.claim()) == [message_id]
    desk.house.clock.offset_us = 0
    assert ids(desk.claim()) == [message_id]


def test_claims_go_with_their_messages_and_the_queue_when_it_is_not_used_any_more(desk: Desk) -> None:
    desk.house.clock.frozen_us = START_US
    old = desk.hear()
    claimed = desk.claim()
    desk.house.clock.frozen_us = START_US + 20 * DAY_US
    new = desk.hear()
    assert ids(desk.claim(limit=1)) == [old], "it came back long ago"
    desk.house.clock.frozen_us = START_US + 30 * DAY_US + 60 * SECOND
    assert desk.settle("ack", Held(old, claimed.fence)) == ["outdated"]
    assert ids(desk.claim()) == [new], "what is past its time is not given out, swept or not"
    assert sweep(desk.house) == {"claims": 1, "inbound_messages": 1}
    assert desk.settle("ack", Held(old, 2)) == ["unknown"]
    assert counted(desk.house, desk.tenant, "claims") == 1
    desk.house.clock.frozen_us += 31 * DAY_US
    swept = sweep(desk.house)
    assert {swept.pop(each) for each in ("claims", "claim_places", "claim_queues", "inbound_messages")} == {1}
    assert desk.claim() == Claimed()


def test_a_contacts_erasure_leaves_claims_as_they_are(desk: Desk) -> None:
    message_id = desk.hear()
    claimed = desk.claim()
    erased = desk.house.http.post("/v1/contacts/%2B15554443333/erase", headers=desk.tenant.auth)
    assert erased.status_code == 200
    assert desk.settle("release", Held(message_id, claimed.fence)) == [None]
    assert [message.body for message in desk.claim().messages] == [""]


def test_several_processes_share_a_queue_and_nobody_gets_what_another_has(desk: Desk, tmp_path: Path) -> None:
    """Connections of their own, as processes have them, all at once."""
    heard = [desk.hear() for _ in range(60)]
    wanted = Wanted(desk.tenant.org.org_id, limit=3)
    beside = [make_store(desk.house.config, desk.house.clock) for _ in range(3)]
    each_has_some = asyncio.Barrier(len(beside))

    async def work(store: Any) -> list[Claimed]:
        got: list[Claimed] = []
        while True:
            claimed = await claim(store, wanted)
            if not got:
                await each_has_some.wait()  # on SQLite, one of them may be quicker than the others' first
            if not claimed.messages:
                await store.close()
                return got
            got.append(claimed)
            held = [Held(message.id, claimed.fence) for message in claimed.messages]
            assert await settle(store, "ack", wanted.org_id, wanted.queue, held) == [None] * len(held)

    async def together() -> list[list[Claimed]]:
        for store in beside:
            await store.open()
        return await asyncio.gather(*map(work, beside))

    got = desk.house.wait(together())
    every = sorted((claimed for each in got for claimed in each), key=lambda claimed: claimed.fence)
    assert [each for claimed in every for each in ids(claimed)] == heard, (
        "in the order of the fences they are oldest first"
    )
    assert all(one.fence < other.fence for one, other in pairwise(every))
    assert all(got), "they did not work at the same time"


@pytest.mark.parametrize(
    "columns", [(), ("agent_id",), ("phone_number_id",), ("to_number",), ("agent_id", "to_number")]
)
def test_sqlite_finds_what_to_claim_by_an_index_that_holds_the_order(tmp_path: Path, columns: tuple[str, ...]) -> None:
    async def plans() -> list[str]:
        store = make_store(config.load({}, data_dir=tmp_path), lambda: START_US)
        await store.open()
        found = []
        for sql, count in ((claimable._after_sql(columns), 4), (claimable._returned_sql(columns), 6)):
            rows = await store.fetch("EXPLAIN QUERY PLAN " + sql, *[None] * (count + len(columns)))
            found += [row[3] for row in rows]
        await store.close()
        return found

    steps = [step for step in asyncio.run(plans()) if not step.startswith("CORRELATED")]
    assert len(steps) == 4
    assert all(step.startswith("SEARCH ") for step in steps), steps
