"""The promises of a conversation, whatever happens in whatever order: a state machine beside a model of it.

Contacts text, we send, the carrier answers well or badly or not at all, workers die between any two steps, the server is
started again, receipts come late, twice and in any order, and days pass. After every step it holds: nothing leaves after a
STOP, nothing accepted is lost, nothing perhaps sent is sent again, no status moves backwards, and every thread is the model's.
"""

import asyncio
import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
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

from roost.core.consent import CONFIRMATION_US
from roost.core.ids import parse_ulid
from roost.core.times import rfc3339
from roost.store.outbox import LEASE_US, Leased, lease, still_wanted
from roost.worker import Worker
from support.bandwidth_api import BandwidthApi, Reply
from support.conversations import DAY_US, RANKS, Between, Kind, Link, Said
from support.credentials import SECRETS
from support.databases import Database
from support.house import House
from support.payloads import bandwidth_inbound

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
CONTACTS = ("+15554443333", "+15557778888")
TEXTS: dict[Kind, str] = {
    "ordinary": "ok thanks",
    "stop": "STOP",
    "start": "START",
    "help": "HELP",
    "suspected": "please stop texting me",
}
#: How the carrier answers one try, by what we may do afterwards: what surely was not taken may be tried again.
AGAIN = {"too many": Reply(429), "not now": Reply(503)}
NEVER_AGAIN = {
    "taken": Reply(),
    "taken, its receipt first": Reply(first=("message-delivered",)),
    "refused": Reply(400, b'{"type": "request-validation"}'),
    "broken, and taken": Reply(500, takes=True),
    "broken, and not taken": Reply(500),
    "hung up, and taken": Reply(how="abort"),
    "hung up, and not taken": Reply(how="abort", takes=False),
    "half an answer": Reply(how="half"),
}
REPLIES = AGAIN | NEVER_AGAIN
pairs, nth = st.integers(0, 2), st.integers(0, 5)
kinds = st.one_of(st.just("stop"), st.sampled_from(sorted(TEXTS)))
#: ... or its worker dies: before the text leaves, or between the carrier's answer and our commit.
DEATHS = ("dies before", "dies after")
replies = st.sampled_from(["taken", "taken", *DEATHS, *REPLIES])


class World:
    """A house that can be started again over the same database, beside a carrier; its clock moves when it is told to."""

    def __init__(self, database: Database, data_dir: Path, api: BandwidthApi) -> None:
        self._database, self._data_dir, self.api = database, data_dir, api
        self.examples = itertools.count(1)
        self.house = self._start(None)

    def _start(self, before: House | None) -> House:
        house = House(self._database, self._data_dir, bandwidth_url=self.api.base_url, segments_per_second=0)
        house.clock.frozen_us = before.clock.frozen_us if before else house.clock()
        return house.start()

    def restart(self) -> None:
        self.house.stop()
        self.house = self._start(self.house)


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    with BandwidthApi() as api:
        world = World(database, tmp_path / "data", api)
        yield world
        api.release()
        world.house.stop()


class Conversations(RuleBasedStateMachine):
    """One organization with two numbers and two contacts."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.before = sys.exc_info()[1]
        self.world, self.api = world, world.api
        example = next(world.examples)
        ours = [f"+1555{2 * example + more:07}" for more in (0, 1)]
        self.tenant = tenant = self.house.tenant(number=ours[0], wallet=f"0x{example:040x}", secrets=SECRETS)
        holder = (tenant.account.id, tenant.agent.id, "")
        assert self.house.wait(self.house.directory.add_number(tenant.org.org_id, ours[1], *holder))
        self.pairs = [Between(ours[0], CONTACTS[0]), Between(ours[0], CONTACTS[1]), Between(ours[1], CONTACTS[0])]
        self.said: dict[str, Said] = {}
        self.links: dict[str, Link] = {}
        self.deliveries: list[dict[str, Any]] = []
        self.keys: dict[str, tuple[dict[str, str], str, int]] = {}
        self.canceled: set[str] = set()
        self.taken: list[Leased] = []
        #: What a worker had when it died; and what the carrier was given and perhaps took.
        self.abandoned: set[str] = set()
        self.perhaps_taken: set[str] = set()
        self.first_post, self.restarted = len(self.api.posts), False
        self.api.webhook_url = self.house.base_url + tenant.webhook

    @property
    def house(self) -> House:
        return self.world.house

    @property
    def now(self) -> int:
        return self.house.clock()

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

    def hear(self, pair: int, kind: Kind, late_us: int) -> None:
        between, carrier_at = self.pairs[pair], self.now - late_us
        name = f"{between.ours} {len(self.deliveries)}"
        payload = bandwidth_inbound(
            name, between.ours, text=TEXTS[kind], sender=between.theirs, time=rfc3339(carrier_at)
        )
        [message_id] = self.deliver(payload)["ids"]
        self.deliveries.append(payload)
        self.links[message_id], is_answered = between.hear(message_id, kind, carrier_at)
        new = [message["id"] for message in self.outbound() if message["id"] not in self.said]
        assert len(new) == is_answered, f"{kind} is answered {len(new)} times"
        for reply_id in new:
            self.said[reply_id] = between.say(reply_id, is_auto=True)

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

    def send(self, pair: int, text: str, key: str | None) -> None:
        between = self.pairs[pair]
        body = {"from": between.ours, "to": between.theirs, "text": text}
        headers = {**self.tenant.auth, **({"Idempotency-Key": key} if key else {})}
        answer = self.house.http.post("/v1/messages", json=body, headers=headers)
        first_body, first_id, first_at = self.keys.get(key or "", (body, "", -DAY_US))
        if first_id and self.now - first_at <= DAY_US:
            assert answer.status_code == (202 if body == first_body else 422), answer.text
            assert body != first_body or answer.json()["data"]["id"] == first_id
            return
        assert answer.status_code == (202 if between.may_be_texted() else 453), answer.text
        if answer.status_code == 202:
            message_id = answer.json()["data"]["id"]
            self.said[message_id] = between.say(message_id)
            if key:
                self.keys[key] = (body, message_id, self.now)

    @rule(pair=pairs)
    def send_and_think_better_of_it(self, pair: int) -> None:
        self.send(pair, "oh", None)
        if self.said:
            self.cancel(0)

    @precondition(lambda self: self.said)
    @rule(which=nth)
    def cancel_any(self, which: int) -> None:
        self.cancel(which)

    def cancel(self, which: int) -> None:
        said = self.newest(which)
        answer = self.house.http.delete(f"/v1/messages/{said.id}", headers=self.tenant.auth)
        assert answer.status_code in (200, 409), answer.text
        assert answer.status_code == 200 or said.status != "queued"
        if answer.status_code == 200:
            self.canceled.add(said.id)

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

    # --- How it is done

    def deliver(self, payload: dict[str, Any]) -> dict[str, Any]:
        answer = self.house.deliver(self.tenant, [payload])
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def outbound(self) -> list[dict[str, Any]]:
        return self.house.outbound(self.tenant, limit=200)

    def inbox(self) -> list[dict[str, Any]]:
        answer = self.house.http.get("/v1/tools/sms/inbox?limit=100", headers=self.tenant.agent_header)
        assert answer.status_code == 200, answer.text
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages

    def records(self) -> list[dict[str, Any]]:
        """What the carrier has taken of ours."""
        return [record for record in self.api.records if record.get("tag") in self.said]

    def newest(self, which: int) -> Said:
        return list(self.said.values())[-1 - which % len(self.said)]

    def worker(self, slots: int = 1) -> Worker:
        return Worker(self.house.store, self.house.outside, slots=slots)

    def take(self) -> bool:
        """Whether there was anything to lease."""
        batch = self.house.wait(lease(self.house.store, self.tenant.org.org_id, 1, 0))
        self.taken += batch.to_send
        return bool(batch.to_send)

    def die(self, leased: Leased, how: str) -> None:
        self.abandoned.add(leased.message_id)
        if how == "dies after" and self.house.wait(still_wanted(self.house.store, leased)) is None:
            self.api.script.append(Reply(wait=True))
            self.house.wait(self.killed_amid(leased, len(self.api.posts) + 1))
            self.api.release()
        self.see_posts(how)

    async def one_step(self, slots: int = 1) -> None:
        worker = self.worker(slots)
        await worker.take_due()
        await worker.stop()

    async def killed_amid(self, leased: Leased, posts: int) -> None:
        sending = asyncio.create_task(self.worker()._send(leased))
        await asyncio.to_thread(self.api.wait_for_posts, posts)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    def answering(self, how: str, work: Any) -> None:
        """Do it while the carrier answers so; then look at what came to it."""
        self.api.script.append(REPLIES[how])
        self.house.wait(work)
        self.api.script.clear()
        self.see_posts(how)

    def see_posts(self, how: str) -> None:
        posts, self.first_post = self.api.posts[self.first_post :], len(self.api.posts)
        assert max(Counter(post["tag"] for post in posts).values(), default=0) <= 1
        for post in posts:
            said = self.said[post["tag"]]
            assert said.is_auto or said.between.state != "opted_out", "a text left after a STOP"
            assert said.id not in self.perhaps_taken, "what was perhaps sent was sent again"
            assert said.id not in self.canceled, "what was canceled was sent"
            assert not said.is_auto or self.now - said.at < CONFIRMATION_US, "an auto-reply left late"
            if how not in AGAIN:
                self.perhaps_taken.add(said.id)


def _uuid(public_id: str | None) -> str | None:
    return parse_ulid(public_id.removeprefix("msg_")) if public_id else None


def test_a_conversation_keeps_its_promises_whatever_happens_in_whatever_order(world: World) -> None:
    bounded = settings(
        max_examples=70,
        stateful_step_count=25,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: Conversations(world), settings=bounded)
