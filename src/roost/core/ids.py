"""Identifiers: a message's UUIDv7 is also its position in the organization's one order.

Layout (RFC 9562, section 5.7): 48 bits of Unix milliseconds, version 7, `rand_a` = the microsecond within that
millisecond (0-999; section 6.2 lets `rand_a` carry a finer clock), variant, 62 random bits. So the microsecond at which
a message was received can be read from its id without loss, and ids sort as times do.

In Python an id is its canonical text (36 characters, lower case); in the database it is 16 bytes.
"""

import re
from functools import lru_cache
from typing import Any

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {digit: value for value, digit in enumerate(_CROCKFORD)}
# Two digits at a time: a page of dialect B writes twenty to a hundred of these.
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_SHIFTS = range(120, -1, -10)
_DIGIT_OF_BYTE = (_CROCKFORD * 8).encode()
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", re.ASCII)  # 26 digits hold 130 bits, so the first is 7 at most
_MAX_US = (1 << 48) * 1000 - 1

RANDOM_BITS = 62
ULID_RANDOM_BYTES = 16
FIRST_ID = "00000000-0000-0000-0000-000000000000"
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


def uuid7(position_us: int, random: int) -> str:
    """The id at `position_us` (microseconds since 1970) with `random` (62 bits) as its tail."""
    millisecond, microsecond = divmod(position_us, 1000)
    bits = millisecond << 80 | 7 << 76 | microsecond << 64 | 2 << 62 | random
    return text_of(bits.to_bytes(16, "big"))


def position_of(message_id: str) -> int:
    """The microsecond since 1970 that `message_id` encodes."""
    return position_in(bytes_of(message_id))


def position_in(raw: bytes) -> int:
    """The same, of an id's 16 bytes."""
    high = int.from_bytes(raw[:8], "big")
    return (high >> 16) * 1000 + (high & 0xFFF)


def floor_of(position_us: int) -> str:
    """Greater than every id before `position_us` and smaller than every id at or after it; itself never a message's."""
    millisecond, microsecond = divmod(min(max(position_us, 0), _MAX_US), 1000)
    return text_of((millisecond << 80 | 7 << 76 | microsecond << 64).to_bytes(16, "big"))


def parse_uuid(text: str) -> str | None:
    """The canonical form of a UUID in either case, or None."""
    lowered = text.lower()
    return lowered if _CANONICAL.fullmatch(lowered) else None


def text_of(raw: bytes) -> str:
    """16 bytes as canonical text."""
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def id_text(value: Any) -> str:
    """An id as a database returns it (16 bytes, or a UUID), as canonical text."""
    return text_of(value) if type(value) is bytes else str(value)


def bytes_of(text: str) -> bytes:
    """Canonical text as 16 bytes."""
    return bytes.fromhex(text.replace("-", ""))


def ulid_of(text: str) -> str:
    """The same 128 bits as 26 characters of Crockford's base 32, which is how dialect B shows them."""
    return _crockford(int.from_bytes(bytes_of(text), "big"), 13)


def parse_ulid(ulid: str) -> str | None:
    """The canonical UUID text of an upper-case ULID, or None."""
    if not _ULID.fullmatch(ulid):
        return None
    bits = 0
    for digit in ulid:
        bits = bits << 5 | _VALUES[digit]
    return text_of(bits.to_bytes(16, "big"))


def new_ulid(now_us: int, random: bytes) -> str:
    """A ULID of the millisecond and `ULID_RANDOM_BYTES` random bytes, for what is not a message (a request).

    Each byte gives one digit, five of its bits: so it is one step for all of them.
    """
    return _millisecond(now_us // 1000) + random.translate(_DIGIT_OF_BYTE).decode("ascii")


@lru_cache(maxsize=16)
def _millisecond(count: int) -> str:
    """The ten digits of the time, which the requests of a millisecond share: 50 bits for its 48."""
    return _crockford(count & (1 << 48) - 1, 5)


def _crockford(bits: int, pairs: int) -> str:
    return "".join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS[-pairs:]])
