"""`roost consent` and `roost block`, as processes of their own, on both databases."""

from pathlib import Path

import pytest

from support.commands import environment, roost, roost_json
from support.databases import Database

CONTACT = "+15554443333"


@pytest.fixture
def env(database: Database, tmp_path: Path) -> dict[str, str]:
    found = environment(database, tmp_path / "data")
    roost_json("org", "create", "Acme", env=found)
    account = roost_json("carrier", "add", "loopback", "--org", "Acme", env=found)
    roost_json("number", "add", "+15551112222", "--org", "Acme", "--carrier", account["id"], env=found)
    return found


def test_an_operator_records_lists_and_revokes_a_consent(env: dict[str, str]) -> None:
    words = ["consent", "record", "--org", "Acme", "--number", "+15551112222", "--contact", CONTACT]
    words += ["--agreement", "I agree", "--method", "verbal"]
    made = roost_json(*words, env=env)
    assert (made["opted_in"], made["consent_method"], made["already_opted_in"]) == (True, "verbal", False)
    assert roost_json(*words, env=env)["already_opted_in"] is True
    (listed,) = roost_json("consent", "list", "--org", "Acme", "--contact", CONTACT, env=env)
    assert {**listed, "already_opted_in": False} == made
    assert roost_json("consent", "list", "--org", "Acme", "--contact", "+15550000000", env=env) == []
    revoked = roost_json("consent", "revoke", made["id"], "--org", "Acme", env=env)
    assert (revoked["opted_in"], revoked["id"]) == (False, made["id"])
    refused = roost(*words, env=env)
    assert refused.returncode == 1
    assert refused.stderr == f"Error: {CONTACT} opted out; only a START from that phone lifts it\n"


def test_an_operator_blocks_lists_and_unblocks_a_sender(env: dict[str, str]) -> None:
    everywhere = roost_json("block", "add", CONTACT, "--org", "Acme", "--reason", "spam", env=env)
    here = roost_json("block", "add", "BANK", "--org", "Acme", "--number", "+15551112222", env=env)
    assert (everywhere["number"], everywhere["reason"], here["number"]) == (None, "spam", "+15551112222")
    assert roost_json("block", "list", "--org", "Acme", env=env) == [here, everywhere]
    removed = roost_json("block", "remove", here["id"], "--org", "Acme", env=env)
    assert removed == {"id": here["id"], "status": "removed"}
    assert roost_json("block", "list", "--org", "Acme", env=env) == [everywhere]


def test_what_is_anothers_or_unknown_is_said_in_one_line(env: dict[str, str]) -> None:
    roost_json("org", "create", "Other", env=env)
    entry = roost_json("block", "add", CONTACT, "--org", "Acme", env=env)
    record = ["consent", "record", "--agreement", "x", "--contact"]
    for words, line in [
        (["block", "remove", entry["id"], "--org", "Other"], f"the organization has no blocked sender {entry['id']}"),
        (["block", "remove", "x", "--org", "Acme"], "the organization has no blocked sender x"),
        (["block", "add", "+1 2", "--org", "Acme"], "a sender is E.164, a short code or a name, not '+1 2'"),
        (["block", "add", "BANK", "--org", "Other", "--number", "+15551112222"], "the organization has no number +15551112222"),
        (["consent", "revoke", "x", "--org", "Acme"], "the organization has no consent x"),
        ([*record, CONTACT, "--org", "Other", "--number", "+15551112222"], "the organization has no number +15551112222"),
        ([*record, "555", "--org", "Acme", "--number", "+15551112222"],
         "a contact must be E.164, such as +15554443333, not '555'"),
    ]:  # fmt: skip
        refused = roost(*words, env=env)
        assert (refused.returncode, refused.stderr) == (1, f"Error: {line}\n")
