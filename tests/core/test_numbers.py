import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.numbers import as_e164, is_e164, is_sender, is_short_code, repair_plus

ANY = st.text(alphabet=st.characters(), max_size=80) | st.from_regex(r"[ +]?[0-9]{0,17}", fullmatch=True)


@pytest.mark.parametrize("text", ["+15554443333", "+1", "+999999999999999", "+447700900123"])
def test_plus_and_up_to_15_digits_is_a_number_whatever_numbering_plans_say(text):
    assert is_e164(text)


NOT_A_NUMBER = [
    *("", "+", "15554443333", "+05554443333", "+1555444333322221", "++1555", "+1 555 444 3333", "+1-555-444-3333"),
    *(" +15554443333", "+15554443333 ", "+15554443333\n", "+1555444333x", "+١٥٥٥٤٤٤٣٣٣٣", "＋15554443333", "+１５５５"),
]


@pytest.mark.parametrize("text", NOT_A_NUMBER)
def test_anything_else_is_not_a_number(text):
    assert not is_e164(text)


@pytest.mark.parametrize("text", ["911", "12345", "68849", "012345", "12345678"])
def test_three_to_eight_digits_are_a_short_code(text):
    assert is_short_code(text)


@pytest.mark.parametrize("text", ["", "12", "123456789", "+12345", "12 345", "12345\n", "1234a", "١٢٣٤٥", "１２３４５"])
def test_anything_else_is_not_a_short_code(text):
    assert not is_short_code(text)


SENDERS = [
    *("+15554443333", "15554443333", " 15554443333", "123456789012345", "68849", "SUPPORT", "Anonymous"),
    *("anna@example.org", "T-Mobile", "O2", "Müller & Co", "アリス", "x", "x" * 64),
]


@pytest.mark.parametrize("text", SENDERS)
def test_a_text_can_come_from_anything_that_can_be_shown(text):
    assert is_sender(text)


@pytest.mark.parametrize("text", ["", " ", "   ", "\u00a0", "\u3000"])
def test_a_blank_is_no_sender(text):
    assert not is_sender(text)


@pytest.mark.parametrize("text", ["x" * 65, " " * 64 + "x", "1" * 65])
def test_a_sender_has_64_characters_at_most(text):
    assert not is_sender(text)


@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "a\n", "\ta", "a\x7f", "a\x85", "a\x9f", "a\ud83d"])
def test_a_control_character_or_lone_surrogate_is_in_no_sender(text):
    assert not is_sender(text)


@pytest.mark.parametrize(("text", "repaired"), [(" 15554443333", "+15554443333"), (" 68849", "+68849")])
def test_the_space_that_an_unescaped_plus_became_is_a_plus_again(text, repaired):
    assert repair_plus(text) == repaired


NOT_A_LOST_PLUS = [
    *("", " ", "  15554443333", " 1555 444", " +15554443333", " SUPPORT", "15554443333", "+15554443333"),
    *(" 15554443333 ", " 15554443333\n", "\t15554443333", " ١٥"),
]


@pytest.mark.parametrize("text", NOT_A_LOST_PLUS)
def test_any_other_query_value_stays_as_it_is(text):
    assert repair_plus(text) == text


@pytest.mark.parametrize("digits", ["15554443333", "12345678", "9" * 15])
def test_the_plus_that_carriers_omit_is_added(digits):
    assert as_e164(digits) == "+" + digits


@pytest.mark.parametrize("number", ["+15554443333", "+1"])
def test_a_number_is_kept_as_it_is(number):
    assert as_e164(number) == number


NEVER_A_NUMBER = [
    *("", "+", "68849", "1234567", "05554443333", "9" * 16, "SUPPORT", "1555444333x", " 15554443333"),
    *("15554443333\n", "١٥٥٥٤٤٤٣٣٣٣"),
]


@pytest.mark.parametrize("text", NEVER_A_NUMBER)
def test_what_cannot_be_a_number_is_none(text):
    assert as_e164(text) is None


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
