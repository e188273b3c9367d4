import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.numbers import as_e164, is_e164, is_sender, is_short_code, repair_plus

ANY = st.text(alphabet=st.characters(), max_size=80) | st.from_regex(r"[ +]?[0-9]{0,17}", fullmatch=True)


@pytest.mark.parametrize("text", ["+15554443333", "+1", "+999999999999999", "+447700900123"])
def test_plus_and_up_to_15_digits_is_a_number_whatever_numbering_plans_say(text):
    assert is_e164(text)


@pytest.mark.parametrize(
    "text",
    ["", "+", "15554443333", "+05554443333", "+1555444333322221", "++1555", "+1 555 444 3333", "+1-555-444-3333"]
    + [" +15554443333", "+15554443333 ", "+15554443333\n", "+1555444333x", "+١٥٥٥٤٤٤٣٣٣٣", "＋15554443333", "+１５５５"],
)
def test_anything_else_is_not_a_number(text):
    assert not is_e164(text)


@pytest.mark.parametrize("text", ["911", "12345", "68849", "012345", "12345678"])
def test_three_to_eight_digits_are_a_short_code(text):
    assert is_short_code(text)


@pytest.mark.parametrize("text", ["", "12", "123456789", "+12345", "12 345", "12345\n", "1234a", "١٢٣٤٥", "１２３４５"])
def test_anything_else_is_not_a_short_code(text):
    assert not is_short_code(text)


@pytest.mark.parametrize(
    "text",
    ["+15554443333", "15554443333", "68849", "SUPPORT", "Anonymous", "anna@example.org", "T-Mobile", "O2", "Müller & Co"]
    + ["アリス", "x", "x" * 64, " 15554443333", "123456789012345"],
)
def test_a_text_can_come_from_anything_that_can_be_shown(text):
    assert is_sender(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", "   ", "\u00a0", "\u3000", "x" * 65, "a\x00b", "a\nb", "a\n", "\ta", "a\x7f", "a\x85", "a\x9f", "a\ud83d"],
)
def test_nothing_blank_long_or_unprintable_is_a_sender(text):
    assert not is_sender(text)


@pytest.mark.parametrize(
    ("text", "repaired"),
    [(" 15554443333", "+15554443333"), (" 68849", "+68849")]
    + [(text, text) for text in ("", " ", "  15554443333", " 1555 444", " +15554443333", " SUPPORT", "15554443333")]
    + [(text, text) for text in ("+15554443333", " 15554443333 ", " 15554443333\n", "\t15554443333", " ١٥")],
)
def test_the_space_that_an_unescaped_plus_became_is_a_plus_again(text, repaired):
    assert repair_plus(text) == repaired


@pytest.mark.parametrize(
    ("text", "number"),
    [("+15554443333", "+15554443333"), ("15554443333", "+15554443333"), ("12345678", "+12345678"), ("+1", "+1")]
    + [("9" * 15, "+" + "9" * 15)]
    + [(text, None) for text in ("", "+", "68849", "1234567", "05554443333", "9" * 16, "SUPPORT", "1555444333x")]
    + [(text, None) for text in (" 15554443333", "15554443333\n", "١٥٥٥٤٤٤٣٣٣٣")],
)
def test_the_plus_that_carriers_omit_is_added(text, number):
    assert as_e164(text) == number


@given(ANY)
def test_any_string_gets_an_answer_and_the_answers_agree(text):
    number = as_e164(text)
    assert number is None or (is_e164(number) and number.removeprefix("+") == text.removeprefix("+"))
    assert not (is_e164(text) and is_short_code(text))
    assert is_sender(text) or not (is_e164(text) or is_short_code(text))
    assert repair_plus(repair_plus(text)) == repair_plus(text)


@given(st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True))
def test_a_number_survives_a_lost_plus_either_way(number):
    assert repair_plus(number.replace("+", " ")) == number
    assert as_e164(number.removeprefix("+")) == number
