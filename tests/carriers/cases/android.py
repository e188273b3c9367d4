"""SMS Gateway for Android: signed by the app's signing key, over the body and the time."""

import json
from typing import Any

from carriers.cases import CONTACT, DEFAULT_TIME, Call, CarrierCase
from roost.core.account import CarrierAccount
from roost.server import now_us
from support import android as wire


def signed(payload: Any, key: str = wire.KEY, late_seconds: int = 0) -> Call:
    body = json.dumps(payload).encode()
    return Call(body, wire.signed(body, now_us() - late_seconds * 1_000_000, key))


class Android(CarrierCase):
    NAME = "android"
    PICTURES = False
    SECRETS = wire.SECRETS
    ROTATED = {"signing_key": ["newer", wire.KEY]}

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
        return wire.received(message_id, to, body or "", sender=sender, phoneNumber=sender)

    def call(self, payload: Any, url: str, account: CarrierAccount) -> Call:
        return signed(payload)

    def forged(self, payload: Any, url: str, account: CarrierAccount) -> dict[str, Call]:
        good = signed(payload)
        return {
            "no signature": good._replace(headers={}),
            "another key's": signed(payload, "another"),
            "of another body": good._replace(body=good.body + b" "),
            "of six minutes ago": signed(payload, late_seconds=360),
            "of six minutes ahead": signed(payload, late_seconds=-360),
        }


CASE = Android()
