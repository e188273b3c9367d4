"""Numbers of emergency services, which nobody texts by a program."""

import re

#: As they are dialled, from the national numbering plans (ITU-T E.129); 988 is the lifeline of North America.
_EMERGENCY = frozenset(
    {
        "000", "100", "101", "102", "108", "110", "111", "112", "113", "114", "115", "117", "118", "119", "120", "122",
        "123", "144", "155", "158", "166", "190", "191", "192", "193", "194", "197", "198", "199", "911", "977", "988",
        "991", "992", "993", "994", "995", "997", "998", "999",
    }
)  # fmt: skip
#: As far as a country code and a dialled number go; no subscriber's number is as short.
_LONGEST = 6
_NOT_A_DIGIT = re.compile(r"[^0-9]")


def is_emergency(number: str) -> bool:
    """Tell whether a number, however it is punctuated, is an emergency one: as it is dialled, or after a country code."""
    digits = _NOT_A_DIGIT.sub("", number)
    is_international = number.lstrip().startswith("+") and len(digits) <= _LONGEST
    return digits in _EMERGENCY or (is_international and digits[-3:] in _EMERGENCY)
