"""Claims over HTTP: who gets what, what is refused and how, and workers that wait."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import httpx
import pytest

from roost.core.claims import Claimed, Wanted
from roost.core.ids import FIRST_ID
from roost.push.feeds import Feeds
from roost.push.lines import Asked, Line, Worker
from roost.store import claims
from support.agents import hear
from support.house import House, Tenant

CONTACT = "+15554443333"
BASE = "/v1/inbound-messages"
SECOND = 1_000_000


class Desk(NamedTuple):
    """A house, a tenant of it, and workers."""

    house: House
    tenant: Tenant
    pool: ThreadPoolExecutor

    def post(self, what: str, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.house.http.post(
            f"{BASE}/{what}", json=body, headers=self.tenant.auth if headers is None else headers
        )

    def claim(self, headers: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
        answer = self.post("claim", body, headers)
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    def settle(self, what: str, claimed: dict[str, Any], headers: dict[str, str] | None = None) -> list[Any]:
        held = [{"id": message["id"], "fence": claimed["fence"]} for message in claimed["messages"]]
        answer = self.post(what, {"messages": held}, headers)
        assert answer.status_code == 200, answer.text
        data = answer.json()["data"]
        assert data["refused"] == sum(each["status"] == "refused" for each in data["messages"])
        assert [(each["id"], each["fence"]) for each in data["messages"]] == [tuple(each.values()) for each in held]
        return [(each["status"], each["reason"]) for each in data["messages"]]

    def hear(self, text: str, sender: str = CONTACT) -> None:
        hear(self.house, self.tenant, sender, text)

    def begin(self, headers: dict[str, str] | None = None, **body: Any) -> "Future[dict[str, Any]]":
        """Claim, and return once it waits."""
        before = self.waiting()
        asked = self.pool.submit(self.claim, headers, wait=30, **body)
        while self.waiting() == before:
            assert not asked.done(), asked.result()
        return asked

    def waiting(self) -> int:
        page = self.house.http.get("/metrics").text
        return int(float(page.partition("\nroost_waiting_reads ")[2].partition("\n")[0]))


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    with ThreadPoolExecutor(8) as pool:
        yield Desk(house, house.tenant(carrier="loopback"), pool)


def bodies(claimed: dict[str, Any]) -> list[str]:
    return [message["body"] for message in claimed["messages"]]


def test_workers_share_an_inbox_and_each_text_is_done_once(desk: Desk) -> None:
    for text in ("one", "two", "three"):
        desk.hear(text)
    desk.house.clock.frozen_us = desk.house.clock()
    mine, yours = desk.claim(limit=2, lease_seconds=30), desk.claim()
    assert (bodies(mine), bodies(yours)) == (["one", "two"], ["three"])
    assert (mine["queue"], yours["fence"]) == ("default", mine["fence"] + 1)
    listed = desk.house.inbound(desk.tenant)
    assert [*yours["messages"], *mine["messages"][::-1]] == listed, "as they are in the list"
    assert desk.claim() == {"queue": "default", "fence": None, "leased_until": None, "messages": []}
    assert desk.settle("ack", mine) == [("acked", None)] * 2
    assert desk.settle("ack", mine) == [("acked", None)] * 2, "and once more is the same"
    assert desk.settle("release", yours) == [("released", None)]
    assert bodies(desk.claim()) == ["three"]
    assert desk.settle("release", mine) == [("refused", "acked")] * 2


def test_a_lease_that_runs_out_comes_back_and_a_late_ack_is_refused_and_changes_nothing(desk: Desk) -> None:
    desk.hear("one")
    desk.hear("two")
    desk.house.clock.frozen_us = desk.house.clock()
    late = desk.claim(limit=1, lease_seconds=5)
    desk.house.clock.frozen_us += 5 * SECOND - 1
    assert bodies(desk.claim(limit=1)) == ["two"]
    desk.house.clock.frozen_us += 1
    again = desk.claim()
    assert (bodies(again), again["fence"]) == (["one"], late["fence"] + 2)
    assert desk.settle("ack", late) == [("refused", "outdated")]
    assert desk.settle("release", late) == [("refused", "outdated")]
    assert desk.claim()["messages"] == [], "it is still with the other"
    assert desk.settle("ack", again) == [("acked", None)]
    assert desk.settle("ack", late) == [("refused", "outdated")]


def test_a_lease_that_ran_out_counts_as_long_as_nobody_else_has_the_text(desk: Desk) -> None:
    desk.hear("one")
    desk.house.clock.frozen_us = desk.house.clock()
    claimed = desk.claim(lease_seconds=1)
    desk.house.clock.frozen_us += 3600 * SECOND
    assert desk.settle("ack", claimed) == [("acked", None)]
    assert desk.claim()["messages"] == []


def test_several_are_settled_at_once_and_each_counts_by_itself(desk: Desk) -> None:
    for text in ("one", "two"):
        desk.hear(text)
    claimed = desk.claim()
    one, two = (message["id"] for message in claimed["messages"])
    fence = claimed["fence"]
    items = [{"id": one, "fence": fence}, {"id": two, "fence": fence + 1}, {"id": FIRST_ID, "fence": fence}]
    answer = desk.post("ack", {"messages": [*items, items[0]]}).json()["data"]
    assert [(each["status"], each["reason"]) for each in answer["messages"]] == [
        ("acked", None),
        ("refused", "unknown"),
        ("refused", "unknown"),
        ("acked", None),
    ]
    assert answer["refused"] == 2
    elsewhere = desk.post("ack", {"queue": "audit", "messages": [{"id": two, "fence": fence}]}).json()["data"]
    assert elsewhere["messages"][0]["reason"] == "unknown"


def test_each_queue_has_every_text_to_hand_out(desk: Desk) -> None:
    desk.hear("one")
    assert [bodies(desk.claim(queue=queue)) for queue in ("default", "audit", "audit")] == [["one"], ["one"], []]


def test_another_organization_has_its_own_texts_and_cannot_settle_ours(desk: Desk) -> None:
    desk.hear("ours")
    other = desk.house.tenant(carrier="loopback")
    hear(desk.house, other, CONTACT, "theirs")
    assert bodies(desk.claim(other.auth)) == ["theirs"]
    ours = desk.claim()
    assert bodies(ours) == ["ours"]
    assert desk.settle("release", ours, other.auth) == [("refused", "unknown")]
    assert desk.settle("ack", ours) == [("acked", None)]


def test_an_agent_claims_what_came_to_its_numbers(desk: Desk) -> None:
    nobodys = "+15551230000"
    org_id, account_id = desk.tenant.org.org_id, desk.tenant.account.id
    desk.house.wait(desk.house.directory.add_number(org_id, nobodys, account_id, None, ""))
    hear(desk.house, desk.tenant, CONTACT, "nobody's", nobodys)
    desk.hear("mine")
    agent = desk.tenant.agent_header
    claimed = desk.claim(agent, include=["agent_id", "otp"])
    assert [(each["body"], each["agent_id"], each["otp"]) for each in claimed["messages"]] == [
        ("mine", desk.tenant.agent.id, None)
    ]
    rest = desk.claim()
    assert bodies(rest) == ["nobody's"], "the organization's workers share the queue with it"
    assert desk.settle("ack", rest, agent) == [("refused", "unknown")]
    assert desk.settle("ack", claimed, agent) == [("acked", None)]
    answer = desk.post("claim", {"agent_id": FIRST_ID}, agent)
    assert (answer.status_code, set(answer.json()["error"]["details"])) == (422, {"agent_id"})
    assert desk.post("claim", {}, {"X-Agent-ID": "0x" + "9" * 40}).json()["error"]["code"] == "UNAUTHORIZED"


def test_an_agents_texts_are_gone_after_their_time_here_too(desk: Desk) -> None:
    desk.hear("old")
    desk.house.http.patch("/v1/organization", json={"message_retention_days": 60}, headers=desk.tenant.auth)
    desk.house.clock.offset_us = 31 * 24 * 3600 * SECOND
    assert bodies(desk.claim(desk.tenant.agent_header)) == []
    assert bodies(desk.claim()) == ["old"]


def test_a_blocked_senders_text_is_left_out(desk: Desk) -> None:
    blocked = desk.house.http.post("/v1/blocked-senders", json={"sender": "+15550006666"}, headers=desk.tenant.auth)
    assert blocked.status_code == 201
    desk.hear("spam", "+15550006666")
    desk.hear("hello")
    assert bodies(desk.claim()) == ["hello"]


@pytest.mark.parametrize(
    ("what", "body", "wrong"),
    [
        ("claim", {"limit": 0}, {"limit"}),
        ("claim", {"limit": 101, "lease_seconds": 3601, "wait": 31}, {"limit", "lease_seconds", "wait"}),
        ("claim", {"limit": True, "wait": 1.5, "queue": "a b"}, {"limit", "wait", "queue"}),
        ("claim", {"queue": "a\n"}, {"queue"}),
        ("claim", {"queue": "q" * 65, "to": "?"}, {"queue", "to"}),
        ("claim", {"phone_number_id": "x", "agent_id": 1}, {"phone_number_id", "agent_id"}),
        ("claim", {"include": "otp"}, {"include"}),
        ("claim", {"include": ["everything"]}, {"include"}),
        ("claim", {"from": CONTACT}, {"from"}),
        ("ack", {}, {"messages"}),
        ("ack", {"messages": []}, {"messages"}),
        ("ack", {"messages": [{"id": FIRST_ID}]}, {"messages"}),
        ("ack", {"messages": [{"id": FIRST_ID, "fence": 0}]}, {"messages"}),
        ("ack", {"messages": [{"id": "x", "fence": 1}]}, {"messages"}),
        ("ack", {"messages": [{"id": FIRST_ID, "fence": 2**53}]}, {"messages"}),
        ("release", {"messages": [{"id": FIRST_ID, "fence": 1}] * 1001}, {"messages"}),
        ("release", {"messages": "all", "queue": ""}, {"messages", "queue"}),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_request_is_said_by_field(desk: Desk, what: str, body: Any, wrong: set[str]) -> None:
    answer = desk.post(what, body)
    assert (answer.status_code, set(answer.json()["error"]["details"])) == (422, wrong)


def test_a_claim_that_is_sent_again_with_its_key_gets_what_it_still_holds(desk: Desk) -> None:
    for text in ("one", "two", "three"):
        desk.hear(text)
    key = {**desk.tenant.auth, "Idempotency-Key": "k"}
    first = desk.claim(key, limit=2)
    again = desk.post("claim", {"limit": 2}, key)
    assert (again.json()["data"], again.headers["idempotent-replayed"]) == (first, "true")
    desk.settle("ack", {**first, "messages": first["messages"][:1]})
    assert bodies(desk.claim(key, limit=2)) == ["two"]
    assert bodies(desk.claim()) == ["three"]
    assert desk.post("claim", {"limit": 3}, key).status_code == 422


def test_a_queue_of_which_too_much_is_leased_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "MAX_LEASED", 1)
    desk.hear("one")
    desk.hear("two")
    held = desk.claim()
    for wait in (0, 30):
        answer = desk.post("claim", {"wait": wait})
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")
        assert answer.headers["retry-after"] == "1"
    desk.settle("ack", held)
    assert bodies(desk.claim()) == ["two"]


# ---- workers that wait


def test_a_worker_that_waits_gets_the_text_that_comes_and_the_first_in_line_is_first(desk: Desk) -> None:
    first, second = desk.begin(limit=1), desk.begin(limit=1)
    agents = desk.begin(desk.tenant.agent_header, queue="agent")
    desk.hear("one")
    assert bodies(first.result(10)) == ["one"]
    assert not second.done()
    desk.hear("two")
    assert bodies(second.result(10)) == ["two"]
    assert bodies(agents.result(10)) == ["one"]
    assert desk.waiting() == 0


def test_filters_hold_for_who_waits(desk: Desk) -> None:
    other = "+15551230000"
    org_id, account_id = desk.tenant.org.org_id, desk.tenant.account.id
    desk.house.wait(desk.house.directory.add_number(org_id, other, account_id, None, ""))
    asked = desk.begin(to=other)
    desk.hear("to the first")
    hear(desk.house, desk.tenant, CONTACT, "to the other", other)
    assert bodies(asked.result(10)) == ["to the other"]
    assert bodies(desk.claim(phone_number_id=desk.tenant.number.id)) == ["to the first"]


@pytest.mark.parametrize("how", ["release", "the lease"])
def test_what_comes_back_goes_to_who_waits(desk: Desk, how: str) -> None:
    desk.hear("one")
    held = desk.claim(lease_seconds=10)
    asked = desk.begin()
    if how == "release":
        desk.settle("release", held)
    else:
        desk.house.clock.offset_us = 10 * SECOND
    got = asked.result(10)
    assert (bodies(got), got["fence"] > held["fence"]) == (["one"], True)


def test_the_time_of_who_waits_is_up_after_so_many_seconds(desk: Desk) -> None:
    began = time.monotonic()
    assert desk.claim(wait=1)["messages"] == []
    assert 0.9 < time.monotonic() - began < 10


def test_a_worker_that_goes_away_is_forgotten_and_takes_nothing_with_it(desk: Desk) -> None:
    with pytest.raises(httpx.ReadTimeout):
        desk.house.http.post(f"{BASE}/claim", json={"wait": 30}, headers=desk.tenant.auth, timeout=0.3)
    while desk.waiting():
        pass
    desk.hear("one")
    assert bodies(desk.claim()) == ["one"]


def test_who_waits_is_answered_at_once_when_the_server_is_told_to_stop(desk: Desk) -> None:
    asked = [desk.begin(), desk.begin(queue="audit")]

    async def stop() -> None:
        desk.house.push.stop()

    desk.house.wait(stop())
    assert [each.result(10)["messages"] for each in asked] == [[], []]
    assert desk.claim(wait=30)["messages"] == [], "and so is who asks afterwards"


def test_nothing_is_claimed_for_who_is_about_to_leave(desk: Desk) -> None:
    wanted = Wanted(desk.tenant.org.org_id)

    async def serve() -> tuple[Claimed, Claimed]:
        feeds = Feeds(desk.house.store, desk.house.media_urls)
        line = Line(desk.house.store, feeds, Asked(wanted.org_id, wanted.queue, wanted.filters))
        late, next_one = Worker(wanted, unnoted), Worker(wanted, unnoted)
        line.join(late)
        line.join(next_one)
        late.end()
        await line.run()
        return late.served.result(), next_one.served.result()

    desk.hear("one")
    late, next_one = desk.house.wait(serve())
    assert (late.messages, [message.body for message in next_one.messages]) == ((), ["one"])


async def unnoted(*_: object) -> None:
    pass


def test_workers_that_wait_share_what_comes_at_once(desk: Desk) -> None:
    asked = [desk.begin(limit=2) for _ in range(8)]
    events = [{"id": f"m{n}", "from": CONTACT, "to": desk.tenant.number.number, "text": str(n)} for n in range(16)]
    assert desk.house.deliver(desk.tenant, events).json()["stored"] == 16
    got = [each.result(10) for each in asked]
    assert sorted((text for each in got for text in bodies(each)), key=int) == [str(n) for n in range(16)]
