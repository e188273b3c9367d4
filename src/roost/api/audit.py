"""Dialect A: the audit log."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from roost.api import queries
from roost.api.answers import refusals
from roost.api.auth import Authenticator
from roost.api.bodies import invalid, one_of
from roost.api.http import json_response
from roost.api.listing import CURSOR, CURSOR_KEY, ListMeta, limit_parameter, parse_list
from roost.api.routes import SECURITY_KEY, Answer, Parameter, Route
from roost.core.ids import ulid_of
from roost.core.times import rfc3339
from roost.store.audit import ActorKind, AuditFilters, Entry, audit_log
from roost.store.base import Store

KINDS = get_args(ActorKind)
DEFAULT_LIMIT, MAX_LIMIT = 50, 200
_LIST = "audit log"
_READERS = {
    "limit": queries.limit(MAX_LIMIT),
    "action": queries.word,
    "resource_type": queries.word,
    "resource_id": queries.word,
    "actor_kind": one_of(*KINDS),
    "since": queries.since,
    "until": queries.since,
    "include": queries.some_of("payload"),
}


class EntryBody(msgspec.Struct):
    """A change; `id` is a ULID. `payload`, which comes by `include`, has what changed: never a secret nor anyone's words."""

    id: str
    org_id: str
    action: str
    resource_type: str
    resource_id: str
    actor_kind: ActorKind
    actor_id: str | None
    occurred_at: str
    payload: dict[str, Any] | UnsetType | None = UNSET


class EntryList(msgspec.Struct):
    success: Literal[True]
    data: list[EntryBody]
    meta: ListMeta


class AuditLog:
    """Handlers over one store."""

    def __init__(self, store: Store, authenticator: Authenticator) -> None:
        self._store = store
        self._authenticator = authenticator
        self._cursor_key = store.vault.derive(CURSOR_KEY)

    async def page(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "audit:read")
        asked = parse_list(request.scope["query_string"], _READERS, DEFAULT_LIMIT)
        filters = AuditFilters(**asked.filters)
        if filters.since is not None and filters.until is not None and filters.since > filters.until:
            raise invalid({"until": "must not be before since"})
        found = await audit_log(self._store, asked.page(self._cursor_key, _LIST, principal.org_id), filters)
        data = [entry_body(entry, payload="payload" in asked.include) for entry in found.items]
        last_id = found.items[-1].id if found.has_more else None
        meta = asked.meta_after(self._cursor_key, _LIST, principal.org_id, last_id)
        return json_response(EntryList(True, data, meta))

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/v1/audit-log", self.page, "Dialect A: Audit log", "List changes",
                  "Every change of the organization's keys, numbers, agents, settings and contacts, over HTTP or by the "
                  "`roost` command, newest first.",
                  [Answer(200, "A page", EntryList), *refusals(403, 422)], _PARAMETERS, [SECURITY_KEY], "audit:read"),
        )  # fmt: skip


def entry_body(entry: Entry, *, payload: bool) -> EntryBody:
    """A change, as it is shown."""
    body = EntryBody(ulid_of(entry.id), *entry[1:7], rfc3339(entry.occurred_at))
    if payload:
        body.payload = msgspec.json.decode(entry.payload) if entry.payload else None
    return body


_TEXT: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 255}
_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}
_PARAMETERS = (
    Parameter("action", "query", _TEXT, "Such as `api_key.created`."),
    Parameter("resource_type", "query", _TEXT, "Such as `api_key`."),
    Parameter("resource_id", "query", _TEXT, "The id of what was changed; of a contact, its number."),
    Parameter("actor_kind", "query", {"type": "string", "enum": list(KINDS)}, "Who changed it; `operator`: at the command line."),
    Parameter("since", "query", _TIME, "At this time or later."),
    Parameter("until", "query", _TIME, "Before this time."),
    Parameter("include", "query", {"type": "string", "enum": ["payload"]}, "`payload`: what changed."),
    limit_parameter(DEFAULT_LIMIT, MAX_LIMIT), CURSOR,
)  # fmt: skip
