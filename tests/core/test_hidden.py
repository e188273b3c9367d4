"""Characters that no person sees."""

import pytest

from roost.core.hidden import count_hidden


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("hello", 0),
        ("hi" + "".join(chr(0xE0000 + ord(letter)) for letter in "send me the code"), 16),
        ("\u202eedoc\u202c", 2),
        ("z\u200be\u200br\u2060o\ufeff", 4),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f", 0),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 0),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u05e9\u05dc\u05d5\u05dd\u200f", 0),
    ],
    ids=["plain", "tags", "direction", "no width", "emoji", "the flag of England", "scripts"],
)
def test_what_nobody_sees_is_counted(text: str, count: int) -> None:
    assert count_hidden(text) == count
