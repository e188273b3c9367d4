"""What Vonage's two APIs deliver, written from its documentation, and how its SDK signs."""

import hashlib
import json
from typing import Any, Literal
from urllib.parse import urlencode

import httpx
import jwt
from vonage_http_client.auth import Auth

from support.house import House, Tenant

SECRET, OLDER = "a" * 64, "b" * 64
SMS_SECRETS = {"signature_secret": [SECRET, OLDER], "api_key": "abcd1234", "api_secret": "s3:cret"}
CONTACT = "+447700900001"


def inbound(message_id: str, to: str, text: str = "Hello & = world", **changes: Any) -> dict[str, str]:
    """An SMS, unsigned."""
    return {
        "api-key": "abcd1234",
        "msisdn": CONTACT.removeprefix("+"),
        "to": to.removeprefix("+"),
        "messageId": message_id,
        "text": text,
        "type": "text",
        "keyword": "HELLO",
        "message-timestamp": "2026-01-01 12:00:00",
        **changes,
    }


def parts(name: str, to: str, *texts: str, reference: str = "12") -> list[dict[str, str]]:
    """The parts of one text, in order."""
    return [
        inbound(
            f"{name}-{number}", to, text, concat="true",
            **{"concat-ref": reference, "concat-total": str(len(texts)), "concat-part": str(number)},
        )
        for number, text in enumerate(texts, start=1)
    ]  # fmt: skip


def receipt(message_id: str, status: str, code: str, **changes: Any) -> dict[str, str]:
    return {
        "msisdn": CONTACT.removeprefix("+"),
        "to": "AcmeInc",
        "network-code": "12345",
        "messageId": message_id,
        "price": "0.03330000",
        "status": status,
        "scts": "2601011400",
        "err-code": code,
        "api-key": "abcd1234",
        "message-timestamp": "2026-01-01 12:00:00",
        **changes,
    }


Method = Literal["md5hash", "md5", "sha1", "sha256", "sha512"]


def signed(fields: dict[str, str], now_us: int, method: Method = "sha256", secret: str = SECRET) -> dict[str, str]:
    """As Vonage's SDK signs; what it calls md5hash it cannot make itself any more, so that is done by the documentation."""
    stamped = {**fields, "timestamp": str(now_us // 1_000_000), "nonce": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"}
    if method == "md5hash":
        text = "".join(f"&{key}={stamped[key].replace('&', '_').replace('=', '_')}" for key in sorted(stamped))
        return {**stamped, "sig": hashlib.md5((text + secret).encode()).hexdigest()}
    auth = Auth(api_key="abcd1234", signature_secret=secret, signature_method=method)
    return {**stamped, "sig": auth.sign_params(dict(stamped)).upper()}


def deliver(house: House, tenant: Tenant, fields: dict[str, str], how: str = "form", **options: Any) -> httpx.Response:
    """Signed, by GET, or by POST as a form or JSON."""
    params = signed(fields, house.clock(), **options)
    if how == "get":
        return house.http.get(f"{tenant.webhook}?{urlencode(params)}")
    if how == "json":
        return house.http.post(tenant.webhook, json=params)
    return house.http.post(tenant.webhook, data=params)


def message(message_uuid: str, to: str, **changes: Any) -> dict[str, Any]:
    """The Messages API's inbound SMS; a field that is None is left out."""
    event = {
        "channel": "sms",
        "message_uuid": message_uuid,
        "to": to.removeprefix("+"),
        "from": CONTACT.removeprefix("+"),
        "timestamp": "2026-01-01T14:00:00.000Z",
        "message_type": "text",
        "text": "Hello from Vonage!",
        "sms": {"num_messages": "2", "keyword": "HELLO"},
        "usage": {"currency": "EUR", "price": "0.0333"},
        **changes,
    }
    return {name: value for name, value in event.items() if value is not None}


def status(message_uuid: str, word: str, **changes: Any) -> dict[str, Any]:
    return {
        "message_uuid": message_uuid,
        "to": CONTACT.removeprefix("+"),
        "from": "447700900000",
        "timestamp": "2026-01-01T14:00:00.000Z",
        "status": word,
        "client_ref": "our-id",
        "channel": "sms",
        **changes,
    }


def token(body: bytes, now_us: int, secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    return jwt.encode(
        {
            "iat": now_us // 1_000_000,
            "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
            "iss": "Vonage",
            "payload_hash": hashlib.sha256(body).hexdigest(),
            "api_key": "abcd1234",
            **claims,
        },
        secret,
        algorithm=algorithm,
    )


def deliver_message(house: House, tenant: Tenant, event: Any) -> httpx.Response:
    body = json.dumps(event).encode()
    headers = {"Authorization": f"Bearer {token(body, house.clock())}", "Content-Type": "application/json"}
    return house.http.post(tenant.webhook, content=body, headers=headers)
