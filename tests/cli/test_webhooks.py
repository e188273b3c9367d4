"""`roost webhook`: an operator sets up who is told, beside a server that tells."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.client import verify_webhook
from support.commands import environment, roost, roost_json
from support.databases import Database
from support.house import House
from support.receiver import REACHING_RECEIVERS, Receiver, Reply
from support.telling import Telling


@pytest.fixture
def telling(database: Database, tmp_path: Path) -> Iterator[Telling]:
    with Receiver() as receiver:
        house = House(database, tmp_path / "data", allowed_networks="127.0.0.0/8").start()
        yield Telling(house, receiver)
        house.stop()


def test_an_operator_adds_tests_replays_rotates_and_removes(
    telling: Telling, database: Database, tmp_path: Path
) -> None:
    env = environment(database, tmp_path / "data", **REACHING_RECEIVERS)
    receiver, org = telling.receiver, ("--org", telling.tenant.org.org_id)
    telling.house.clock.frozen_us = None
    made = roost_json("webhook", "add", receiver.url(), *org, "--description", "ours", env=env)
    assert made["events"] == ["message.received", "message.status", "consent.changed"]
    assert [each["id"] for each in roost_json("webhook", "list", *org, env=env)] == [made["id"]]
    assert roost_json("webhook", "test", made["id"], *org, env=env)["outcome"] == "success"
    receiver.answering = lambda post: Reply(410)
    assert roost_json("webhook", "test", made["id"], *org, env=env)["response_status"] == 410
    receiver.answering = lambda post: Reply()
    telling.arrives("hello")
    telling.tell()
    verify_webhook(made["secret"], receiver.posts[-1].headers, receiver.posts[-1].body)
    told = roost_json("webhook", "deliveries", *org, "--outcome", "success", "--limit", "1", env=env)
    replayed = roost_json("webhook", "replay", told[0]["id"], *org, env=env)
    telling.tell()
    assert (receiver.posts[-1].id, receiver.posts[-1].text) == (replayed["event_id"], "hello")
    rotated = roost_json("webhook", "rotate", made["id"], *org, env=env)
    assert rotated["secret"] != made["secret"]
    assert roost_json("webhook", "remove", made["id"], *org, env=env) == {"id": made["id"], "status": "removed"}
    for words, says in (
        (("remove", made["id"]), "has no webhook endpoint"),
        (("add", "http://example.com/"), "must be an https URL"),
        (("replay", "7"), "has no delivery 7"),
        (("replay", told[0]["id"]), "not active"),
    ):
        done = roost("webhook", *words, *org, env=env)
        assert done.returncode == 1
        assert says in done.stderr
