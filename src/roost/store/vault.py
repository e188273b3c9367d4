"""Secrets at rest: AES-256-GCM under a key that never enters the database."""

import base64
import binascii
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from roost.store.errors import WrongSecretKey

_NONCE_BYTES = 12
_KEY_FILE = "secret.key"


class Vault:
    """Encrypts what must be read again, and derives the other keys that one installation shares."""

    def __init__(self, master: bytes) -> None:
        self._master = master
        self._cipher = AESGCM(self.derive("secrets at rest"))

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose (HKDF, RFC 5869)."""
        return HKDF(hashes.SHA256(), 32, salt=None, info=f"roost: {purpose}".encode()).derive(self._master)

    def encrypt(self, plain: bytes, context: str) -> bytes:
        """`context` says where the secret belongs; it cannot be decrypted elsewhere."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, context.encode())

    def decrypt(self, sealed: bytes, context: str) -> bytes:
        """Raises WrongSecretKey when it was encrypted with another key or for another place."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
        except InvalidTag:
            raise WrongSecretKey("a stored secret does not open with this secret key") from None


def open_vault(data_dir: Path, secret_key: str | None) -> Vault:
    """The vault of `ROOST_SECRET_KEY` (32 bytes in base64) or, without it, of the key file in the data directory.

    The key file is made on first use, readable by its owner only. Raises ValueError for a key that is not 32 bytes.
    """
    return Vault(_decode(secret_key) if secret_key else _key_file(data_dir / _KEY_FILE))


def _decode(text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ValueError("it must be 32 bytes in base64, as `openssl rand -base64 32` makes them")
    return key


def _key_file(path: Path) -> bytes:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Written aside, then linked into place: two processes that start at once end up with one whole key.
        aside = path.with_name(f"{_KEY_FILE}.{secrets.token_hex(8)}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(aside)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    return _decode(path.read_text())
