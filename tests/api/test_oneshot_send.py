"""POST /v1/tools/sms/send: quoted, executed once, sent from the right number, and every way in which it is refused."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from eth_account import Account
from oneshot.x402 import parse_payment_required, sign_read_proof

from roost.api.oneshot_send import refusal_of
from roost.api.quotes import QUOTE_US
from support.agents import SEND, ask, execute, hear, quoted, request_of, requested, texted_by
from support.databases import Database
from support.house import House, Tenant
from support.wire import Wire

CONTACT, OTHER = "+15554443333", "+15557778888"
NOBODY = "0x" + "00" * 20
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture
def tenant(house: House) -> Tenant:
    """An agent whose number a contact has texted."""
    return texted_by(house, CONTACT)


def test_a_first_send_is_answered_with_the_documented_quote_at_price_zero(house: House, tenant: Tenant) -> None:
    answer = ask(house, tenant, [CONTACT, OTHER], "x" * 161)
    assert answer.status_code == 402
    body = answer.json()
    quote_id, expires_at = body["context"].pop("quote_id"), body["context"].pop("expires_at")
    assert body == {
        "error": "payment_required",
        "payment_request": {"chain_id": 8453, "token_address": NOBODY, "amount": "0.00", "recipient": NOBODY},
        "context": {
            "tool": "sms",
            "recipient_count": 2,
            "message_length": 161,
            "segment_count": 2,
            "per_message_rate": "0.0000",
            "messaging_fee": "0.00",
            "phone_registration_fee": "0.00",
            "total": "0.00",
            "needs_phone_registration": False,
        },
    }
    assert quote_id.startswith("quote_sms_")
    assert expires_at.endswith("Z")
    header = answer.headers["payment-required"]
    assert parse_payment_required(header)["accepted"]["amount"] == "0"
    assert json.loads(base64.b64decode(header)) == {
        "x402Version": 2,
        "accepts": [
            {
                "scheme": "exact",
                "network": "eip155:8453",
                "amount": "0",
                "asset": NOBODY,
                "payTo": NOBODY,
                "maxTimeoutSeconds": 300,
                "extra": {"name": "USD Coin", "version": "2"},
            }
        ],
    }
    assert house.outbound(tenant) == [], "a quote sends nothing"


def test_the_quoted_request_is_accepted_and_queued(house: House, tenant: Tenant) -> None:
    answer = execute(house, tenant, CONTACT, "on my way", memo="dinner")
    assert answer.status_code == 202
    body = answer.json()
    request_id = body.pop("request_id")
    assert body == {"status": "processing", "sms": {"to_numbers": [CONTACT], "segment_count": 1}}
    assert request_id.startswith("req_")
    assert len(request_id) == 30
    [message] = house.outbound(tenant)
    assert (message["from"], message["to"], message["text"]) == (tenant.number.number, CONTACT, "on my way")


def test_what_a_client_adds_is_taken_and_ignored(house: House, tenant: Tenant) -> None:
    extras = {"decisionContext": {"why": ["asked"], "confidence": 0.5}, "colour": "red", "memo": None}
    stub = {"payment-signature": base64.b64encode(b'{"x402Version": 2}').decode()}
    answer = execute(house, tenant, CONTACT, headers=stub, **extras)
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"message": ""}, "message must be 1..1600 chars"),
        ({"message": "x" * 1601}, "message must be 1..1600 chars"),
        ({"message": None}, "message must be 1..1600 chars"),
        ({"message": 7}, "message must be 1..1600 chars"),
        ({"message": "a\0b"}, "message must not contain NUL"),
        ({"to_number": None}, "to_number"),
        ({"to_number": 15554443333}, "to_number"),
        ({"to_number": []}, "1 to 10"),
        ({"to_number": [CONTACT] * 11}, "1 to 10"),
        ({"to_number": "555-444-3333"}, "'555-444-3333'"),
        ({"to_number": "68849"}, "'68849'"),
        ({"to_number": [CONTACT, "bob", "+05", 5]}, "'bob', '+05', 5"),
        ({"to_number": "+1555444333322221"}, "'+1555444333322221'"),
        ({"memo": "x" * 1001}, "memo must be 0..1000 chars"),
        ({"memo": 5}, "memo must be 0..1000 chars"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name(
    house: House, tenant: Tenant, changes: dict[str, Any], named: str
) -> None:
    body = {"message": "hello", "to_number": CONTACT, **changes}
    answer = house.http.post(SEND, json=body, headers=tenant.agent_header)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert named in answer.json()["message"]


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"null", b"{", b"\xff", b'{"message": "\\ud800", "to_number": "+15554443333"}']
)
def test_a_body_that_is_no_object_is_refused(house: House, tenant: Tenant, raw: bytes) -> None:
    answer = house.http.post(SEND, content=raw, headers=tenant.agent_header)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_more_than_a_mebibyte_is_refused(house: House, tenant: Tenant) -> None:
    answer = ask(house, tenant, CONTACT, "x" * (1 << 20))
    assert (answer.status_code, answer.json()["error"]) == (413, "payload_too_large")


@pytest.mark.parametrize(
    "number", ["911", "112", "999", "988", "000", "+1911", "+1 911", "1-1-2", "+44999", "+61000", "+1988", "+358112"]
)
def test_emergency_numbers_are_never_texted(house: House, tenant: Tenant, number: str) -> None:
    answer = ask(house, tenant, [CONTACT, number])
    assert answer.status_code == 400
    assert answer.json()["error"] == "emergency_number_blocked"
    assert answer.json()["blocked_number"] == number


@pytest.mark.parametrize("number", ["+15550001911", "+442079460999", "+6834112"])
def test_a_subscribers_number_may_end_like_an_emergency_number(house: House, tenant: Tenant, number: str) -> None:
    assert ask(house, tenant, number).status_code == 402


def test_a_recipient_who_is_named_twice_gets_one_text(house: House, tenant: Tenant) -> None:
    hear(house, tenant, OTHER)
    answer = execute(house, tenant, [CONTACT, OTHER, CONTACT])
    assert answer.json()["sms"]["to_numbers"] == [CONTACT, OTHER]
    assert sorted(message["to"] for message in house.outbound(tenant)) == [CONTACT, OTHER]


def test_a_quote_is_bound_to_the_body(house: House, tenant: Tenant) -> None:
    hear(house, tenant, OTHER)
    quote = quoted(house, tenant, CONTACT, "on my way", memo="dinner")
    for to, message, memo in (
        (OTHER, "on my way", "dinner"),
        ([CONTACT, OTHER], "on my way", "dinner"),
        (CONTACT, "on my way!", "dinner"),
        (CONTACT, "on my way", "lunch"),
        (CONTACT, "on my way", None),
    ):
        answer = ask(house, tenant, to, message, memo=memo, quote=quote)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert house.outbound(tenant) == []
    assert ask(house, tenant, [CONTACT], "on my way", memo="dinner", quote=quote).status_code == 202


def test_a_quote_is_bound_to_the_agent(house: House, tenant: Tenant) -> None:
    colleague = "0x" + "cc" * 20
    agent = house.wait(house.directory.add_agent(tenant.org.org_id, colleague, open_=True))
    assert agent is not None
    house.wait(house.directory.add_number(tenant.org.org_id, "+14150000000", tenant.account.id, agent.id, ""))
    hear(house, tenant, CONTACT, to="+14150000000")
    quote = quoted(house, tenant, CONTACT)
    answer = ask(house, tenant, CONTACT, quote=quote, headers={"X-Agent-ID": colleague})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert ask(house, tenant, CONTACT, quote=quote).status_code == 202


def test_a_quote_with_any_bit_changed_is_refused(house: House, tenant: Tenant) -> None:
    quote = quoted(house, tenant, CONTACT)
    prefix, signed = quote[:10], quote[10:]
    wrong = [
        "junk",
        prefix,
        prefix + "=",
        quote + "A",
        quote + "=",
        quote[:-1],
        quote.upper(),
        signed,
        "quote_email_" + signed,
    ]
    for at, letter in enumerate(signed):
        for bit in range(6):
            changed = ALPHABET[ALPHABET.index(letter) ^ (1 << bit)]
            wrong.append(prefix + signed[:at] + changed + signed[at + 1 :])
    wrong += [prefix + signed.replace("-", "+").replace("_", "/")] if set(signed) & set("-_") else []
    for each in wrong:
        answer = ask(house, tenant, CONTACT, quote=each)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), each
    assert house.outbound(tenant) == []
    assert ask(house, tenant, CONTACT, quote=quote).status_code == 202


def test_a_quote_is_good_for_fifteen_minutes(house: House, tenant: Tenant) -> None:
    house.clock.frozen_us = 1_800_000_000_000_000
    hear(house, tenant, OTHER)
    quotes = [quoted(house, tenant, OTHER) for _ in range(2)]
    house.clock.frozen_us += QUOTE_US - 1
    assert ask(house, tenant, OTHER, quote=quotes[0]).status_code == 202
    house.clock.frozen_us += 1
    late = ask(house, tenant, OTHER, quote=quotes[1])
    assert (late.status_code, late.json()["error"]) == (400, "quote_expired")


def test_a_quote_is_executed_once_and_answers_the_same_also_when_it_has_expired(house: House, tenant: Tenant) -> None:
    quote = quoted(house, tenant, CONTACT)
    first = ask(house, tenant, CONTACT, quote=quote)
    again = ask(house, tenant, CONTACT, quote=quote)
    house.clock.offset_us = QUOTE_US + 1
    late = ask(house, tenant, CONTACT, quote=quote)
    assert {answer.status_code for answer in (first, again, late)} == {202}
    assert first.json() == again.json() == late.json()
    assert len(house.outbound(tenant)) == 1


def test_two_quotes_for_the_same_text_are_two_texts(house: House, tenant: Tenant) -> None:
    house.clock.frozen_us = house.clock()
    first, second = quoted(house, tenant, CONTACT), quoted(house, tenant, CONTACT)
    ids = {ask(house, tenant, CONTACT, quote=quote).json()["request_id"] for quote in (first, second)}
    assert len(ids) == 2
    assert len(house.outbound(tenant)) == 2


def test_a_quote_that_sixteen_connections_execute_at_once_is_one_request(house: House, tenant: Tenant) -> None:
    quote = quoted(house, tenant, CONTACT)
    body = json.dumps({"message": "on my way", "to_number": CONTACT}).encode()
    headers = {**tenant.agent_header, "x-quote-id": quote, "Content-Type": "application/json"}
    wires = [Wire(house.base_url) for _ in range(16)]
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda wire: wire.post(SEND, body, headers), wires))
    for wire in wires:
        wire.close()
    assert {answer.status for answer in answers} == {202}
    assert len({answer.json()["request_id"] for answer in answers}) == 1
    assert len(house.outbound(tenant)) == 1


def test_an_idempotency_key_covers_the_execution_and_not_the_quote(house: House, tenant: Tenant) -> None:
    key = {"Idempotency-Key": "dinner-1"}
    first = execute(house, tenant, CONTACT, headers=key)
    again = execute(house, tenant, CONTACT, headers=key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert len(house.outbound(tenant)) == 1
    other = execute(house, tenant, CONTACT, "another text", headers=key)
    assert (other.status_code, other.json()["error"]) == (422, "idempotency_key_reused")


def test_a_server_that_is_set_to_quotes_off_sends_at_once(database: Database, tmp_path: Path) -> None:
    house = House(database, tmp_path / "data", oneshot_quotes="off").start()
    try:
        tenant = house.tenant(carrier="loopback")
        hear(house, tenant, CONTACT)
        ids = {ask(house, tenant, CONTACT).json()["request_id"] for _ in range(2)}
        assert len(ids) == 2
        assert len(house.outbound(tenant)) == 2
    finally:
        house.stop()


# From which number.


@pytest.fixture
def second(house: House, tenant: Tenant) -> str:
    """Another number of the agent, registered after its first."""
    number = "+14159990000"
    house.wait(house.directory.add_number(tenant.org.org_id, number, tenant.account.id, tenant.agent.id, ""))
    return number


def sender_of_last(house: House, tenant: Tenant) -> str:
    number: str = house.outbound(tenant)[0]["from"]
    return number


def test_it_is_sent_from_the_number_that_last_heard_from_the_recipient(
    house: House, tenant: Tenant, second: str
) -> None:
    hear(house, tenant, CONTACT, to=second)
    requested(house, tenant, CONTACT)
    assert sender_of_last(house, tenant) == second
    hear(house, tenant, CONTACT, to=tenant.number.number)
    requested(house, tenant, CONTACT)
    assert sender_of_last(house, tenant) == tenant.number.number


def test_it_is_sent_from_the_number_that_last_texted_the_recipient(house: House, tenant: Tenant, second: str) -> None:
    hear(house, tenant, CONTACT, to=second)
    hear(house, tenant, CONTACT, to=tenant.number.number)
    assert house.http.post(
        "/v1/messages", json={"from": second, "to": CONTACT, "text": "hi"}, headers=tenant.auth
    ).is_success
    requested(house, tenant, CONTACT)
    assert sender_of_last(house, tenant) == second


def test_what_other_contacts_wrote_does_not_matter(house: House, tenant: Tenant, second: str) -> None:
    hear(house, tenant, OTHER, to=second)
    requested(house, tenant, CONTACT)
    assert sender_of_last(house, tenant) == tenant.number.number


def test_a_recipient_who_never_spoke_with_the_agent_is_texted_from_its_oldest_number(house: House) -> None:
    fresh = house.tenant(carrier="loopback")
    settings = (json.dumps({"consent_required": False}), UUID(fresh.org.org_id))
    house.wait(house.store.write(("UPDATE organizations SET settings = $1 WHERE org_id = $2", settings)))
    house.wait(house.directory.add_number(fresh.org.org_id, "+14150000000", fresh.account.id, fresh.agent.id, ""))
    requested(house, fresh, CONTACT)
    assert sender_of_last(house, fresh) == fresh.number.number
    hear(house, fresh, OTHER, to="+14150000000")
    requested(house, fresh, [CONTACT, OTHER])
    assert {m["to"]: m["from"] for m in house.outbound(fresh, limit=2)} == {
        CONTACT: fresh.number.number,
        OTHER: "+14150000000",
    }


# Who may not be texted.


def test_a_recipient_who_may_not_be_texted_fails_alone(house: House, tenant: Tenant) -> None:
    hear(house, tenant, OTHER)
    hear(house, tenant, OTHER, "STOP")
    request_id = requested(house, tenant, [OTHER, CONTACT])
    assert [m["to"] for m in house.outbound(tenant) if m["text"] == "on my way"] == [CONTACT]
    assert request_of(house, tenant, request_id)["status"] == "processing"


def test_when_nobody_may_be_texted_the_whole_is_refused_and_nothing_is_stored(house: House, tenant: Tenant) -> None:
    hear(house, tenant, CONTACT, "STOP")
    quote = quoted(house, tenant, [CONTACT, OTHER])
    answer = ask(house, tenant, [CONTACT, OTHER], quote=quote)
    assert answer.status_code == 403
    assert set(answer.json()) == {"error", "message"}
    assert answer.json()["error"] == "consent_required"
    assert [m for m in house.outbound(tenant) if m["text"] == "on my way"] == []
    hear(house, tenant, CONTACT, "START")
    assert ask(house, tenant, [CONTACT, OTHER], quote=quote).status_code == 202, "the refusal did not use the quote up"


def test_an_agent_without_a_number_is_told_so(house: House, tenant: Tenant) -> None:
    wallet = "0x" + "dd" * 20
    house.wait(house.directory.add_agent(tenant.org.org_id, wallet, open_=True))
    answer = ask(house, tenant, CONTACT, headers={"X-Agent-ID": wallet})
    assert (answer.status_code, answer.json()["error"]) == (400, "no_phone_number")


def test_an_agent_whose_number_only_receives_is_told_so_before_any_quote(house: House) -> None:
    tenant = house.tenant(carrier="bandwidth", secrets={})
    answer = ask(house, tenant, CONTACT)
    assert (answer.status_code, answer.json()["error"]) == (400, "receive_only")


@pytest.mark.parametrize(
    ("reasons", "status", "code"),
    [
        (["quiet_hours"], 403, "quiet_hours"),
        (["receive_only"], 400, "receive_only"),
        (["not_owned"], 400, "no_phone_number"),
        (["receive_only", "quiet_hours", "consent_required"], 403, "consent_required"),
    ],
)
def test_each_reason_has_a_code_and_consent_comes_first(reasons: list[str], status: int, code: str) -> None:
    refusal = refusal_of(reasons)
    assert (refusal.status, refusal.code) == (status, code)
    assert refusal.message


# Who may send.

PRIVATE_KEY = "0x" + "4c" * 32


@pytest.mark.parametrize(
    ("scope", "status"), [("write", 402), ("read", 401), ("submit", 401)], ids=["write", "read", "submit"]
)
def test_sending_takes_a_proof_for_writing(house: House, tenant: Tenant, scope: str, status: int) -> None:
    address = str(Account.from_key(PRIVATE_KEY).address)
    agent = house.wait(house.directory.add_agent(tenant.org.org_id, address, open_=False))
    assert agent is not None
    house.wait(house.directory.add_number(tenant.org.org_id, "+14150000000", tenant.account.id, agent.id, ""))
    headers = {"X-Agent-ID": address, "x-agent-proof": sign_read_proof(PRIVATE_KEY, address, scope)}
    answer = ask(house, tenant, CONTACT, headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert (answer.json()["error"], answer.json()["reason"]) == ("invalid_proof", "wrong_scope")


def test_nobody_sends_without_saying_who_they_are(house: House) -> None:
    answer = house.http.post(SEND, json={"message": "hi", "to_number": CONTACT})
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
