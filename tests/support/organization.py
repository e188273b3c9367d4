"""An organization in the middle of conversations, for a test that does anything in any order: what it, its contacts, its
workers and the carrier can do, and what is known of it beside the server.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from roost.core.consent import CONFIRMATION_US
from roost.core.times import rfc3339
from roost.store.outbox import Leased, lease, still_wanted
from roost.worker import Worker
from support.bandwidth_api import BandwidthApi, Reply
from support.conversations import DAY_US, Between, Kind, Link, Said
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
#: ... or its worker dies: before the text leaves, or between the carrier's answer and our commit.
DEATHS = ("dies before", "dies after")


class World:
    """A house that can be started again over the same database, beside a carrier; its clock moves when it is told to."""

    def __init__(self, database: Database, data_dir: Path, api: BandwidthApi) -> None:
        self._database, self._data_dir, self.api = database, data_dir, api
        self.examples = itertools.count(1)
        self.house = self._start(None)
        api.clock = lambda: self.house.clock()

    def _start(self, before: House | None) -> House:
        house = House(self._database, self._data_dir, bandwidth_url=self.api.base_url, segments_per_second=0)
        house.clock.frozen_us = before.clock.frozen_us if before else house.clock()
        return house.start()

    def restart(self) -> None:
        self.house.stop()
        self.house = self._start(self.house)


class Organization:
    """Two numbers, two contacts, and everything that was said."""

    def __init__(self, world: World) -> None:
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

    def cancel(self, which: int) -> None:
        said = self.newest(which)
        answer = self.house.http.delete(f"/v1/messages/{said.id}", headers=self.tenant.auth)
        assert answer.status_code in (200, 409), answer.text
        assert answer.status_code == 200 or said.status != "queued"
        if answer.status_code == 200:
            self.canceled.add(said.id)

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

    async def one_step(self, slots: int = 1) -> None:
        worker = self.worker(slots)
        await worker.take_due()
        await worker.stop()

    async def killed_amid(self, leased: Leased, posts: int) -> None:
        sending = asyncio.create_task(self.worker()._send(leased))
        await asyncio.to_thread(self.api.wait_for_posts, posts)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    def answering(self, how: str, work: Coroutine[Any, Any, None]) -> None:
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
