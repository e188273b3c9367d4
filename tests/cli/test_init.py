"""`roost init`: from nothing to the first text, by answers and by options, at once and after interruptions."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from roost.server import running_server
from support.bandwidth_api import BandwidthApi
from support.commands import ROOST, RunningRoost, environment, roost, roost_json
from support.credentials import ACCOUNT_ID, APPLICATION_ID, PASSWORD, USER
from support.databases import Database
from support.forked import Forked
from support.payloads import bandwidth_inbound
from support.terminal import Terminal

NUMBER, SENDER = "+15551112222", "+15554443333"
LOOPBACK = ("--no-input", "--org", "Acme", "--carrier", "loopback", "--number", NUMBER)


@pytest.fixture
def env(database: Database, tmp_path: Path) -> dict[str, str]:
    database.lay(tmp_path / "data")
    return environment(database, tmp_path / "data")


def test_a_newcomer_is_asked_until_the_answers_are_right_and_sees_the_first_text(env: dict[str, str]) -> None:
    terminal = Terminal([ROOST, "init", "--port", "0"], env)
    for question, answer in [
        ("organization's name .My organization.: ", ""),
        ("The carrier, .*: ", "pigeon"),
        ("Error: there is no carrier 'pigeon'(?s:.*)The carrier, .*: ", ""),
        ("Your number .*: ", "555-1234"),
        (r"Error: a number is \+ and up to 15 digits(?s:.*)Your number .*: ", ""),
    ]:
        terminal.expect(question)
        terminal.type(answer)
    url = terminal.expect(r"webhook URL +(\S+)")[1]
    basic = (terminal.expect(r"basic user +(\S+)")[1], terminal.expect(r"basic password +(\S+)")[1])
    terminal.expect("ok     loopback needs nothing")
    inbox = terminal.expect(r"http\S+/inbox/sign-in/\S+")[0]
    terminal.expect("Waiting for a text to .*, 0:0")
    hostile = "Hello\x1b[2J\u202e\r\nError: owned"
    text = {"id": "1", "from": SENDER, "to": NUMBER, "text": hostile}
    assert httpx.post(url, json=text, auth=basic).json()["stored"] == 1
    terminal.expect(r"\+15554443333 > \+15551112222  Hello\ufffd\[2J\ufffd  Error: owned\r\n")
    key = terminal.expect(r"Bearer (\S+)\" (\S+)/v1/inbound-messages")
    token = terminal.expect(r'X-Agent-ID: (\S+)" -H "Authorization: Bearer (\S+)" \\\s+"(\S+)"')
    sent = terminal.expect(r"-d '(.*)' (\S+)")
    terminal.expect("The server keeps running")
    with httpx.Client(headers={"Authorization": f"Bearer {key[1]}"}) as client:
        assert client.get(f"{key[2]}/v1/inbound-messages").json()["data"][0]["from"] == SENDER
        assert client.post(sent[2], json=json.loads(sent[1])).status_code == 202, "it can be answered"
        headers = {"X-Agent-ID": token[1], "Authorization": f"Bearer {token[2]}"}
        assert httpx.get(token[3], headers=headers).json()["count"] == 1
        assert httpx.get(inbox).status_code == 200
    terminal.interrupt()
    assert terminal.end() == 0


class UserWhoMayNotLookAtApplications(BandwidthApi):
    """Bandwidth, for an API user who may send, and no more."""

    def _more_routes(self, app: web.Application) -> None:
        async def forbidden(_: web.Request) -> web.Response:
            return web.Response(status=403)

        app.router.add_get(f"/api/accounts/{ACCOUNT_ID}/applications/{APPLICATION_ID}", forbidden)


def test_a_run_that_is_interrupted_goes_on_with_another_beside_the_server_that_runs(env: dict[str, str]) -> None:
    with UserWhoMayNotLookAtApplications() as bandwidth:
        env = {**env, "ROOST_BANDWIDTH_URL": bandwidth.base_url}
        server = RunningRoost("serve", env=env)
        words = [ROOST, "init", "--dashboard-url", f"{bandwidth.host_url}/api"]
        first = Terminal(words, env)
        answers = ["Acme", "bandwidth", NUMBER, ACCOUNT_ID, APPLICATION_ID, USER, "mistyped", server.base_url]
        answer_all(first, answers)
        url = first.expect(r"webhook URL +(\S+)")[1]
        assert url.startswith(f"{server.base_url}/carriers/bandwidth/")
        basic = (first.expect(r"basic user +(\S+)")[1], first.expect(r"basic password +(\S+)")[1])
        first.expect("WRONG  Bandwidth refuses the API user or its password")
        first.expect("Waiting for")
        first.interrupt()
        assert first.end() == 1
        assert "Stopped waiting. What was made stays; go on: " in first.seen

        second = Terminal(words, env)
        answer_all(second, ["", "", "", "", "", "", PASSWORD, ""])
        assert second.expect(r"webhook URL +(\S+)")[1] == url
        second.expect("ok     Bandwidth's Messaging API takes the API user")
        second.expect("Waiting for")
        assert httpx.post(url, json=[bandwidth_inbound("bw-1", NUMBER)], auth=basic).status_code == 200
        second.expect(r"Hey, check this out!")
        second.expect(rf"{server.base_url}/v1/inbound-messages")
        assert second.end() == 0, "the server runs without it"
        assert (PASSWORD in second.seen, "mistyped" in first.seen) == (False, False)
        server.stop()
    assert one_of_everything(env) == [1] * 5


def answer_all(terminal: Terminal, answers: list[str]) -> None:
    for answer in answers:
        terminal.expect(r"\S.*: \Z")
        terminal.type(answer)


def one_of_everything(env: dict[str, str]) -> list[int]:
    """How many there are: organizations (the name is clear), accounts, numbers, agents, keys that are good."""
    lists = [roost_json(what, "list", "--org", "Acme", env=env) for what in ("carrier", "number", "agent", "key")]
    lists[3] = [key for key in lists[3] if key["revoked_at"] is None]
    return [1, *map(len, lists)]


def test_a_script_gives_options_and_gets_one_object(env: dict[str, str]) -> None:
    made = roost_json("init", *LOOPBACK, "--wait", "0", env=env)
    assert (made["message"], made["organization"], all(each["good"] for each in made["findings"])) == (
        None, "Acme", True,
    )  # fmt: skip
    data_dir = Path(env["ROOST_DATA_DIR"])
    (data_dir / "server.json").write_text('{"base_url": "http://127.0.0.1:9"}')  # of one that was killed
    waiting = Forked([ROOST, "init", *LOOPBACK, "--port", "0", "--json"], env)
    said = read_until(waiting, "Waiting for a text to")
    base_url = running_server(data_dir)
    credential = (made["basic_user"], made["basic_password"])
    for to, outcome, heard in (
        ("+15559998888", "unrouted", "could not be placed"),
        (NUMBER, "stored", "The first text"),
    ):
        text = {"id": to, "from": SENDER, "to": to, "text": "Hello"}
        url = f"{base_url}/carriers/loopback/{made['carrier_account_id']}"
        assert httpx.post(url, json=text, auth=credential).json()[outcome] == 1
        said += read_until(waiting, heard)
    output, errors = waiting.communicate(30)
    again: dict[str, Any] = json.loads(output)
    assert (waiting.returncode, again["message"]["body"], again["base_url"]) == (0, "Hello", base_url)
    assert "\x1b" not in said + errors
    for name in ("id", "carrier_account_id", "phone_number_id", "agent"):
        assert again[name] == made[name], name
    assert "basic_password" not in again, "it was shown"
    assert again["api_key"] != made["api_key"], "nobody used the first"
    assert one_of_everything(env) == [1] * 5
    done = roost("init", *LOOPBACK, "--wait", "1", "--port", "0", "--json", env=env)
    assert json.loads(done.stdout)["message"] == again["message"], "it came before"


def read_until(running: Forked, words: str) -> str:
    """What it says aside, up to a line with these words."""
    said = ""
    while words not in said:
        line = running.stderr.readline()
        assert line, said
        said += line
    return said


REFUSED: list[tuple[tuple[str, ...], str]] = [
    (("--no-input",), "give --org"),
    ((), "give --org"),
    (("--org", "Acme"), "give --carrier"),
    (("--org", "Acme", "--carrier", "pigeon"), "--carrier: there is no carrier 'pigeon'"),
    (("--org", "Acme", "--carrier", "loopback"), "give --number"),
    (("--org", "Acme", "--carrier", "loopback", "--number", "5551112222"), "--number: a number is +"),
    (("--org", "Acme", "--carrier", "telnyx", "--number", NUMBER), "give --public-key"),
    (("--org", "Acme", "--carrier", "bandwidth", "--number", NUMBER), "give --public-url"),
    (("--org", "Acme", "--carrier", "bandwidth", "--number", NUMBER, "--api-user", "u"), "needs, for sending, --account-id"),
    (("--org", "Acme", "--carrier", "loopback", "--number", NUMBER, "--api-user", "u"), "takes no --api-user"),
    ((*LOOPBACK, "--agent", "0x1"), "--agent: a wallet address is"),
    ((*LOOPBACK, "--wait", "1", "--host", "192.0.2.1"), "cannot listen on 192.0.2.1"),
]  # fmt: skip


def test_what_is_missing_or_wrong_is_one_line_that_names_the_option(tmp_path: Path) -> None:
    env = environment(Database("sqlite", "sqlite"), tmp_path)
    for words, reason in REFUSED:
        done = roost("init", *words, *(() if "--host" in words else ("--port", "0")), env=env)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.stderr
        assert reason in done.stderr
    assert roost_json("db", "migrate", env=env)["database"] == "sqlite"
    assert "no organization" in roost("number", "list", "--org", "Acme", env=env).stderr, "nothing was made"


def test_another_organizations_number_is_not_taken(tmp_path: Path) -> None:
    env = environment(Database("sqlite", "sqlite"), tmp_path)
    roost_json("init", *LOOPBACK, "--wait", "0", env=env)
    for words, reason in [
        (("--org", "Other", "--carrier", "loopback"), "by another organization"),
        (("--org", "Acme", "--carrier", "bandwidth"), "at loopback"),
    ]:
        done = roost("init", "--no-input", *words, "--number", NUMBER, "--wait", "0", env=env)
        assert (done.returncode, f"--number: {NUMBER} is registered already, {reason}" in done.stderr) == (1, True)
    terminal = Terminal([ROOST, "init", "--org", "Other", "--carrier", "loopback", "--wait", "0"], env)
    terminal.expect("Your number .*: ")
    terminal.type(NUMBER)
    terminal.expect(f"Error: {re.escape(NUMBER)} is registered already(?s:.*)Your number .*: ")
    terminal.type("")
    assert terminal.expect("Other has the number (.*) at loopback")[1] == "+15551112223"
    assert terminal.end() == 0


def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    env = environment(Database("sqlite", "sqlite"), tmp_path)
    terminal = Terminal([ROOST, "init", "--port", "0"], env)
    terminal.expect("organization's name .*: ")
    terminal.interrupt()
    assert terminal.end() == 1
    assert f"Nothing was made; begin again: {ROOST} init --data-dir {tmp_path}" in terminal.seen
    assert list(tmp_path.iterdir()) == []
    terminal = Terminal([ROOST, "init", *LOOPBACK, "--port", "0"], env)
    terminal.expect("Waiting for")
    terminal.interrupt()
    assert terminal.end() == 1
    assert f"What was made stays; go on: {ROOST} init --data-dir {tmp_path}" in terminal.seen
    done = roost("init", *LOOPBACK, "--port", "0", "--wait", "1", "--json", env=env)
    assert (done.returncode, json.loads(done.stdout)["message"], "None came within 1 seconds" in done.stderr) == (
        3, None, True,
    )  # fmt: skip
