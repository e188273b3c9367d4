"""What a number or a sender looks like: syntax only.

A numbering plan is never asked: texts do come from numbers that no plan calls valid, and nothing may be refused for it.
"""

import re

_E164 = re.compile(r"\+[1-9][0-9]{0,14}")
#: https://www.fcc.gov/consumers/guides/what-toll-free-number
_TOLL_FREE = re.compile(r"\+18(?:00|33|44|55|66|77|88)[0-9]{7}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
# As some carriers write a number, and what a text's sender is when it has no name: digits alone.
_BARE_DIGITS = re.compile(r"[0-9]{1,15}")
_LOST_PLUS = re.compile(r" [0-9]+")
# Has a letter, is no number gone wrong, and has nothing that no database stores or that would disturb a log.
_NAME = re.compile(r"(?!\+)(?=.*[^\W\d_])[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,255}")


def is_e164(text: str) -> bool:
    """Tell whether the text is "+" and 1 to 15 digits, the first of them not 0 (ITU-T E.164)."""
    return _E164.fullmatch(text) is not None


def is_short_code(text: str) -> bool:
    """Tell whether the text is 3 to 8 digits, which covers every country's short codes."""
    return _SHORT_CODE.fullmatch(text) is not None


def is_toll_free(text: str) -> bool:
    """Tell whether the text is a toll-free number of North America, where the network itself handles STOP and START."""
    return _TOLL_FREE.fullmatch(text) is not None


def is_sender_name(text: str) -> bool:
    """Tell whether the text is a name: an alphanumeric sender, "Anonymous", an e-mail address. Nobody can answer it."""
    return _NAME.fullmatch(text) is not None


def is_sender(text: str) -> bool:
    """Tell whether one can look for this as a sender: E.164, a short code or other bare digits, or a name.

    "+1 (555) 444-3333" is none: it would find nothing, so that whoever asks is told how numbers are written.
    """
    return is_e164(text) or is_short_code(text) or bool(_BARE_DIGITS.fullmatch(text)) or is_sender_name(text)


def repair_plus(text: str) -> str:
    """Return a query value with the "+" that decoding turned into a space because the client did not escape it."""
    return "+" + text[1:] if _LOST_PLUS.fullmatch(text) else text


def number_as_entered(text: str, near: str) -> str | None:
    """E.164 of a number as people write it, in the country of the number `near` unless it says another; None if it is none.

    Here a person is at a keyboard and can be asked again, so that a numbering plan is: it finds the slips.
    """
    import phonenumbers

    try:
        region = phonenumbers.region_code_for_country_code(phonenumbers.parse(near).country_code or 0)
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
