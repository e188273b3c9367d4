"""A contact is erased: what was said is nowhere in the database any more, nor does it come back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from roost.api.contacts import is_theirs
from roost.store.outbox import LEASE_US, lease
from roost.store.settling import decide
from support.agents import execute, notifications, request_of
from support.commands import environment, roost_json
from support.databases import Database
from support.house import House, Tenant
from support.payloads import bandwidth_inbound, bandwidth_status
from support.stored import stored_outbound

CONTACT, OTHER, NOBODYS = "+15554443333", "+15557778888", "+15550009999"
WORD = "mangosteen"
ERASE = "/v1/contacts/%2B15554443333/erase"


def erase(house: House, tenant: Tenant) -> dict[str, Any]:
    answer = house.http.post(ERASE, headers=tenant.auth)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def tables_with_words(house: House) -> set[str]:
    """Where the word is, whatever the table."""
    if house.store.dialect == "sqlite":
        listing = "SELECT name FROM sqlite_master WHERE type = 'table'"
    else:
        listing = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    found = set()
    for (table,) in house.wait(house.store.fetch(listing)):
        for row in house.wait(house.store.fetch(f"SELECT * FROM {table}")):
            if any(WORD in (bytes(v).decode("latin-1") if isinstance(v, bytes | memoryview) else str(v)) for v in row):
                found.add(table)
    return found


class Said:
    """Everything that can be said between a contact and an organization."""

    def __init__(self, house: House) -> None:
        self.house, self.tenant = house, house.tenant()
        number = self.tenant.number.number
        self.heard = bandwidth_inbound("1", number, text=f"I like {WORD}", media=[f"https://example.com/{WORD}.jpg"])
        house.deliver(self.tenant, [self.heard, bandwidth_inbound("0", number, sender=OTHER)])
        self.key = {**self.tenant.auth, "Idempotency-Key": "k"}
        self.body = {"from": number, "to": CONTACT, "text": f"{WORD} it is"}
        self.answer = house.http.post("/v1/messages", json=self.body, headers=self.key)
        accepted = execute(house, self.tenant, [CONTACT, OTHER], f"{WORD}s for two", memo=f"she wants {WORD}")
        self.request_id: str = accepted.json()["request_id"]
        self.sent_id = stored_outbound(house, self.tenant, None)
        self.tell("message-delivered")
        self.unrouted = bandwidth_inbound("2", NOBODYS, text=f"where is my {WORD}?")
        strange = {"type": "message-strange", "message": {"from": CONTACT, "text": WORD}}
        house.deliver(self.tenant, [self.unrouted, strange])

    def tell(self, event: str) -> httpx.Response:
        receipt = bandwidth_status(event, f"bw-{self.sent_id}", CONTACT, self.tenant.number.number)
        receipt["message"]["text"] = f"{WORD} it was"
        return self.house.deliver(self.tenant, [receipt])


@pytest.fixture
def said(house: House) -> Said:
    return Said(house)


def test_what_was_said_is_nowhere_in_the_database_any_more(said: Said) -> None:
    assert tables_with_words(said.house) == {
        "inbound_messages", "outbound_messages", "delivery_receipts", "agent_requests", "unrouted_deliveries"
    }  # fmt: skip
    erased = erase(said.house, said.tenant)
    assert (erased["inbound_redacted"], erased["outbound_redacted"]) == (1, 3)
    assert tables_with_words(said.house) == {"outbound_messages"}, "the other recipient's stays"
    [(text,)] = said.house.wait(said.house.store.fetch("SELECT body FROM outbound_messages WHERE body <> ''"))
    assert text == f"{WORD}s for two"


def test_a_stored_answer_has_no_words_of_its_own(said: Said) -> None:
    again = said.house.http.post("/v1/messages", json=said.body, headers=said.key)
    assert (again.status_code, again.content) == (202, said.answer.content)
    assert again.headers["idempotent-replayed"] == "true"
    erase(said.house, said.tenant)
    erased = said.house.http.post("/v1/messages", json=said.body, headers=said.key)
    assert erased.status_code == 202
    assert erased.json()["data"] == {**again.json()["data"], "text": ""}


def test_nothing_that_is_delivered_again_or_late_brings_the_words_back(said: Said) -> None:
    erase(said.house, said.tenant)
    assert said.house.deliver(said.tenant, [said.heard]).json()["duplicates"] == 1
    assert said.house.deliver(said.tenant, [said.unrouted]).json()["unrouted"] == 1
    assert said.tell("message-failed").json()["receipts"] == 1
    assert tables_with_words(said.house) == {"outbound_messages"}


def test_lists_that_have_shown_the_words_show_them_no_more(house: House) -> None:
    tenant = house.tenant()
    house.deliver(tenant, [bandwidth_inbound("1", tenant.number.number, text=f"I like {WORD}")])
    lists = {"/v1/inbound-messages": tenant.auth, "/v1/tools/sms/inbox": tenant.agent_header}

    def shown() -> list[bool]:
        return [WORD in house.http.get(path, headers=headers).text for path, headers in lists.items()]

    assert shown() == [True, True]
    erase(house, tenant)
    assert shown() == [False, False]


def test_a_request_is_told_to_be_over_when_its_messages_are_cancelled(said: Said) -> None:
    [other] = [m for m in said.house.outbound(said.tenant) if m["to"] == OTHER]
    erase(said.house, said.tenant)
    assert request_of(said.house, said.tenant, said.request_id)["status"] == "processing"
    said.house.http.delete(f"/v1/messages/{other['id']}", headers=said.tenant.auth)
    request = request_of(said.house, said.tenant, said.request_id)
    assert (request["status"], "memo" in request["result"]) == ("failed", False)
    assert len(notifications(said.house, said.tenant)) == 1


def test_what_was_perhaps_sent_is_not_sent_without_its_words_whatever_an_operator_decides(house: House) -> None:
    tenant = house.tenant()
    doubtful = stored_outbound(house, tenant, "uncertain")
    erase(house, tenant)
    assert house.wait(decide(house.store, tenant.org.org_id, doubtful, "retry")) is None
    house.wait(house.worker.take_due())
    house.wait(house.worker.idle())
    [message] = house.outbound(tenant)
    assert (message["status"], message["error"]["code"]) == ("failed", "CANCELED")


def test_an_unrouted_stop_stays_and_holds_once_it_is_routed(house: House, database: Database, tmp_path: Path) -> None:
    tenant = house.tenant()
    house.deliver(
        tenant,
        [
            bandwidth_inbound("1", NOBODYS, text="STOP"),
            bandwidth_inbound("2", NOBODYS, text=f"no {WORD}, thanks"),
            bandwidth_inbound("3", NOBODYS, text=f"call me at {CONTACT}", sender=OTHER),
        ],
    )
    erase(house, tenant)
    env = environment(database, tmp_path / "data")
    waiting = sorted(roost_json("unrouted", "list", env=env), key=lambda each: "STOP" not in each["raw"])
    assert [("STOP" in each["raw"], OTHER in each["raw"]) for each in waiting] == [(True, False), (False, True)]
    house.wait(house.directory.add_number(tenant.org.org_id, NOBODYS, tenant.account.id, None, ""))
    roost_json("unrouted", "route", waiting[0]["id"], env=env)
    answer = house.http.post(
        "/v1/messages", json={"from": NOBODYS, "to": CONTACT, "text": "hello?"}, headers=tenant.auth
    )
    assert answer.status_code == 453


@pytest.mark.parametrize(
    ("contact", "carrier", "raw", "expected"),
    [
        ("+15554443333", "loopback", b'{"from": "+15554443333", "to": "+15550009999", "text": "x"}', True),
        ("+15554443333", "loopback", b'{"from": "+15557778888", "to": "+15554443333", "text": "x"}', False),
        ("+15554443333", "loopback", b'{"from": "+15554443333", "to": "+15550009999", "text": " Stop! "}', False),
        ("+15554443333", "loopback", b"From=%2B15554443333&Body=x", True),
        ("+15554443333", "loopback", b'{"caller": "\\u002b15554443333"}', True),
        ("+15554443333", "loopback", b'{"id": 915554443333}', False),
        ("+15554443333", "a carrier of the past", b"15554443333", True),
        ("68849", "loopback", b'{"from": "68849", "to": "+15550009999", "text": "x"}', True),
        ("68849", "loopback", b'{"what": "68849"}', False),
        ("SUPPORT", "loopback", b'{"from": "SUPPORT", "to": "+15550009999", "text": "x"}', True),
        ("SUPPORT", "loopback", b"SUPPORT", False),
    ],
)
def test_whose_an_unrouted_delivery_is(contact: str, carrier: str, raw: bytes, expected: bool) -> None:
    assert is_theirs(contact)(carrier, raw) is expected


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[House]:
    running = House(Database("sqlite", "sqlite"), tmp_path / "data").start()
    yield running
    running.stop()


def test_the_bytes_are_gone_from_the_files_of_sqlite(on_disk: House, tmp_path: Path) -> None:
    tenant = on_disk.tenant()
    long = f"{WORD} " * 2000  # on pages of its own
    for nth, text in enumerate((WORD, long, f"{long}!")):
        on_disk.deliver(tenant, [bandwidth_inbound(str(nth), tenant.number.number, text=text)])
    on_disk.sent(tenant, CONTACT, WORD)

    def on_file() -> set[str]:
        return {path.name for path in (tmp_path / "data").glob("roost.db*") if WORD.encode() in path.read_bytes()}

    assert on_file()
    erase(on_disk, tenant)
    assert on_file() == set()
    assert [m["text"] for m in on_disk.outbound(tenant)] == [""]


def test_a_leased_message_is_not_leased_again_without_its_words(house: House) -> None:
    tenant = house.tenant()
    stored_outbound(house, tenant, "queued")
    [leased] = house.wait(lease(house.store, tenant.org.org_id, 1, 0)).to_send
    erase(house, tenant)
    house.clock.offset_us += LEASE_US
    assert house.wait(lease(house.store, tenant.org.org_id, 1, 0)).to_send == []
    rows = house.wait(
        house.store.fetch("SELECT state, withdrawn FROM outbox WHERE message_id = $1", UUID(leased.message_id))
    )
    assert [tuple(row) for row in rows] == [("uncertain", "CANCELED")]
