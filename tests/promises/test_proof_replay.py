"""Wallet proofs over HTTP: each works once, for its own wallet and scope, within five minutes, and nothing else does."""

import base64
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from oneshot.x402 import sign_read_proof

from roost.store.directory import Agent
from support.carrier import Carrier, Target, deliveries
from support.databases import Database
from support.house import House
from support.processes import Fleet
from support.wire import Answer, Wire

INBOX = "/v1/tools/sms/inbox"
NOW = 1_780_000_000
SECOND = 1_000_000
TYPES = {
    "AgentReadAuth": [
        {"name": "agent", "type": "address"},
        {"name": "scope", "type": "string"},
        {"name": "issuedAt", "type": "uint256"},
        {"name": "nonce", "type": "bytes32"},
    ]
}


class Wallet(NamedTuple):
    key: str
    address: str


def wallet(number: int) -> Wallet:
    key = f"0x{number:064x}"
    return Wallet(key, Account.from_key(key).address)


OURS, THEIRS, STRANGER = wallet(11), wallet(12), wallet(13)


def signed(
    signer: Wallet = OURS,
    *,
    agent: str | None = None,
    scope: str = "read",
    issued_at: int = NOW,
    nonce: int = 1,
) -> dict[str, Any]:
    """What `signer` signs, by default for itself."""
    proof = {"agent": agent or signer.address, "scope": scope, "issuedAt": issued_at, "nonce": f"0x{nonce:064x}"}
    data = encode_typed_data(
        domain_data={"name": "OneShot Agent Auth", "version": "1"}, message_types=TYPES, message_data=proof
    )
    return proof | {"signature": "0x" + Account.sign_message(data, private_key=signer.key).signature.hex()}


def encoded(proof: Any) -> str:
    return base64.b64encode(json.dumps(proof).encode()).decode()


def headers(proof: Any, agent: str = OURS.address) -> dict[str, str]:
    """As a client sends them; a proof that is text already goes as it is."""
    return {"X-Agent-ID": agent, "x-agent-proof": proof if isinstance(proof, str) else encoded(proof)}


def flipped(hexadecimal: str, bit: int) -> str:
    digits = hexadecimal[2:]
    return f"0x{int(digits, 16) ^ 1 << bit:0{len(digits)}x}"


def ask(base_url: str, sent: dict[str, str]) -> Answer:
    wire = Wire(base_url)
    try:
        return wire.get(INBOX, sent)
    finally:
        wire.close()


def verdict(answer: Any) -> str:
    """200, or the reason of a refused proof, or the error."""
    status, body = (answer.status, answer.json()) if isinstance(answer, Answer) else (answer.status_code, answer.json())
    if status == 200:
        assert set(body) == {"messages", "count"}
        return "accepted"
    assert status == 401, answer
    assert set(body) == {"error", "message"} | ({"reason"} if body["error"] == "invalid_proof" else set())
    return str(body.get("reason", body["error"]))


# ---- once


@pytest.fixture
def agents(fleet: Fleet) -> None:
    """Two wallets that are registered, each to prove itself."""
    org = fleet.wait(fleet.directory.create_organization("Org"))
    for each in (OURS, THEIRS):
        assert fleet.wait(fleet.directory.add_agent(org.org_id, each.address, open_=False))


@pytest.mark.usefixtures("agents")
def test_a_proof_works_once_and_a_restart_does_not_forget_it(fleet: Fleet) -> None:
    server = fleet.serve()
    first, second = (headers(sign_read_proof(OURS.key, OURS.address)) for _ in range(2))
    assert [verdict(ask(server.base_url, first)) for _ in range(3)] == ["accepted", "already_used", "already_used"]
    server.kill()
    server.start()
    assert verdict(ask(server.base_url, first)) == "already_used"
    assert verdict(ask(server.base_url, second)) == "accepted"
    assert server.terminate() == 0
    server.start()
    assert [verdict(ask(server.base_url, each)) for each in (first, second)] == ["already_used", "already_used"]


@pytest.mark.usefixtures("agents")
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_proof_that_one_process_took_is_refused_by_another(fleet: Fleet, database: Database) -> None:
    one, other = fleet.serve(), fleet.serve()
    for first, second in ((one, other), (other, one)):
        sent = headers(sign_read_proof(OURS.key, OURS.address))
        assert verdict(ask(first.base_url, sent)) == "accepted"
        assert verdict(ask(second.base_url, sent)) == "already_used"
        assert verdict(ask(first.base_url, sent)) == "already_used"


@pytest.mark.usefixtures("agents")
def test_of_sixteen_that_send_one_proof_at_once_one_is_let_in(fleet: Fleet, database: Database) -> None:
    servers = [fleet.serve() for _ in range(2 if database.kind == "postgres" else 1)]
    for _ in range(5):
        sent = headers(sign_read_proof(OURS.key, OURS.address))
        barrier = threading.Barrier(16)

        def at_once(index: int, sent: dict[str, str] = sent, barrier: threading.Barrier = barrier) -> str:
            barrier.wait()
            return verdict(ask(servers[index % len(servers)].base_url, sent))

        with ThreadPoolExecutor(16) as pool:
            assert Counter(pool.map(at_once, range(16))) == {"accepted": 1, "already_used": 15}


def test_proofs_are_taken_while_texts_arrive(house: House) -> None:
    tenant = house.tenant()
    assert house.wait(house.directory.add_agent(tenant.org.org_id, OURS.address, open_=False))
    proofs = [headers(sign_read_proof(OURS.key, OURS.address)) for _ in range(60)]
    texts = deliveries("text", 400, tenant.number.number)
    with Carrier(tenant, [Target(house.base_url)], texts, connections=8) as carrier:
        for turn, sent in enumerate(proofs, start=1):
            carrier.wait_until(turn)
            assert verdict(ask(house.base_url, sent)) == "accepted"
        carrier.finish()
    assert set(carrier.answers) == {200}
    assert {verdict(ask(house.base_url, sent)) for sent in proofs} == {"already_used"}


@pytest.fixture
def agent(house: House) -> Agent:
    """Our agent, at a time that stands still; the other wallet is registered in another organization."""
    house.clock.frozen_us = NOW * SECOND
    for each in (THEIRS, OURS):
        org = house.wait(house.directory.create_organization("Org"))
        agent = house.wait(house.directory.add_agent(org.org_id, each.address, open_=False))
    assert agent is not None
    return agent


def tried(house: House, proof: Any, agent: str = OURS.address) -> str:
    return verdict(house.http.get(INBOX, headers=headers(proof, agent)))


@pytest.mark.usefixtures("agent")
def test_a_used_proof_is_known_again_however_it_is_written(house: House) -> None:
    proof = signed(nonce=0xABCDEF)
    assert tried(house, proof) == "accepted"
    shouted = {name: value.upper().replace("X", "x") for name, value in proof.items() if name in ("nonce", "signature")}
    for written in (
        proof | shouted,
        proof | {"agent": OURS.address.lower()},
        proof | {"more": 1},
        base64.b64encode(json.dumps(proof, indent=2).encode()).decode(),
    ):
        assert tried(house, written) == "already_used"
    assert tried(house, proof, OURS.address.lower()) == "already_used"


@pytest.mark.usefixtures("agent")
def test_two_agents_may_use_the_same_nonce(house: House) -> None:
    assert tried(house, signed(OURS)) == "accepted"
    assert tried(house, signed(THEIRS), THEIRS.address) == "accepted"


@pytest.mark.usefixtures("agent")
def test_a_proof_is_remembered_as_long_as_it_could_be_believed(house: House) -> None:
    proof = signed(issued_at=NOW + 300)
    assert tried(house, proof) == "accepted"
    for passed in (299, 300, 301, 599, 600):
        house.clock.frozen_us = (NOW + passed) * SECOND + SECOND - 1
        # Each new proof is a moment at which old nonces are forgotten.
        assert tried(house, signed(issued_at=NOW + passed, nonce=100 + passed)) == "accepted"
        assert tried(house, proof) == "already_used", passed
    house.clock.frozen_us = (NOW + 601) * SECOND
    assert tried(house, proof) == "expired"


@pytest.mark.usefixtures("agent")
def test_a_clock_that_is_set_back_brings_no_used_proof_back(house: House) -> None:
    proof = signed()
    assert tried(house, proof) == "accepted"
    house.clock.frozen_us = (NOW + 600) * SECOND
    assert tried(house, signed(issued_at=NOW + 600, nonce=2)) == "accepted"
    house.clock.frozen_us = (NOW + 1) * SECOND
    assert tried(house, proof) == "already_used"


@pytest.mark.usefixtures("agent")
def test_a_proof_that_was_refused_does_not_spend_its_nonce(house: House) -> None:
    proof = signed()
    assert tried(house, proof | {"signature": flipped(proof["signature"], 300)}) == "invalid_signature"
    assert tried(house, signed(THEIRS, agent=OURS.address)) == "invalid_signature"
    assert tried(house, proof) == "accepted"


# ---- refused


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize(
    ("proof", "reason"),
    [
        pytest.param(signed(THEIRS, agent=OURS.address), "invalid_signature", id="another registered key signs for us"),
        pytest.param(signed(STRANGER, agent=OURS.address), "invalid_signature", id="an unknown key signs for us"),
        pytest.param(signed(THEIRS), "agent_mismatch", id="another's own proof"),
        pytest.param(signed(THEIRS) | {"agent": OURS.address}, "invalid_signature", id="another's proof, renamed"),
        pytest.param(signed(issued_at=NOW - 301), "expired", id="301 s old"),
        pytest.param(signed(issued_at=NOW + 301), "expired", id="301 s ahead"),
        pytest.param(signed(issued_at=NOW - 301) | {"issuedAt": NOW}, "invalid_signature", id="made younger"),
        pytest.param(signed(scope="write"), "wrong_scope", id="for writing"),
        pytest.param(signed(scope="Read"), "wrong_scope", id="the scope in capitals"),
        pytest.param(signed(scope="write") | {"scope": "read"}, "invalid_signature", id="the scope renamed"),
        pytest.param(signed() | {"nonce": flipped(signed()["nonce"], 0)}, "invalid_signature", id="a bit of the nonce"),
        pytest.param(signed() | {"issuedAt": NOW ^ 1}, "invalid_signature", id="a bit of the time"),
        pytest.param("", "malformed", id="nothing"),
        pytest.param("AAAA", "malformed", id="no JSON"),
        pytest.param({**signed(), "signature": None}, "malformed", id="no signature"),
    ],
)
def test_a_proof_that_proves_nothing_is_refused_with_its_reason(house: House, proof: Any, reason: str) -> None:
    assert tried(house, proof) == reason
    assert tried(house, signed(nonce=2)) == "accepted"


@pytest.mark.usefixtures("agent")
def test_any_changed_bit_of_the_signature_is_refused(house: House) -> None:
    proof = signed()
    for bit in range(0, 65 * 8, 5):
        assert tried(house, proof | {"signature": flipped(proof["signature"], bit)}) == "invalid_signature", bit
    assert tried(house, proof) == "accepted"


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("seconds", [-300, 300])
def test_exactly_five_minutes_either_way_is_believed(house: House, seconds: int) -> None:
    assert tried(house, signed(issued_at=NOW + seconds)) == "accepted"


@pytest.mark.usefixtures("agent")
def test_an_unknown_wallet_gets_the_same_answer_as_a_wrong_proof(house: House) -> None:
    def answer(proof: Any, agent: str) -> tuple[int, bytes]:
        response = house.http.get(INBOX, headers=headers(proof, agent))
        return response.status_code, response.content

    unknown = answer(signed(STRANGER), STRANGER.address)
    assert unknown == answer(signed(STRANGER, agent=OURS.address), OURS.address)
    assert verdict(house.http.get(INBOX, headers=headers(signed(STRANGER), STRANGER.address))) == "invalid_signature"
    for useless in ("", signed(STRANGER, issued_at=NOW - 301)):
        theirs = answer(useless, STRANGER.address)
        renamed = useless if isinstance(useless, str) else useless | {"agent": OURS.address}
        assert theirs == answer(renamed, OURS.address)


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("agent_id", [None, "", "0x", OURS.address[:-1], OURS.address + "0", "not a wallet"])
def test_without_a_wallet_address_nobody_is_let_in(house: House, agent_id: str | None) -> None:
    sent = headers(signed()) | {"X-Agent-ID": agent_id or ""}
    if agent_id is None:
        del sent["X-Agent-ID"]
    assert verdict(house.http.get(INBOX, headers=sent)) == "unauthorized"


# ---- access tokens and open agents


def token_of(house: House, agent: Agent, seconds: int | None = None) -> str:
    lifetime = None if seconds is None else seconds * SECOND
    return house.wait(house.directory.create_access_token(agent, "test", lifetime)).plaintext


def by_token(house: House, token: str, agent: str = OURS.address) -> str:
    sent = {"X-Agent-ID": agent, "Authorization": f"Bearer {token}"}
    return verdict(house.http.get(INBOX, headers=sent))


def test_an_access_token_stands_for_a_proof_again_and_again(house: House, agent: Agent) -> None:
    token = token_of(house, agent)
    assert [by_token(house, token) for _ in range(3)] == ["accepted"] * 3
    assert by_token(house, token, OURS.address.lower()) == "accepted"


def test_an_access_token_is_good_for_its_own_agent_only(house: House, agent: Agent) -> None:
    token = token_of(house, agent)
    for other in (THEIRS, STRANGER):
        assert by_token(house, token, other.address) == "unauthorized"
    for wrong in ("oneshot_" + "0" * 64, token[:-1], token + "0", token.upper(), "x"):
        assert by_token(house, wrong) == "unauthorized"
    # Nor is a good proof beside a wrong token: the caller means the token.
    sent = headers(signed()) | {"Authorization": "Bearer x"}
    assert verdict(house.http.get(INBOX, headers=sent)) == "unauthorized"


def test_an_access_token_that_has_run_out_is_refused(house: House, agent: Agent) -> None:
    token = token_of(house, agent, seconds=60)
    house.clock.frozen_us = (NOW + 60) * SECOND - 1
    assert by_token(house, token) == "accepted"
    house.clock.frozen_us = (NOW + 60) * SECOND
    assert by_token(house, token) == "unauthorized"


def test_an_access_token_that_was_revoked_is_refused(house: House, agent: Agent) -> None:
    token = token_of(house, agent)
    revoke = "UPDATE access_tokens SET revoked_at = $1 WHERE org_id = $2"
    house.wait(house.store.write((revoke, (house.clock(), UUID(agent.org_id)))))
    assert by_token(house, token) == "unauthorized"


def test_an_open_agent_needs_no_proof_and_opens_nobody_else(house: House, agent: Agent) -> None:
    open_wallet = wallet(14).address
    assert house.wait(house.directory.add_agent(agent.org_id, open_wallet, open_=True))
    assert verdict(house.http.get(INBOX, headers={"X-Agent-ID": open_wallet})) == "accepted"
    assert verdict(house.http.get(INBOX, headers={"X-Agent-ID": OURS.address})) == "malformed"
