"""The promises of a conversation, whatever happens in whatever order: a state machine beside a model of it.

Contacts text, we send, the carrier answers well or badly or not at all, workers die between any two steps, the server is
started again, receipts come late, twice and in any order, and days pass. After every step it holds: nothing leaves after a
STOP, nothing accepted is lost, nothing perhaps sent is sent again, no status moves backwards, and every thread is the model's.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from roost.core.ids import parse_ulid
from roost.store.outbox import LEASE_US
from support.bandwidth_api import BandwidthApi
from support.conversations import DAY_US, RANKS, Kind, Link
from support.databases import Database
from support.organization import DEATHS, HOUR_US, REPLIES, SECOND_US, TEXTS, Organization, World

pairs, nth = st.integers(0, 2), st.integers(0, 5)
kinds = st.one_of(st.just("stop"), st.sampled_from(sorted(TEXTS)))
replies = st.sampled_from(["taken", "taken", *DEATHS, *REPLIES])


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    with BandwidthApi() as api:
        world = World(database, tmp_path / "data", api)
        yield world
        api.release()
        world.house.stop()


class Conversations(Organization, RuleBasedStateMachine):
    """What may happen next."""

    def __init__(self, world: World) -> None:
        RuleBasedStateMachine.__init__(self)
        self.before = sys.exc_info()[1]
        Organization.__init__(self, world)

    # --- What contacts do

    @initialize()
    def two_of_them_write_first(self) -> None:
        for pair in (0, 1):
            self.hear(pair, "ordinary", 0)

    @rule(
        pair=pairs,
        texts=st.lists(st.tuples(kinds, st.sampled_from([0, 1, HOUR_US, 2 * DAY_US])), min_size=1, max_size=3),
    )
    def some_texts_come(self, pair: int, texts: list[tuple[Kind, int]]) -> None:
        for kind, late_us in texts:
            self.hear(pair, kind, late_us)

    @precondition(lambda self: self.deliveries)
    @rule(which=nth)
    def a_delivery_comes_again(self, which: int) -> None:
        answer = self.deliver(self.deliveries[which % len(self.deliveries)])
        assert (answer["stored"], answer["duplicates"]) == (0, 1)

    # --- What the organization does

    @rule(
        pair=pairs, text=st.sampled_from(["one", "two"]), key=st.sampled_from([None, "a", "b"]), times=st.integers(1, 2)
    )
    def send_once_or_twice(self, pair: int, text: str, key: str | None, times: int) -> None:
        for _ in range(times):
            self.send(pair, text, key)

    @rule(pair=pairs)
    def send_and_think_better_of_it(self, pair: int) -> None:
        self.send(pair, "oh", None)
        if self.said:
            self.cancel(0)

    @precondition(lambda self: self.said)
    @rule(which=nth)
    def cancel_any(self, which: int) -> None:
        self.cancel(which)

    # --- What the workers and the carrier do

    @rule(how=replies)
    def work(self, how: str) -> None:
        """A worker does the next thing, whatever it is: it may ask about what was perhaps sent, too."""
        if how not in DEATHS:
            self.answering(how, self.one_step())
        elif self.take():
            self.die(self.taken.pop(), how)

    @rule(pair=pairs, how=replies)
    def send_at_once(self, pair: int, how: str) -> None:
        self.send(pair, "now", None)
        self.work(how)

    @rule(kind=kinds, how=replies)
    def a_text_comes_while_a_worker_holds_the_lease(self, kind: Kind, how: str) -> None:
        if self.take():
            self.taken.insert(0, self.taken.pop())
            self.hear(self.pairs.index(self.said[self.taken[0].message_id].between), kind, 0)
            self.go_on(how)

    @rule()
    def a_worker_leases_and_goes_no_further(self) -> None:
        self.take()

    @precondition(lambda self: self.taken)
    @rule(how=replies)
    def go_on(self, how: str) -> None:
        """It does what it leased for, if that is still wanted."""
        leased = self.taken.pop(0)
        if how in DEATHS:
            self.die(leased, how)
        else:
            self.answering(how, self.worker()._send(leased))

    @precondition(lambda self: self.records())
    @rule(which=nth, event=st.sampled_from(["sending", "sent", "delivered", "failed"]), is_tagged=st.booleans())
    def a_receipt_comes(self, which: int, event: str, is_tagged: bool) -> None:
        records = self.records()
        record = records[-1 - which % len(records)]
        status = self.api.status(f"message-{event}", record)
        if not is_tagged:
            del status["message"]["tag"]
        assert self.deliver(status)["receipts"] == 1
        if is_tagged:
            [told] = [each for each in self.outbound() if each["id"] == record["tag"]]
            assert RANKS[told["status"]] >= RANKS["sent" if event == "sending" else event]

    @precondition(lambda self: not self.restarted)
    @rule()
    def restart(self) -> None:
        """What was leased is nobody's any more."""
        self.abandoned |= {leased.message_id for leased in self.taken}
        self.taken.clear()
        self.world.restart()
        self.restarted = True
        self.api.webhook_url = self.house.base_url + self.tenant.webhook

    # --- Time passes

    @rule(us=st.sampled_from([SECOND_US, 6 * SECOND_US, LEASE_US + 1, 6 * 60 * SECOND_US, 2 * HOUR_US, 30 * HOUR_US]))
    def wait(self, us: int) -> None:
        self.house.clock.frozen_us = self.now + us

    @precondition(lambda self: self.said)
    @rule(which=nth, more_us=st.sampled_from([0, 1]), is_answer=st.booleans())
    def go_on_after_a_day(self, which: int, more_us: int, is_answer: bool) -> None:
        """24 hours after one of our messages exactly, or one microsecond more."""
        said = self.newest(which)
        self.house.clock.frozen_us = max(said.at + DAY_US + more_us, self.now)
        pair = self.pairs.index(said.between)
        if is_answer:
            self.hear(pair, "ordinary", 0)
        else:
            self.send(pair, "again", None)

    # --- What holds after every step

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        listed = {message["id"]: message for message in self.outbound()}
        assert set(listed) == set(self.said), "what was accepted, and nothing else"
        names = {record["tag"]: record["id"] for record in self.records()}
        assert len(names) == len(self.records()), "the carrier took it once"
        for message_id, message in listed.items():
            said = self.said[message_id]
            said.now_is(message["status"], message["bandwidth_message_id"])
            is_stopped = said.between.state == "opted_out" and not said.is_auto
            assert not (is_stopped and said.status == "queued"), "a STOP cancels what is queued"
            assert message["thread_id"] == said.thread_id
            assert said.carrier_message_id in (None, names.get(message_id)), "the carrier calls it so"
            assert message["status"] not in ("sent", "delivered") or message_id in names, "the carrier has it"
            reason = (message["error"] or {}).get("code")
            assert message_id not in self.canceled or reason in ("CANCELED", "CONSENT_REQUIRED")
            gave_up = reason in ("HTTP_429", "HTTP_503")
            assert not gave_up or self.now - said.at > DAY_US - HOUR_US, "it is tried for a day"
        for between in self.pairs:
            confirmations = [
                message for message in listed.values()
                if "you are unsubscribed" in message["text"]
                and (message["from"], message["to"]) == (between.ours, between.theirs)
            ]  # fmt: skip
            assert len(confirmations) == between.opt_outs, "one confirmation for each opt-out"
        for message in self.inbox():
            assert self.links[_uuid(message["id"]) or ""] == Link(
                _uuid(message["thread_id"]), _uuid(message["related_outbound_id"])
            )

    def teardown(self) -> None:
        try:
            if sys.exc_info()[1] is self.before:  # a step that failed is told, and not what follows from it
                self.all_comes_to_an_end()
        finally:
            # The next example is another organization's, and the workers are for all of them.
            clear = "DELETE FROM outbox WHERE org_id = $1"
            self.house.wait(self.house.store.write((clear, (UUID(self.tenant.org.org_id),))))

    def all_comes_to_an_end(self) -> None:
        """Of all that was accepted: it has left, it never will, or nobody can know."""
        self.abandoned |= {leased.message_id for leased in self.taken}
        self.taken.clear()
        waiting = "SELECT message_id FROM outbox WHERE org_id = $1 AND state IN ('queued', 'waiting', 'leased')"
        for _ in range(25):  # no text is tried for longer than a day
            self.wait(HOUR_US)
            self.answering("taken", self.one_step(slots=64))
        assert not self.house.wait(self.house.store.fetch(waiting, UUID(self.tenant.org.org_id)))
        self.all_is_as_it_should_be()
        for said in self.said.values():
            is_unknown = said.id in self.abandoned | self.perhaps_taken
            assert RANKS[said.status] >= RANKS["sent"] or (said.status == "sending" and is_unknown), said.id


def _uuid(public_id: str | None) -> str | None:
    return parse_ulid(public_id.removeprefix("msg_")) if public_id else None


def test_a_conversation_keeps_its_promises_whatever_happens_in_whatever_order(world: World) -> None:
    bounded = settings(
        max_examples=45,
        stateful_step_count=25,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: Conversations(world), settings=bounded)
