"""Every status and error code that /openapi.json documents, each from a real request: what is said and done cannot drift."""

import hashlib
import json
import re
from collections.abc import Mapping
from copy import copy
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx

from roost.store.idempotency import IdempotencyKeys
from support.agents import hear, notifications, quoted, requested
from support.allowed import Signer, allowed, error_of
from support.house import House, Tenant
from support.settling import settle

CONTACT, STRANGER, STOPPED, NEW_YORK = "+15554443333", "+15557770000", "+15556660000", "+12125550123"
HUGE = b" " * ((1 << 20) + 1)
#: Who asks.
NOBODY, UNSCOPED, UNPROVEN, TOKEN, NUMBERLESS, RECEIVING, AT_NIGHT = (
    "nobody", "unscoped", "unproven", "token", "numberless", "receiving", "at_night",
)  # fmt: skip
BUSY = {"Idempotency-Key": "busy"}


class Row(NamedTuple):
    """One request, and what it is answered. `{name}` in a value stands for what `Scene` calls so."""

    method: str
    path: str
    status: int
    code: str | None = None
    """Of a refusal."""
    id: str = ""
    """For the placeholder in the path."""
    who: str = ""
    """A's routes are asked with a key, B's by an agent."""
    query: str = ""
    body: Any = None
    headers: Mapping[str, str] = MappingProxyType({})
    later_us: int = 0
    """How much later it is then."""


ID_ROUTES = (
    ("GET", "/v1/inbound-messages/{id}"), ("GET", "/v1/messages/{id}"), ("DELETE", "/v1/messages/{id}"),
    ("GET", "/v1/threads/{id}/messages"), ("GET", "/v1/consent/{id}/history"), ("DELETE", "/v1/consent/{id}"),
    ("DELETE", "/v1/blocked-senders/{id}"), ("GET", "/v1/api-keys/{id}"), ("DELETE", "/v1/api-keys/{id}"),
    ("POST", "/v1/api-keys/{id}/rotate"), ("GET", "/v1/phone-numbers/{id}"), ("PATCH", "/v1/phone-numbers/{id}"),
    ("DELETE", "/v1/phone-numbers/{id}"),
)  # fmt: skip
LIST_ROUTES = tuple(
    ("GET", path)
    for path in (
        "/v1/inbound-messages", "/v1/messages", "/v1/threads", "/v1/consent", "/v1/blocked-senders", "/v1/api-keys",
        "/v1/phone-numbers", "/v1/audit-log",
    )
)  # fmt: skip
MAKING_ROUTES = (
    ("POST", "/v1/messages"), ("POST", "/v1/consent"), ("POST", "/v1/consent/double-opt-in"),
    ("POST", "/v1/consent/hosted"), ("POST", "/v1/blocked-senders"), ("POST", "/v1/api-keys"), ("POST", "/v1/phone-numbers"),
)  # fmt: skip
OTHER_ROUTES = (
    ("GET", "/v1/organization"), ("PATCH", "/v1/organization"), ("POST", "/v1/contacts/{contact_number}/erase"),
)  # fmt: skip
#: Routes of A whose query is read: an unknown parameter is refused.
READING = (
    "/v1/inbound-messages/{id}", "/v1/messages/{id}", "/v1/threads/{id}/messages", "/v1/consent/{id}/history",
    "/v1/phone-numbers/{id}",
)  # fmt: skip
CHANGING = (("PATCH", "/v1/organization"), ("PATCH", "/v1/phone-numbers/{id}"))
B_ROUTES = (
    ("GET", "/v1/tools/sms/inbox"), ("GET", "/v1/tools/sms/inbox/{id}"), ("POST", "/v1/tools/sms/send"),
    ("GET", "/v1/requests/{id}"), ("GET", "/v1/tools/notifications"), ("PATCH", "/v1/tools/notifications/{id}/read"),
    ("PATCH", "/v1/tools/notifications/read-all"), ("GET", "/v1/agents/me"), ("POST", "/v1/agents/me/access-tokens"),
    ("GET", "/v1/agents/me/access-tokens"), ("DELETE", "/v1/agents/me/access-tokens/{id}"),
)  # fmt: skip
A_ROUTES = (*ID_ROUTES, *LIST_ROUTES, *MAKING_ROUTES, *OTHER_ROUTES)
TOKENS = "/v1/agents/me/access-tokens"
SEND, ASK, CONSENT = "/v1/messages", "/v1/tools/sms/send", "/v1/consent"
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
    *(Row(*route, 422, "VALIDATION_FAILED", body={"nope": 1}) for route in MAKING_ROUTES),
    *(Row(*route, 409, "CONFLICT", body=BUSY_BODIES.get(route[1], {}), headers=BUSY) for route in MAKING_ROUTES),
    *(Row(*route, 413, "PAYLOAD_TOO_LARGE", "number_id", body=HUGE) for route in (*MAKING_ROUTES, *CHANGING)),
    *(Row(*route, 401, "unauthorized", "unknown", NOBODY) for route in B_ROUTES),
    *(Row(*route, 404, "not_found", "unknown") for route in B_ROUTES if "{id}" in route[1]),
    # A: messages.
    Row("GET", "/v1/inbound-messages", 200),
    Row("GET", "/v1/inbound-messages/{id}", 200, id="inbound"),
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
    503: "the database is taken away in tests/api/test_errors.py and tests/api/test_self_service.py",
    429: "limits",
}
#: Not an API's: what the carriers and the operator ask.
OTHERS = re.compile(r"/carriers/.*|/healthz|/readyz|/metrics|/openapi\.json|/docs")


class Scene:
    """All that the table asks about, in one house."""

    def __init__(self, house: House) -> None:
        self.house = house
        house.clock.frozen_us = house.clock()
        hour = datetime.fromtimestamp(house.clock() / 1_000_000, ZoneInfo("America/New_York")).hour
        self.tenant = tenant = house.tenant(carrier="loopback")
        self.signer = Signer(house, tenant)
        holder = (tenant.account.id, self.signer.agent.id, "")
        mine = house.wait(house.directory.add_number(tenant.org.org_id, "+15551230000", *holder))
        spare = house.wait(house.directory.add_number(tenant.org.org_id, "+15551230001", *holder))
        assert mine is not None and spare is not None
        for number in (tenant.number.number, mine.number):
            for contact, text in ((CONTACT, "hello?"), (STOPPED, "STOP")):
                hear(house, tenant, contact, text, number)
        self.night, self.receiving = house.tenant(carrier="loopback"), house.tenant(secrets={})
        quiet = {"quiet_hours": {"enabled": True, "start": f"{hour:02}:00", "end": f"{(hour + 2) % 24:02}:00"}}
        assert house.http.patch("/v1/organization", json=quiet, headers=self.night.auth).status_code == 200
        hear(house, self.night, NEW_YORK)
        self.numberless = Signer(house, tenant, "0x" + "5d" * 32, open_=True)
        self.names = {
            "malformed": "no-uuid", "unknown": "01900000-0000-7000-8000-000000000000", "number": tenant.number.number,
            "number_id": tenant.number.id, "spare_id": spare.id, "account_id": tenant.account.id,
            "night_number": self.night.number.number,
        }  # fmt: skip
        self.names |= self._of_a() | self._of_b()

    def ask(self, row: Row) -> httpx.Response:
        path = re.sub(r"\{\w+\}", self.names.get(row.id, row.id), row.path) + (f"?{row.query}" if row.query else "")
        body = self._filled(row.body)
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = self._credential(row) | {name: self._filled(value) for name, value in row.headers.items()}
        self.house.clock.frozen_us += row.later_us
        try:
            if headers.get("Idempotency-Key") == "busy" and row.status == 409:
                self._keep_busy(row, content or b"")
            return self.house.http.request(row.method, path, content=content, headers=headers)
        finally:
            self.house.clock.frozen_us -= row.later_us

    def _filled(self, value: Any) -> Any:
        """With what the names stand for."""
        if isinstance(value, dict):
            return {name: self._filled(each) for name, each in value.items()}
        is_name = isinstance(value, str) and value.startswith("{")
        return value.format_map(self.names) if is_name else value

    def _credential(self, row: Row) -> dict[str, str]:
        is_of_b = row.path in [path for _, path in B_ROUTES]
        if row.who == AT_NIGHT:
            return {**self.night.auth, **self.night.agent_header} if not is_of_b else self.night.agent_header
        named = {
            NOBODY: dict[str, str],
            UNSCOPED: lambda: allowed(self.house, self.tenant, "billing:read"),
            UNPROVEN: lambda: {"X-Agent-ID": self.signer.address, "x-agent-proof": "{}"},
            TOKEN: lambda: {"X-Agent-ID": self.signer.address, "Authorization": f"Bearer {self.names['token']}"},
            NUMBERLESS: lambda: {"X-Agent-ID": self.numberless.address},
            RECEIVING: lambda: self.receiving.agent_header,
            "": lambda: (
                self.signer.headers("read" if row.method == "GET" else "write") if is_of_b else self.tenant.auth
            ),
        }
        return named[row.who]()

    def _keep_busy(self, row: Row, content: bytes) -> None:
        """Somebody has the key, and has not finished."""
        is_of_b = row.path in [path for _, path in B_ROUTES]
        route = f"{row.method} {row.path}" + (f" {self.signer.agent.id}" if is_of_b else "")
        body_hash = hashlib.sha256(row.path.encode() + b"\0" + content).digest()
        self.house.wait(IdempotencyKeys(self.house.store).claim(self.tenant.org.org_id, route, "busy", body_hash))

    def _post(self, path: str, body: dict[str, Any], tenant: Tenant | None = None) -> dict[str, Any]:
        auth = allowed(self.house, tenant or self.tenant)
        answer = self.house.http.post(path, json=body, headers=auth)
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json()
        return made.get("data", made)

    def _of_a(self) -> dict[str, str]:
        house, tenant = self.house, self.tenant
        form = {"phone_number_id": tenant.number.id, "agreement_text": "I agree."}
        key, revoked = (self._post("/v1/api-keys", {"label": text, "scopes": ["messages:read"]})["id"] for text in "ab")
        assert house.http.delete(f"/v1/api-keys/{revoked}", headers=tenant.auth).status_code == 200
        sent, queued = house.sent(tenant, CONTACT), house.sent(tenant, CONTACT)
        settled = "UPDATE outbound_messages SET status = 'sent' WHERE id = $1"
        house.wait(
            house.store.write((settled, (UUID(sent),)), ("DELETE FROM outbox WHERE message_id = $1", (UUID(sent),)))
        )
        consent = {"phone_number_id": tenant.number.id, "contact_number": "+15551110000", "opted_in": False}
        return {
            "inbound": house.inbound(tenant)[0]["id"], "sent": sent, "queued": queued, "thread": sent,
            "consent": self._post("/v1/consent", consent)["id"], "key": key, "revoked_key": revoked,
            "blocked": self._post("/v1/blocked-senders", {"sender": "+15550000000"})["id"],
            "form": self._post("/v1/consent/hosted", form)["token"],
            "stopped_form": self._post("/v1/consent/hosted", {**form, "contact_number": STOPPED})["token"],
        }  # fmt: skip

    def _of_b(self) -> dict[str, str]:
        house, signer = self.house, copy(self.tenant)
        token = house.http.post(TOKENS, json={}, headers=self.signer.headers()).json()["data"]
        signer.agent_header = {"X-Agent-ID": self.signer.address, "Authorization": f"Bearer {token['token']}"}
        inbox = house.http.get("/v1/tools/sms/inbox", headers=signer.agent_header).json()["messages"]
        request = requested(house, signer, CONTACT)
        settle(house, self.tenant, "delivered", CONTACT)
        return {
            "msg_id": inbox[0]["id"], "token": token["token"], "token_id": token["id"], "request": request,
            "notification": notifications(house, signer)[0]["id"], "quote": quoted(house, signer, CONTACT),
            "no_quote": quoted(house, signer, STRANGER), "night_quote": quoted(house, self.night, NEW_YORK),
        }  # fmt: skip


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
