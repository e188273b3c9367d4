"""Reads that wait: answered when there is something new, or when their time is up."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from roost.core.ids import FIRST_ID
from roost.core.inbox import InboxQuery, Page
from roost.push import waiting
from support.agents import hear
from support.reads import LISTS, Reads

CONTACT, OTHER = "+15554443333", "+15550001234"
A, B = LISTS
LONG_AGO = "2020-01-01T00:00:00Z"


def bodies(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return [message["body"] for message in body["data" if "data" in body else "messages"]]


@pytest.mark.parametrize("path", [A, B])
def test_an_empty_inbox_is_answered_when_the_first_text_comes(reads: Reads, path: str) -> None:
    asked = reads.begin(path)
    reads.hear("hello")
    assert bodies(asked.result(10)) == ["hello"]
    assert reads.waiting() == 0


@pytest.mark.parametrize(("path", "how"), [(A, "after"), (A, "since"), (B, "since")])
def test_what_is_there_already_is_answered_at_once_and_the_last_thing_seen_is_not_new(
    reads: Reads, path: str, how: str
) -> None:
    reads.hear("one")
    [first] = reads.house.inbound(reads.tenant)
    reads.hear("two")
    seen = {"after": first["id"], "since": first["received_at"]}[how]
    again = ["one"] if (path, how) == (A, "since") else []  # inclusive, as documented
    assert sorted(bodies(reads.get(path, f"wait=30&{how}={seen}"))) == sorted(["two", *again])
    second = reads.house.inbound(reads.tenant)[0]
    seen = {"after": second["id"], "since": second["received_at"]}[how]
    asked = reads.begin(path, f"&{how}={seen}")
    reads.hear("three")
    again = ["two"] if again else []
    assert sorted(bodies(asked.result(10))) == sorted(["three", *again])


def test_a_read_is_woken_by_what_its_filters_let_through_and_by_nothing_else(reads: Reads) -> None:
    number, number_id = quote(reads.tenant.number.number), reads.tenant.number.id
    cases = {
        (A, f"&from={quote(OTHER)}"): ["code 1"],
        (A, "&opt_out=true"): ["STOP"],
        (A, "&channel=mms"): ["a picture"],
        (A, f"&after={FIRST_ID}&to={number}&phone_number_id={number_id}&opt_out=false"): ["first"],
        (B, f"&from={quote(OTHER)}"): ["code 1"],
        (B, f"&from={quote(OTHER)}&since={LONG_AGO}"): ["code 1"],
    }
    asked = {case: reads.begin(*case) for case in cases}
    reads.hear("first")
    reads.hear("STOP")
    reads.house.deliver(
        reads.tenant,
        {
            "id": "p",
            "from": "68849",
            "to": reads.tenant.number.number,
            "text": "a picture",
            "media": ["https://x.test/1"],
        },
    )
    assert not asked[A, f"&from={quote(OTHER)}"].done()
    reads.hear("code 1", OTHER)
    assert {case: bodies(each.result(10)) for case, each in asked.items()} == cases


def test_another_agents_text_wakes_nobody_and_another_organizations_neither(reads: Reads) -> None:
    mine = reads.begin(B)
    other = reads.house.tenant(carrier="loopback")
    hear(reads.house, other, CONTACT, "theirs")
    nobodys = reads.house.wait(
        reads.house.directory.add_number(reads.tenant.org.org_id, "+15551230000", reads.tenant.account.id, None, "")
    )
    assert nobodys is not None
    hear(reads.house, reads.tenant, CONTACT, "nobody's", nobodys.number)
    assert not mine.done()
    reads.hear("mine")
    assert bodies(mine.result(10)) == ["mine"]


def test_a_blocked_senders_text_is_in_the_list_and_so_it_is_waited_for(reads: Reads) -> None:
    blocked = reads.house.http.post("/v1/blocked-senders", json={"sender": CONTACT}, headers=reads.tenant.auth)
    assert blocked.status_code == 201
    asked = reads.begin(A)
    reads.hear("spam")
    assert bodies(asked.result(10)) == ["spam"]


def test_the_time_is_up_after_so_many_seconds(reads: Reads) -> None:
    for path, query in ((A, "wait=1"), (B, "wait=1"), (A, "wait=1&after=" + FIRST_ID)):
        began = time.monotonic()
        assert bodies(reads.get(path, query)) == []
        assert 0.9 < time.monotonic() - began < 10
    reads.hear("one")
    [newest] = reads.house.inbound(reads.tenant)
    assert bodies(reads.get(A, f"wait=1&since={newest['received_at']}")) == ["one"], "what it would be without waiting"


@pytest.mark.parametrize("wait", ["31", "-1", "1.5", "soon", ""])
def test_how_long_is_a_whole_number_of_seconds(reads: Reads, wait: str) -> None:
    answer = reads.get(A, f"wait={wait}")
    assert (answer.status_code, answer.json()["error"]["details"]) == (
        422,
        {"wait": "must be a whole number of seconds from 0 to 30"},
    )
    reads.hear("there")
    answer = reads.get(B, f"wait={wait}")
    assert (answer.status_code, wait) in {(200, "31"), (200, ""), (400, "-1"), (400, "1.5"), (400, "soon")}


def test_a_cursor_is_of_the_past_and_good_with_and_without_waiting(reads: Reads) -> None:
    for text in ("one", "two", "three"):
        reads.hear(text)
    first = reads.get(A, "limit=2&wait=30").json()
    assert [message["body"] for message in first["data"]] == ["three", "two"]
    cursor = first["meta"]["next_cursor"]
    assert bodies(reads.get(A, f"limit=2&wait=30&cursor={cursor}")) == ["one"]
    assert bodies(reads.get(A, f"limit=2&cursor={cursor}")) == ["one"]


def test_one_text_answers_all_who_wait_for_it(reads: Reads) -> None:
    asked = [reads.begin(path) for path in (A, B) for _ in range(4)]
    reads.hear("hello")
    assert [bodies(each.result(10)) for each in asked] == [["hello"]] * 8
    assert reads.waiting() == 0


def test_a_client_that_goes_away_is_forgotten(reads: Reads) -> None:
    with pytest.raises(httpx.ReadTimeout):
        reads.house.http.get(f"{A}?wait=30", headers=reads.tenant.auth, timeout=0.3)
    while reads.waiting():
        pass


def test_the_connection_goes_on_after_a_read_that_waited(reads: Reads) -> None:
    with httpx.Client(base_url=reads.house.base_url, headers=reads.tenant.auth) as client:
        for _ in range(2):
            answer = client.get(f"{A}?wait=1")
            assert bodies(answer) == []
            assert "connection" not in answer.headers
        [pooled] = client._transport._pool.connections  # type: ignore[attr-defined]
        assert "Request Count: 2" in repr(pooled)


def test_who_waits_is_answered_at_once_when_the_server_is_told_to_stop(reads: Reads) -> None:
    asked = [reads.begin(path) for path in (A, B)]

    async def stop() -> Any:
        reads.house.push.stop()

    reads.house.wait(stop())
    assert [bodies(each.result(10)) for each in asked] == [[], []]
    assert bodies(reads.get(A, "wait=30")) == [], "and so is who asks afterwards"


def test_a_database_that_comes_back_wakes_who_waited(reads: Reads) -> None:
    """What moved while it was away is found by looking, not by being told."""
    asked = reads.begin(A)
    told, reads.house.store.told_moved = reads.house.store.told_moved, lambda _: None
    reads.hear("untold")
    assert bodies(asked.result(10)) == ["untold"]
    reads.house.store.told_moved = told


def test_those_who_come_at_once_and_ask_the_same_cost_a_few_queries(
    reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they do when a text has woken all of them, or their server went away."""
    store, gate, asked = reads.house.store, asyncio.Event(), []
    list_inbound = store.list_inbound

    async def held_up(query: InboxQuery) -> Page:
        asked.append(query)
        await gate.wait()
        return await list_inbound(query)

    async def open_gate() -> None:
        gate.set()

    monkeypatch.setattr(store, "list_inbound", held_up)
    with ThreadPoolExecutor(30) as pool:
        answers = [pool.submit(reads.get, A, "wait=30") for _ in range(30)]
        while len(reads.house.under_way()) < 30:
            assert not any(answer.done() for answer in answers)
        reads.house.wait(open_gate())
        while reads.waiting() < 30:
            pass
        reads.hear("hello")
        assert [bodies(answer.result(10)) for answer in answers] == [["hello"]] * 30
    assert len(asked) < 15, "two for each, and one when the text came, if nobody shared"


def test_those_of_a_crowd_do_not_all_come_again_together(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_CROWD", 0)
    monkeypatch.setattr(waiting, "_SOONER", 0.9)
    monkeypatch.setattr(reads.house.store, "random_bits", lambda bits: (1 << bits) - 1)
    began = time.monotonic()
    assert bodies(reads.get(A, "wait=10")) == []
    assert 0.9 < time.monotonic() - began < 8
