"""JSON Web Tokens (RFC 7519) in the one form that we issue: HS256, compact (RFC 7515)."""

import base64
import hmac
import json
from typing import Any


class InvalidToken(ValueError):
    """The token was not signed with this key, or is none."""


def sign(key: bytes, claims: dict[str, Any]) -> str:
    """The token that says `claims`."""
    payload = json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode()
    signed = f"{_HEADER}.{_text(payload)}"
    return f"{signed}.{_text(_mac(key, signed))}"


def verify(key: bytes, token: str) -> dict[str, Any]:
    """The claims of a token that `sign` made with the same key; whether it has expired is for the caller to see.

    Raises InvalidToken. The header is not asked, so that no token can choose its algorithm (RFC 8725, section 3.1).
    """
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_text(_mac(key, signed)).encode(), signature.encode("utf-8", "replace")):
        raise InvalidToken
    payload = signed.partition(".")[2]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _mac(key: bytes, signed: str) -> bytes:
    return hmac.digest(key, signed.encode("utf-8", "replace"), "sha256")


_HEADER = _text(b'{"alg":"HS256","typ":"JWT"}')
