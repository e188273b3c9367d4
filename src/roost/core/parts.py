"""Texts in parts: what is known of one part, and the words of the whole."""

from collections.abc import Mapping
from typing import NamedTuple

from roost.core.message import Draft, PartEvent, UnknownEvent, draft
from roost.core.text import storable

#: A concatenated SMS has at most 255 parts (3GPP TS 23.040, 9.2.3.24.1).
MAX_PARTS = 255
_MAX_REFERENCE = 64


class Part(NamedTuple):
    """One part, with the text that it would be alone."""

    draft: Draft
    reference: str
    total: int
    number: int


def part(event: PartEvent) -> Part | Draft | UnknownEvent:
    """What is decided about a part from itself alone; one whose numbers cannot be is a text of its own."""
    alone = draft(event.text)
    if isinstance(alone, UnknownEvent):
        return alone
    if not 1 <= event.number <= event.total <= MAX_PARTS:
        return alone
    return Part(alone, storable(event.reference)[:_MAX_REFERENCE], event.total, event.number)


def joined(bodies: Mapping[int, str], total: int) -> str:
    """The words in order, by the parts' numbers; where some are missing it says so."""
    return "".join(bodies.get(n, f"[part {n} of {total} is missing]") for n in range(1, total + 1))


def late(number: int, total: int, body: str) -> str:
    """The words of a part that came when the others had already become a message."""
    return f"[part {number} of {total}, which came late] {body}"
