"""Dialect A: erasing a contact."""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from roost.api.answers import enveloped, refusals
from roost.api.auth import Authenticator
from roost.api.routes import SECURITY_KEY, Answer, Parameter, Route
from roost.carriers.contract import IntakeRequest
from roost.carriers.registry import CARRIERS
from roost.core.ids import ulid_of
from roost.core.message import Draft, InboundEvent, PartEvent, draft
from roost.core.numbers import is_sender
from roost.core.times import rfc3339
from roost.errors import Refusal
from roost.store.audit import Actor
from roost.store.base import Store
from roost.store.erasure import Erased, IsTheirs, erase_contact

#: Digits that a number has at least which is recognised wherever it stands.
_LONG = 7


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
        erased = await erase_contact(
            self._store, principal.org_id, contact, Actor("api_key", principal.key_id), is_theirs(contact)
        )
        return enveloped(erased_body(contact, erased))

    def routes(self) -> Sequence[Route]:
        contact = Parameter("contact_number", "path", {"type": "string"}, "E.164 (`+` as `%2B`), or as stored.")
        return (
            Route("POST", "/v1/contacts/{contact_number}/erase", self.erase, "Dialect A: Contacts", "Erase a contact",
                  "The words and media of its messages go, both ways, with what the carrier delivered, placed or not. The "
                  "messages and its consent stay. What is queued to it is cancelled. Again, it erases what came since.",
                  [Answer(200, "What was erased", ErasedOne), *refusals(400, 403, 404)], [contact], [SECURITY_KEY],
                  "messages:erase"),
        )  # fmt: skip


def erased_body(contact: str, erased: Erased) -> ErasedBody:
    """What was erased, as it is shown."""
    when, entry = rfc3339(erased.erased_at), ulid_of(erased.audit_id)
    return ErasedBody(contact, erased.inbound, erased.outbound, when, entry)


def is_theirs(contact: str) -> IsTheirs:
    """Whether a delivery that could not be placed is a text of the contact's.

    One that cannot be read as a text is, when it names the contact's number. A plain STOP stays: it says nothing but that, and
    holds once it is routed.
    """
    digits = contact.removeprefix("+")
    # A short number may be part of anything, and so may a name.
    named = re.compile(rb"(?<![0-9])" + digits.encode() + rb"(?![0-9])") if _is_long(digits) else None

    def check(carrier: str, raw: bytes) -> bool:
        module = CARRIERS.get(carrier)
        events = module.parse(IntakeRequest({}, raw)) if module else []
        texts = [event.text if isinstance(event, PartEvent) else event for event in events]
        said = [event for event in texts if isinstance(event, InboundEvent)]
        if not said:
            return named is not None and named.search(raw) is not None
        return any(_is_from(contact, event) for event in said)

    return check


def _is_long(digits: str) -> bool:
    """Whether digits are a number by themselves, wherever they stand."""
    return digits.isascii() and digits.isdigit() and len(digits) >= _LONG


def _is_from(contact: str, event: InboundEvent) -> bool:
    drafted = draft(event)
    return isinstance(drafted, Draft) and drafted.from_number == contact and drafted.opt_out_keyword is None
