"""Identifiers that are positions, in both of their spellings."""

import uuid
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core import ids

POSITIONS = st.integers(0, (1 << 48) * 1000 - 1)
RANDOM = st.integers(0, (1 << 62) - 1)


@given(POSITIONS, RANDOM)
def test_an_id_is_a_uuid7_and_holds_its_position_exactly(us: int, random: int) -> None:
    made = ids.uuid7(us, random)
    parsed = uuid.UUID(made)
    assert (str(parsed), parsed.version, parsed.variant) == (made, 7, uuid.RFC_4122)
    assert ids.position_of(made) == us
    assert parsed.int >> 80 == us // 1000, "RFC 9562 wants milliseconds in the first 48 bits"


@given(POSITIONS, RANDOM, POSITIONS, RANDOM)
def test_ids_sort_as_their_positions_do(a: int, random_a: int, b: int, random_b: int) -> None:
    first, second = ids.uuid7(a, random_a), ids.uuid7(b, random_b)
    if a != b:
        assert (first < second) == (a < b)
        assert (ids.bytes_of(first) < ids.bytes_of(second)) == (a < b)


@given(POSITIONS, RANDOM)
def test_a_floor_lies_below_every_id_of_its_microsecond_and_above_all_before(us: int, random: int) -> None:
    assert ids.floor_of(us) < ids.uuid7(us, random) < ids.floor_of(us + 1) or us == (1 << 48) * 1000 - 1
    assert ids.floor_of(us) < ids.uuid7(us, 0)


@given(st.binary(min_size=16, max_size=16))
def test_text_bytes_and_ulid_are_the_same_128_bits(raw: bytes) -> None:
    text = ids.text_of(raw)
    assert ids.bytes_of(text) == raw
    assert len(ids.ulid_of(text)) == 26
    assert ids.parse_ulid(ids.ulid_of(text)) == text


def test_a_ulid_is_crockford_base_32() -> None:
    # 0x01..., worked out by hand: 128 bits in 26 digits of 5, most significant first.
    assert ids.ulid_of("00000000-0000-0000-0000-000000000021") == "0" * 24 + "11"
    assert ids.ulid_of("ffffffff-ffff-ffff-ffff-ffffffffffff") == "7" + "Z" * 25


@pytest.mark.parametrize(
    "text", ["", "0" * 25, "0" * 27, "8" + "0" * 25, "0" * 25 + "U", "0" * 25 + "I", "0" * 25 + "a", "0" * 25 + "é"]
)
def test_what_is_no_ulid_is_none(text: str) -> None:
    assert ids.parse_ulid(text) is None


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("5A1B2C3D-4E5F-6789-ABCD-EF0123456789", "5a1b2c3d-4e5f-6789-abcd-ef0123456789"),
        ("5a1b2c3d4e5f6789abcdef0123456789", None),
        ("{5a1b2c3d-4e5f-6789-abcd-ef0123456789}", None),
        ("5a1b2c3d-4e5f-6789-abcd-ef012345678", None),
        ("5a1b2c3d-4e5f-6789-abcd-ef0123456789\n", None),
        ("İa1b2c3d-4e5f-6789-abcd-ef0123456789", None),
    ],
)
def test_a_uuid_is_read_in_its_canonical_form_only(text: str, parsed: str | None) -> None:
    assert ids.parse_uuid(text) == parsed


@given(st.integers(0, 1 << 62), st.binary(min_size=ids.ULID_RANDOM_BYTES, max_size=ids.ULID_RANDOM_BYTES))
def test_a_request_id_is_a_ulid(now_us: int, random: bytes) -> None:
    assert ids.parse_ulid(ids.new_ulid(now_us, random)) is not None


def test_every_digit_of_a_request_ids_tail_is_as_likely() -> None:
    tails = "".join(ids.new_ulid(0, bytes(range(at, at + 16)))[10:] for at in range(0, 256, 16))
    assert set(Counter(tails).values()) == {256 // 32}
