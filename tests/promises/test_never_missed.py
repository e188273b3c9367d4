"""Never missed, never twice: whoever asks again from the last thing they saw gets exactly what came after it."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from support.carrier import Carrier, Target, deliveries
from support.databases import Database
from support.house import House, Tenant
from support.pollers import (
    ByAfter,
    ByCursor,
    ByInclusiveSince,
    BySince,
    ByStream,
    ByWebhook,
    Follower,
    Inbox,
    sender_of,
)
from support.processes import Fleet
from support.receiver import Receiver, tell_of_texts

A, B = "/v1/inbound-messages", "/v1/tools/sms/inbox"
#: What is told by webhook is told in order of each.
SENDERS = 30
#: A minute behind, right, an hour ahead.
CLOCKS = {"right clocks": (0,), "a clock that steps about": (-60, 0, 3600)}


class Audience:
    """One reader of each kind, each going round all servers, following what arrives in texts named `writer-...`."""

    def __init__(self, tenant: Tenant, base_urls: Sequence[str]) -> None:
        self._receiver = Receiver().__enter__()
        tell_of_texts(base_urls[0], tenant.auth, self._receiver.url())
        turned = [[*base_urls[turn:], *base_urls[:turn]] for turn in range(len(base_urls))] * 9
        headers = {A: tenant.auth, B: tenant.agent_header}
        self._inboxes = [
            Inbox(urls, path, headers[path], limit)
            for urls, path, limit in zip(
                turned, (B, A, A, A, B, A, A, A, A), (3, 2, 5, 4, 4, 3, 1, 1, 100), strict=False
            )
        ]
        self.streams = (
            ByStream(self._inboxes[6], tenant.auth, 10_000),
            ByStream(self._inboxes[7], tenant.agent_header, 70, types="message.received"),
        )
        self.by_since, self.by_cursor = BySince(self._inboxes[0]), ByCursor(self._inboxes[1])
        self._followers = [
            Follower("B, since", self.by_since).start(),
            Follower("A, after and cursor", self.by_cursor).start(),
            Follower("A, after", ByAfter(self._inboxes[2])).start(),
            Follower("A, since", ByInclusiveSince(self._inboxes[3])).start(),
            Follower("B, since, waiting", BySince(self._inboxes[4], wait=1)).start(),
            Follower("A, after, waiting", ByAfter(self._inboxes[5], wait=1)).start(),
            Follower("a stream", self.streams[0]).start(),
            Follower("an agent's stream that is cut again and again", self.streams[1]).start(),
            Follower("a webhook", ByWebhook(self._receiver, self._inboxes[8]), sender_of).start(),
        ]

    def __enter__(self) -> "Audience":
        return self

    def __exit__(self, *_: object) -> None:
        for follower in self._followers:
            follower.give_up()
        for stream in self.streams:
            stream.close()
        for inbox in self._inboxes:
            inbox.close()
        self._receiver.__exit__()

    def finish(self, sent: set[str]) -> None:
        """Everything was sent: each of them has seen it once, and did page."""
        for follower in self._followers:
            follower.finish(sent)
        assert self.by_since.had_more
        assert self.by_cursor.cursors
        assert self.streams[1].resumed > 10

    def turns(self) -> int:
        """How often one writer's message came after another's."""
        writers = [message.text.partition("-")[0] for message in self._followers[0].record.seen]
        return sum(one != next_one for one, next_one in pairwise(writers))


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    """It tells who is on this machine."""
    running = House(database, tmp_path / "data", telling=True, allowed_networks="127.0.0.0/8").start()
    yield running
    running.stop()


@pytest.mark.parametrize("clock_off_by", CLOCKS.values(), ids=CLOCKS)
def test_nobody_misses_what_several_processes_write(
    fleet: Fleet, database: Database, clock_off_by: tuple[int, ...]
) -> None:
    # SQLite has one server, and a command line that takes its turn beside it; PostgreSQL any number of both.
    servers = [fleet.serve() for _ in range({"sqlite": 1, "postgres": 3}[database.kind])]
    tenant = fleet.tenant()
    beside = deliveries("beside", 200, tenant.number.number, batch_every=5, senders=SENDERS)
    served = deliveries("served", 1000, tenant.number.number, batch_every=7, senders=SENDERS)
    writer = fleet.write_beside(tenant, beside, clock_off_by=clock_off_by)
    with (
        Audience(tenant, [server.base_url for server in servers]) as audience,
        Carrier(tenant, [server.target for server in servers], served, connections=16) as carrier,
    ):
        carrier.wait_until(1)
        writer.begin()
        carrier.finish()
        writer.finish()
        audience.finish(carrier.sent | writer.sent)
    assert audience.turns() > 1, "they did not write at the same time"
    assert set(carrier.answers) == {200}


def test_nobody_misses_what_arrives_while_the_clock_is_set(house: House) -> None:
    tenant = house.tenant()
    served = deliveries("served", 600, tenant.number.number, batch_every=7, senders=SENDERS)
    with (
        Audience(tenant, [house.base_url]) as audience,
        Carrier(tenant, [Target(house.base_url)], served, connections=8) as carrier,
    ):
        for turn, seconds in enumerate((-60, 3600, 0, -60, 3601, -3600), start=1):
            carrier.wait_until(turn * 100)
            house.clock.offset_us = seconds * 1_000_000
        carrier.finish()
        audience.finish(carrier.sent)
    assert set(carrier.answers) == {200}
