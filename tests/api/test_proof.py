"""Wallet proofs against two oracles: eth-account, and the public client's own `sign_read_proof`."""

import base64
import json
import sys
from typing import Any, get_args

import pytest
from coincurve import PublicKey
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak, to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st
from oneshot.x402 import sign_read_proof

from roost.api.proof import PROOF_WINDOW_SECONDS, InvalidProof, Reason, verify_proof
from roost.wallet import AgentProof, checksum_address, is_wallet

KEY = "0x" + "11" * 32
WALLET = Account.from_key(KEY).address
OTHER_KEY = "0x" + "22" * 32
OTHER_WALLET = Account.from_key(OTHER_KEY).address
NOW = 1_700_000_000
NONCE = bytes(range(32))
DOMAIN = {"name": "OneShot Agent Auth", "version": "1"}
TYPES = {
    "AgentReadAuth": [
        {"name": "agent", "type": "address"},
        {"name": "scope", "type": "string"},
        {"name": "issuedAt", "type": "uint256"},
        {"name": "nonce", "type": "bytes32"},
    ]
}
#: The order of secp256k1's group.
ORDER = 2**256 - 0x14551231950B75FC4402DA1732FC9BEBF
#: The x of secp256k1's generator G, whose y is even.
GENERATOR_X = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798


def typed_data(
    agent: str = WALLET,
    scope: str = "read",
    issued_at: int = NOW,
    nonce: bytes = NONCE,
    domain: dict[str, Any] = DOMAIN,
    types: dict[str, Any] = TYPES,
) -> Any:
    values = {"agent": agent, "scope": scope, "issuedAt": issued_at, "nonce": nonce}
    return encode_typed_data(
        domain_data=domain,
        message_types=types,
        message_data={member["name"]: values[member["name"]] for member in types["AgentReadAuth"]},
    )


def digest(**members: Any) -> bytes:
    signable = typed_data(**members)
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


def signature(key: str | bytes = KEY, **members: Any) -> bytes:
    return bytes(Account.sign_message(typed_data(**members), private_key=key).signature)


def encode(proof: Any) -> str:
    return base64.b64encode(json.dumps(proof).encode()).decode()


def decode(header: str) -> dict[str, Any]:
    return json.loads(base64.b64decode(header))


def proof_of(signed: bytes, **altered: Any) -> dict[str, Any]:
    """The JSON of the standard proof with `signed` as its signature and some members altered."""
    proof = {"agent": WALLET, "scope": "read", "issuedAt": NOW, "nonce": "0x" + NONCE.hex()}
    return proof | {"signature": "0x" + signed.hex()} | altered


SIGNATURE = signature()
PROOF = proof_of(SIGNATURE)


def verify(proof: dict[str, Any], agent: str = WALLET, scope: str = "read", now: float = NOW) -> AgentProof:
    return verify_proof(encode(proof), agent=agent, scope=scope, now=now)


def refusal(header: str, agent: str = WALLET, scope: str = "read", now: float = NOW) -> Reason:
    with pytest.raises(InvalidProof) as refused:
        verify_proof(header, agent=agent, scope=scope, now=now)
    return refused.value.reason


# ---- what is accepted


def test_a_proof_that_eth_account_signed_is_accepted_and_returned():
    assert verify(PROOF) == AgentProof(WALLET.lower(), "read", NOW, NONCE)


@pytest.mark.parametrize("scope", ["read", "write", "submit"])
def test_a_proof_that_the_public_client_signed_is_accepted(scope):
    header = sign_read_proof(KEY, WALLET, scope)
    sent = decode(header)
    proof = verify_proof(header, agent=WALLET, scope=scope, now=sent["issuedAt"])
    assert proof == AgentProof(WALLET.lower(), scope, sent["issuedAt"], bytes.fromhex(sent["nonce"][2:]))


@settings(deadline=None)
@given(
    key=st.integers(1, ORDER - 1),
    scope=st.text(max_size=40),
    issued_at=st.integers(0, 2**63 - 1),
    nonce=st.binary(min_size=32, max_size=32),
)
def test_whatever_eth_account_signs_is_accepted(key, scope, issued_at, nonce):
    account = Account.from_key(key.to_bytes(32))
    members = {"agent": account.address, "scope": scope, "issued_at": issued_at, "nonce": nonce}
    sent = proof_of(
        signature(account.key, **members),
        agent=account.address,
        scope=scope,
        issuedAt=issued_at,
        nonce="0x" + nonce.hex(),
    )
    proof = verify(sent, agent=account.address, scope=scope, now=issued_at)
    assert proof == AgentProof(account.address.lower(), scope, issued_at, nonce)


@pytest.mark.parametrize("backend", ["CoinCurveECCBackend", "NativeECCBackend"])
def test_eth_account_signs_with_a_low_s_whichever_backend_it_has(backend):
    account = Account()
    account.set_key_backend(f"eth_keys.backends.{backend}")
    recovery_ids = set()
    for issued_at in range(NOW, NOW + 40):
        signed = account.sign_message(typed_data(issued_at=issued_at), private_key=KEY)
        assert signed.s <= ORDER // 2
        verify(proof_of(bytes(signed.signature), issuedAt=issued_at), now=issued_at)
        recovery_ids.add(signed.v)
    assert recovery_ids == {27, 28}


def lower(address: str) -> str:
    return address.lower()


def upper(address: str) -> str:
    return "0x" + address[2:].upper()


@pytest.mark.parametrize("sent_form", [to_checksum_address, lower, upper])
@pytest.mark.parametrize("named_form", [to_checksum_address, lower, upper])
def test_the_case_of_an_address_does_not_matter(sent_form, named_form):
    proof = verify(PROOF | {"agent": sent_form(WALLET)}, agent=named_form(WALLET))
    assert proof.agent == WALLET.lower()


def test_hex_in_capitals_is_the_same_hex():
    shouted = PROOF | {name: upper(PROOF[name]) for name in ("nonce", "signature")}
    assert shouted != PROOF
    assert verify(shouted) == verify(PROOF)


def test_an_unknown_extra_field_is_ignored():
    assert verify(PROOF | {"chainId": 8453}) == verify(PROOF)


@pytest.mark.parametrize("parity", [0, 1])
def test_the_last_byte_is_the_recovery_id_with_or_without_27(parity):
    issued_at = next(at for at in range(NOW, NOW + 300) if signature(issued_at=at)[64] == 27 + parity)
    signed = signature(issued_at=issued_at)
    for last in (parity, 27 + parity):
        verify(proof_of(signed[:64] + bytes([last]), issuedAt=issued_at))
    for last in (1 - parity, 28 - parity):
        altered = proof_of(signed[:64] + bytes([last]), issuedAt=issued_at)
        assert refusal(encode(altered)) == "invalid_signature"


# ---- freshness


@pytest.mark.parametrize("now", [NOW - 300, NOW - 299.5, NOW, NOW + 299.999, NOW + 300])
def test_a_proof_counts_up_to_exactly_its_window(now):
    assert verify(PROOF, now=now).issued_at == NOW


@pytest.mark.parametrize("now", [0, NOW - 301, NOW - 300.001, NOW + 300.001, NOW + 301, NOW + 10**9])
def test_a_proof_outside_its_window_is_expired_both_ways(now):
    assert refusal(encode(PROOF), now=now) == "expired"


def test_the_window_is_five_minutes():
    assert PROOF_WINDOW_SECONDS == 300


# ---- the wrong proof


def test_another_key_cannot_sign_for_this_address():
    assert refusal(encode(proof_of(signature(OTHER_KEY)))) == "invalid_signature"


def test_a_proof_of_another_wallet_does_not_speak_for_this_one():
    own = proof_of(signature(OTHER_KEY, agent=OTHER_WALLET), agent=OTHER_WALLET)
    assert verify(own, agent=OTHER_WALLET).agent == OTHER_WALLET.lower()
    assert refusal(encode(own), agent=WALLET) == "agent_mismatch"


def test_a_proof_for_one_scope_is_no_proof_for_another():
    assert refusal(encode(PROOF), scope="write") == "wrong_scope"
    assert refusal(encode(PROOF | {"scope": "Read"})) == "wrong_scope"


@pytest.mark.parametrize(
    ("altered", "asked"),
    [
        ({"agent": OTHER_WALLET}, {"agent": OTHER_WALLET}),
        ({"scope": "write"}, {"scope": "write"}),
        ({"scope": ""}, {"scope": ""}),
        ({"issuedAt": NOW + 1}, {}),
        ({"issuedAt": NOW - 1}, {}),
        ({"nonce": "0x" + NONCE[::-1].hex()}, {}),
    ],
)
def test_a_field_altered_after_signing_voids_the_signature(altered, asked):
    assert refusal(encode(PROOF | altered), **asked) == "invalid_signature"


@pytest.mark.parametrize(
    "domain",
    [
        DOMAIN | {"name": "Soul Hunt Agent Auth"},
        DOMAIN | {"name": "oneshot agent auth"},
        DOMAIN | {"version": "2"},
        DOMAIN | {"chainId": 8453},
        {"name": DOMAIN["name"]},
    ],
)
def test_a_proof_for_another_domain_is_refused(domain):
    assert refusal(encode(proof_of(signature(domain=domain)))) == "invalid_signature"


def test_the_public_clients_proof_for_another_domain_is_refused():
    header = sign_read_proof(KEY, WALLET, domain_name="Elsewhere Agent Auth")
    assert refusal(header, now=decode(header)["issuedAt"]) == "invalid_signature"


def test_a_proof_of_another_type_is_refused():
    members = TYPES["AgentReadAuth"]
    for other in (members[::-1], members[:3], [*members[:2], {"name": "issuedAt", "type": "uint64"}, members[3]]):
        assert refusal(encode(proof_of(signature(types={"AgentReadAuth": other})))) == "invalid_signature"


# ---- the signature itself


def test_every_single_flipped_bit_of_the_signature_is_refused():
    for bit in range(len(SIGNATURE) * 8):
        flipped = bytearray(SIGNATURE)
        flipped[bit // 8] ^= 1 << bit % 8
        assert refusal(encode(proof_of(bytes(flipped)))) == "invalid_signature", bit


def test_the_high_s_twin_recovers_the_same_wallet_and_is_refused():
    parity = SIGNATURE[64] - 27
    high = ORDER - int.from_bytes(SIGNATURE[32:64])
    twin = SIGNATURE[:32] + high.to_bytes(32)
    keys = [
        PublicKey.from_signature_and_message(rs + bytes([recovery_id]), digest(), hasher=None)
        for rs, recovery_id in ((SIGNATURE[:64], parity), (twin, 1 - parity))
    ]
    assert keys[0] == keys[1]
    for last in (0, 1, 27, 28):
        assert refusal(encode(proof_of(twin + bytes([last])))) == "invalid_signature", last


@pytest.mark.parametrize("last", [2, 3, 4, 26, 29, 30, 35, 37, 38, 255])
def test_any_other_last_byte_is_refused(last):
    assert refusal(encode(proof_of(SIGNATURE[:64] + bytes([last])))) == "invalid_signature"


R, S = int.from_bytes(SIGNATURE[:32]), int.from_bytes(SIGNATURE[32:64])


@pytest.mark.parametrize(
    ("r", "s"),
    [
        (0, S),
        (R, 0),
        (0, 0),
        (ORDER, S),
        (R, ORDER),
        (R, ORDER - 1),
        (R, ORDER // 2 + 1),
        (2**256 - 1, S),
        (R, 2**256 - 1),
        pytest.param(5, S, id="no point of the curve has this x"),
    ],
)
@pytest.mark.parametrize("last", [27, 28])
def test_numbers_that_are_no_signature_are_refused(r, s, last):
    assert refusal(encode(proof_of(r.to_bytes(32) + s.to_bytes(32) + bytes([last])))) == "invalid_signature"


def test_a_signature_that_recovers_the_point_at_infinity_is_refused():
    hashed = int.from_bytes(digest()) % ORDER
    s, parity = (hashed, 0) if hashed <= ORDER // 2 else (ORDER - hashed, 1)
    crafted = GENERATOR_X.to_bytes(32) + s.to_bytes(32)
    with pytest.raises(ValueError, match="failed to recover"):
        PublicKey.from_signature_and_message(crafted + bytes([parity]), digest(), hasher=None)
    assert refusal(encode(proof_of(crafted + bytes([27 + parity])))) == "invalid_signature"


# ---- garbage


def without(name: str) -> dict[str, Any]:
    return {member: value for member, value in PROOF.items() if member != name}


@pytest.mark.parametrize(
    "proof",
    [
        *(without(name) for name in PROOF),
        *(PROOF | {name: None} for name in PROOF),
        *(PROOF | {name: [PROOF[name]]} for name in PROOF),
        *(PROOF | {"issuedAt": value} for value in (True, str(NOW), float(NOW), NOW + 0.5, -1, 2**63, 2**64, 10**400)),
        *(PROOF | {"scope": value} for value in (1, True, "\ud800")),
        *(PROOF | {"agent": value} for value in (1, "", WALLET[2:], WALLET[:-1], WALLET + "0", WALLET + "\n")),
        *(
            PROOF | {"agent": value}
            for value in ("0X" + WALLET[2:], " " + WALLET, WALLET[:-1] + "g", WALLET[:-1] + "٣")
        ),
        *(PROOF | {"nonce": value} for value in (0, "", NONCE.hex(), "0x" + NONCE.hex()[:-1], "0x" + "0" * 66)),
        *(
            PROOF | {"nonce": value}
            for value in ("0x" + NONCE.hex()[:-1] + "_", "0x" + NONCE.hex() + "\n", "00x" + NONCE.hex())
        ),
        *(PROOF | {"signature": value} for value in ("0x", SIGNATURE.hex(), "0x0x" + SIGNATURE.hex())),
        *(PROOF | {"signature": "0x" + value.hex()} for value in (SIGNATURE[:64], SIGNATURE + b"\0")),
        PROOF | {"signature": "0x" + SIGNATURE.hex() + "\n"},
        [],
        [PROOF],
        "read",
        1,
        None,
    ],
    ids=lambda proof: str(proof)[:60] if not isinstance(proof, dict) else None,
)
def test_json_of_another_shape_is_malformed(proof):
    assert refusal(encode(proof)) == "malformed"


RAW = json.dumps(PROOF).encode()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "=",
        "====",
        "A",
        "\0",
        "é",
        "\ud800",
        RAW.decode(),
        encode(PROOF) + "\n",
        " " + encode(PROOF),
        "*" + encode(PROOF),
        encode(PROOF)[:-1],
        encode(PROOF)[: len(encode(PROOF)) // 2],
        base64.b64encode(RAW + b"x").decode(),
        base64.b64encode(RAW[:-1]).decode(),
        base64.b64encode(b"\xff" + RAW).decode(),
        base64.b64encode(RAW.replace(b'"read"', b'"\xff"')).decode(),
    ],
    ids=lambda header: ascii(header[:20]),
)
def test_a_header_that_is_no_base64_of_json_is_malformed(header):
    assert refusal(header) == "malformed"


def test_the_url_alphabet_of_base64_is_not_the_standard_one():
    proof = json.dumps({"hint": "??>>~~"} | PROOF).encode()
    urlsafe = base64.urlsafe_b64encode(proof).decode()
    assert urlsafe != base64.b64encode(proof).decode()
    assert refusal(urlsafe) == "malformed"


@pytest.fixture
def usual_recursion_limit():
    """Python's own limit of 1000, which eth-account's dependencies lift for the whole process."""
    lifted = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(lifted)


@pytest.mark.parametrize("start", [b"[", b'{"x":[', b'{"agent":['])
@pytest.mark.usefixtures("usual_recursion_limit")
def test_json_nested_too_deeply_is_malformed(start):
    assert refusal(base64.b64encode(start + b"[" * 3000).decode()) == "malformed"


def test_a_header_is_measured_before_it_is_decoded():
    def padded(size: int) -> str:
        bare = len(json.dumps(PROOF | {"pad": ""}).encode())
        return encode(PROOF | {"pad": "x" * (size - bare)})

    assert len(padded(3072)) == 4096
    assert verify_proof(padded(3072), agent=WALLET, scope="read", now=NOW).nonce == NONCE
    assert refusal(padded(3073)) == "malformed"


@settings(deadline=None)
@given(st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()))
def test_garbage_raises_nothing_but_invalid_proof(header):
    assert refusal(header) == "malformed"


ODD_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(list(PROOF)), ODD_VALUES, min_size=1))
def test_a_proof_with_odd_values_raises_nothing_but_invalid_proof(odd):
    try:
        proof = verify(PROOF | odd)
    except InvalidProof:
        return
    assert proof == verify(PROOF)


@settings(deadline=None)
@given(st.binary(min_size=65, max_size=65))
def test_random_bytes_are_no_signature(signed):
    assert refusal(encode(proof_of(signed))) == "invalid_signature"


@pytest.mark.parametrize("agent", ["", "0x", "not a wallet", WALLET[:-1], "é" * 42, "\ud800"])
def test_an_agent_that_is_no_wallet_matches_no_proof(agent):
    assert refusal(encode(PROOF), agent=agent) == "agent_mismatch"


# ---- refusals


def test_the_first_reason_that_applies_is_the_one_given():
    asked = {"agent": OTHER_WALLET, "scope": "write", "now": NOW + 301}
    forged = encode(proof_of(signature(OTHER_KEY)))
    assert refusal("?", **asked) == "malformed"
    assert refusal(forged, **asked) == "agent_mismatch"
    assert refusal(forged, **asked | {"agent": WALLET}) == "wrong_scope"
    assert refusal(forged, now=NOW + 301) == "expired"
    assert refusal(forged) == "invalid_signature"


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_reason_says_what_to_do(reason):
    error = InvalidProof(reason)
    assert error.reason == reason
    assert error.message.startswith(("Send ", "Sign "))
    assert error.message.endswith(".")


@pytest.mark.parametrize("header", ["s3cret", encode(PROOF | {"scope": "s3cret"}), encode(PROOF | {"nonce": "s3cret"})])
def test_a_refusal_never_quotes_the_header(header):
    with pytest.raises(InvalidProof) as refused:
        verify_proof(header, agent=WALLET, scope="read", now=NOW)
    assert "s3cret" not in f"{refused.value} {refused.value!r} {refused.value.message}"
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


# ---- addresses


@pytest.mark.parametrize(
    "address",
    [  # the examples of EIP-55
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ],
)
def test_a_checksum_address_follows_eip_55(address):
    assert checksum_address(address) == checksum_address(lower(address)) == checksum_address(upper(address)) == address


@settings(deadline=None)
@given(st.binary(min_size=20, max_size=20))
def test_a_checksum_address_is_the_one_that_eth_utils_writes(raw):
    address = "0x" + raw.hex()
    assert checksum_address(address) == to_checksum_address(address)


@pytest.mark.parametrize("text", [WALLET, lower(WALLET), upper(WALLET), "0x" + "0" * 40])
def test_a_wallet_is_0x_and_40_hex_digits(text):
    assert is_wallet(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "0x", WALLET[2:], WALLET[:-1], WALLET + "0", WALLET + "\n", " " + WALLET, "0X" + WALLET[2:]),
        *("0x" + "g" * 40, "0x" + "٣" * 40, "0x" + "_" * 40, "\ud800"),
    ],
)
def test_anything_else_is_no_wallet(text):
    assert not is_wallet(text)
