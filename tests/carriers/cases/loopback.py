"""Loopback."""

from typing import Any

from carriers.cases import CONTACT, DEFAULT_TIME, Call, CarrierCase
from roost.core.account import CarrierAccount
from support.basic_calls import basic_call, basic_forged
from support.credentials import BASIC


class Loopback(CarrierCase):
    NAME = "loopback"
    ROTATED = {"basic": [["carrier", "new"], list(BASIC)]}
    SIGNS_BODY = False
    RECEIVED_AT = "2026-04-26T12:01:00Z"
    UNKNOWN = {"from": CONTACT, "reaction": "heart"}

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
        time = self.RECEIVED_AT if time == DEFAULT_TIME else time
        return {"id": message_id, "from": sender, "to": to, "text": body, "media": list(media), "time": time}

    def group(self, message_id: str, to: str, recipients: tuple[str, ...]) -> Any | None:
        return {"id": message_id, "from": CONTACT, "to": [to, *recipients], "text": "all"}

    def call(self, payload: Any, url: str, account: CarrierAccount) -> Call:
        return basic_call(payload)

    def forged(self, payload: Any, url: str, account: CarrierAccount) -> dict[str, Call]:
        return basic_forged(payload)


CASE = Loopback()
