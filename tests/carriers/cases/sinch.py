"""Sinch, whose callbacks are signed here; it may come with Basic credentials as well."""

import json
from typing import Any

from carriers.cases import CONTACT, DEFAULT_TIME, Call, CarrierCase
from roost.core.account import CarrierAccount
from roost.server import now_us
from support import sinch as wire
from support.basic_calls import basic_forged
from support.carrier_api import Reply
from support.sinch_api import SinchApi

_DAY_US = 24 * 3600 * 1_000_000


def error(code: str) -> bytes:
    return json.dumps({"code": code, "text": "it says why"}).encode()


class Sinch(CarrierCase):
    NAME = "sinch"
    SECRETS = wire.secrets(service_plan_id=wire.PLAN, api_token=[wire.TOKEN])
    RECEIVE_ONLY = wire.secrets()
    ROTATED = {"webhook_secret": [wire.OTHER_SECRET, wire.SECRET]}
    RECEIVED_AT = "2026-04-26T12:01:00.247Z"
    STATUSES = {
        "Queued": "sending",
        "Dispatched": "sent",
        "Delivered": "delivered",
        "Aborted": "failed",
        "Cancelled": "failed",
        "Rejected": "failed",
        "Failed": "undelivered",
        "Expired": "undelivered",
        "Deleted": "undelivered",
        "Unknown": "unconfirmed",
    }
    UNKNOWN = wire.inbound("b-1", "+15551112222", "AGYGAA==", type="mo_binary", udh="050003ed0201")
    API = SinchApi
    REFUSALS = {
        "a number that is none": (Reply(400, error("syntax_invalid_parameter_format")), "syntax_invalid_parameter_format"),
        "another's number": (Reply(403, error("forbidden_number")), "forbidden_number"),
        "a refusal that is no JSON": (Reply(404, b"<html>"), "HTTP_404"),
    }  # fmt: skip
    UNREADABLE = {"an id that is none": b'{"id": 7}'}

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
        changes: dict[str, Any] = {"from": sender.removeprefix("+")}
        if time != DEFAULT_TIME:
            changes["received_at"] = time
        if not media:
            return wire.inbound(message_id, to, body, **changes)
        files = [{"url": url, "content_type": "image/jpeg", "status": "Uploaded", "code": 0} for url in media]
        return wire.inbound(message_id, to, {"message": body, "media": files}, type="mo_media", **changes)

    def status(self, word: str, message_id: str, to: str, sender: str, code: str | None = None) -> Any:
        return wire.recipient_report(to, word, int(code or 0), batch_id=message_id)

    def call(self, payload: Any, url: str, account: CarrierAccount) -> Call:
        body = wire.body(payload)
        return Call(body, _signed(body, now_us()))

    def forged(self, payload: Any, url: str, account: CarrierAccount) -> dict[str, Call]:
        body, now = wire.body(payload), now_us()
        return {
            **basic_forged(payload),
            "another secret's": Call(body, _signed(body, now, wire.OTHER_SECRET)),
            "of another body": Call(body, _signed(body + b" ", now)),
            "older than its last try": Call(body, _signed(body, now - _DAY_US - 60_000_000)),
            "from the future": Call(body, _signed(body, now + 400_000_000)),
        }


def _signed(body: bytes, now: int, secret: str = wire.SECRET) -> dict[str, str]:
    """Without the name of the algorithm, which nothing depends on: there is one."""
    headers = wire.signed(body, now, secret)
    del headers["x-sinch-webhook-signature-algorithm"]
    return headers


CASE = Sinch()
