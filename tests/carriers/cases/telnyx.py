"""Telnyx."""

import json
from typing import Any

from carriers.cases import CONTACT, DEFAULT_TIME, Call, CarrierCase
from roost.core.account import CarrierAccount
from roost.server import now_us
from support import telnyx as wire
from support.carrier_api import Reply
from support.telnyx_api import TelnyxApi


def error(code: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "title": "it says why", "detail": "it says more"}]}).encode()


class Telnyx(CarrierCase):
    NAME = "telnyx"
    SECRETS = wire.secrets(api_key=[wire.API_KEY])
    RECEIVE_ONLY = wire.secrets()
    ROTATED = {"public_key": [wire.public(wire.OTHER_KEY), wire.public(wire.KEY)]}
    RECEIVED_AT = "2026-04-26T12:01:00.247Z"
    STATUSES = {
        "sent": "sent",
        "delivered": "delivered",
        "read": "read",
        "delivery_failed": "undelivered",
        "delivery_unconfirmed": "unconfirmed",
        "expired": "failed",
        "sending_failed": "failed",
    }
    OPTED_OUT_STATUS = ("sending_failed", "40300")
    UNKNOWN = wire.status("message.link_click", "m", {CONTACT: "delivered"})
    API = TelnyxApi
    REFUSALS = {
        "a number that is none": (Reply(422, error("40310")), "40310"),
        "something forbidden": (Reply(403, error("40333")), "40333"),
        "a refusal that is no JSON": (Reply(404, b"<html>"), "HTTP_404"),
    }
    UNREADABLE = {"data that are none": b'{"data": [7]}', "an id that is none": b'{"data": {"id": 7}}'}
    OPTED_OUT = Reply(403, error("40300"))

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
        files = [{"url": url, "content_type": "image/jpeg", "size": 9, "hash_sha256": "0"} for url in media]
        changes: dict[str, Any] = {"media": files, "type": "MMS"} if media else {}
        if time != DEFAULT_TIME:
            changes["received_at"] = time
        event = wire.inbound(
            message_id, to, body, **{"from": {"phone_number": sender, "carrier": "", "line_type": ""}}, **changes
        )
        if time != DEFAULT_TIME:
            event["data"]["occurred_at"] = time
        return event

    def group(self, message_id: str, to: str, recipients: tuple[str, ...]) -> Any | None:
        cc = [{"phone_number": number, "status": "", "carrier": "", "line_type": ""} for number in recipients]
        return wire.inbound(message_id, to, cc=cc, type="MMS")

    def status(self, word: str, message_id: str, to: str, sender: str, code: str | None = None) -> Any:
        event = "message.sent" if word == "sent" else "message.finalized"
        return wire.status(event, message_id, {to: word}, [{"code": code, "title": "it says why"}] if code else [])

    def call(self, payload: Any, url: str, account: CarrierAccount) -> Call:
        body = wire.body(payload)
        return Call(body, wire.signed(body, now_us()))

    def forged(self, payload: Any, url: str, account: CarrierAccount) -> dict[str, Call]:
        body, now = wire.body(payload), now_us()
        good = wire.signed(body, now)
        return {
            "no signature": Call(body, {}),
            "another key's": Call(body, wire.signed(body, now, wire.OTHER_KEY)),
            "of another body": Call(body, wire.signed(body + b" ", now)),
            "stale": Call(body, wire.signed(body, now - 400_000_000)),
            "from the future": Call(body, wire.signed(body, now + 400_000_000)),
            "no timestamp": Call(body, {name: value for name, value in good.items() if name != "telnyx-timestamp"}),
        }


CASE = Telnyx()
