"""The commands by which an operator does what an organization can do for itself, on both databases."""

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


def _log(env: dict[str, str]) -> list[str]:
    entries = roost_json("audit", "list", "--org", "Acme", "--limit", "100", env=env)
    assert {entry["actor_kind"] for entry in entries} == {"operator"}
    return [entry["action"] for entry in entries]


def test_keys_are_listed_and_rotated(env: dict[str, str]) -> None:
    org = roost_json("org", "create", "Acme", env=env)
    key = roost_json(
        "key", "create", "--org", "Acme", "--label", "x", "--scope", "org:read", "--expires-in", "7", env=env
    )
    [listed] = roost_json("key", "list", "--org", "Acme", env=env)
    assert (listed["id"], listed["org_id"], listed["scopes"], listed["revoked_at"]) == (
        key["id"],
        org["id"],
        ["org:read"],
        None,
    )
    assert "plaintext" not in listed
    rotated = roost_json("key", "rotate", key["id"], env=env)
    assert (rotated["label"], rotated["scopes"], rotated["expires_at"]) == ("x", ["org:read"], key["expires_at"])
    assert rotated["plaintext"] != key["plaintext"]
    new, old = roost_json("key", "list", "--org", "Acme", env=env)
    assert (new["id"], old["id"], new["revoked_at"]) == (rotated["id"], key["id"], None)
    assert old["revoked_at"] is not None
    assert "is revoked" in roost("key", "rotate", key["id"], env=env).stderr
    assert _log(env) == ["api_key.rotated", "api_key.created", "organization.created"]


def test_numbers_and_agents_are_listed_changed_and_removed(env: dict[str, str]) -> None:
    roost_json("org", "create", "Acme", env=env)
    account = roost_json("carrier", "add", "loopback", "--org", "Acme", env=env)
    agent = roost_json("agent", "add", WALLET, "--org", "Acme", env=env)
    number = roost_json("number", "add", "+15551112222", "--org", "Acme", "--carrier", account["id"], env=env)
    opened = roost("agent", "set", WALLET, "--open", "--json", env=env)
    assert "Warning: an open agent" in opened.stderr
    assert roost_json("agent", "list", "--org", "Acme", env=env) == [{**agent, "mode": "open"}]
    assert roost_json("agent", "set", WALLET, "--proof", env=env) == agent
    url, rate = "https://example.com/in", "2.5"
    words = ("--agent", WALLET, "--inbound-url", url, "--pace", rate, "--label", "desk")
    changed = roost_json("number", "set", "+15551112222", *words, env=env)
    assert (changed["agent"], changed["inbound_url"], changed["segments_per_second"]) == (WALLET, url, 2.5)
    assert roost_json("number", "list", "--org", "Acme", env=env) == [changed]
    words = ("--agent", "", "--inbound-url", "", "--pace", "0")
    cleared = roost_json("number", "set", "+15551112222", *words, env=env)
    assert (cleared["agent"], cleared["inbound_url"], cleared["segments_per_second"]) == (None, None, None)
    assert cleared["label"] == "desk"
    removed = roost_json("number", "remove", "+15551112222", env=env)
    assert (removed["id"], removed["status"]) == (number["id"], "released")
    assert roost_json("number", "list", "--org", "Acme", env=env) == []
    assert _log(env)[:4] == ["phone_number.released", "phone_number.updated", "phone_number.updated", "agent.updated"]


def test_tokens_are_listed_and_revoked(env: dict[str, str]) -> None:
    roost_json("org", "create", "Acme", env=env)
    roost_json("agent", "add", WALLET, "--org", "Acme", env=env)
    token = roost_json("token", "create", "--agent", WALLET, "--name", "cloud", env=env)
    [listed] = roost_json("token", "list", "--agent", WALLET, env=env)
    assert (listed["id"], listed["name"], listed["created_by"]) == (token["id"], "cloud", None)
    for _ in range(2):
        assert roost_json("token", "revoke", token["id"], env=env) == {"id": token["id"], "revoked": True}
    assert roost_json("token", "list", "--agent", WALLET, "--active", env=env) == []
    assert _log(env).count("access_token.revoked") == 1


def test_an_organizations_settings_are_shown_and_set(env: dict[str, str]) -> None:
    roost_json("org", "create", "Acme", env=env)
    before = roost_json("org", "show", "Acme", env=env)
    assert (before["consent_required"], before["quiet_hours"]["enabled"]) == (True, False)
    words = (
        "--name", "Acme Health", "--no-consent-required", "--opt-out-word", "basta", "--opt-out-word", "nope",
        "--quiet-hours", "20:00-09:00", "--quiet-mode", "defer", "--stop-text", "Bye.", "--message-retention-days", "30",
        "--no-auto-replies", "--attestation", "The carrier answers.",
    )  # fmt: skip
    after = roost_json("org", "set", "Acme", *words, env=env)
    assert after == {
        **before,
        "name": "Acme Health",
        "consent_required": False,
        "opt_out_words": ["basta", "nope"],
        "quiet_hours": {"enabled": True, "start": "20:00", "end": "09:00", "mode": "defer"},
        "auto_replies": {"enabled": False, "stop_text": "Bye.", "help_text": None, "start_text": None},
        "message_retention_days": 30,
    }
    words = ("--no-opt-out-words", "--quiet-hours", "off", "--stop-text", "", "--auto-replies", "--name", "Acme")
    back = roost_json("org", "set", "Acme Health", *words, env=env)
    assert (back["opt_out_words"], back["quiet_hours"]["enabled"], back["auto_replies"]) == (
        [],
        False,
        before["auto_replies"],
    )
    assert _log(env)[:2] == ["organization.updated", "organization.updated"]


REFUSED: list[tuple[tuple[str, ...], str]] = [
    (("key", "rotate", "7"), "no API key"),
    (("token", "revoke", "7"), "no access token"),
    (("number", "set", "+15551112222", "--label", "x"), "roost number add"),
    (("number", "set", "+15551112222", "--inbound-url", "http://x"), "https"),
    (("number", "remove", "+15551112222"), "roost number add"),
    (("org", "set", "Acme", "--message-retention-days", "7"), "from 30 to 365"),
    (("org", "set", "Acme", "--quiet-hours", "late"), "HH:MM"),
    (("org", "set", "Acme", "--no-auto-replies"), "attestation"),
    (("contact", "erase", "+1 555", "--org", "Acme"), "E.164"),
    (("audit", "list", "--org", "Nobody"), "Nobody"),
]


def test_a_command_that_cannot_be_done_says_why_in_one_line(env: dict[str, str]) -> None:
    roost_json("org", "create", "Acme", env=env)
    for words, reason in REFUSED:
        refused = roost(*words, env=env)
        assert (refused.returncode, refused.stdout) == (1, ""), words
        assert len(refused.stderr.splitlines()) == 1
        assert reason in refused.stderr, refused.stderr
    assert _log(env) == ["organization.created"], "what is refused changes nothing"


def test_a_contact_is_erased_beside_a_running_server(env: dict[str, str]) -> None:
    roost_json("org", "create", "Acme", env=env)
    account = roost_json("carrier", "add", "bandwidth", "--org", "Acme", env=env)
    roost_json("number", "add", "+15551112222", "--org", "Acme", "--carrier", account["id"], env=env)
    key = roost_json("key", "create", "--org", "Acme", "--label", "x", "--scope", "messages:read", env=env)
    server = RunningRoost("serve", env=env)
    try:
        with httpx.Client(base_url=server.base_url, headers={"Authorization": f"Bearer {key['plaintext']}"}) as client:

            def bodies() -> list[Any]:
                return [message["body"] for message in client.get("/v1/inbound-messages").json()["data"]]

            path = account["webhook_url"].partition("/carriers")[2]
            credential = (account["basic_user"], account["basic_password"])
            client.post(f"/carriers{path}", json=[bandwidth_inbound("1", "+15551112222", text="mine")], auth=credential)
            assert bodies() == ["mine"]
            erased = roost_json("contact", "erase", "+15554443333", "--org", "Acme", env=env)
            assert (erased["inbound_redacted"], erased["outbound_redacted"]) == (1, 0)
            assert bodies() == [""]
    finally:
        server.stop()
    [entry] = roost_json("audit", "list", "--org", "Acme", "--action", "contact.erased", env=env)
    assert entry["id"] == erased["audit_log_id"]
