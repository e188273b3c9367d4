"""Wallets: their addresses, and the EIP-712 proof that one holds a wallet's key (https://eips.ethereum.org/EIPS/eip-712)."""

import re
from dataclasses import dataclass

from coincurve import PrivateKey
from Crypto.Hash import keccak as _keccak_256

WALLET = r"\A0x[0-9a-fA-F]{40}\Z"  # \Z, because $ would let a newline follow
_KEY = r"\A(?:0x)?[0-9a-fA-F]{64}\Z"


@dataclass(frozen=True, slots=True)
class AgentProof:
    """What a wallet signs: `agent` is a lower-cased 0x address, `issued_at` Unix seconds, `nonce` 32 bytes."""

    agent: str
    scope: str
    issued_at: int
    nonce: bytes


class Wallet:
    """A wallet's private key: 64 hexadecimal digits, `0x` before them or not. Raises ValueError for what is none."""

    def __init__(self, private_key: str) -> None:
        if re.match(_KEY, private_key) is None:
            raise ValueError("a wallet's key is 64 hexadecimal digits")
        self._key = PrivateKey(bytes.fromhex(private_key.removeprefix("0x")))
        self.address = checksum_address("0x" + address_of(self._key.public_key.format(compressed=False)).hex())

    def sign(self, proof: AgentProof) -> bytes:
        """The 65 bytes of the signature, as Ethereum's clients write them."""
        signature = self._key.sign_recoverable(digest(proof), hasher=None)
        return signature[:64] + bytes([signature[64] + 27])


def is_wallet(text: str) -> bool:
    """Whether `text` is written as a wallet address: 0x and 40 hex digits in any case."""
    return re.match(WALLET, text) is not None


def checksum_address(address: str) -> str:
    """The mixed-case form of a wallet address (https://eips.ethereum.org/EIPS/eip-55)."""
    digits = address[2:].lower()
    mask = keccak(digits.encode()).hex()
    cased = (digit.upper() if mask[at] >= "8" else digit for at, digit in enumerate(digits))
    return "0x" + "".join(cased)


def address_of(public_key: bytes) -> bytes:
    """The 20 bytes of the address that a public key (65 bytes, uncompressed) has."""
    return keccak(public_key[1:])[-20:]


def unhex(text: str) -> bytes:
    """The bytes that `0x` and hexadecimal digits say."""
    return bytes.fromhex(text[2:])


def keccak(data: bytes) -> bytes:
    """Keccak-256, which Ethereum hashes everything with."""
    return _keccak_256.new(data=data, digest_bits=256).digest()


# The domain has neither chainId nor verifyingContract: the proof never goes on a chain.
_DOMAIN_SEPARATOR = keccak(
    keccak(b"EIP712Domain(string name,string version)") + keccak(b"OneShot Agent Auth") + keccak(b"1")
)
_PROOF_TYPE_HASH = keccak(b"AgentReadAuth(address agent,string scope,uint256 issuedAt,bytes32 nonce)")


def digest(proof: AgentProof) -> bytes:
    """The 32 bytes that the wallet signs; EIP-712 pads every member to 32 bytes and hashes strings."""
    members = (
        _PROOF_TYPE_HASH,
        unhex(proof.agent).rjust(32, b"\0"),
        keccak(proof.scope.encode()),
        proof.issued_at.to_bytes(32),
        proof.nonce,
    )
    return keccak(b"\x19\x01" + _DOMAIN_SEPARATOR + keccak(b"".join(members)))
