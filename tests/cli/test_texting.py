"""inbox, send, wait and tail: against a running server, found by itself or named."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import SIGINT
from typing import Any, NamedTuple

import pytest

from roost.client import BEGINNING
from support.commands import ROOST, RunningRoost, environment, roost, roost_json
from support.databases import Database
from support.forked import Forked

NUMBER, CONTACT = "+15551112222", "+15554443333"


class Running(NamedTuple):
    """A server with an organization and a number."""

    env: dict[str, str]
    base_url: str

    def arrive(self, sender: str, text: str, number: str = NUMBER) -> str:
        found: str = roost_json("simulate", sender, number, text, env=self.env)["id"]
        return found


@pytest.fixture
def running(database: Database, tmp_path: Path) -> Iterator[Running]:
    env = environment(database, tmp_path / "data", ROOST_SEGMENTS_PER_SECOND="0")
    roost_json("org", "create", "Acme", env=env)
    account = roost_json("carrier", "add", "loopback", "--org", "Acme", env=env)
    roost_json("number", "add", NUMBER, "--org", "Acme", "--carrier", account["id"], env=env)
    server = RunningRoost("serve", env=env)
    yield Running(env, server.base_url)
    server.stop()


def lines(*words: str, env: dict[str, str]) -> list[str]:
    """What a person is shown."""
    done = roost(*words, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_texts_are_read_answered_and_waited_for_without_any_key(running: Running) -> None:
    env = running.env
    assert lines("inbox", env=env) == ["Nothing has come."]
    assert roost_json("inbox", env=env) == []
    first = running.arrive(CONTACT, "hello?")
    running.arrive("22000", "G-482913 is your Google verification code.")
    listed = roost_json("inbox", env=env)
    assert [(message["from"], message["body"]) for message in listed] == [
        ("22000", "G-482913 is your Google verification code."), (CONTACT, "hello?"),
    ]  # fmt: skip
    assert listed[0]["otp"] == {"code": "482913", "service": "Google", "domain": None}
    shown = lines("inbox", "--limit", "1", env=env)
    assert [line.partition("  ")[2] for line in shown] == [
        "22000 > +15551112222  [482913] G-482913 is your Google verification code."
    ]
    assert [message["id"] for message in roost_json("inbox", "--after", first, env=env)] == [listed[0]["id"]]
    sent = roost_json("send", CONTACT, "3 pm?", "--tag", "order-7421", "--once", "a", env=env)
    assert (sent["from"], sent["status"], sent["tag"]) == (NUMBER, "queued", "order-7421")
    assert roost_json("send", CONTACT, "3 pm?", "--tag", "order-7421", "--once", "a", env=env) == sent
    running.arrive(CONTACT, "yes")
    assert roost_json("wait", "--after", sent["id"], env=env)["body"] == "yes", "it came before anybody waited"
    assert lines("wait", "--otp", "--to", NUMBER, "--after", first, env=env) == ["482913"]
    none = roost("wait", "--timeout", "0", env=env)
    assert (none.returncode, none.stdout, none.stderr) == (3, "", "Error: nothing came within 0 seconds\n")
    keys = roost_json("key", "list", "--org", "Acme", env=env)
    assert [key["label"] for key in keys] == ["command line"], "the one key is kept"
    roost_json("key", "revoke", keys[0]["id"], env=env)
    assert len(roost_json("inbox", env=env)) == 3, "and made again"
    kept = Path(env["ROOST_DATA_DIR"]) / "command-line.json"
    assert kept.stat().st_mode & 0o777 == 0o600


def test_an_answer_is_waited_for_while_it_comes(running: Running) -> None:
    running.arrive(CONTACT, "hello?")
    asking = Forked([ROOST, "send", CONTACT, "3 pm?", "--reply", "60"], running.env)
    shown = asking.stdout.readline()
    assert "queued: 3 pm?" in shown
    running.arrive(CONTACT, "yes, 3 pm")
    output, errors = asking.communicate(60)
    assert (asking.wait(), errors) == (0, "")
    assert output.splitlines()[-1].endswith(f"{CONTACT} > {NUMBER}  yes, 3 pm")


def test_a_server_is_named_and_a_key_given(running: Running) -> None:
    issued = roost_json("key", "create", "--org", "Acme", "--label", "x", "--scope", "messages:read", env=running.env)
    elsewhere = {**running.env, "ROOST_DATA_DIR": "/nonexistent", "ROOST_DATABASE_URL": "sqlite"}
    running.arrive(CONTACT, "hello?")
    given = {**elsewhere, "ROOST_URL": running.base_url, "ROOST_API_KEY": issued["plaintext"]}
    assert [message["body"] for message in roost_json("inbox", env=given)] == ["hello?"]
    options = ("--url", running.base_url, "--key", issued["plaintext"])
    assert [message["body"] for message in roost_json("inbox", *options, env=elsewhere)] == ["hello?"]
    refused: list[tuple[tuple[str, ...], str]] = [
        (("inbox", "--url", running.base_url), "ROOST_API_KEY"),
        (("inbox",), "roost serve"),
        (("inbox", "--url", "nowhere", "--key", "x"), "base_url"),
        (("inbox", "--url", "http://127.0.0.1:9", "--key", "x"), "no answer from http://127.0.0.1:9: "),
        (("inbox", "--url", running.base_url, "--key", "am_live_x"), "roost key create"),
        (("inbox", *options, "--since", "yesterday"), "since must be"),
        (("send", CONTACT, "hello", *options), "roost key create --scope"),
    ]
    for words, reason in refused:
        done = roost(*words, env=elsewhere)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), words
        assert done.stderr.startswith("Error: ")
        assert reason in done.stderr
        assert issued["plaintext"] not in done.stderr
    unsaid = roost("wait", "--otp", *options, env=elsewhere)
    assert (unsaid.returncode, "--to" in unsaid.stderr) == (2, True)
    running.arrive(CONTACT, "STOP")
    refusal = roost("send", CONTACT, "hello", env=running.env)
    assert (refusal.returncode, "roost consent list" in refusal.stderr) == (1, True)


def test_who_has_several_organizations_or_numbers_says_which(running: Running) -> None:
    env = running.env
    account = roost_json("carrier", "add", "loopback", "--org", "Acme", env=env)
    roost_json("number", "add", "+15551113333", "--org", "Acme", "--carrier", account["id"], env=env)
    running.arrive(CONTACT, "hello?")
    refused = roost("send", CONTACT, "hi", env=env)
    assert (refused.returncode, "+15551113333, +15551112222" in refused.stderr) == (1, True)
    assert roost_json("send", CONTACT, "hi", "--from", NUMBER, env=env)["status"] == "queued"
    other = roost_json("org", "create", "Other", env=env)
    assert "--org" in roost("inbox", env=env).stderr
    assert roost_json("inbox", "--org", other["id"], env=env) == []
    assert len(roost_json("inbox", "--org", "Acme", env=env)) == 1


def test_a_strangers_text_does_not_steer_the_terminal(running: Running) -> None:
    evil = "a\x1b[2Jb\r\nError: c\u202ed\x9be\x07\U000e0041 \U0001f468\u200d\U0001f469"
    running.arrive("SUPPORT", evil)
    harmless = "a\ufffd[2Jb  Error: c\ufffdd\ufffde\ufffd\ufffd \U0001f468\u200d\U0001f469"
    for words in ("inbox",), ("wait", "--after", BEGINNING):
        [shown] = lines(*words, env=running.env)
        assert shown.endswith(f"  {harmless}")
    assert roost_json("inbox", env=running.env)[0]["body"] == evil, "programs get what came"
    with (
        Following(running, "--after", BEGINNING) as person,
        Following(running, "--after", BEGINNING, "--json") as program,
    ):
        assert person.line().endswith(f"  {harmless}")
        assert json.loads(program.line())["data"]["body"] == evil


class Following:
    """`roost tail`, interrupted in the end as a person would."""

    def __init__(self, running: Running, *words: str) -> None:
        self._process = Forked([ROOST, "tail", *words], running.env)
        self._reading = ThreadPoolExecutor(1)

    def __enter__(self) -> "Following":
        return self

    def line(self) -> str:
        """The next, without the time that a person is shown."""
        try:
            line = self._reading.submit(self._process.stdout.readline).result(30).rstrip()
        except TimeoutError:
            self._process.kill()
            raise
        return line if line.startswith("{") else line.partition("  ")[2]

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(SIGINT)
        code = self._process.wait(30)
        self._process.close()
        self._reading.shutdown()
        assert code == 0


def test_a_person_follows_in_lines_and_a_program_in_json_lines(running: Running) -> None:
    first = running.arrive(CONTACT, "hello?")
    with (
        Following(running, "--after", first) as person,
        Following(running, "--after", first, "--json") as program,
        Following(running, "--after", first, "--from", "22000") as filtered,
    ):
        running.arrive("22000", "G-482913 is your Google verification code.")
        roost_json("send", CONTACT, "3 pm?", env=running.env)
        shown = [person.line() for _ in range(4)]
        assert shown == [
            f"22000 > {NUMBER}  [482913] G-482913 is your Google verification code.",
            f"{CONTACT}  opt_in",
            f"{NUMBER} > {CONTACT}  sending: 3 pm?",
            f"{NUMBER} > {CONTACT}  delivered: 3 pm?",
        ]
        assert filtered.line() == shown[0]
        events: list[dict[str, Any]] = [json.loads(program.line()) for _ in range(4)]
    assert [event["type"] for event in events] == [
        "message.received", "consent.changed", "message.status", "message.status",
    ]  # fmt: skip
    assert (events[0]["data"]["from"], events[3]["data"]["status"]) == ("22000", "delivered")


@pytest.mark.parametrize("name", ["inbox", "send", "wait", "tail"])
def test_a_command_that_asks_a_server_has_no_options_of_one(name: str) -> None:
    help_text = roost(name, "--help", env={}).stdout
    assert "--url" in help_text
    assert "--limit-sends" not in help_text
