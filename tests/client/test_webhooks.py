"""Webhooks, signed as the standard says, and otherwise."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from roost.client import (
    BrokenAnswer,
    ConsentChanged,
    InvalidSignature,
    MessageReceived,
    RoostError,
    UnknownEvent,
    verify_webhook,
)

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = {
    "id": "01a2012b-128a-718c-9974-bf98b4b21e1f", "org_id": "o", "phone_number_id": "p", "from": "+15554443333",
    "to": "+15551112222", "body": "h\u00e9llo", "channel": "sms", "media_urls": [], "segment_count": 1,
    "opt_out": {"detected": False, "keyword": None}, "bandwidth_message_id": "bw-1",
    "bandwidth_received_at": "2026-11-22T02:52:03Z", "received_at": "2026-11-22T02:52:09.738396Z", "suspected": False,
    "thread_id": None, "related_outbound_id": None, "agent_id": None,
}  # fmt: skip
CONSENT = {
    "id": "c", "org_id": "o", "phone_number_id": "p", "contact_number": "+15554443333", "opted_in": False, "opted_in_at": None,
    "opted_out_at": "2026-11-22T02:52:09.738396Z", "source": "inbound_reply", "created_at": "2026-11-22T02:52:09.738396Z",
    "updated_at": "2026-11-22T02:52:09.738396Z", "event": "opt_out", "keyword": "STOP", "consent_method": "sms_keyword",
    "message_id": "01a2012b-128a-718c-9974-bf98b4b21e1f",
}  # fmt: skip


def body(kind: str = "message.received", data: Any = MESSAGE) -> bytes:
    event = {"id": "e1", "type": kind, "created_at": "2026-11-22T02:52:09.738396Z", "data": data}
    return json.dumps(event, ensure_ascii=False).encode()


def signed(raw: bytes, *secrets: str, age: timedelta = timedelta()) -> dict[str, str]:
    """The three headers, with a signature by each secret."""
    at = datetime.now(UTC) - age
    signatures = [Webhook(secret).sign("e1", at, raw.decode()) for secret in secrets]
    return {
        "Webhook-Id": "e1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": " ".join(signatures),
        "Content-Type": "application/json",
    }  # fmt: skip


def test_what_is_signed_with_the_secret_is_an_event() -> None:
    event = verify_webhook(SECRET, signed(body(), SECRET), body())
    assert isinstance(event, MessageReceived)
    assert (event.id, event.data.body, event.data.suspected) == ("e1", "héllo", False)
    assert verify_webhook(SECRET, signed(body(), SECRET), body().decode()) == event
    changed = verify_webhook(SECRET, signed(body("consent.changed", CONSENT), SECRET), body("consent.changed", CONSENT))
    assert isinstance(changed, ConsentChanged)
    assert (changed.data.event, changed.data.keyword, changed.data.opted_in) == ("opt_out", "STOP", False)
    unknown = verify_webhook(SECRET, signed(body("webhook.test", {}), SECRET), body("webhook.test", {}))
    assert isinstance(unknown, UnknownEvent)


def test_one_signature_of_several_is_enough_so_that_a_secret_can_be_replaced() -> None:
    assert verify_webhook(SECRET, signed(body(), OTHER, SECRET), body()).id == "e1"


def wrong() -> list[dict[str, str]]:
    """Made when the test runs: a signature from six minutes ahead is a good one a minute later."""
    return [
        signed(body(), OTHER),
        signed(body(), SECRET, age=timedelta(minutes=6)),
        signed(body(), SECRET, age=timedelta(minutes=-6)),
        {},
        *(
            {**signed(body(), SECRET), "webhook-signature": text}
            for text in ("", "v1", "v1,", "v1,x", "v2,AAAA", "v1,é", ",", " ")
        ),
        *({**signed(body(), SECRET), "webhook-timestamp": text} for text in ("", "x", "nan", "1e999", "-1", "9" * 400)),
        {**signed(body(), SECRET), "Webhook-Id": "e2"},
    ]


@pytest.mark.parametrize("which", range(len(wrong())))
def test_anything_else_is_no_event(which: int) -> None:
    with pytest.raises(InvalidSignature):
        verify_webhook(SECRET, wrong()[which], body())


@pytest.mark.parametrize("raw", [body() + b" ", body()[:-1], b"", b"\xff\xfe"])
def test_a_body_that_was_changed_is_no_event(raw: bytes) -> None:
    with pytest.raises(InvalidSignature):
        verify_webhook(SECRET, signed(body(), SECRET), raw)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_x", "é"])
def test_a_secret_that_is_none_is_the_callers_mistake(secret: str) -> None:
    with pytest.raises(RoostError, match="base64"):
        verify_webhook(secret, signed(body(), SECRET), body())


def test_what_is_signed_and_no_event_is_told_apart() -> None:
    with pytest.raises(BrokenAnswer):
        verify_webhook(SECRET, signed(b"[]", SECRET), b"[]")
