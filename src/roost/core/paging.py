"""Cursors: opaque, and good only for the query they were made with.

A cursor is the id of the last message seen, then a MAC over that id and the query's binding (organization, filters and
direction), base64url without padding. A foreign, altered or mismatched one does not verify.
"""

import base64
import binascii
import hmac

from roost.core.ids import bytes_of, text_of

_MAC_BYTES = 16
_LENGTH = 16 + _MAC_BYTES


class InvalidCursor(ValueError):
    """The cursor was not made by this server for this query."""


def encode_cursor(key: bytes, binding: str, last_id: str) -> str:
    """The cursor that goes on after `last_id` in the query that `binding` describes."""
    position = bytes_of(last_id)
    return _text(position + _mac(key, binding, position))


def decode_cursor(key: bytes, binding: str, cursor: str) -> str:
    """The id to go on after. Raises InvalidCursor."""
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise InvalidCursor from None
    position, mac = raw[:16], raw[16:]
    if len(raw) != _LENGTH or not hmac.compare_digest(mac, _mac(key, binding, position)):
        raise InvalidCursor
    if _text(raw) != cursor:  # the last character has two bits to spare (RFC 4648, section 3.5)
        raise InvalidCursor
    return text_of(position)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _mac(key: bytes, binding: str, position: bytes) -> bytes:
    return hmac.digest(key, position + binding.encode("utf-8", "surrogatepass"), "sha256")[:_MAC_BYTES]
