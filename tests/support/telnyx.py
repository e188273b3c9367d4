"""Telnyx as it calls us: whole payloads, written from its documentation, and signed."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PROFILE = "83d2343b-553f-4c5f-b8c8-fd27004f94bf"
KEY, OTHER_KEY = (Ed25519PrivateKey.from_private_bytes(bytes([each]) * 32) for each in (7, 8))
API_KEY = "KEY0123456789_abcdefghij"


def public(key: Ed25519PrivateKey) -> str:
    """As the portal shows it."""
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def secrets(**more: Any) -> dict[str, Any]:
    """Of an account that receives; `more` for one that sends."""
    return {"public_key": [public(KEY)], **more}


def signed(body: bytes, now: int, key: Ed25519PrivateKey = KEY) -> dict[str, str]:
    """The headers that it signs a body with; `now` in microseconds since 1970."""
    timestamp = str(now // 1_000_000)
    signature = key.sign(timestamp.encode() + b"|" + body)
    return {
        "telnyx-timestamp": timestamp,
        "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
        "content-type": "application/json",
    }


def inbound(message_id: str, to: str, text: str | None = "Hello from Telnyx!", /, **changes: Any) -> dict[str, Any]:
    """message.received; `changes` go into its payload."""
    payload = {
        "cc": [],
        "completed_at": None,
        "cost": {"amount": "0.0000", "currency": "USD"},
        "cost_breakdown": None,
        "direction": "inbound",
        "encoding": "GSM-7",
        "errors": [],
        "from": {"carrier": "T-Mobile USA", "line_type": "long_code", "phone_number": "+13125000000"},
        "id": message_id,
        "is_spam": False,
        "media": [],
        "messaging_profile_id": PROFILE,
        "messaging_profile_name": "Roost",
        "organization_id": "b448f9cc-a842-4784-98e9-03c1a5872950",
        "parts": 1,
        "received_at": "2026-04-26T12:01:00.247+00:00",
        "record_type": "message",
        "sent_at": None,
        "subject": "",
        "tags": [],
        "tcr_campaign_billable": False,
        "tcr_campaign_id": None,
        "tcr_campaign_registered": None,
        "text": text,
        "to": [{"carrier": "Telnyx", "line_type": "Wireless", "phone_number": to, "status": "webhook_delivered"}],
        "type": "SMS",
        "valid_until": None,
        "webhook_failover_url": None,
        "webhook_url": "https://roost.example.com/carriers/telnyx/1",
        **changes,
    }
    return _event("message.received", payload)


def status(
    event: str, message_id: str, to: Mapping[str, str], errors: Sequence[Mapping[str, Any]] = (), **changes: Any
) -> dict[str, Any]:
    """message.sent or message.finalized; `to` is the status of each recipient."""
    payload = {
        "cc": [],
        "completed_at": "2026-04-26T12:05:00.148+00:00",
        "cost": {"amount": "0.0051", "currency": "USD"},
        "cost_breakdown": {
            "carrier_fee": {"amount": "0.00305", "currency": "USD"},
            "rate": {"amount": "0.00205", "currency": "USD"},
        },
        "direction": "outbound",
        "encoding": "GSM-7",
        "errors": list(errors),
        "from": {"carrier": "Telnyx", "line_type": "Wireless", "phone_number": "+15551112222"},
        "id": message_id,
        "media": [],
        "messaging_profile_id": PROFILE,
        "organization_id": "b448f9cc-a842-4784-98e9-03c1a5872950",
        "parts": 1,
        "received_at": "2026-04-26T12:04:58.552+00:00",
        "record_type": "message",
        "sent_at": "2026-04-26T12:04:58.596+00:00",
        "tags": [],
        "tcr_campaign_billable": False,
        "tcr_campaign_id": None,
        "tcr_campaign_registered": None,
        "text": "Hello there!",
        "to": [
            {"carrier": "T-MOBILE USA, INC.", "line_type": "Wireless", "phone_number": number, "status": word}
            for number, word in to.items()
        ],
        "type": "SMS",
        "valid_until": "2026-04-26T13:04:58.552+00:00",
        "webhook_failover_url": None,
        "webhook_url": "https://roost.example.com/carriers/telnyx/1",
        **changes,
    }
    return _event(event, payload)


def body(value: Any) -> bytes:
    """As it is sent."""
    return json.dumps(value).encode()


def _event(event: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "data": {
            "event_type": event,
            "id": "4ee8c3a6-4995-4309-a3c6-38e3db9ea4be",
            "occurred_at": "2026-04-26T12:05:00.148+00:00",
            "payload": payload,
            "record_type": "event",
        },
        "meta": {"attempt": 1, "delivered_to": "https://roost.example.com/carriers/telnyx/1"},
    }
