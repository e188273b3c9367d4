"""What SMS Gateway for Android delivers, written from its documentation, and how it signs."""

import hashlib
import hmac
import json
from typing import Any

import httpx

from support.house import House, Tenant

KEY = "wAyZsigning"
USER, PASSWORD = "ABCDEF", "hx3p:hu6-y9ujz"
SECRETS = {"signing_key": [KEY, "older"], "api_user": USER, "api_password": PASSWORD}


def event(word: str, payload: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A webhook's body."""
    return {
        "deviceId": "ffffffffceb0b1db0000018e937c815b",
        "event": word,
        "id": "Ey6ECgOkVVFjz3CL48B8C",
        "payload": payload,
        "webhookId": "LreFUt-Z3sSq0JufY9uWB",
        **changes,
    }


def received(
    message_id: str, recipient: str | None, message: str = "Android is always a sweet treat!", **changes: Any
) -> Any:
    """`sms:received`; `changes` go into its payload."""
    payload = {
        "messageId": message_id,
        "message": message,
        "sender": "+15554443333",
        "recipient": recipient,
        "phoneNumber": "+15554443333",
        "simNumber": 1,
        "receivedAt": "2026-06-22T15:46:11.000+07:00",
        **changes,
    }
    return event("sms:received", payload)


def mms_downloaded(message_id: str, recipient: str, **changes: Any) -> Any:
    payload = {
        "messageId": message_id,
        "sender": "+15554443333",
        "recipient": recipient,
        "phoneNumber": "+15554443333",
        "simNumber": 1,
        "body": "Look at this",
        "subject": "Photo",
        "attachments": [{"partId": 7, "contentType": "image/jpeg", "name": "a.jpg", "size": 125684, "data": None}],
        "receivedAt": "2026-08-23T05:15:30.000+07:00",
        **changes,
    }
    return event("mms:downloaded", payload)


def mms_received(message_id: str, recipient: str, **changes: Any) -> Any:
    payload = {
        "messageId": message_id,
        "sender": "+15554443333",
        "recipient": recipient,
        "phoneNumber": "+15554443333",
        "simNumber": 1,
        "transactionId": "T1234567890ABC",
        "subject": "Photo attachment",
        "size": 125684,
        "contentClass": "IMAGE_BASIC",
        "receivedAt": "2026-08-23T05:15:30.000+07:00",
        **changes,
    }
    return event("mms:received", payload)


def status(word: str, message_id: str, contact: str, own: str, **changes: Any) -> Any:
    """`sms:sent`, `sms:delivered` or `sms:failed`."""
    payload = {
        "messageId": message_id,
        "sender": own,
        "recipient": contact,
        "phoneNumber": contact,
        "simNumber": 1,
        f"{word.partition(':')[2]}At": "2026-08-23T05:16:30.000Z",
        **changes,
    }
    return event(word, payload)


def signed(body: bytes, now_us: int, key: str = KEY) -> dict[str, str]:
    timestamp = str(now_us // 1_000_000)
    signature = hmac.new(key.encode(), body + timestamp.encode(), hashlib.sha256).hexdigest()
    return {"X-Signature": signature, "X-Timestamp": timestamp, "Content-Type": "application/json; charset=UTF-8"}


def deliver(house: House, tenant: Tenant, payload: Any, *, query: str = "", **headers: str) -> httpx.Response:
    """POST it to the real URL, signed; `headers` are instead of those, an empty one is left out."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    sent = {**signed(body, house.clock()), **{name.replace("_", "-"): value for name, value in headers.items()}}
    return house.http.post(
        tenant.webhook + query, content=body, headers={name: value for name, value in sent.items() if value}
    )
