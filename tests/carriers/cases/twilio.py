"""Twilio. What is signed here is signed by the validator of Twilio's own library."""

import hmac
import json
from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from carriers.cases import CONTACT, DEFAULT_TIME, Call, CarrierCase
from roost.core.account import CarrierAccount
from support.carrier_api import Reply
from support.twilio_api import ACCOUNT_SID, AUTH_TOKEN, TwilioApi


def error(code: int, status: int = 400) -> bytes:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return json.dumps({"code": code, "message": "it says why", "more_info": more, "status": status}).encode()


def signed(payload: dict[str, str], url: str, token: str, *, method: str = "POST") -> Call:
    # A lone surrogate is encoded as some phones' bytes are: three of them, which are no UTF-8.
    form = urlencode(payload, errors="surrogatepass")
    query = form if method == "GET" else ""
    params = {} if method == "GET" else payload
    full_url = f"{url}?{query}" if query else url
    try:
        signature = RequestValidator(token).compute_signature(full_url, params)
    except UnicodeEncodeError:  # the library signs no lone surrogate
        text = full_url + "".join(name + params[name] for name in sorted(params))
        signature = b64encode(hmac.digest(token.encode(), text.encode(errors="surrogatepass"), "sha1")).decode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    return Call(b"" if query else form.encode(), headers, method, query)


class Twilio(CarrierCase):
    NAME = "twilio"
    SECRETS = {"auth_token": [AUTH_TOKEN], "account_sid": ACCOUNT_SID}
    RECEIVE_ONLY = {"auth_token": [AUTH_TOKEN]}
    ROTATED = {"auth_token": ["f" * 32, AUTH_TOKEN]}
    ANSWER = 204
    SIGNS_URL = True
    STATUSES = {
        "accepted": "sending",
        "queued": "sending",
        "sending": "sending",
        "sent": "sent",
        "delivered": "delivered",
        "undelivered": "undelivered",
        "failed": "failed",
        "canceled": "failed",
        "read": "read",
    }
    OPTED_OUT_STATUS = ("undelivered", "21610")
    UNKNOWN = {"MessageSid": "SM1", "MessageStatus": "transmogrified", "From": CONTACT}
    OWN_MEDIA = (
        f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/MM1/Media/ME1",
        f"https://api.dublin.ie1.twilio.com/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/MM1/Media/ME1",
    )
    FOREIGN_MEDIA = (
        "https://api.twilio.com.example.com/a.jpg",
        "https://apitwilio.com/a.jpg",
        "https://evil.twilio.com/a.jpg",
        "https://mms.twiliocdn.com/a.jpg",
        "https://api.twilio.com@example.com/a.jpg",
    )
    API = TwilioApi
    REFUSALS = {
        "a number that is none": (Reply(400, error(21211)), "21211"),
        "a region": (Reply(400, error(21408)), "21408"),
        "a refusal that is no JSON": (Reply(404, b"<html>"), "HTTP_404"),
    }
    UNREADABLE = {"a SID that is none": b'{"sid": 7}'}
    OPTED_OUT = Reply(400, error(21610))

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
            "ToCountry": "US", "ToState": "NC", "SmsMessageSid": message_id, "NumMedia": str(len(media)), "ToCity": "",
            "FromZip": "27601", "SmsSid": message_id, "FromState": "NC", "SmsStatus": "received", "FromCity": "RALEIGH",
            "Body": body, "FromCountry": "US", "To": to, "MessagingServiceSid": "MG1", "ToZip": "", "NumSegments": "1",
            "MessageSid": message_id, "AccountSid": ACCOUNT_SID, "From": sender, "ApiVersion": "2010-04-01",
        }  # fmt: skip
        payload |= {f"MediaUrl{n}": url for n, url in enumerate(media)}
        payload |= {f"MediaContentType{n}": "image/jpeg" for n, _ in enumerate(media)}
        return {name: value for name, value in payload.items() if value is not None}

    def status(self, word: str, message_id: str, to: str, sender: str, code: str | None = None) -> Any:
        return {
            "SmsSid": message_id, "SmsStatus": word, "MessageStatus": word, "To": to, "MessageSid": message_id,
            "AccountSid": ACCOUNT_SID, "From": sender, "ApiVersion": "2010-04-01", **({"ErrorCode": code} if code else {}),
        }  # fmt: skip

    def call(self, payload: Any, url: str, account: CarrierAccount) -> Call:
        return signed(payload, url, account.every("auth_token")[-1])

    def forged(self, payload: Any, url: str, account: CarrierAccount) -> dict[str, Call]:
        good = signed(payload, url, AUTH_TOKEN)
        return {
            "no signature": good._replace(headers={}),
            "an empty one": good._replace(headers={"X-Twilio-Signature": ""}),
            "another token's": signed(payload, url, "e" * 32),
            "of another URL": signed(payload, url + "x", AUTH_TOKEN),
            "of a GET": signed(payload, url, AUTH_TOKEN, method="GET")._replace(
                method="POST", body=good.body, query=""
            ),
            "one field more": good._replace(body=good.body + b"&Extra=1"),
            "another algorithm": good._replace(
                headers={**good.headers, "X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_MD5"}
            ),
        }


CASE = Twilio()
