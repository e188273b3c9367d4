"""Loopback: a carrier without a telephone network, for the demo, for tests and for trying things out.

A callback is one JSON object or an array of them: `{"id", "from", "to", "text", "media": [url], "time"}`. What is sent
arrives at once, nowhere.
"""

from collections.abc import Sequence

from roost.carriers.contract import BASIC, Accepted, Finding, IntakeRequest, LastLook, OutgoingText, verify_basic
from roost.carriers.fields import events_of, instant, object_of, text, texts
from roost.carriers.outside import Outside
from roost.core.account import CarrierAccount
from roost.core.message import CarrierEvent, InboundEvent, ReceiptEvent, UnknownEvent

NAME = "loopback"
FIELDS = BASIC
MENU = ""
METHODS = frozenset({"POST"})
EMPTY_ANSWER = False
OPTED_OUT_CODES: frozenset[str] = frozenset()


#: Like a real carrier.
verify = verify_basic


def parse(request: IntakeRequest) -> list[CarrierEvent]:
    """Every item; one object that stands alone counts as one."""
    return events_of(request.body, _event)


def _event(raw: bytes) -> CarrierEvent:
    try:
        message = object_of(raw)
    except ValueError:
        return UnknownEvent("not_json", raw)
    to_numbers = texts(message.get("to"))
    if not to_numbers:
        return UnknownEvent("unknown_event", raw)
    return InboundEvent(
        carrier_message_id=text(message.get("id")),
        from_number=text(message.get("from")),
        to_numbers=to_numbers,
        body=text(message.get("text")),
        raw=raw,
        recipients=to_numbers,
        media=texts(message.get("media")),
        carrier_received_at=instant(message.get("time")),
    )


def can_send(account: CarrierAccount) -> bool:
    """Always: it takes no credential."""
    return True


def answers_opt_outs(number: str, account: CarrierAccount) -> bool:
    """Never."""
    return False


def media_auth(url: str, account: CarrierAccount) -> tuple[str, str] | None:
    """None: its media are public."""
    return None


async def send(text: OutgoingText, account: CarrierAccount, outside: Outside, last_look: LastLook) -> Accepted:
    """Accepted and delivered at once; the same text has the same id however often it is sent."""
    await last_look()
    carrier_message_id = f"loopback-{text.message_id}"
    receipts = [ReceiptEvent(carrier_message_id, text.to_number, event, b"") for event in ("sent", "delivered")]
    return Accepted(carrier_message_id, tuple(receipts))


async def look_up(text: OutgoingText, sent_at: int, account: CarrierAccount, outside: Outside) -> frozenset[str]:
    """It keeps no record."""
    return frozenset()


#: It keeps no record.
backfill = None


async def check(account: CarrierAccount, numbers: Sequence[str], webhook_url: str, outside: Outside) -> list[Finding]:
    """There is nothing to be wrong."""
    return [Finding(True, "loopback needs nothing from outside: what is sent arrives at once, nowhere")]
