"""What a number or a sender looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.numbers import is_e164, is_sender, is_sender_name, is_short_code, repair_plus


@pytest.mark.parametrize("text", ["+1", "+15554443333", "+447700900123", "+123456789012345", "+999"])
def test_a_plus_and_up_to_15_digits_is_a_number_whatever_a_numbering_plan_says(text: str) -> None:
    assert is_e164(text)
    assert is_sender(text)


@pytest.mark.parametrize(
    "text",
    ["", "+", "15554443333", "+05554443333", "+1555444333322221", "++1555", "+1 555 444 3333", "+1-555-444-3333"]
    + [
        " +15554443333",
        "+15554443333 ",
        "+15554443333\n",
        "+1555444333x",
        "+١٥٥٥٤٤٤٣٣٣٣",
        "＋15554443333",
        "+１５５５",
    ],
)
def test_anything_else_is_not_a_number(text: str) -> None:
    assert not is_e164(text)


@pytest.mark.parametrize(("text", "expected"), [("911", True), ("68849", True), ("12345678", True), ("12", False)])
def test_a_short_code_has_3_to_8_digits(text: str, expected: bool) -> None:
    assert is_short_code(text) is expected


@pytest.mark.parametrize("text", ["١٢٣٤٥", "6884x", "+68849", "688 49", "68849\n", "123456789", ""])
def test_a_short_code_is_nothing_but_digits(text: str) -> None:
    assert not is_short_code(text)


@pytest.mark.parametrize(
    "text",
    ["SUPPORT", "Anonymous", "anna@example.org", "T-Mobile", "O2", "Müller & Co", "アリス", "x", "x" * 255, "7-Eleven"],
)
def test_a_name_has_a_letter(text: str) -> None:
    assert is_sender_name(text)
    assert is_sender(text)


@pytest.mark.parametrize("text", ["1", "68849", "15554443333", "123456789012345"])
def test_one_can_look_for_digits_alone(text: str) -> None:
    assert is_sender(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n", "x\n", "a\x00b", "a\x7fb", "a\x85b", "a\ud800", "x" * 256, "1" * 16, "+1 (555) 444-3333", "+12ab"]
    + ["555-444-3333", "(555) 444 3333", "+", "+0", "***", " 15554443333"],
)
def test_what_could_find_nothing_is_not_looked_for(text: str) -> None:
    assert not is_sender(text)


@pytest.mark.parametrize(
    ("value", "repaired"),
    [(" 15554443333", "+15554443333"), ("+15554443333", "+15554443333"), ("  15554443333", "  15554443333")]
    + [("68849", "68849"), (" SUPPORT", " SUPPORT"), ("", ""), (" ", " "), (" 1555 ", " 1555 "), (" ١٢٣", " ١٢٣")],
)
def test_a_plus_that_became_a_space_is_repaired(value: str, repaired: str) -> None:
    assert repair_plus(value) == repaired


@given(st.text(st.characters(codec=None)))
def test_no_text_raises(text: str) -> None:
    for question in (is_e164, is_short_code, is_sender_name, is_sender, repair_plus):
        question(text)
