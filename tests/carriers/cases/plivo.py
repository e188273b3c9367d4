"""Plivo. What is signed here is signed by Plivo's own library (V3)."""

import json
from typing import Any
from urllib.parse import urlencode

from plivo.utils import signature_v3

from carriers.cases import CONTACT, DEFAULT_TIME, Call, CarrierCase
from roost.core.account import CarrierAccount
from support.carrier_api import Reply
from support.plivo_api import AUTH_ID, AUTH_TOKEN, PlivoApi

NONCE = "05429567804466091622"


def error(text: str) -> bytes:
    return json.dumps({"api_id": "a1", "error": text}).encode()


def signed(payload: dict[str, str], url: str, token: str, *, nonce: str = NONCE) -> Call:
    form = urlencode(payload, errors="surrogatepass")
    values = {
        name: value.encode(errors="surrogatepass").decode(errors="surrogateescape") for name, value in payload.items()
    }
    text = bytearray(signature_v3.construct_get_url(url, {}, not payload))
    text += signature_v3.get_sorted_params_string(values).encode(errors="surrogateescape") + b"." + nonce.encode()
    # The library's own last step takes text alone; these are its bytes.
    signature = signature_v3.encode(signature_v3.sign(token.encode(), bytes(text), signature_v3.sha256).digest())
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Plivo-Signature-V3": signature.decode().strip(),
        "X-Plivo-Signature-V3-Nonce": nonce,
    }
    return Call(form.encode(), headers)


class Plivo(CarrierCase):
    NAME = "plivo"
    SECRETS = {"auth_token": [AUTH_TOKEN], "auth_id": AUTH_ID}
    RECEIVE_ONLY = {"auth_token": [AUTH_TOKEN]}
    ROTATED = {"auth_token": ["f" * 40, AUTH_TOKEN]}
    ANSWER = 204
    SIGNS_URL = True
    STATUSES = {
        "queued": "sending",
        "sent": "sent",
        "delivered": "delivered",
        "undelivered": "undelivered",
        "failed": "failed",
        "rejected": "failed",
        "read": "read",
    }
    OPTED_OUT_STATUS = ("failed", "200")
    UNKNOWN = {"MessageUUID": "u1", "Status": "transmogrified", "From": "15551112222"}
    OWN_MEDIA = ("https://media.plivo.com/Account/MA/Message/1/Media/2", "https://api.plivo.com/v1/Account/MA/Media/2")
    FOREIGN_MEDIA = ("https://media.plivo.com.example.com/a", "https://evil.plivo.com/a", "https://mediaplivo.com/a")
    API = PlivoApi
    REFUSALS = {
        "a number that is none": (Reply(400, error("dst is invalid")), "HTTP_400"),
        "a refusal that is no JSON": (Reply(404, b"<html>"), "HTTP_404"),
    }
    UNREADABLE = {"no ids": b'{"message_uuid": []}', "an id that is none": b'{"message_uuid": [7]}'}

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
        payload = {
            "From": sender.removeprefix("+"), "MessageIntent": "", "MessageUUID": message_id, "PowerpackUUID": "",
            "To": to.removeprefix("+"), "TotalAmount": "0", "TotalRate": "0", "Type": "mms" if media else "sms",
            "Units": "1", "Body" if media else "Text": body,
        }  # fmt: skip
        if media:
            payload |= {"MediaCount": str(len(media)), **{f"Media{n}": url for n, url in enumerate(media, start=1)}}
        return {name: value for name, value in payload.items() if value is not None}

    def status(self, word: str, message_id: str, to: str, sender: str, code: str | None = None) -> Any:
        return {
            "From": sender.removeprefix("+"), "MessageUUID": message_id, "ParentMessageUUID": message_id, "Status": word,
            "To": to.removeprefix("+"), "Type": "sms", "Units": "1", "ErrorCode": code or "000", "MCC": "310",
        }  # fmt: skip

    def call(self, payload: Any, url: str, account: CarrierAccount) -> Call:
        return signed(payload, url, account.every("auth_token")[-1])

    def forged(self, payload: Any, url: str, account: CarrierAccount) -> dict[str, Call]:
        good = signed(payload, url, AUTH_TOKEN)
        nonce = "X-Plivo-Signature-V3-Nonce"
        return {
            "no signature": good._replace(headers={}),
            "an empty one": good._replace(headers={"X-Plivo-Signature-V3": "", nonce: NONCE}),
            "no nonce": good._replace(headers={k: v for k, v in good.headers.items() if k != nonce}),
            "another nonce": good._replace(headers={**good.headers, nonce: "1"}),
            "another token's": signed(payload, url, "e" * 40),
            "of another URL": signed(payload, url + "x", AUTH_TOKEN),
            "one field more": good._replace(body=good.body + b"&Extra=1"),
            "of version 2": good._replace(
                headers={name.replace("V3", "V2"): value for name, value in good.headers.items()}
            ),
        }


CASE = Plivo()
