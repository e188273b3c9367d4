"""Loopback: a carrier without a telephone network, for the demo, for tests and for trying things out.

A callback is one JSON object or an array of them: `{"id", "from", "to", "text", "media": [url], "time"}`.
"""

from roost.carriers.contract import IntakeRequest, basic_credential_matches
from roost.carriers.fields import instant, items_of, object_of, text, texts
from roost.core.account import CarrierAccount
from roost.core.message import CarrierEvent, InboundEvent, UnknownEvent

NAME = "loopback"


def verify(request: IntakeRequest, account: CarrierAccount) -> bool:
    """Basic credentials, like a real carrier's."""
    return basic_credential_matches(request.headers.get("authorization", ""), account.secrets["basic"])


def parse(request: IntakeRequest) -> list[CarrierEvent]:
    """Every item; one object that stands alone counts as one."""
    return [_event(item) for item in items_of(request.body)] or [UnknownEvent("empty", request.body)]


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
