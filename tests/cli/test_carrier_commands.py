"""`roost carrier test` and `roost carrier rotate`."""

import json
import subprocess
from typing import Any

import httpx
import pytest

from roost import config
from roost.api.checkup import _public_url
from roost.core.account import CarrierAccount
from roost.server import now_us
from support import telnyx as wire
from support.commands import RunningRoost, environment, roost, roost_json
from support.databases import Database
from support.scripted_api import Asked, Said, ScriptedApi

NUMBER = "+15551112222"


@pytest.fixture
def env(database: Database, tmp_path: Any) -> dict[str, str]:
    return environment(database, tmp_path / "data")


def looked_at(account: str, env: dict[str, str]) -> tuple[int, dict[str, Any]]:
    done = roost("carrier", "test", account, "--json", env=env)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_set_up_is_looked_at_until_nothing_is_wrong(env: dict[str, str]) -> None:
    webhook_url = ""

    def telnyx_says(asked: Asked) -> Said:
        if asked.headers["Authorization"] != f"Bearer {wire.API_KEY}":
            return Said(401, {"errors": [{"code": "10009", "title": "Authentication failed"}]})
        if "profiles" in asked.path:
            name = "Inbox\x1b[2J"
            return Said(200, {"data": {"name": name, "webhook_url": webhook_url, "webhook_api_version": "2"}})
        return Said(200, {"data": {"messaging_profile_id": wire.PROFILE}})

    with ScriptedApi(telnyx_says) as api:
        roost_json("org", "create", "Acme", env=env)
        words = ("--org", "Acme", "--public-key", wire.public(wire.KEY), "--api-key", "old", "--api-url", api.base_url)
        account = roost_json("carrier", "add", "telnyx", *words, env=env)
        code, said = looked_at(account["id"], env)
        wrong = [finding["text"] for finding in said["findings"] if not finding["good"]]
        assert (code, said["good"]) == (1, False)
        assert ["no number" in wrong[0], "ROOST_PUBLIC_URL" in wrong[1], "API key" in wrong[2]] == [True] * 3
        roost_json("number", "add", NUMBER, "--org", "Acme", "--carrier", account["id"], env=env)
        roost_json("carrier", "rotate", account["id"], "--api-key", wire.API_KEY, env=env)
        env = {**env, "ROOST_PUBLIC_URL": "https://roost.example.com"}
        code, said = looked_at(account["id"], env)
        [elsewhere] = [finding["text"] for finding in said["findings"] if not finding["good"]]
        webhook_url = f"https://roost.example.com/carriers/telnyx/{account['id']}"
        assert elsewhere.endswith(webhook_url)
        shown = roost("carrier", "test", account["id"], env=env)
        assert (shown.returncode, "WRONG" in shown.stdout, "\x1b" in shown.stdout) == (0, False, False)
        assert "nothing was received" in shown.stdout
    unreachable = roost("carrier", "test", account["id"], env=env)
    assert (unreachable.returncode, "could not be asked" in unreachable.stdout) == (1, True)


URLS = [
    ("https://roost.example.com", ""),
    ("http://roost.example.com", "without https"),
    ("https://localhost", "no carrier reaches"),
    ("https://192.168.1.7", "no carrier reaches"),
    ("https://[::1]", "no carrier reaches"),
    ("https://roost.local", "no carrier reaches"),
]


@pytest.mark.parametrize(("public_url", "reason"), URLS)
def test_a_public_url_that_no_carrier_reaches_is_told(public_url: str, reason: str) -> None:
    account = CarrierAccount("1", "o", "bandwidth", {})
    [finding] = _public_url(config.load({}, public_url=public_url).public_url, account)
    assert (finding.good, reason in finding.text) == (not reason, True)
    assert _public_url(None, account._replace(carrier="loopback")) == [], "it comes from here"


def test_what_came_and_what_waits_is_told(env: dict[str, str]) -> None:
    roost_json("org", "create", "Acme", env=env)
    account = roost_json("carrier", "add", "loopback", "--org", "Acme", env=env)
    assert looked_at(account["id"], env)[0] == 1, "it has no number"
    roost_json("number", "add", NUMBER, "--org", "Acme", "--carrier", account["id"], env=env)
    assert looked_at(account["id"], env)[0] == 0
    server = RunningRoost("serve", env=env)
    try:
        url = f"{server.base_url}/carriers/loopback/{account['id']}"
        batch = [{"id": to, "from": "+15554443333", "to": to, "text": "x"} for to in (NUMBER, "+15559998888")]
        answer = httpx.post(url, json=batch, auth=(account["basic_user"], account["basic_password"]))
        assert answer.json()["unrouted"] == 1
    finally:
        server.stop()
    code, said = looked_at(account["id"], env)
    assert [finding["text"] for finding in said["findings"] if not finding["good"]] == [
        "deliveries that could not be placed: 1; see roost unrouted list"
    ]
    assert code == 1
    assert any("the last text was received at 20" in finding["text"] for finding in said["findings"])


def test_a_new_credential_is_good_at_once_and_the_old_one_until_it_is_forgotten(env: dict[str, str]) -> None:
    roost_json("org", "create", "Acme", env=env)
    basic = roost_json("carrier", "add", "bandwidth", "--org", "Acme", env=env)
    signed = roost_json("carrier", "add", "telnyx", "--org", "Acme", "--public-key", wire.public(wire.KEY), env=env)
    server = RunningRoost("serve", env=env)
    try:
        with httpx.Client(base_url=server.base_url) as client:

            def basic_status(credential: dict[str, str]) -> int:
                auth = (credential["basic_user"], credential["basic_password"])
                return client.post(f"/carriers/bandwidth/{basic['id']}", json=[], auth=auth).status_code

            def signed_status(key: Any) -> int:
                headers = wire.signed(b"[]", now_us(), key)
                return client.post(f"/carriers/telnyx/{signed['id']}", content=b"[]", headers=headers).status_code

            def within_a_second(look: Any, status: int) -> None:
                spent = 0.0
                while look() != status:
                    spent += 0.002
                    httpx.get(server.base_url + "/healthz")
                    assert spent < 60

            assert (basic_status(basic), signed_status(wire.KEY), signed_status(wire.OTHER_KEY)) == (200, 200, 401)
            made = roost_json("carrier", "rotate", basic["id"], env=env)
            assert made["basic_password"] != basic["basic_password"]
            within_a_second(lambda: basic_status(made), 200)
            assert basic_status(basic) == 200
            roost_json("carrier", "rotate", signed["id"], "--public-key", wire.public(wire.OTHER_KEY), env=env)
            within_a_second(lambda: signed_status(wire.OTHER_KEY), 200)
            assert signed_status(wire.KEY) == 200
            for account in (basic, signed):
                roost_json("carrier", "rotate", account["id"], "--forget-old", env=env)
            within_a_second(lambda: basic_status(basic), 401)
            within_a_second(lambda: signed_status(wire.KEY), 401)
            assert (basic_status(made), signed_status(wire.OTHER_KEY)) == (200, 200)
    finally:
        server.stop()
    log = roost_json("audit", "list", "--org", "Acme", "--action", "carrier_account.rotated", env=env)
    assert [entry["payload"] for entry in log] == [
        {"carrier": "telnyx", "fields": [], "forgot_old": True},
        {"carrier": "bandwidth", "fields": [], "forgot_old": True},
        {"carrier": "telnyx", "fields": ["public_key"], "forgot_old": False},
        {"carrier": "bandwidth", "fields": ["basic_password", "basic_user"], "forgot_old": False},
    ]
    assert made["basic_password"] not in json.dumps(log)


def refused(*words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = roost(*words, env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    return done


def test_what_cannot_be_rotated_says_why(env: dict[str, str]) -> None:
    roost_json("org", "create", "Acme", env=env)
    account = roost_json("carrier", "add", "telnyx", "--org", "Acme", "--public-key", wire.public(wire.KEY), env=env)
    for words, reason in [
        ((account["id"],), "--public-key"),
        ((account["id"], "--basic-user", "u"), "takes no --basic-user"),
        (("7", "--forget-old"), "no carrier account 7"),
    ]:
        assert reason in refused("carrier", "rotate", *words, env=env).stderr
    assert "no carrier account 7" in refused("carrier", "test", "7", env=env).stderr
