"""The first words, which spare most texts the patterns, against the patterns themselves."""

from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from roost.core import optout


def test_the_first_words_are_all_that_a_request_may_begin_with_and_whole() -> None:
    space, *rest = parser.parse(optout._REQUEST.pattern)
    assert space == (codes.LITERAL, ord(" "))
    words = first_words(rest)
    assert {("stop", True), ("unsubscribe", True), ("laissez", True)} <= words
    assert words == {(word, True) for word in optout._FIRST_WORDS}


def first_words(items: Any) -> set[tuple[str, bool]]:
    """What a sequence of parsed items may begin with, each with whether its first word is over there."""
    found = {("", False)}
    for code, argument in items:
        going_on = {word for word, over in found if not over}
        found = {(word, True) for word, over in found if over}
        found |= {(word + more, over) for word in going_on for more, over in beginnings(code, argument)}
    return found


def beginnings(code: Any, argument: Any) -> set[tuple[str, bool]]:
    """The same of one item."""
    if code is codes.LITERAL:
        return {("", True)} if argument == ord(" ") else {(chr(argument), False)}
    if code is codes.IN:
        return {each for item in argument for each in beginnings(*item)}
    if code is codes.BRANCH:
        return {each for branch in argument[1] for each in first_words(branch)}
    if code is codes.SUBPATTERN:
        return first_words(argument[3])
    if code is codes.MAX_REPEAT:
        least, _, repeated = argument
        return first_words(repeated) | ({("", False)} if least == 0 else set())
    if code is codes.AT:
        return {("", True)}
    assert code in (codes.ASSERT, codes.ASSERT_NOT)
    return {("", False)}
