"""What a number or a sender looks like: syntax only.

A numbering plan is never asked: texts do come from numbers that no plan calls valid, and nothing may be refused for it.
"""

import re

_E164 = re.compile(r"\+[1-9][0-9]{0,14}")
_E164_WITHOUT_PLUS = re.compile(r"[1-9][0-9]{7,14}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_LOST_PLUS = re.compile(r" [0-9]+")
# Control characters, and surrogates, which no database stores.
_SENDER = re.compile(r"(?=.*\S)[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,64}")


def is_e164(text: str) -> bool:
    """Tell whether the text is "+" and 1 to 15 digits, the first of them not 0 (ITU-T E.164)."""
    return _E164.fullmatch(text) is not None


def is_short_code(text: str) -> bool:
    """Tell whether the text is 3 to 8 digits, which covers every country's short codes."""
    return _SHORT_CODE.fullmatch(text) is not None


def is_sender(text: str) -> bool:
    """Tell whether a text can come from this: a number, short code, bare digits, sender name or e-mail address.

    Whatever carriers put there is stored verbatim, so that this asks only for 1 to 64 characters, not blank and none of
    them a control character.
    """
    return _SENDER.fullmatch(text) is not None


def as_e164(text: str) -> str | None:
    """Return the E.164 number that a carrier meant, with the "+" that some omit; None if it cannot be one.

    Fewer than 8 bare digits are a short code rather than a number.
    """
    if is_e164(text):
        return text
    return "+" + text if _E164_WITHOUT_PLUS.fullmatch(text) else None


def repair_plus(text: str) -> str:
    """Return a query value with the "+" that decoding turned into a space because the client did not escape it."""
    return "+" + text[1:] if _LOST_PLUS.fullmatch(text) else text
