"""One request for each route, as it is typed into a shell: for `/docs`, for `/openapi.json` and for the documentation.

What differs from one installation to the next is a shell variable, such as `$ROOST_API_KEY`. A test runs every one of them.
"""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

_KEY = ("Authorization: Bearer $ROOST_API_KEY",)
_AGENT = ("X-Agent-ID: $AGENT", "Authorization: Bearer $AGENT_TOKEN")
_WALLET = ("X-Agent-ID: $AGENT", "x-agent-proof: $PROOF")
_VARIABLE = re.compile(r"\$[A-Z_]+")
_TO = '-G --data-urlencode "to=$NUMBER"'
_CONTACT = {"phone_number_id": "$NUMBER_ID", "contact_number": "+15557770000"}
_ALL_OF_IT = MappingProxyType[str, str]({})


class Example(NamedTuple):
    """What to send besides the method and the path; `names` are the variables that stand for the path's parameters."""

    headers: tuple[str, ...] = _KEY
    query: str = ""
    body: Any = None
    """As JSON; a string as it is."""
    names: Mapping[str, str] = _ALL_OF_IT
    options: str = ""
    """Of curl."""


EXAMPLES: Mapping[str, Example] = {
    "POST /carriers/{carrier}/{account_id}": Example(
        (),
        body={"id": "7421", "from": "+15554443333", "to": "$NUMBER", "text": "Is my table still free?"},
        names={"carrier": "loopback", "account_id": "$ACCOUNT_ID"},
        options='-u "$BASIC_USER:$BASIC_PASSWORD"',
    ),
    "GET /carriers/{carrier}/{account_id}": Example(
        (), query="$WHAT_THE_CARRIER_SAYS", names={"carrier": "$CARRIER", "account_id": "$ACCOUNT_ID"}
    ),
    "GET /v1/inbound-messages": Example(query="limit=2", options=_TO),
    "GET /v1/inbound-messages/{id}": Example(query="include=otp", names={"id": "$MESSAGE_ID"}),
    "GET /v1/tools/sms/inbox": Example(_AGENT, query="since=2026-11-25T00:00:00Z"),
    "GET /v1/tools/sms/inbox/{id}": Example(_AGENT, names={"id": "$MSG_ID"}),
    "GET /v1/events": Example(query="types=message.received", options="-N"),
    "POST /v1/inbound-messages/claim": Example(body={"limit": 10, "lease_seconds": 60}),
    "POST /v1/inbound-messages/ack": Example(body={"messages": [{"id": "$MESSAGE_ID", "fence": 41}]}),
    "POST /v1/inbound-messages/release": Example(body={"messages": [{"id": "$MESSAGE_ID", "fence": 41}]}),
    "GET /v1/otp": Example(options=_TO),
    "POST /v1/messages": Example(
        (*_KEY, "Idempotency-Key: order-7421-ready"),
        body={"from": "$NUMBER", "to": "+15554443333", "text": "Your table is ready.", "tag": "order-7421"},
    ),
    "GET /v1/messages": Example(query="status=delivered&limit=50"),
    "GET /v1/messages/{id}": Example(names={"id": "$SENT_ID"}),
    "DELETE /v1/messages/{id}": Example(names={"id": "$QUEUED_ID"}),
    "GET /v1/threads": Example(query="contact_number=%2B15554443333"),
    "GET /v1/threads/{id}/messages": Example(names={"id": "$THREAD_ID"}),
    "POST /v1/messages/media-upload": Example(body={"mime_type": "image/png", "byte_size": 70}),
    "PUT /media/uploads/{token}": Example((), names={"token": "$UPLOAD_TOKEN"}, options="-T photo.png"),
    "GET /media/{token}": Example((), names={"token": "$MEDIA_TOKEN"}, options="-o photo.png"),
    "POST /v1/tools/sms/send": Example(
        (*_AGENT, "x-quote-id: $QUOTE_ID"), body={"message": "on my way", "to_number": "+15554443333"}
    ),
    "GET /v1/requests/{id}": Example(_AGENT, names={"id": "$REQUEST_ID"}),
    "GET /v1/tools/notifications": Example(_AGENT, query="unread=true"),
    "PATCH /v1/tools/notifications/{id}/read": Example(_AGENT, names={"id": "$NOTIFICATION_ID"}),
    "PATCH /v1/tools/notifications/read-all": Example(_AGENT),
    "POST /v1/consent": Example(
        body={**_CONTACT, "opted_in": True, "evidence": {
            "agreement_text": "I agree to get texts about my order.", "consent_method": "checkbox",
            "captured_at": "2026-11-25T14:00:00Z", "form_url": "https://shop.example.com/checkout"}},
    ),
    "GET /v1/consent": Example(query="opted_in=false&limit=100"),
    "GET /v1/consent/{id}/history": Example(names={"id": "$CONSENT_ID"}),
    "DELETE /v1/consent/{id}": Example(names={"id": "$CONSENT_ID"}),
    "POST /v1/consent/double-opt-in": Example(
        body={"phone_number_id": "$NUMBER_ID", "contact_number": "+15553330000",
              "confirmation_text": "Acme: reply YES to get texts about your order.",
              "agreement_text": "I agree to get texts about my order."},
    ),
    "POST /v1/consent/hosted": Example(
        body={"phone_number_id": "$NUMBER_ID", "agreement_text": "I agree to get texts about my order."}
    ),
    "GET /consent/{token}": Example((), names={"token": "$FORM_TOKEN"}),
    "POST /consent/{token}": Example(
        (), body="agree=yes&contact_number=%2B12125550123", names={"token": "$FORM_TOKEN"}
    ),
    "GET /v1/blocked-senders": Example(),
    "POST /v1/blocked-senders": Example(body={"sender": "68849", "reason": "advertising"}),
    "DELETE /v1/blocked-senders/{id}": Example(names={"id": "$BLOCKED_ID"}),
    "POST /v1/api-keys": Example(body={"label": "reader", "scopes": ["messages:read"]}),
    "GET /v1/api-keys": Example(query="include_revoked=false"),
    "GET /v1/api-keys/{id}": Example(names={"id": "$KEY_ID"}),
    "POST /v1/api-keys/{id}/rotate": Example(names={"id": "$KEY_ID"}),
    "DELETE /v1/api-keys/{id}": Example(names={"id": "$KEY_ID"}),
    "POST /v1/phone-numbers": Example(
        body={"number": "+15552220001", "carrier_account_id": "$ACCOUNT_ID", "label": "support-line"}
    ),
    "GET /v1/phone-numbers": Example(query="search=555"),
    "GET /v1/phone-numbers/{id}": Example(names={"id": "$NUMBER_ID"}),
    "PATCH /v1/phone-numbers/{id}": Example(body={"label": "front-desk"}, names={"id": "$NUMBER_ID"}),
    "DELETE /v1/phone-numbers/{id}": Example(names={"id": "$SPARE_NUMBER_ID"}),
    "POST /v1/webhooks": Example(
        body={"url": "https://agent.example.com/roost", "events": ["message.received", "message.status"]}
    ),
    "GET /v1/webhooks": Example(),
    "GET /v1/webhooks/{id}": Example(names={"id": "$WEBHOOK_ID"}),
    "PATCH /v1/webhooks/{id}": Example(body={"description": "of the agent"}, names={"id": "$WEBHOOK_ID"}),
    "POST /v1/webhooks/{id}/test": Example(names={"id": "$WEBHOOK_ID"}),
    "POST /v1/webhooks/{id}/rotate-secret": Example(names={"id": "$WEBHOOK_ID"}),
    "GET /v1/webhooks/deliveries": Example(query="outcome=dead&limit=100"),
    "GET /v1/webhooks/deliveries/{id}": Example(names={"id": "$DELIVERY_ID"}),
    "POST /v1/webhooks/deliveries/{id}/replay": Example(names={"id": "$DELIVERY_ID"}),
    "DELETE /v1/webhooks/{id}": Example(names={"id": "$WEBHOOK_ID"}),
    "POST /v1/webhook-secret/rotate": Example(),
    "GET /v1/organization": Example(),
    "PATCH /v1/organization": Example(
        body={"message_retention_days": 90, "suspected": "hold", "quiet_hours": {
            "enabled": True, "start": "21:00", "end": "08:00", "mode": "defer"}}
    ),
    "POST /v1/contacts/{contact_number}/erase": Example(names={"contact_number": "%2B15554443333"}),
    "GET /v1/audit-log": Example(query="action=api_key.created&limit=50"),
    "GET /v1/agents/me": Example(_AGENT),
    "POST /v1/agents/me/access-tokens": Example(_WALLET, body={"name": "worker", "expires_in_days": 30}),
    "GET /v1/agents/me/access-tokens": Example(_WALLET),
    "DELETE /v1/agents/me/access-tokens/{id}": Example(_WALLET, names={"id": "$TOKEN_ID"}),
    "GET /healthz": Example(()),
    "GET /readyz": Example(()),
    "GET /metrics": Example(()),
    "GET /openapi.json": Example(()),
    "GET /llms.txt": Example(()),
    "GET /docs": Example(()),
}  # fmt: skip


def curl(method: str, path: str) -> str | None:
    """The command, in one line or with a line for each part; None for a route without an example."""
    example = EXAMPLES.get(f"{method} {path}")
    if example is None:
        return None
    target = re.sub(r"\{(\w+)\}", lambda found: example.names[found[1]], path)
    query = f"?{example.query}" if example.query else ""
    parts = [f'curl{_method(method, example)} "$ROOST_URL{target}{query}"']
    parts += [example.options] if example.options else []
    parts += [f'-H "{header}"' for header in example.headers]
    if example.body is not None:
        text = example.body if isinstance(example.body, str) else json.dumps(example.body)
        parts.append(f"-d '{_VARIABLE.sub(_quoted, text)}'")
    line = " ".join(parts)
    return line if len(line) <= 100 else " \\\n  ".join(parts)


def _method(method: str, example: Example) -> str:
    implied = "POST" if example.body is not None else "PUT" if example.options.startswith("-T") else "GET"
    return "" if method == implied else f" -X {method}"


def _quoted(variable: re.Match[str]) -> str:
    """Out of the single quotes, where the shell would leave it as it is."""
    return f"'\"{variable[0]}\"'"
