"""Characters that no person sees and every language model reads: what is written in them is not meant for people."""

import re

# Tags spell ASCII invisibly (Unicode 16, section 23.9); the others have no width, or turn the direction of what follows.
_HIDDEN = re.compile("[\u200b\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
#: The one use that tags have: the flags of England, Scotland and Wales (UTS #51, annex C).
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{2,6}\U000e007f")


def count_hidden(text: str) -> int:
    """How many there are. Those that emoji and scripts are joined with are none."""
    return 0 if text.isascii() else len(_HIDDEN.findall(_FLAG.sub("", text)))
