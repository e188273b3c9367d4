"""What a text is found by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.words import MAX_CHARACTERS, MAX_WORDS, pieces, words_of, words_of_contact, words_to_find


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Can I come in tomorrow, at 7?", ("can", "i", "come", "in", "tomorrow", "at", "7")),
        ("Größe ÉTÉ ﬁn", ("grosse", "ete", "fin")),
        ("again, again", ("again",)),
        ("o'clock e-mail a_b", ("o", "clock", "e", "mail", "a", "b")),
        ("東京に行く", ("東", "京", "に", "行", "く")),
        ("\N{GRINNING FACE} \u202eabc\u200b", ("abc",)),
        ('\'; DROP TABLE "x" *', ("drop", "table", "x")),
        ("", ()),
    ],
)
def test_words_are_without_case_accents_and_whatever_is_between_them(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


def test_a_contact_is_found_by_digits_or_by_name() -> None:
    assert words_of_contact("+14155551234") == ("14155551234", "4155551234", "5551234", "1234")
    assert words_of_contact("68849") == ("68849", "8849")
    assert words_of_contact("Acme Support") == ("acme", "support")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("+1 (415) 555-1234", ("14155551234",)),
        ("555 1234", ("5551234",)),
        ("at 7", ("at", "7")),
        ("42", ("42",)),
        ("---", ()),
    ],
)
def test_a_number_may_be_asked_for_as_people_write_it(text: str, words: tuple[str, ...]) -> None:
    assert words_to_find(text) == words


def test_what_was_looked_for_is_marked_where_it_stands() -> None:
    assert pieces("Été, and again", ("ete", "ag")) == [
        ("Été", True), (", ", False), ("and", False), (" ", False), ("again", True),
    ]  # fmt: skip


@given(st.text(max_size=400))
def test_any_text_has_plain_words_and_pieces_that_make_it_again(text: str) -> None:
    words = words_of(text)
    assert len(words) <= MAX_WORDS
    assert all(0 < len(word) <= MAX_CHARACTERS and word.isalnum() for word in words)
    assert "".join(piece for piece, _ in pieces(text, words)) == text
