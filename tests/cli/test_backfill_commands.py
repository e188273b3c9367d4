"""Listing accounts, and asking for what was missed: by a command, and by a server that starts."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.commands import RunningRoost, environment, roost, roost_json
from support.databases import Database
from support.twilio_api import ACCOUNT_SID, AUTH_TOKEN, TwilioApi

NUMBER, CONTACT = "+15551112222", "+15554443333"


@pytest.fixture
def env(database: Database, tmp_path: Path) -> dict[str, str]:
    return environment(database, tmp_path / "data")


@pytest.fixture
def api() -> Iterator[TwilioApi]:
    listening = TwilioApi()
    with listening:
        yield listening


def account_of(api: TwilioApi, env: dict[str, str], token: str = AUTH_TOKEN) -> str:
    org = roost_json("org", "create", "Acme", env=env)["id"]
    secrets = ("--auth-token", token, "--account-sid", ACCOUNT_SID, "--api-url", api.host_url)
    account = roost_json("carrier", "add", "twilio", "--org", org, *secrets, env=env)["id"]
    roost_json("number", "add", NUMBER, "--org", org, "--carrier", account, env=env)
    return str(account)


def test_a_server_that_starts_and_the_command_ask_for_what_was_missed(env: dict[str, str], api: TwilioApi) -> None:
    account = account_of(api, env)
    key = roost_json("key", "create", "--org", "Acme", "--label", "k", "--scope", "messages:read", env=env)
    api.received.insert(0, api.record("SM1", CONTACT, NUMBER, "while away"))
    server = RunningRoost("serve", env=env)
    try:
        auth = {"Authorization": f"Bearer {key['plaintext']}"}
        url = f"{server.base_url}/v1/inbound-messages?wait=30"
        data = httpx.get(url, headers=auth, timeout=60).json()["data"]
        assert [message["body"] for message in data] == ["while away"]
    finally:
        code, logged = server.stop()
    assert code == 0
    assert "while away" not in logged
    api.received.insert(0, api.record("SM2", CONTACT, NUMBER, "again"))
    [filled] = roost_json("carrier", "backfill", env=env)
    assert filled == {"id": account, "carrier": "twilio", "stored": 1, "duplicates": 1, "unrouted": 0}
    [again] = roost_json("carrier", "backfill", account, "--since", "2026-01-01", env=env)
    assert (again["stored"], again["duplicates"]) == (0, 2)


def test_what_cannot_be_asked_is_said(env: dict[str, str], api: TwilioApi) -> None:
    account = account_of(api, env, "wrong")
    failed = roost("carrier", "backfill", account, env=env)
    assert failed.returncode == 1
    assert "CARRIER_CREDENTIALS_REFUSED" in failed.stdout
    loopback = roost_json("carrier", "add", "loopback", "--org", "Acme", env=env)["id"]
    assert "keeps no record" in roost("carrier", "backfill", loopback, env=env).stderr
    assert "no carrier account" in roost("carrier", "backfill", "7", env=env).stderr
    assert "--since must be" in roost("carrier", "backfill", "--since", "yesterday", env=env).stderr
    shown = roost("carrier", "list", "--org", "Acme", "--json", env=env)
    assert AUTH_TOKEN not in shown.stdout
    assert "wrong" not in shown.stdout
    assert [(each["carrier"], each["sends"]) for each in roost_json("carrier", "list", "--org", "Acme", env=env)] == [
        ("twilio", True), ("loopback", True),
    ]  # fmt: skip
