"""Sinch as it calls us: whole payloads, written from its SMS API's reference, and signed."""

import base64
import hashlib
import hmac
import json
from typing import Any

SECRET, OTHER_SECRET = "webhook-s3cret", "another-s3cret"
PLAN, TOKEN = "jd63jf88477ll123ab4567cd89012ef3", "t0ken-0123456789"
BATCH = "01FC66621XXXXX119Z8PMV1QPQ"


def secrets(**more: Any) -> dict[str, Any]:
    """Of an account that receives; `more` for one that sends."""
    return {"webhook_secret": [SECRET], **more}


def signed(body: bytes, now: int, secret: str = SECRET) -> dict[str, str]:
    """The headers that it signs a body with; `now` in microseconds since 1970."""
    nonce, timestamp = "01FJA8B4A7BM43YGWSG9GBV067", str(now // 1_000_000)
    digest = hmac.digest(secret.encode(), body + f".{nonce}.{timestamp}".encode(), hashlib.sha256)
    return {
        "x-sinch-webhook-signature-timestamp": timestamp,
        "x-sinch-webhook-signature-nonce": nonce,
        "x-sinch-webhook-signature-algorithm": "HmacSHA256",
        "x-sinch-webhook-signature": base64.b64encode(digest).decode(),
        "content-type": "application/json",
    }


def inbound(message_id: str, to: str, body: Any = "This is a test message.", /, **changes: Any) -> dict[str, Any]:
    """An inbound message: mo_text unless `changes` say otherwise."""
    return {
        "body": body,
        "from": "16051234567",
        "id": message_id,
        "operator_id": "35000",
        "received_at": "2026-04-26T12:01:00.247Z",
        "sent_at": "2026-04-26T12:00:59Z",
        "to": to.removeprefix("+"),
        "type": "mo_text",
        **changes,
    }


def recipient_report(recipient: str, status: str, code: int, **changes: Any) -> dict[str, Any]:
    """Of one recipient."""
    return {
        "at": "2026-04-26T12:05:00.148Z",
        "batch_id": BATCH,
        "client_reference": "ours",
        "code": code,
        "operator_status_at": "2026-04-26T12:04:59Z",
        "recipient": recipient.removeprefix("+"),
        "status": status,
        "type": "recipient_delivery_report_sms",
        **changes,
    }


def batch_report(*statuses: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Of a whole batch."""
    return {
        "batch_id": BATCH,
        "client_reference": "ours",
        "statuses": list(statuses),
        "total_message_count": sum(status.get("count", 1) for status in statuses),
        "type": "delivery_report_sms",
        **changes,
    }


def body(value: Any) -> bytes:
    """As it is sent."""
    return json.dumps(value).encode()
