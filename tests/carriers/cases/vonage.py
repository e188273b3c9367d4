"""Vonage's SMS API: signed by what Vonage's own library signs with, among the fields of the form."""

from typing import Any
from urllib.parse import urlencode

from carriers.cases import CONTACT, DEFAULT_TIME, Call, CarrierCase
from roost.core.account import CarrierAccount
from roost.server import now_us
from support import vonage as wire


def signed(payload: dict[str, str], late_seconds: int = 0, secret: str = wire.SECRET, **changes: str) -> Call:
    fields = {**wire.signed(payload, now_us() - late_seconds * 1_000_000, secret=secret), **changes}
    return Call(urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"})


class Vonage(CarrierCase):
    NAME = "vonage"
    PICTURES = False
    SECRETS = wire.SMS_SECRETS
    ROTATED = {"signature_secret": [wire.OLDER, wire.SECRET]}

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
        return wire.inbound(message_id, to, body or "", msisdn=sender.removeprefix("+"))

    def call(self, payload: Any, url: str, account: CarrierAccount) -> Call:
        return signed(payload)

    def forged(self, payload: Any, url: str, account: CarrierAccount) -> dict[str, Call]:
        return {
            "no signature": signed(payload, sig=""),
            "another secret's": signed(payload, secret="c" * 64),
            "of another text": signed(payload, text="another"),
            "of two days ago": signed(payload, late_seconds=172_800),
            "of tomorrow": signed(payload, late_seconds=-86_400),
            "unsigned": Call(urlencode(payload).encode(), {"Content-Type": "application/x-www-form-urlencoded"}),
        }


CASE = Vonage()
