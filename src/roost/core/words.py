"""The words of a text, as they are looked for: without case and accents, and the same whatever the database."""

import re
import unicodedata
from collections.abc import Iterable

#: Of one text; nobody looks for the thousandth word.
MAX_WORDS, MAX_CHARACTERS = 256, 40
#: Scripts that write no spaces: each character counts as a word.
_ALONE = ((0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7AF), (0x20000, 0x3134F))
#: How many of its last digits a number is found by, too: without its country, without its area.
_ENDINGS = (10, 7, 4)
_WORD = re.compile(r"[^\W_]+")
_PUNCTUATION = frozenset("+-.()/ ")


def words_of(text: str) -> tuple[str, ...]:
    """The different words, in order."""
    plain = text.lower()
    if not text.isascii():
        plain = "".join(map(_plain, unicodedata.normalize("NFKD", text).casefold()))
    return tuple(dict.fromkeys(word[:MAX_CHARACTERS] for word in _WORD.findall(plain)))[:MAX_WORDS]


def words_of_contact(contact: str) -> tuple[str, ...]:
    """What a contact is found by: a number by its digits and by its last ones, a name by its words."""
    digits = _digits(contact)
    if not digits:
        return words_of(contact)
    return tuple(dict.fromkeys([digits, *(digits[-count:] for count in _ENDINGS if len(digits) > count)]))


def words_to_find(text: str) -> tuple[str, ...]:
    """What somebody looks for. A number may be written with spaces and punctuation."""
    digits = _digits(text)
    return (digits,) if len(digits) > 2 else words_of(text)


def pieces(text: str, wanted: Iterable[str]) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is a word that begins as one that is wanted does."""
    beginnings = tuple(wanted)
    found: list[tuple[str, bool]] = []
    start = 0
    while start < len(text):
        end = start + 1
        is_word = text[start].isalnum()
        while end < len(text) and text[end].isalnum() == is_word:
            end += 1
        piece = text[start:end]
        found.append((piece, is_word and any(word.startswith(beginnings) for word in words_of(piece))))
        start = end
    return found


def _plain(character: str) -> str:
    if unicodedata.combining(character):
        return ""
    if not character.isalnum():
        return " "
    return f" {character} " if any(first <= ord(character) <= last for first, last in _ALONE) else character


def _digits(text: str) -> str:
    rest = [character for character in text.strip() if character not in _PUNCTUATION]
    return "".join(rest) if rest and all("0" <= character <= "9" for character in rest) else ""
