"""Dialect A: the audit log."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from roost.api import lists
from roost.api.agentmessage import Meta
from roost.api.answers import answer, refusals
from roost.api.auth import Authenticator
from roost.api.bodies import invalid
from roost.api.routes import SECURITY_KEY, Answer, Parameter, Route
from roost.core.ids import ulid_of
from roost.core.times import rfc3339
from roost.store.audit import ActorKind, AuditFilters, Entry, audit_log
from roost.store.base import Store

KINDS = get_args(ActorKind)


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
    meta: Meta


class AuditLog:
    """Handlers over one store."""

    def __init__(self, store: Store, authenticator: Authenticator) -> None:
        self._store = store
        self._authenticator = authenticator
        readers = {
            "action": lists.word, "resource_type": lists.word, "resource_id": lists.word, "actor_kind": _kind,
            "since": lists.instant, "until": lists.instant, "include": lists.some_of("payload"),
        }  # fmt: skip
        self._list = lists.ListOf("audit-log", store.vault.derive("cursors"), readers, 50, 200, ("include",))

    async def page(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "audit:read")
        asked = self._list.read(request.scope["query_string"], principal.org_id)
        include = asked.values.pop("include", ())
        filters = AuditFilters(**asked.values)
        if filters.since is not None and filters.until is not None and filters.since > filters.until:
            raise invalid({"until": "must not be before since"})
        found = await audit_log(self._store, asked.page, filters)
        data = [entry_body(entry, payload="payload" in include) for entry in found.items]
        return answer(self._list.envelope(asked, data, last_id=found.items[-1].id if found.has_more else None))

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


def _kind(text: str) -> str:
    if text not in KINDS:
        raise ValueError(f"must be one of {', '.join(KINDS)}")
    return text


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
    lists.limit_parameter(50, 200), lists.CURSOR,
)  # fmt: skip
