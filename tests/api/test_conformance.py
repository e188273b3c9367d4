"""Every status and error code that /openapi.json documents, each from a real request: what is said and done cannot drift."""

import re
from pathlib import Path
from typing import Any

import roost.api
from roost.core.ids import FIRST_ID
from support.allowed import error_of
from support.house import House
from support.media_server import PNG
from support.scene import (
    AT_NIGHT,
    CONTACT,
    NEW_YORK,
    NOBODY,
    NUMBERLESS,
    RECEIVING,
    STOPPED,
    STRANGER,
    TOKEN,
    TOKENS,
    UNPROVEN,
    UNSCOPED,
    Row,
    Scene,
)

HUGE = b" " * ((1 << 20) + 1)
BUSY = {"Idempotency-Key": "busy"}


ID_ROUTES = (
    ("GET", "/v1/inbound-messages/{id}"), ("GET", "/v1/messages/{id}"), ("DELETE", "/v1/messages/{id}"),
    ("GET", "/v1/threads/{id}/messages"), ("GET", "/v1/consent/{id}/history"), ("DELETE", "/v1/consent/{id}"),
    ("DELETE", "/v1/blocked-senders/{id}"), ("GET", "/v1/api-keys/{id}"), ("DELETE", "/v1/api-keys/{id}"),
    ("POST", "/v1/api-keys/{id}/rotate"), ("GET", "/v1/phone-numbers/{id}"), ("PATCH", "/v1/phone-numbers/{id}"),
    ("DELETE", "/v1/phone-numbers/{id}"), ("GET", "/v1/webhooks/{id}"), ("PATCH", "/v1/webhooks/{id}"),
    ("DELETE", "/v1/webhooks/{id}"), ("POST", "/v1/webhooks/{id}/rotate-secret"), ("POST", "/v1/webhooks/{id}/test"),
    ("GET", "/v1/webhooks/deliveries/{id}"), ("POST", "/v1/webhooks/deliveries/{id}/replay"),
)  # fmt: skip
LIST_ROUTES = tuple(
    ("GET", path)
    for path in (
        "/v1/inbound-messages", "/v1/otp", "/v1/messages", "/v1/threads", "/v1/consent", "/v1/blocked-senders", "/v1/api-keys",
        "/v1/phone-numbers", "/v1/audit-log", "/v1/events", "/v1/webhooks", "/v1/webhooks/deliveries",
    )
)  # fmt: skip
MAKING_ROUTES = (
    ("POST", "/v1/messages"), ("POST", "/v1/messages/media-upload"), ("POST", "/v1/consent"),
    ("POST", "/v1/consent/double-opt-in"), ("POST", "/v1/consent/hosted"), ("POST", "/v1/blocked-senders"),
    ("POST", "/v1/api-keys"), ("POST", "/v1/phone-numbers"), ("POST", "/v1/inbound-messages/claim"),
    ("POST", "/v1/webhooks"),
)  # fmt: skip
SETTLING_ROUTES = (("POST", "/v1/inbound-messages/ack"), ("POST", "/v1/inbound-messages/release"))
OTHER_ROUTES = (
    ("GET", "/v1/organization"), ("PATCH", "/v1/organization"), ("POST", "/v1/contacts/{contact_number}/erase"),
    ("POST", "/v1/webhook-secret/rotate"),
)  # fmt: skip
#: Routes of A whose query is read: an unknown parameter is refused.
READING = (
    "/v1/inbound-messages/{id}", "/v1/messages/{id}", "/v1/threads/{id}/messages", "/v1/consent/{id}/history",
    "/v1/phone-numbers/{id}",
)  # fmt: skip
CHANGING = (("PATCH", "/v1/organization"), ("PATCH", "/v1/phone-numbers/{id}"), ("PATCH", "/v1/webhooks/{id}"))
#: Which take a body only for its idempotency key.
ROTATING = (
    ("/v1/webhooks/{id}/rotate-secret", "webhook"), ("/v1/webhooks/deliveries/{id}/replay", "delivery"),
    ("/v1/webhook-secret/rotate", ""),
)  # fmt: skip
B_ROUTES = (
    ("GET", "/v1/tools/sms/inbox"), ("GET", "/v1/tools/sms/inbox/{id}"), ("POST", "/v1/tools/sms/send"),
    ("GET", "/v1/requests/{id}"), ("GET", "/v1/tools/notifications"), ("PATCH", "/v1/tools/notifications/{id}/read"),
    ("PATCH", "/v1/tools/notifications/read-all"), ("GET", "/v1/agents/me"), ("POST", "/v1/agents/me/access-tokens"),
    ("GET", "/v1/agents/me/access-tokens"), ("DELETE", "/v1/agents/me/access-tokens/{id}"),
)  # fmt: skip
A_ROUTES = (*ID_ROUTES, *LIST_ROUTES, *MAKING_ROUTES, *SETTLING_ROUTES, *OTHER_ROUTES)
UPLOADS, PUT, MEDIUM = "/v1/messages/media-upload", "/media/uploads/{token}", "/media/{token}"
SEND, ASK, CONSENT = "/v1/messages", "/v1/tools/sms/send", "/v1/consent"
HOOKS, LOG = "/v1/webhooks", "/v1/webhooks/deliveries"
TOLD = {"url": "https://example.com/hook", "events": ["message.received"]}
TEXT = {"from": "{number}", "to": CONTACT, "text": "hello"}
AGREED = {
    "phone_number_id": "{number_id}", "contact_number": STRANGER, "opted_in": True,
    "evidence": {"agreement_text": "I agree."},
}  # fmt: skip
QUESTION = {
    "phone_number_id": "{number_id}", "contact_number": "+15553330000", "confirmation_text": "Reply YES.",
    "agreement_text": "I agree.",
}  # fmt: skip
ASKED = {"message": "on my way", "to_number": CONTACT}
TO_STRANGER, QUARTER_US = {**ASKED, "to_number": STRANGER}, 15 * 60 * 1_000_000
#: What these check before they look at the key.
BUSY_BODIES: dict[str, Any] = {
    "/v1/api-keys": {"label": "busy", "scopes": ["messages:read"]},
    "/v1/phone-numbers": {"number": "+15552220002", "carrier_account_id": "{account_id}"},
}
AWAY = {"headers": {"content-type": "application/x-www-form-urlencoded"}}

TABLE: tuple[Row, ...] = (
    # What is the same for many.
    *(Row(*route, 401, "UNAUTHORIZED", "unknown", NOBODY) for route in A_ROUTES),
    *(Row(*route, 403, "FORBIDDEN", "unknown", UNSCOPED) for route in A_ROUTES),
    *(Row(*route, 400, "VALIDATION_FAILED", "malformed") for route in ID_ROUTES),
    *(Row(*route, 404, "NOT_FOUND", "unknown", body={"label": "x"} if "phone" in route[1] else {}) for route in ID_ROUTES),
    *(Row(*route, 422, "VALIDATION_FAILED", query="nope=1") for route in LIST_ROUTES),
    *(Row("GET", path, 422, "VALIDATION_FAILED", "unknown", query="nope=1") for path in READING),
    *(
        Row("DELETE", path, 422, "VALIDATION_FAILED", "unknown", query="nope=1")
        for path in ("/v1/consent/{id}", "/v1/blocked-senders/{id}", "/v1/phone-numbers/{id}")
    ),
    *(Row(*route, 422, "VALIDATION_FAILED", body={"nope": 1}) for route in (*MAKING_ROUTES, *SETTLING_ROUTES)),
    *(Row(*route, 409, "CONFLICT", body=BUSY_BODIES.get(route[1], {}), headers=BUSY) for route in MAKING_ROUTES),
    *(Row(*route, 413, "PAYLOAD_TOO_LARGE", "number_id", body=HUGE) for route in (*MAKING_ROUTES, *SETTLING_ROUTES, *CHANGING)),
    *(Row(*route, 401, "unauthorized", "unknown", NOBODY) for route in B_ROUTES),
    *(Row(*route, 404, "not_found", "unknown") for route in B_ROUTES if "{id}" in route[1]),
    # A: messages.
    Row("GET", "/v1/inbound-messages", 200),
    Row("GET", "/v1/inbound-messages/{id}", 200, id="inbound"),
    Row("POST", "/v1/inbound-messages/claim", 200, body={}),
    *(Row(*route, 200, body={"messages": [{"id": FIRST_ID, "fence": 1}]}) for route in SETTLING_ROUTES),
    Row("GET", "/v1/otp", 200, query="to={number}"),
    Row("GET", "/v1/otp", 404, "NOT_FOUND", query="to=%2B15559999999"),
    Row("POST", SEND, 202, body=TEXT),
    Row("POST", SEND, 422, "VALIDATION_FAILED", body={**TEXT, "from": "+15559999999"}),
    Row("POST", SEND, 422, "QUIET_HOURS", who=AT_NIGHT, body={**TEXT, "from": "{night_number}", "to": NEW_YORK}),
    Row("POST", SEND, 453, "CONSENT_REQUIRED", body={**TEXT, "to": STRANGER}),
    Row("POST", SEND, 453, "CONSENT_REQUIRED", body={**TEXT, "to": STOPPED}),
    Row("GET", SEND, 200),
    Row("GET", "/v1/messages/{id}", 200, id="queued"),
    Row("DELETE", "/v1/messages/{id}", 200, id="queued"),
    Row("DELETE", "/v1/messages/{id}", 409, "CONFLICT", id="sent"),
    Row("GET", "/v1/threads", 200),
    Row("GET", "/v1/threads/{id}/messages", 200, id="thread"),
    # Media.
    Row("POST", UPLOADS, 201, body={"mime_type": "image/png", "byte_size": 70}),
    Row("PUT", PUT, 404, "NOT_FOUND", "malformed", NOBODY, body=PNG),
    Row("PUT", PUT, 410, "GONE", "upload", NOBODY, body=PNG, later_us=3 * QUARTER_US),
    Row("PUT", PUT, 413, "PAYLOAD_TOO_LARGE", "upload", NOBODY, body=HUGE),
    Row("PUT", PUT, 422, "VALIDATION_FAILED", "upload", NOBODY, body=b"x"),
    Row("PUT", PUT, 200, id="upload", who=NOBODY, body=PNG),
    Row("PUT", PUT, 409, "CONFLICT", "upload", NOBODY, body=PNG),
    Row("GET", MEDIUM, 200, id="medium", who=NOBODY),
    Row("GET", MEDIUM, 206, id="medium", who=NOBODY, headers={"Range": "bytes=0-0"}),
    Row("GET", MEDIUM, 304, id="medium", who=NOBODY, headers={"If-None-Match": "*"}),
    Row("GET", MEDIUM, 404, "NOT_FOUND", "malformed", NOBODY),
    Row("GET", MEDIUM, 410, "GONE", "medium", NOBODY, later_us=8 * 96 * QUARTER_US),
    Row("GET", MEDIUM, 416, "RANGE_NOT_SATISFIABLE", "medium", NOBODY, headers={"Range": "bytes=999-"}),
    # A: consent and the block list.
    Row("POST", CONSENT, 201, body=AGREED),
    Row("POST", CONSENT, 200, body=AGREED),
    Row("POST", CONSENT, 404, "NOT_FOUND", body={**AGREED, "phone_number_id": "{unknown}"}),
    Row("POST", CONSENT, 453, "CONSENT_REQUIRED", body={**AGREED, "contact_number": STOPPED}),
    Row("GET", CONSENT, 200),
    Row("GET", "/v1/consent/{id}/history", 200, id="consent"),
    Row("DELETE", "/v1/consent/{id}", 200, id="consent"),
    Row("POST", "/v1/consent/double-opt-in", 202, body=QUESTION),
    Row("POST", "/v1/consent/double-opt-in", 200, body=QUESTION),
    Row("POST", "/v1/consent/double-opt-in", 404, "NOT_FOUND", body={**QUESTION, "phone_number_id": "{unknown}"}),
    Row("POST", "/v1/consent/double-opt-in", 453, "CONSENT_REQUIRED", body={**QUESTION, "contact_number": STOPPED}),
    Row("POST", "/v1/consent/hosted", 201, body={"phone_number_id": "{number_id}", "agreement_text": "I agree."}),
    Row("POST", "/v1/consent/hosted", 404, "NOT_FOUND", body={"phone_number_id": "{unknown}", "agreement_text": "Yes."}),
    Row("POST", "/v1/blocked-senders", 201, body={"sender": "68849"}),
    Row("POST", "/v1/blocked-senders", 200, body={"sender": "68849"}),
    Row("POST", "/v1/blocked-senders", 404, "NOT_FOUND", body={"sender": "68849", "phone_number_id": "{unknown}"}),
    Row("GET", "/v1/blocked-senders", 200),
    Row("DELETE", "/v1/blocked-senders/{id}", 200, id="blocked"),
    # The form for contacts, which answers in HTML.
    Row("GET", "/consent/{token}", 200, id="form", who=NOBODY),
    Row("GET", "/consent/{token}", 404, id="malformed", who=NOBODY),
    Row("GET", "/consent/{token}", 410, id="form", who=NOBODY, later_us=8 * QUARTER_US),
    Row("POST", "/consent/{token}", 422, id="form", who=NOBODY, body=b"", **AWAY),
    Row("POST", "/consent/{token}", 200, id="form", who=NOBODY, body=b"agree=yes&contact_number=%2B12125550123", **AWAY),
    Row("POST", "/consent/{token}", 409, id="stopped_form", who=NOBODY, body=b"agree=yes", **AWAY),
    Row("POST", "/consent/{token}", 404, id="malformed", who=NOBODY, body=b"", **AWAY),
    Row("POST", "/consent/{token}", 410, id="form", who=NOBODY, body=b"", later_us=8 * QUARTER_US, **AWAY),
    Row("POST", "/consent/{token}", 413, "PAYLOAD_TOO_LARGE", "form", NOBODY, body=HUGE, **AWAY),
    # A: self-service.
    Row("POST", "/v1/api-keys", 201, body={"label": "new", "scopes": ["messages:read"]}),
    Row("POST", "/v1/api-keys", 400, "INVALID_INPUT", body={"label": "new", "scopes": ["messages:write"]}),
    Row("GET", "/v1/api-keys", 200),
    Row("GET", "/v1/api-keys/{id}", 200, id="key"),
    Row("POST", "/v1/api-keys/{id}/rotate", 200, id="key"),
    Row("POST", "/v1/api-keys/{id}/rotate", 409, "CONFLICT", id="revoked_key"),
    Row("POST", "/v1/api-keys/{id}/rotate", 413, "PAYLOAD_TOO_LARGE", "key", body=HUGE),
    Row("POST", "/v1/api-keys/{id}/rotate", 422, "VALIDATION_FAILED", "key", body=b"["),
    Row("DELETE", "/v1/api-keys/{id}", 200, id="key"),
    Row("POST", "/v1/phone-numbers", 201, body={"number": "+15552220001", "carrier_account_id": "{account_id}"}),
    Row("POST", "/v1/phone-numbers", 409, "CONFLICT", body={"number": "{number}", "carrier_account_id": "{account_id}"}),
    Row("GET", "/v1/phone-numbers", 200),
    Row("GET", "/v1/phone-numbers/{id}", 200, id="number_id"),
    Row("PATCH", "/v1/phone-numbers/{id}", 200, id="number_id", body={"label": "support"}),
    Row("PATCH", "/v1/phone-numbers/{id}", 400, "INVALID_INPUT", "number_id", body={"nope": 1}),
    Row("PATCH", "/v1/phone-numbers/{id}", 422, "VALIDATION_FAILED", "number_id", body={"label": 1}),
    Row("DELETE", "/v1/phone-numbers/{id}", 403, "FORBIDDEN", "spare_id", query="return_to_carrier=true"),
    Row("DELETE", "/v1/phone-numbers/{id}", 200, id="spare_id"),
    Row("GET", "/v1/organization", 200),
    Row("PATCH", "/v1/organization", 200, body={"name": "Acme"}),
    Row("PATCH", "/v1/organization", 422, "VALIDATION_FAILED", body={"nope": 1}),
    Row("PATCH", "/v1/organization", 422, "ATTESTATION_REQUIRED", body={"auto_replies": {"enabled": False}}),
    Row("POST", "/v1/contacts/{contact_number}/erase", 200, id="%2B15554443333"),
    Row("POST", "/v1/contacts/{contact_number}/erase", 400, "VALIDATION_FAILED", "%00"),
    Row("POST", "/v1/contacts/{contact_number}/erase", 404, "NOT_FOUND", "no%2Fnumber"),
    Row("GET", "/v1/audit-log", 200),
    Row("GET", "/v1/events", 200),
    # A: webhooks.
    *(Row("POST", path, 409, "CONFLICT", name, body={}, headers=BUSY) for path, name in ROTATING),
    *(Row("POST", path, 413, "PAYLOAD_TOO_LARGE", name, body=HUGE) for path, name in ROTATING),
    *(Row("POST", path, 422, "VALIDATION_FAILED", name, body=b"[") for path, name in ROTATING),
    Row("POST", HOOKS, 201, body=TOLD),
    Row("GET", HOOKS, 200),
    Row("GET", HOOKS + "/{id}", 200, id="webhook"),
    Row("PATCH", HOOKS + "/{id}", 200, id="webhook", body={"description": "ours"}),
    Row("PATCH", HOOKS + "/{id}", 422, "VALIDATION_FAILED", "webhook", body={"events": []}),
    Row("POST", HOOKS + "/{id}/test", 200, id="webhook"),
    Row("POST", HOOKS + "/{id}/rotate-secret", 200, id="webhook"),
    Row("GET", LOG, 200),
    Row("GET", LOG + "/{id}", 200, id="delivery"),
    Row("POST", LOG + "/{id}/replay", 202, id="delivery"),
    Row("POST", LOG + "/{id}/replay", 410, "EVENT_EXPIRED", "old_delivery"),
    Row("DELETE", HOOKS + "/{id}", 200, id="webhook"),
    Row("POST", "/v1/webhook-secret/rotate", 200),
    # B.
    Row("GET", "/v1/tools/sms/inbox", 200),
    Row("GET", "/v1/tools/sms/inbox", 400, "invalid_request", query="limit=0"),
    Row("GET", "/v1/tools/sms/inbox", 401, "invalid_proof", who=UNPROVEN),
    Row("GET", "/v1/tools/sms/inbox/{id}", 200, id="msg_id"),
    Row("POST", ASK, 402, body=ASKED),
    Row("POST", ASK, 202, body=ASKED, headers={"x-quote-id": "{quote}"}),
    Row("POST", ASK, 400, "invalid_request", body={}),
    Row("POST", ASK, 400, "emergency_number_blocked", body={**ASKED, "to_number": "911"}),
    Row("POST", ASK, 400, "quote_expired", "", TOKEN, "", TO_STRANGER, {"x-quote-id": "{no_quote}"}, QUARTER_US + 1),
    Row("POST", ASK, 400, "no_phone_number", who=NUMBERLESS, body=ASKED),
    Row("POST", ASK, 400, "receive_only", who=RECEIVING, body=ASKED),
    Row("POST", ASK, 403, "consent_required", body=TO_STRANGER, headers={"x-quote-id": "{no_quote}"}),
    Row("POST", ASK, 403, "quiet_hours", "", AT_NIGHT, "", {**ASKED, "to_number": NEW_YORK}, {"x-quote-id": "{night_quote}"}),
    Row("POST", ASK, 409, "conflict", body=ASKED, headers={**BUSY, "x-quote-id": "{quote}"}),
    Row("POST", ASK, 413, "payload_too_large", body=HUGE),
    Row("POST", ASK, 422, "idempotency_key_reused", body={**ASKED, "memo": "x"}, headers={**BUSY, "x-quote-id": "{quote}"}),
    Row("GET", "/v1/requests/{id}", 200, id="request"),
    Row("GET", "/v1/tools/notifications", 200),
    Row("GET", "/v1/tools/notifications", 400, "invalid_request", query="unread=perhaps"),
    Row("PATCH", "/v1/tools/notifications/{id}/read", 200, id="notification"),
    Row("PATCH", "/v1/tools/notifications/read-all", 200),
    Row("GET", "/v1/agents/me", 200),
    Row("POST", TOKENS, 201, body={"name": "cloud"}),
    Row("POST", TOKENS, 400, "invalid_request", body=b"["),
    Row("POST", TOKENS, 403, "forbidden", who=TOKEN, body={}),
    Row("POST", TOKENS, 409, "conflict", body={}, headers=BUSY),
    Row("POST", TOKENS, 413, "payload_too_large", body=HUGE),
    Row("POST", TOKENS, 422, "idempotency_key_reused", body={"name": "other"}, headers=BUSY),
    Row("GET", TOKENS, 200),
    Row("GET", TOKENS, 400, "invalid_request", query="active=perhaps"),
    Row("GET", TOKENS, 403, "forbidden", who=TOKEN),
    Row("DELETE", TOKENS + "/{id}", 403, "forbidden", "token_id", TOKEN),
    Row("DELETE", TOKENS + "/{id}", 200, id="token_id"),
)  # fmt: skip
#: What is documented, and produced by other tests: status -> where.
ELSEWHERE = {
    503: "the database is taken away in tests/api/test_errors.py and tests/api/test_self_service.py, a bucket in tests/media",
    429: "limits",
    505: "HTTP/1.0 is spoken in tests/push/test_stream.py",
}
#: Not an API's: what the carriers and the operator ask.
OTHERS = re.compile(r"/carriers/.*|/healthz|/readyz|/metrics|/openapi\.json|/docs|/llms\.txt")


def test_each_request_of_the_table_is_answered_so(house: House) -> None:
    scene, wrong = Scene(house), []
    for row in TABLE:
        answer = scene.ask(row)
        is_json = answer.headers.get("content-type") == "application/json"
        got = error_of(answer) if row.code is not None and answer.is_error and is_json else (answer.status_code, None)
        if got != (row.status, row.code):
            wrong.append((row, got, answer.text[:300]))
    assert not wrong, "\n".join(map(str, wrong))


def test_every_documented_status_is_in_the_table_and_nothing_else(house: House) -> None:
    paths = house.http.get("/openapi.json").json()["paths"]
    documented = {
        (method.upper(), path, int(status))
        for path, operations in paths.items()
        if not OTHERS.fullmatch(path)
        for method, operation in operations.items()
        for status in operation["responses"]
    }
    expected = {each for each in documented if each[2] not in ELSEWHERE}
    assert {(row.method, row.path, row.status) for row in TABLE} == expected


def test_every_code_that_the_source_answers_is_in_the_table() -> None:
    """What no description can be held against: a code that is new to a route's source is new to the table, too."""
    folder = Path(roost.api.__path__[0])
    answered = re.compile(r'\b([45]\d\d),\s*"([A-Z_]+|[a-z_]+)"')
    found = {
        (int(status), code)
        for file in folder.glob("*.py")
        for status, code in answered.findall(file.read_text())
        if int(status) not in ELSEWHERE
    }
    assert len(found) > 20
    assert found - {(row.status, row.code) for row in TABLE} == set()
