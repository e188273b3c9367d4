"""What is said beforehand of a send: how many segments it takes, and whether and when it would leave."""

from typing import NamedTuple

from roost.api.outbound import parse_send
from roost.api.sender import Sender
from roost.core.outbound import MAX_TEXT
from roost.core.segments import segments
from roost.errors import Refusal
from roost.store.foresight import MOST_AHEAD, Foreseen
from roost.store.pairs import Pair
from roost.web.wording import number as spaced


class Outlook(NamedTuple):
    """`refused` says why it does not go, or is empty; then `note` says what else is to know, and `until` when it leaves."""

    refused: str
    note: str
    until: int | None
    segment_count: int
    encoding: str
    characters: int
    left: int
    """How many characters more there may be at all."""


class Outlooks:
    """Asks what the API would decide."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def of(self, org_id: str, pair: Pair, text: str) -> Outlook:
        """Of a text from a number to a contact; an empty one is not refused for being empty."""
        text = text.replace("\r\n", "\n")
        size = segments(text)
        refused, note, until = "", "", None
        try:
            send = parse_send({"from": pair.number, "to": pair.contact, "text": text or "?"}, org_id)
            foreseen = await self._sender.foresee(send)
            refused = _refused(foreseen, pair)
            if not refused:
                note, until = _noted(foreseen)
        except Refusal as refusal:
            refused = _malformed(refusal, pair)
        count = size.segment_count if text else 0
        return Outlook(refused, note, until, count, size.encoding, len(text), MAX_TEXT - len(text))


def _refused(foreseen: Foreseen, pair: Pair) -> str:
    contact, number = spaced(pair.contact), spaced(pair.number)
    if foreseen.reason == "consent_required" and foreseen.opted_out:
        return f"{contact} opted out. Only a START from their phone lifts that."
    return {
        None: "",
        "consent_required": f"{contact} has neither written first nor agreed to texts from this number.",
        "quiet_hours": f"It is night where {contact} is, and your organization has quiet hours.",
        "not_owned": f"{number} is not one of your numbers any more.",
        "receive_only": f"The carrier account of {number} only receives: add its API credentials to send.",
    }.get(foreseen.reason, "It would not be accepted.")


def _noted(foreseen: Foreseen) -> tuple[str, int | None]:
    if foreseen.state == "held":
        return "They asked in ordinary language to be left alone, so that this waits for an operator.", None
    if foreseen.state == "waiting":
        return "It is night where they are: this leaves", foreseen.due_at
    if foreseen.ahead:
        more = "at least " if foreseen.ahead == MOST_AHEAD else ""
        texts = "text leaves" if foreseen.ahead == 1 else "texts leave"
        return f"This number is busy: {more}{foreseen.ahead} {texts} before this one.", None
    return "", None


def _malformed(refusal: Refusal, pair: Pair) -> str:
    details = refusal.details or {}
    if "to" in details:
        return f"Nobody can answer {pair.contact}: it is a short code or a sender's name, not a number."
    if "text" in details:
        return f"A text has at most {MAX_TEXT} characters, and must be one that can be stored."
    return refusal.message
