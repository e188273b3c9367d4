"""The OpenAPI 3.1 document, made from the route table."""

from collections.abc import Sequence
from typing import Any

import msgspec

from roost import __version__
from roost.api.errors import is_oneshot
from roost.api.examples import curl
from roost.api.routes import Answer, Parameter, Route

_REF = "#/components/schemas/{name}"
_HEADERS = {
    "X-Request-Id": ("The id of this request, as in the server's log.", {"type": "string"}),
    "X-Has-More": ("`true` when there is more than this answer holds.", {"type": "string", "enum": ["true"]}),
    "X-Next-Cursor": ("The next page's cursor; absent on the last page.", {"type": "string"}),
    "Accept-Ranges": ("`bytes`.", {"type": "string"}),
    "Cache-Control": ("It is asked for again each time.", {"type": "string"}),
    "Content-Disposition": ("Whether it may be shown, and what to call it.", {"type": "string"}),
    "Content-Range": ("Which part this is, of how much.", {"type": "string"}),
    "Content-Security-Policy": ("Nothing of it may run.", {"type": "string"}),
    "ETag": ("Of the content.", {"type": "string"}),
    "X-Content-Type-Options": ("`nosniff`.", {"type": "string"}),
    "Idempotent-Replayed": ("`true` when this is the first success again.", {"type": "string", "enum": ["true"]}),
    "PAYMENT-REQUIRED": ("The price as x402 version 2 says it: JSON in base64.", {"type": "string"}),
    "RateLimit-Limit": ("How many requests of this kind there may be in a window.", {"type": "string"}),
    "RateLimit-Remaining": ("How many more there may be in this one.", {"type": "string"}),
    "RateLimit-Reset": ("Seconds until the next one.", {"type": "string"}),
    "Retry-After": ("Whole seconds to wait.", {"type": "string"}),
    "Allow": ("The methods that it takes.", {"type": "string"}),
    "WWW-Authenticate": ("How to authenticate.", {"type": "string"}),
}
_ALWAYS = ("X-Request-Id",)
_ALWAYS_IN_B = (*_ALWAYS, "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_SECURITY_SCHEMES = {
    "api_key": {"type": "http", "scheme": "bearer", "description": "An API key: `am_live_...`"},
    "agent_id": {"type": "apiKey", "in": "header", "name": "X-Agent-ID", "description": "The agent's wallet address."},
    "agent_proof": {
        "type": "apiKey",
        "in": "header",
        "name": "x-agent-proof",
        "description": "A proof that the caller holds the wallet's key (EIP-712), good once and for 300 seconds.",
    },
    "access_token": {"type": "http", "scheme": "bearer", "description": "An agent's access token: `oneshot_...`"},
    "carrier": {"type": "http", "scheme": "basic", "description": "The carrier account's credential."},
}


def document(routes: Sequence[Route], public_url: str) -> dict[str, Any]:
    """The whole document, for these routes as they are reached at `public_url`."""
    types = {answer.body for route in routes for answer in route.answers if _is_struct(answer.body)}
    types |= {event for route in routes for answer in route.answers for event in answer.events}
    types |= {route.body for route in routes if route.body is not None}
    ordered = sorted(types, key=lambda each: str(each.__name__))
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    names = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Roost",
            "version": __version__,
            "description": "A self-hosted messaging inbox for AI agents.",
        },
        "servers": [{"url": public_url}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SECURITY_SCHEMES},
    }


def _operation(route: Route, names: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    scope = f"\n\nRequires the `{route.scope}` scope." if route.scope else ""
    always = _ALWAYS_IN_B if is_oneshot(route.path) else _ALWAYS
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}_{route.path.strip('/').replace('/', '_').replace('{', '').replace('}', '')}",
        "tags": [route.tag],
        "summary": route.summary,
        "description": route.description + scope,
        "parameters": [_parameter(parameter) for parameter in route.parameters],
        "responses": {str(answer.status): _answer(answer, names, always) for answer in route.answers},
        "security": list(route.security),
    }
    command = curl(route.method, route.path)
    if command is not None:
        operation["x-codeSamples"] = [{"lang": "Shell", "label": "curl", "source": command}]
    if route.takes_body or route.body is not None:
        schema = names[route.body] if route.body is not None else {}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required or parameter.where == "path",
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _answer(answer: Answer, names: dict[Any, dict[str, Any]], always: tuple[str, ...]) -> dict[str, Any]:
    headers = {}
    for name in (*always, *answer.headers):
        description, schema = _HEADERS[name]
        headers[name] = {"description": description, "schema": schema}
    described: dict[str, Any] = {"description": answer.description, "headers": headers}
    if _is_struct(answer.body):
        described["content"] = {"application/json": {"schema": names[answer.body]}}
    elif answer.body == "application/json":
        described["content"] = {"application/json": {"schema": {"type": "object"}}}
    elif answer.body is not None:
        described["content"] = {answer.body: {"schema": {"type": "string"}}}
        if answer.events:
            described["content"][answer.body]["x-event-data"] = {"oneOf": [names[event] for event in answer.events]}
    return described


def _is_struct(body: Any) -> bool:
    return isinstance(body, type) and issubclass(body, msgspec.Struct)
