"""Vonage's Messages API. What is signed here is signed by PyJWT, which Vonage's own library verifies with."""

import json
from typing import Any

from carriers.cases import CONTACT, DEFAULT_TIME, Call, CarrierCase
from roost.core.account import CarrierAccount
from roost.server import now_us
from support import vonage as wire
from support.carrier_api import Reply
from support.vonage_api import VonageMessagesApi


def error(title: str) -> bytes:
    return json.dumps(
        {"type": "https://developer.vonage.com/api-errors", "title": title, "detail": "it says why"}
    ).encode()


def signed(payload: Any, secret: str = wire.SECRET, **changes: Any) -> Call:
    body = json.dumps(payload).encode()
    token = wire.token(body, now_us(), secret, **changes)
    return Call(body, {"Content-Type": "application/json", "Authorization": f"Bearer {token}"})


class VonageMessages(CarrierCase):
    NAME = "vonage_messages"
    SECRETS = {**wire.SMS_SECRETS, "signature_secret": [wire.SECRET]}
    RECEIVE_ONLY = {"signature_secret": [wire.SECRET]}
    ROTATED = {"signature_secret": [wire.OLDER, wire.SECRET]}
    RECEIVED_AT = "2026-01-01T14:00:00Z"
    STATUSES = {
        "submitted": "sent",
        "delivered": "delivered",
        "read": "read",
        "rejected": "failed",
        "undeliverable": "undelivered",
    }
    UNKNOWN = wire.message("u1", "+15551112222", channel="whatsapp")
    OWN_MEDIA = ("https://api-us.nexmo.com/v3/media/1", "https://messages-media.vonage.com/1")
    FOREIGN_MEDIA = (
        "https://nexmo.com.example.com/1",
        "https://evilnexmo.com/1",
        "https://example.com/.nexmo.com",
        "https://api.nexmo.com@example.com/",
    )
    API = VonageMessagesApi
    REFUSALS = {
        "a parameter that is none": (Reply(422, error("Invalid params")), "Invalid params"),
        "no money": (Reply(402, error("Low balance")), "Low balance"),
        "a refusal that is no JSON": (Reply(404, b"<html>"), "HTTP_404"),
    }
    UNREADABLE = {"an id that is none": b'{"message_uuid": 7}'}
    LOOKS_UP = False

    def text(
        self,
        message_id: str,
        to: str,
        *,
        body: str | None = "Hey, check this out!",
        sender: str = CONTACT,
        media: tuple[str, ...] = (),
        time: Any = DEFAULT_TIME,
    ) -> Any:
        changes: dict[str, Any] = {"from": sender.removeprefix("+"), "text": body, "sms": None}
        if media:
            content = [{"type": "image", "url": url} for url in media]
            content[0]["caption"] = body or ""
            changes |= {"channel": "mms", "message_type": "content", "text": None, "content": content}
        if time != DEFAULT_TIME:
            changes["timestamp"] = time
        return wire.message(message_id, to, **changes)

    def status(self, word: str, message_id: str, to: str, sender: str, code: str | None = None) -> Any:
        changes = {"error": {"type": "x", "title": code, "detail": "it says why"}} if code else {}
        return wire.status(message_id, word, to=to.removeprefix("+"), **{"from": sender.removeprefix("+")}, **changes)

    def call(self, payload: Any, url: str, account: CarrierAccount) -> Call:
        return signed(payload)

    def forged(self, payload: Any, url: str, account: CarrierAccount) -> dict[str, Call]:
        good, now = signed(payload), now_us() // 1_000_000
        return {
            "no token": good._replace(headers={}),
            "another secret's": signed(payload, "c" * 64),
            "of another body": good._replace(body=good.body + b" "),
            "of two days ago": signed(payload, iat=now - 172_800),
            "of tomorrow": signed(payload, iat=now + 86_400),
            "without a hash": signed(payload, payload_hash=None),
            "signed otherwise": signed(payload, algorithm="HS512"),
        }


CASE = VonageMessages()
