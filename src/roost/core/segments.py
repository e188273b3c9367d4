"""How many billable segments a text takes (3GPP TS 23.038 for the alphabet, TS 23.040 for concatenation)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

# The default alphabet without its escape code, and the extension table, each of whose characters is sent as an escape
# septet and one more. The national tables of 23.038 are left out: no carrier's API here uses them.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
_GSM7 = _BASIC | _EXTENSION
_ESCAPE = "\x1b"
_ESCAPED = {ord(character): _ESCAPE + character for character in _EXTENSION}


@dataclass(frozen=True, slots=True)
class Segments:
    """`units` are septets in GSM-7 and UTF-16 code units in UCS-2, of the text alone: no headers, no padding."""

    encoding: Literal["GSM-7", "UCS-2"]
    segment_count: int
    units: int


def segments(text: str) -> Segments:
    """Return the encoding and size of a text as a carrier counts it; an empty text is one segment. Never raises."""
    return _gsm7(text) if _GSM7.issuperset(text) else _ucs2(text)


def _gsm7(text: str) -> Segments:
    septets = text if _EXTENSION.isdisjoint(text) else text.translate(_ESCAPED)
    count = _count(len(septets), 160, 153, lambda cut: septets[cut - 1] == _ESCAPE)
    return Segments("GSM-7", count, len(septets))


def _ucs2(text: str) -> Segments:
    octets = text.encode("utf-16-be", "surrogatepass")
    # The first octet of a unit tells a high surrogate (D8-DB) and a low one (DC-DF); only together are they a pair.
    count = _count(
        len(octets) // 2, 70, 67, lambda cut: octets[2 * cut - 2] & 0xFC == 0xD8 and octets[2 * cut] & 0xFC == 0xDC
    )
    return Segments("UCS-2", count, len(octets) // 2)


def _count(units: int, alone: int, joined: int, cuts_a_pair: Callable[[int], bool]) -> int:
    """Fill segments from the front: one of `alone` units, or as many of `joined` as it takes (the rest is the header).

    A pair that a full segment would cut in two goes into the next one whole.
    """
    if units <= alone:
        return 1
    count = start = 0
    while start < units:
        cut = start + joined
        start = cut - 1 if cut < units and cuts_a_pair(cut) else cut
        count += 1
    return count
