"""Every command, as a process of its own, on both databases."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.commands import RunningRoost, environment, roost, roost_json
from support.databases import Database
from support.payloads import bandwidth_inbound

WALLET = "0x52908400098527886E0F7030069857D2E4169EE8"


@pytest.fixture
def env(database: Database, tmp_path: Path) -> dict[str, str]:
    return environment(database, tmp_path / "data")


def test_a_newcomer_sets_up_a_carrier_and_reads_the_first_text(env: dict[str, str]) -> None:
    org = roost_json("org", "create", "Acme Health", env=env)
    account = roost_json("carrier", "add", "bandwidth", "--org", org["id"], env=env)
    agent = roost_json("agent", "add", WALLET, "--org", "Acme Health", env=env)
    number = roost_json(
        "number", "add", "+15551112222", "--org", org["id"], "--carrier", account["id"], "--agent", WALLET, env=env
    )
    key = roost_json("key", "create", "--org", org["id"], "--label", "first", "--scope", "messages:read", env=env)
    token = roost_json("token", "create", "--agent", WALLET, env=env)
    assert (agent["wallet"], agent["mode"], number["agent"]) == (WALLET, "proof", WALLET)
    assert key["plaintext"].startswith(key["prefix"])
    assert (len(key["plaintext"]), len(key["prefix"])) == (42, 12)
    server = RunningRoost("serve", env=env)
    try:
        path = account["webhook_url"].partition("/carriers")[2]
        delivered = httpx.post(
            f"{server.base_url}/carriers{path}",
            json=[bandwidth_inbound("1", "+15551112222", text="hello")],
            auth=(account["basic_user"], account["basic_password"]),
        )
        assert delivered.json()["stored"] == 1
        listed = httpx.get(
            f"{server.base_url}/v1/inbound-messages", headers={"Authorization": f"Bearer {key['plaintext']}"}
        ).json()
        assert [(message["body"], message["phone_number_id"]) for message in listed["data"]] == [
            ("hello", number["id"])
        ]
        inbox = httpx.get(
            f"{server.base_url}/v1/tools/sms/inbox",
            headers={"X-Agent-ID": WALLET, "Authorization": f"Bearer {token['token']}"},
        ).json()
        assert inbox["messages"][0]["body"] == "hello"
        proven = httpx.get(f"{server.base_url}/v1/tools/sms/inbox", headers={"X-Agent-ID": WALLET})
        assert (proven.status_code, proven.json()["error"]) == (401, "invalid_proof")
    finally:
        code, _ = server.stop()
    assert code == 0


def test_a_revoked_key_is_refused_within_a_second_by_a_running_server(env: dict[str, str]) -> None:
    org = roost_json("org", "create", "Acme", env=env)
    key = roost_json("key", "create", "--org", "Acme", "--label", "x", "--scope", "messages:read", env=env)
    server = RunningRoost("serve", env=env)
    try:
        headers = {"Authorization": f"Bearer {key['plaintext']}"}
        with httpx.Client(base_url=server.base_url, headers=headers) as client:
            assert client.get("/v1/inbound-messages").status_code == 200
            revoked = roost_json("key", "revoke", key["id"], env=env)
            assert (revoked["id"], revoked["org_id"]) == (key["id"], org["id"])
            answers = [client.get("/v1/inbound-messages")]
            while answers[-1].status_code == 200:
                answers.append(client.get("/v1/inbound-messages"))
            assert answers[-1].status_code == 401
            assert sum((answer.elapsed.total_seconds() for answer in answers), 0.0) < 1
        again = roost_json("key", "revoke", key["id"], env=env)
        assert again["revoked_at"] == revoked["revoked_at"], "the first revocation's time stands"
    finally:
        server.stop()


def test_a_text_is_simulated_through_a_running_server(env: dict[str, str]) -> None:
    roost_json("org", "create", "Acme", env=env)
    account = roost_json("carrier", "add", "loopback", "--org", "Acme", env=env)
    roost_json("number", "add", "+15551112222", "--org", "Acme", "--carrier", account["id"], env=env)
    key = roost_json("key", "create", "--org", "Acme", "--label", "x", "--scope", "messages:read", env=env)
    words = ("simulate", "+15554443333", "+15551112222", "look", "--media", "http://127.0.0.1:9/a.jpg")
    refused = roost(*words, env={**env, "ROOST_PORT": "9"})  # where nobody listens; a demo may have 8080
    assert refused.returncode == 1
    assert "roost serve" in refused.stderr
    server = RunningRoost("serve", env=env)
    try:
        made = roost_json(*words, env=env)
        answer = httpx.get(
            f"{server.base_url}/v1/inbound-messages/{made['id']}",
            headers={"Authorization": f"Bearer {key['plaintext']}"},
        ).json()["data"]
        assert answer["body"] == "look"
        [url] = answer["media_urls"]
        assert url.startswith(f"{server.base_url}/media/")
    finally:
        server.stop()


def test_what_came_before_its_number_was_registered_is_routed_later(env: dict[str, str]) -> None:
    roost_json("org", "create", "Acme", env=env)
    account = roost_json("carrier", "add", "bandwidth", "--org", "Acme", env=env)
    key = roost_json("key", "create", "--org", "Acme", "--label", "x", "--scope", "messages:read", env=env)
    server = RunningRoost("serve", env=env)
    try:
        path = account["webhook_url"].partition("/carriers")[2]
        credential = (account["basic_user"], account["basic_password"])
        with httpx.Client(base_url=server.base_url, headers={"Authorization": f"Bearer {key['plaintext']}"}) as client:

            def deliver(payload: Any) -> Any:
                return client.post(f"/carriers{path}", json=payload, auth=credential).json()

            early = [bandwidth_inbound("1", "+15551112222", text="too early")]
            assert deliver(early)["unrouted"] == 1
            deliver(["no event"])
            assert roost_json("unrouted", "list", "--org", "Acme", env=env)[0]["reason"] == "unknown_number"
            [waiting, odd] = roost_json("unrouted", "list", env=env)
            assert json.loads(waiting["raw"])["message"]["text"] == "too early"
            hopeless = roost("unrouted", "route", odd["id"], env=env)
            assert (hopeless.returncode, "not_json" in hopeless.stderr) == (1, True)
            refused = roost("unrouted", "route", waiting["id"], env=env)
            assert (refused.returncode, "roost number add" in refused.stderr) == (1, True)
            roost_json("number", "add", "+15551112222", "--org", "Acme", "--carrier", account["id"], env=env)
            routed = roost_json("unrouted", "route", waiting["id"], env=env)
            assert roost_json("unrouted", "route", waiting["id"], env=env) == routed, "routed twice is routed once"
            assert [each["id"] for each in roost_json("unrouted", "list", env=env)] == [odd["id"]]
            assert deliver(early) == {"ids": [], "stored": 0, "duplicates": 1, "unrouted": 0, "receipts": 0}
            listed = client.get("/v1/inbound-messages").json()["data"]
            assert [(message["id"], message["body"]) for message in listed] == [(routed["message_id"], "too early")]
    finally:
        server.stop()


def test_an_operator_can_route_to_another_number_of_the_account(env: dict[str, str]) -> None:
    roost_json("org", "create", "Acme", env=env)
    account = roost_json("carrier", "add", "loopback", "--org", "Acme", env=env)
    roost_json("number", "add", "+15551112222", "--org", "Acme", "--carrier", account["id"], env=env)
    server = RunningRoost("serve", env=env)
    try:
        path = account["webhook_url"].partition("/carriers")[2]
        text = {"id": "1", "from": "+15554443333", "to": "5551112222", "text": "no plus"}
        credential = (account["basic_user"], account["basic_password"])
        assert httpx.post(f"{server.base_url}/carriers{path}", json=text, auth=credential).json()["unrouted"] == 1
        [waiting] = roost_json("unrouted", "list", env=env)
        routed = roost_json("unrouted", "route", waiting["id"], "--to", "+15551112222", env=env)
        assert routed["message_id"]
    finally:
        server.stop()


REFUSED = [
    (("key", "create", "--org", "Acme", "--label", "x", "--scope", "messages:write"), "messages:write"),
    (("key", "create", "--org", "Nobody", "--label", "x", "--scope", "messages:read"), "Nobody"),
    (("key", "revoke", "01900000-0000-7000-8000-000000000000"), "no API key"),
    (("key", "revoke", "7"), "no API key"),
    (("number", "add", "5551112222", "--org", "Acme", "--carrier", "7"), "E.164"),
    (("number", "add", "+15551112222", "--org", "Acme", "--carrier", "7"), "no carrier account 7"),
    (("agent", "add", "0x123", "--org", "Acme"), "40 hexadecimal"),
    (("token", "create", "--agent", WALLET), "roost agent add"),
    (("carrier", "add", "bandwidth", "--org", "Acme", "--basic-user", "u"), "--basic-password"),
    (("carrier", "add", "bandwidth", "--org", "Acme", "--api-user", "u"), "--account-id"),
    (("carrier", "add", "loopback", "--org", "Acme", "--api-user", "u"), "loopback takes no --api-user"),
    (("carrier", "add", "bandwidth", "--org", "Acme", "--basic-user", "a:b", "--basic-password", "p"), "colon"),
    (("unrouted", "route", "7"), "no unrouted delivery"),
    (("simulate", "+15554443333", "+15551112222", "x"), "not registered"),
]


def test_a_command_that_cannot_be_done_says_why_in_one_line(env: dict[str, str]) -> None:
    roost_json("org", "create", "Acme", env=env)
    for words, reason in REFUSED:
        refused = roost(*words, env=env)
        assert refused.returncode == 1, words
        assert refused.stdout == ""
        assert refused.stderr.startswith("Error: ")
        assert len(refused.stderr.splitlines()) == 1
        assert reason in refused.stderr


def test_what_exists_already_is_not_made_twice(env: dict[str, str]) -> None:
    roost_json("org", "create", "Acme", env=env)
    account = roost_json("carrier", "add", "bandwidth", "--org", "Acme", env=env)
    number = ("number", "add", "+15551112222", "--org", "Acme", "--carrier", account["id"])
    agent = ("agent", "add", WALLET, "--org", "Acme")
    for words in (number, agent):
        roost_json(*words, env=env)
        refused = roost(*words, env=env)
        assert (refused.returncode, "already" in refused.stderr) == (1, True)
    assert roost(*agent[:2], WALLET.lower(), *agent[3:], env=env).returncode == 1, "another spelling is the same wallet"
    roost_json("org", "create", "Acme", env=env)  # names are not unique ...
    refused = roost("agent", "add", "0x" + "1" * 40, "--org", "Acme", env=env)
    assert "more than one" in refused.stderr  # ... so that an id is asked for


def test_another_organizations_account_or_agent_cannot_be_used(env: dict[str, str]) -> None:
    roost_json("org", "create", "Acme", env=env)
    roost_json("org", "create", "Other", env=env)
    theirs = roost_json("carrier", "add", "bandwidth", "--org", "Other", env=env)
    mine = roost_json("carrier", "add", "bandwidth", "--org", "Acme", env=env)
    roost_json("agent", "add", WALLET, "--org", "Other", env=env)
    refused = roost("number", "add", "+15551112222", "--org", "Acme", "--carrier", theirs["id"], env=env)
    assert "no carrier account" in refused.stderr
    words = ("number", "add", "+15551112222", "--org", "Acme", "--carrier", mine["id"], "--agent", WALLET)
    assert "another organization" in roost(*words, env=env).stderr


def test_a_person_gets_lines_and_a_warning_where_one_is_due(env: dict[str, str]) -> None:
    made = roost("org", "create", "Acme", env=env)
    assert made.stdout.splitlines()[1].split() == ["name", "Acme"]
    opened = roost("agent", "add", WALLET, "--org", "Acme", "--open", env=env)
    assert "Warning: an open agent" in opened.stderr
    typo = roost("agent", "add", WALLET[:-1] + "a", "--org", "Acme", env=env)
    assert "EIP-55" in typo.stderr


def test_the_database_is_brought_up_to_date_by_any_command(new_database: Database, tmp_path: Path) -> None:
    env = environment(new_database, tmp_path / "data")
    assert roost_json("unrouted", "list", env=env) == []
    migrated = roost_json("db", "migrate", env=env)
    assert migrated["id"] == f"{migrated['version']:04}"
    assert migrated["version"] >= 1


def test_a_carrier_account_is_named_by_its_carrier_where_that_leaves_no_doubt(env: dict[str, str]) -> None:
    for name in ("Acme", "Other"):
        roost_json("org", "create", name, env=env)
    first = roost_json("carrier", "add", "loopback", "--org", "Acme", env=env)
    added = roost_json("number", "add", "+15551112222", "--org", "Acme", "--carrier", "loopback", env=env)
    assert added["carrier_account_id"] == first["id"]
    elsewhere = roost("number", "add", "+15551112223", "--org", "Other", "--carrier", first["id"], env=env)
    assert (elsewhere.returncode, "Other has no carrier account" in elsewhere.stderr) == (1, True)
    second = roost_json("carrier", "add", "loopback", "--org", "Acme", env=env)
    doubtful = roost("number", "add", "+15551112224", "--org", "Acme", "--carrier", "loopback", env=env)
    assert doubtful.returncode == 1
    assert all(each["id"] in doubtful.stderr for each in (first, second))
