"""Counted like a carrier: the expected sizes are Twilio's published vectors and 3GPP TS 23.038's tables."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from roost.core.segments import Segments, segments

GSM7_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION = "^{}\\[~]|€\f"
RAINBOW_FLAG = "\U0001f3f3\ufe0f\u200d\U0001f308"

VECTORS = [
    ("", Segments("GSM-7", 1, 0)),
    ("STOP", Segments("GSM-7", 1, 4)),
    ("a" * 160, Segments("GSM-7", 1, 160)),
    ("a" * 161, Segments("GSM-7", 2, 161)),
    ("a" * 306, Segments("GSM-7", 2, 306)),
    ("a" * 307, Segments("GSM-7", 3, 307)),
    ("€" * 80, Segments("GSM-7", 1, 160)),
    ("€" * 80 + "a", Segments("GSM-7", 2, 161)),
    # A joined segment holds 153 septets: 76 pairs, and one septet stays empty.
    ("€" * 152, Segments("GSM-7", 2, 304)),
    ("€" * 153, Segments("GSM-7", 3, 306)),
    ("a" * 152 + "€" + "a" * 152, Segments("GSM-7", 3, 306)),
    ("a" * 151 + "€" + "a" * 153, Segments("GSM-7", 2, 306)),
    ("a" * 152 + "€" + "a" * 151, Segments("GSM-7", 2, 305)),
    ("я" * 70, Segments("UCS-2", 1, 70)),
    ("я" * 71, Segments("UCS-2", 2, 71)),
    ("я" * 134, Segments("UCS-2", 2, 134)),
    ("я" * 135, Segments("UCS-2", 3, 135)),
    ("😂" + "a" * 68, Segments("UCS-2", 1, 70)),
    ("😂" + "a" * 69, Segments("UCS-2", 2, 71)),
    ("🇺🇸", Segments("UCS-2", 1, 4)),
    (RAINBOW_FLAG, Segments("UCS-2", 1, 6)),
    ("😂" * 35, Segments("UCS-2", 1, 70)),
    # A joined segment holds 67 units: 33 pairs, and one unit stays empty.
    ("😂" * 66, Segments("UCS-2", 2, 132)),
    ("😂" * 67, Segments("UCS-2", 3, 134)),
    ("a" * 66 + "😂" + "a" * 66, Segments("UCS-2", 3, 134)),
    ("a" * 65 + "😂" + "a" * 67, Segments("UCS-2", 2, 134)),
]


@pytest.mark.parametrize(("text", "expected"), VECTORS, ids=[f"{text[:1]!r}-{size.units}" for text, size in VECTORS])
def test_a_text_takes_the_segments_that_carriers_bill(text, expected):
    assert segments(text) == expected


def test_every_basic_character_is_one_septet():
    assert len(GSM7_BASIC) == 127
    assert [segments(character) for character in GSM7_BASIC] == [Segments("GSM-7", 1, 1)] * 127


def test_every_extension_character_is_two_septets():
    assert [segments(character) for character in GSM7_EXTENSION] == [Segments("GSM-7", 1, 2)] * 10


@pytest.mark.parametrize("character", ["`", "ç", "’", "“", "–", "—", "\u00a0", "…", "☺", "á", "\t", "\x00", "\x1b"])
def test_a_look_alike_outside_the_table_makes_the_whole_text_ucs2(character):
    assert segments("a" * 69 + character) == Segments("UCS-2", 1, 70)


def test_no_other_character_is_in_the_table():
    table = set(GSM7_BASIC + GSM7_EXTENSION)
    assert {chr(code) for code in range(0x110000) if segments(chr(code)).encoding == "GSM-7"} == table


@pytest.mark.parametrize("surrogate", ["\ud83d", "\ude02"])
def test_a_lone_surrogate_counts_one_unit(surrogate):
    assert segments(surrogate) == Segments("UCS-2", 1, 1)


def test_lone_surrogates_may_part_at_a_segment_boundary():
    assert segments("\ud83d" * 134) == Segments("UCS-2", 2, 134)
    assert segments("\ude02" * 134) == Segments("UCS-2", 2, 134)


def test_a_megabyte_is_counted():
    assert segments("€" * 500_000) == Segments("GSM-7", -(-500_000 // 76), 1_000_000)


TEXTS = (
    st.text(max_size=500) | st.text(alphabet="a€", max_size=500) | st.text(alphabet="aя😂\ud83d\ude02", max_size=300)
)


def packed_one_by_one(text: str) -> Segments:
    """The same count, one character after the other."""
    gsm7 = all(character in GSM7_BASIC + GSM7_EXTENSION for character in text)
    if gsm7:
        sizes = [2 if character in GSM7_EXTENSION else 1 for character in text]
    else:
        # Two lone surrogates that make a pair on the wire are one character there.
        on_the_wire = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        sizes = [2 if ord(character) > 0xFFFF else 1 for character in on_the_wire]
    alone, joined = (160, 153) if gsm7 else (70, 67)
    count, room = 1, alone if sum(sizes) <= alone else joined
    for size in sizes:
        if size > room:
            count, room = count + 1, joined
        room -= size
    return Segments("GSM-7" if gsm7 else "UCS-2", count, sum(sizes))


@given(TEXTS)
@example("a" * 152 + "€" + "a" * 152)
@example("a" * 66 + "\ud83d\ude02" + "a" * 66)
def test_the_count_is_that_of_packing_one_character_after_the_other(text):
    assert segments(text) == packed_one_by_one(text)


@given(TEXTS, TEXTS)
def test_a_longer_text_never_takes_fewer_segments(text, more):
    assert segments(text + more).segment_count >= segments(text).segment_count


@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_string_can_be_counted(text):
    counted = segments(text)
    assert counted.segment_count >= 1
    assert counted.units >= len(text)
