"""Proof that the caller holds a wallet's key: the `x-agent-proof` header, checked without database or clock.

The header is base64 of the JSON `{agent, scope, issuedAt, nonce, signature}`; the signature is EIP-712
(https://eips.ethereum.org/EIPS/eip-712) over the other four. Whether the wallet is registered and whether the nonce was
used before is for the caller to ask.
"""

import base64
import hmac
from typing import Annotated, Literal

import msgspec
from coincurve import PublicKey

from roost.wallet import WALLET, AgentProof, address_of, digest, unhex

#: How far `issuedAt` may be from our clock, before or after; exactly this far still counts.
PROOF_WINDOW_SECONDS = 300

Reason = Literal["malformed", "agent_mismatch", "wrong_scope", "expired", "invalid_signature", "already_used"]

_MESSAGES: dict[Reason, str] = {
    "malformed": "Send x-agent-proof as base64 of a JSON object with agent, scope, issuedAt, nonce and signature.",
    "agent_mismatch": "Sign the proof for the same wallet that X-Agent-ID names.",
    "wrong_scope": "Sign a new proof for the scope that this route needs: read, write or submit.",
    "expired": f"Sign a new proof: issuedAt must be within {PROOF_WINDOW_SECONDS} seconds of the server's clock.",
    "invalid_signature": "Sign the proof as EIP-712 AgentReadAuth with the key of the wallet that X-Agent-ID names.",
    "already_used": "Sign a new proof with a fresh nonce for every request.",
}


class InvalidProof(Exception):
    """A proof that proves nothing: `reason` is for programs, `message` says what to do; neither quotes the header."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.message = _MESSAGES[reason]


def verify_proof(header: str, *, agent: str, scope: str, now: float) -> AgentProof:
    """Return the proof in `header` if `agent` signed it for `scope` and it is fresh at `now` (Unix seconds).

    Raises InvalidProof with the first reason that applies, in the order of `Reason`, and nothing else.
    """
    signed = _decode(header)
    if signed.agent.lower() != agent.lower():
        raise InvalidProof("agent_mismatch")
    if signed.scope != scope:
        raise InvalidProof("wrong_scope")
    if abs(now - signed.issued_at) > PROOF_WINDOW_SECONDS:
        raise InvalidProof("expired")
    proof = AgentProof(signed.agent.lower(), signed.scope, signed.issued_at, unhex(signed.nonce))
    if not hmac.compare_digest(_signer(digest(proof), unhex(signed.signature)), unhex(proof.agent)):
        raise InvalidProof("invalid_signature")
    return proof


_MAX_HEADER_CHARS = 4096  # ten times what a client sends


class _SignedProof(msgspec.Struct, rename="camel"):
    agent: Annotated[str, msgspec.Meta(pattern=WALLET)]
    scope: str
    issued_at: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    nonce: Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-fA-F]{64}\Z")]
    signature: Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-fA-F]{130}\Z")]


_decoder = msgspec.json.Decoder(_SignedProof)


def _decode(header: str) -> _SignedProof:
    if len(header) > _MAX_HEADER_CHARS:
        raise InvalidProof("malformed")
    try:
        return _decoder.decode(base64.b64decode(header, validate=True))
    except (ValueError, RecursionError):  # every decoding error is a ValueError; deep nesting is a RecursionError
        raise InvalidProof("malformed") from None


# The order of secp256k1's group (SEC 2, section 2.4.1).
_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
# The last byte of a signature is its recovery id, by itself or, as Ethereum's clients write it, plus 27.
_RECOVERY_IDS = {0: b"\0", 1: b"\1", 27: b"\0", 28: b"\1"}


def _signer(digest: bytes, signature: bytes) -> bytes:
    """The 20-byte address whose key made the 65-byte `signature` of `digest`; InvalidProof if there is none."""
    s = int.from_bytes(signature[32:64])
    recovery_id = _RECOVERY_IDS.get(signature[64])
    # Anyone can turn a signature into its twin with order - s; only the one with the low s counts
    # (https://eips.ethereum.org/EIPS/eip-2).
    if recovery_id is None or s > _ORDER // 2:
        raise InvalidProof("invalid_signature")
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + recovery_id, digest, hasher=None)
    except ValueError:  # r or s is zero, r is too large or on no point of the curve, or no key comes out
        raise InvalidProof("invalid_signature") from None
    return address_of(key.format(compressed=False))
