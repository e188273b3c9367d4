"""Dialect A: erasing a contact."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from roost.api.answers import enveloped, refusals
from roost.api.auth import Authenticator
from roost.api.routes import SECURITY_KEY, Answer, Parameter, Route
from roost.core.ids import ulid_of
from roost.core.numbers import is_sender
from roost.core.times import rfc3339
from roost.errors import Refusal
from roost.store.audit import Actor
from roost.store.base import Store
from roost.store.erasure import Erased, erase_contact


class ErasedBody(msgspec.Struct):
    """How many messages lost their words and media; `audit_log_id` is a ULID."""

    contact_number: str
    inbound_redacted: int
    outbound_redacted: int
    erased_at: str
    audit_log_id: str


class ErasedOne(msgspec.Struct):
    success: Literal[True]
    data: ErasedBody


class Contacts:
    """Handlers over one store."""

    def __init__(self, store: Store, authenticator: Authenticator) -> None:
        self._store = store
        self._authenticator = authenticator

    async def erase(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "messages:erase", "erases")
        contact = request.path_params["contact_number"]
        if not is_sender(contact):
            text = "must be E.164 (write + as %2B), a short code or a sender name"
            raise Refusal(400, "VALIDATION_FAILED", "validation failed", details={"contact_number": text})
        erased = await erase_contact(self._store, principal.org_id, contact, Actor("api_key", principal.key_id))
        return enveloped(erased_body(contact, erased))

    def routes(self) -> Sequence[Route]:
        contact = Parameter("contact_number", "path", {"type": "string"}, "E.164 (`+` as `%2B`), or as stored.")
        return (
            Route("POST", "/v1/contacts/{contact_number}/erase", self.erase, "Dialect A: Contacts", "Erase a contact",
                  "The words and media of its messages go, both ways, with what the carrier delivered. The messages "
                  "themselves and its consent stay. What is queued to it is cancelled. Again, it erases what came since.",
                  [Answer(200, "What was erased", ErasedOne), *refusals(400, 403, 404)], [contact], [SECURITY_KEY],
                  "messages:erase"),
        )  # fmt: skip


def erased_body(contact: str, erased: Erased) -> ErasedBody:
    """What was erased, as it is shown."""
    when, entry = rfc3339(erased.erased_at), ulid_of(erased.audit_id)
    return ErasedBody(contact, erased.inbound, erased.outbound, when, entry)
