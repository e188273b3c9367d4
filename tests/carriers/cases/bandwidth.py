"""Bandwidth."""

import json
from typing import Any

from carriers.cases import CONTACT, DEFAULT_TIME, Call, CarrierCase
from roost.core.account import CarrierAccount
from support.bandwidth_api import BandwidthApi
from support.basic_calls import basic_call, basic_forged
from support.carrier_api import CarrierApi, Reply
from support.credentials import BASIC, SECRETS
from support.payloads import bandwidth_inbound, bandwidth_status


def error(kind: str) -> bytes:
    return json.dumps({"type": kind, "description": "it says why"}).encode()


class Bandwidth(CarrierCase):
    NAME = "bandwidth"
    SECRETS = SECRETS
    ROTATED = {"basic": [["carrier", "new"], list(BASIC)]}
    SIGNS_BODY = False
    RECEIVED_AT = "2026-04-26T12:01:00Z"
    STATUSES = {
        "message-sending": "sending",
        "message-sent": "sent",
        "message-delivered": "delivered",
        "message-failed": "failed",
        "message-read": "read",
    }
    OPTED_OUT_STATUS = ("message-failed", "4775")
    UNKNOWN = {"type": "suggestion-response", "message": {"id": "rbm-1"}}
    OWN_MEDIA = ("https://messaging.bandwidth.com/api/v2/users/9900000/media/1/0/a.jpg",)
    FOREIGN_MEDIA = ("https://messaging.bandwidth.com.example.com/a.jpg",)
    API = BandwidthApi
    REFUSALS = {
        "a validation error": (Reply(400, error("request-validation")), "request-validation"),
        "a refusal that is no JSON": (Reply(404, b"<html>"), "HTTP_404"),
    }
    UNREADABLE = {"an id that is none": b'{"id": 7}'}
    OPTED_OUT = Reply(400, error("destination-rejected-due-to-user-opt-out"))

    def secrets(self, api: CarrierApi | None) -> dict[str, Any]:
        return dict(SECRETS)

    def house_options(self, api: CarrierApi | None) -> dict[str, Any]:
        return {"bandwidth_url": f"{api.host_url}/api/v2"} if api else {}

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
        changes = {"time": time} if time != DEFAULT_TIME else {}
        if media:
            changes["media"] = list(media)
        return [bandwidth_inbound(message_id, to, text=body, sender=sender, **changes)]  # type: ignore[arg-type]

    def group(self, message_id: str, to: str, recipients: tuple[str, ...]) -> Any | None:
        payload = bandwidth_inbound(message_id, to)
        payload["message"]["to"] = list(recipients)
        return [payload]

    def status(self, word: str, message_id: str, to: str, sender: str, code: str | None = None) -> Any:
        return [bandwidth_status(word, message_id, to, sender, **({"errorCode": int(code)} if code else {}))]

    def call(self, payload: Any, url: str, account: CarrierAccount) -> Call:
        return basic_call(payload)

    def forged(self, payload: Any, url: str, account: CarrierAccount) -> dict[str, Call]:
        return basic_forged(payload)


CASE = Bandwidth()
