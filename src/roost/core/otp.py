"""One-time codes: the code in a verification text, with the service and the domain that the text names.

By rule alone. A line `@example.com #482913` says it exactly (https://wicg.github.io/sms-one-time-codes/). Otherwise a code
is a number, or capital letters and digits, that stands near a word of verification and is nothing else: no price, date,
time, phone number, order, card or house number.
"""

import re
import unicodedata
from typing import Any, NamedTuple

from roost.core.otp_numbers import Candidate, candidates, is_something_else
from roost.core.otp_service import service_of
from roost.core.otp_words import CUE, OFFER, Cue


class Otp(NamedTuple):
    """A one-time code as one types it: of `123-456` and of `G-482913` the digits alone.

    `service` is the sender's name where the text has it, `domain` the lower-case host that the code is bound to.
    """

    code: str
    service: str | None = None
    domain: str | None = None


# No carrier delivers a longer text; this bounds what a hostile one costs.
_EXAMINED = 2048
_MOST_FOUND = 40
#: How far a word is from its code, in characters, at most; each sentence between them counts for many. One that says only
#: that there is a code has to be near.
_REACH, _NEAR, _SENTENCE, _BEHIND = 160, 30, 50, 10


def find_otp(body: str) -> Otp | None:
    """Return the one-time code of a text, or None. Never raises."""
    text = _plain(body[:_EXAMINED])[:_EXAMINED]
    if not any(character.isdigit() for character in text):
        return None
    cues = [_cue(match) for match, _ in zip(CUE.finditer(text), range(_MOST_FOUND), strict=False)]
    is_about_codes = any(cue.kind != "other" for cue in cues)
    bound = _origin_bound(text, is_about_codes=is_about_codes)
    if bound is not None:
        return Otp(bound["code"], service_of(text, cues), bound["host"].lower())
    if not is_about_codes:
        return None
    masked = _without_links(text)
    is_offer = OFFER.search(text) is not None
    rated = [
        (rating, candidate)
        for candidate, _ in zip(candidates(masked), range(_MOST_FOUND), strict=False)
        if (rating := _rating(masked, candidate, cues, is_offer=is_offer)) is not None
    ]
    if not rated:
        return None
    _, best = min(rated, key=lambda each: (each[0], each[1].start))
    return Otp(best.code, service_of(text, cues, best.start, best.end))


# --- The text, made plain.

# A full-width comma would become a plain one, which joins the numbers around it, and a trade mark would become letters.
_APART = {ord("，"): ", ", ord("、"): ", ", ord("™"): None, ord("®"): None}
_DIGIT = re.compile(r"\d")
# What nobody sees: soft hyphens, zero-width and direction characters, variation selectors.
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]+")
_DASHES = re.compile("[\u2010-\u2013\u2212]")


def _plain(text: str) -> str:
    """With ASCII digits, hyphens and punctuation, and without what nobody sees."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text.translate(_APART))
    text = _DASHES.sub("-", _INVISIBLE.sub("", text))
    return _DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0], 0)), text)


# The specification wants it to be the last line; links and hashes for the app follow it about as often.
_BOUND = re.compile(
    r"(?:^|(?P<inline>[ \t]))[ \t]{0,8}@(?P<host>[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.){1,8}[A-Za-z]{2,24})"
    r" #(?P<code>[^\s#%@]{3,24})(?:[ \t]+[@%]\S{1,255})?[ \t]*$",
    re.MULTILINE,
)


def _origin_bound(text: str, *, is_about_codes: bool) -> re.Match[str] | None:
    """The last of them. At the end of other words ("Follow @acme.com #Deal24") the text must speak of a code."""
    found = None
    for match in _BOUND.finditer(text):
        if re.search(r"\d", match["code"]) and (is_about_codes or match["inline"] is None):
            found = match
    return found


_WORD = re.compile(r"\S+")
_LINK = re.compile(r"://|^\W?www\.|[A-Za-z0-9]\.[A-Za-z]{2,24}/|[A-Za-z0-9]@[A-Za-z0-9]", re.IGNORECASE)
# The last word of a text for Android's SMS Retriever: the hash of the app that is to read it.
_APP_HASH = re.compile(r"[A-Za-z0-9+/]{11}")


def _without_links(text: str) -> str:
    """Of the same length, with blanks for addresses and the like, which hold numbers that are no code."""
    last = len(text.rstrip())

    def masked(word: re.Match[str]) -> str:
        is_hash = word.end() == last and _APP_HASH.fullmatch(word[0])
        return " " * len(word[0]) if is_hash or _LINK.search(word[0]) else word[0]

    return _WORD.sub(masked, text)


def _cue(match: re.Match[str]) -> Cue:
    kind: Any = (match.lastgroup or "").removesuffix("_script")
    return Cue(match.start(), match.end(), kind)


# --- How well a candidate goes with the words around it.

_BREAK = re.compile(r"[.!?。!?](?=\s|$)|[。]|\n\s*\n")
_MARKS = r"[\s:=>\"'“”«»‘’„()\[\]*#~-]{0,12}"
_LINK_WORDS = re.compile(
    rf"{_MARKS}(?:(?:is|are|es|est|ist|é|è|er|är|on|to|of|jest|je|to jest|ini|adalah|là|lautet|was|como|sei|является|это"
    rf"|คือ|为|為|是|は|が|은|는|هو|הוא|है|below|here|now|num(?:ber|[ée]ro)?|no){_MARKS}){{0,2}}"
)
# The same with a name before it: "code for Acme is ", "code de vérification Acme : ".
_LINKED = re.compile(r"(?::|(?<![^\W\d_])(?:is|es|est|ist|é|è|är|er|jest|lautet))\s{0,3}$")
_YEAR = re.compile(r"(?:19|20)\d\d")
# A word with a number is what shops make of their offers: SAVE20, FALL2026.
_OFFERED = re.compile(r"[A-Z]{3,}\d{1,4}")


class _Link(NamedTuple):
    """How a candidate hangs together with the nearest word: `distance` in characters, and whether only "is" is between."""

    distance: int
    cue: Cue
    attached: bool
    near: bool


def _rating(text: str, candidate: Candidate, cues: list[Cue], *, is_offer: bool) -> int | None:
    """How far the candidate is from the word that makes it a code; None where it is none."""
    link = None if is_something_else(text, candidate) else _nearest(text, candidate, cues)
    if link is None or link.cue.kind == "other" or link.distance > _REACH:
        return None
    is_weak = link.cue.kind == "weak"
    if is_weak and (is_offer or not link.near):
        return None
    if _YEAR.fullmatch(candidate.code) and not (link.near if link.cue.start > candidate.start else link.attached):
        return None
    if not candidate.is_number:
        fits = link.attached or (not is_weak and link.near and candidate.code.isupper())
        if not fits or (is_weak and _OFFERED.fullmatch(candidate.code)):
            return None
    return link.distance + 15 * is_weak + 5 * (not candidate.is_number)


def _nearest(text: str, candidate: Candidate, cues: list[Cue]) -> _Link | None:
    """The link to the nearest word before or after, one before counting as nearer."""
    links = []
    before = [cue for cue in cues if cue.end <= candidate.start]
    after = [cue for cue in cues if cue.start >= candidate.end]
    if before:
        gap = text[before[-1].end : candidate.start]
        distance = _distance(gap)
        attached = bool(_LINK_WORDS.fullmatch(gap)) or (distance <= _NEAR and bool(_LINKED.search(gap)))
        links.append(_Link(distance, before[-1], attached, attached or distance <= _NEAR))
    if after:
        distance = _distance(text[candidate.end : after[0].start])
        links.append(_Link(distance + _BEHIND, after[0], attached=False, near=distance <= _NEAR))
    return min(links, key=lambda link: link.distance, default=None)


def _distance(gap: str) -> int:
    return len(gap) + _SENTENCE * len(_BREAK.findall(gap))
