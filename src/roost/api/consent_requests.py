"""Dialect A's consent routes: what their bodies and query strings ask for."""

import ipaddress
from typing import Annotated, Any, Literal, NamedTuple, get_args

import msgspec

from roost.api import queries
from roost.api.bodies import Fields, PhoneNumber, boolean, e164, one_of, string, uuid
from roost.api.listing import Asked, parse_list
from roost.core.ids import position_of
from roost.core.outbound import MAX_TEXT
from roost.core.times import parse_instant
from roost.store.consent import Evidence, hash_of
from roost.store.consent_list import ConsentQuery

Method = Literal["checkbox", "sms_keyword", "written", "verbal", "attested", "double_opt_in", "hosted_form"]
METHODS = get_args(Method)
DEFAULT_LIMIT, MAX_LIMIT = 20, 100
MAX_AGREEMENT = 10_000
#: An agreement that travels within a form's URL.
MAX_FORM_AGREEMENT = 1000
HOUR, WEEK = 3600, 7 * 24 * 3600


Agreement = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_AGREEMENT)]


class EvidenceBody(msgspec.Struct, forbid_unknown_fields=True):
    """How the contact agreed. `captured_at` must have passed; `agreement_text` is needed where they opted in."""

    captured_at: Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})] | None = None
    ip_address: str | None = None
    user_agent: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)] | None = None
    agreement_text: Agreement | None = None
    form_url: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)] | None = None
    consent_method: Method | None = None


class AttestedBody(msgspec.Struct, forbid_unknown_fields=True):
    """What the organization attests."""

    phone_number_id: str
    contact_number: PhoneNumber
    opted_in: bool
    evidence: EvidenceBody | None = None


class QuestionBody(msgspec.Struct, forbid_unknown_fields=True):
    """What the contact is asked, and what they agree to by answering."""

    phone_number_id: str
    contact_number: PhoneNumber
    confirmation_text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
    agreement_text: Agreement


class FormRequestBody(msgspec.Struct, forbid_unknown_fields=True):
    """What whoever opens the form agrees to."""

    phone_number_id: str
    agreement_text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_FORM_AGREEMENT)]
    contact_number: PhoneNumber | None = None
    expires_in: Annotated[int, msgspec.Meta(ge=60, le=WEEK)] = HOUR


class Attested(NamedTuple):
    """The body of `POST /v1/consent`."""

    phone_number_id: str
    contact_number: str
    opted_in: bool
    evidence: Evidence


class Question(NamedTuple):
    """The body of `POST /v1/consent/double-opt-in`."""

    phone_number_id: str
    contact_number: str
    confirmation_text: str
    agreement_text: str


class FormRequest(NamedTuple):
    """The body of `POST /v1/consent/hosted`."""

    phone_number_id: str
    contact_number: str | None
    agreement_text: str
    lifetime_seconds: int


def parse_attested(values: dict[str, Any], now_us: int) -> Attested:
    """Refuses with 422 and what to do about each field."""
    fields = Fields(values)
    opted_in = fields.need("opted_in", boolean, True)
    said = fields.part("evidence")
    details = {
        "captured_at": said.take("captured_at", _past(now_us), None),
        "ip_address": said.take("ip_address", _ip_address, None),
        "user_agent": said.take("user_agent", string(1, 1024), None),
        "agreement_text": said.take("agreement_text", string(1, MAX_AGREEMENT), None),
        "form_url": said.take("form_url", string(1, 4096), None),
    }
    method = said.take("consent_method", one_of(*METHODS), "attested")
    if opted_in and details["agreement_text"] is None:
        said.details.setdefault("agreement_text", "is required: what did the contact agree to?")
    body = Attested(_number_id(fields), _contact(fields), opted_in, _evidence(method, details))
    fields.check()
    return body


def parse_question(values: dict[str, Any]) -> Question:
    """Refuses with 422 and what to do about each field."""
    fields = Fields(values)
    body = Question(
        _number_id(fields),
        _contact(fields),
        fields.need("confirmation_text", string(1, MAX_TEXT), ""),
        fields.need("agreement_text", string(1, MAX_AGREEMENT), ""),
    )
    fields.check()
    return body


def parse_form_request(values: dict[str, Any]) -> FormRequest:
    """Refuses with 422 and what to do about each field."""
    fields = Fields(values)
    body = FormRequest(
        _number_id(fields),
        fields.take("contact_number", e164, None),
        fields.need("agreement_text", string(1, MAX_FORM_AGREEMENT), ""),
        fields.take("expires_in", _lifetime, HOUR),
    )
    fields.check()
    return body


def parse_consent_list(query_string: bytes) -> Asked:
    """`GET /v1/consent`. Refuses with 422; an unknown parameter too."""
    return parse_list(query_string, _LIST_READERS, DEFAULT_LIMIT)


def parse_history(query_string: bytes) -> Asked:
    """`GET /v1/consent/{id}/history`."""
    return parse_list(query_string, {"limit": queries.limit(MAX_LIMIT)}, DEFAULT_LIMIT)


def consent_query(asked: Asked, org_id: str, below: str) -> ConsentQuery:
    """The store's query; `below` is the id that begins where the page does."""
    filters = asked.filters
    opted_in = filters.get("opted_in")
    return ConsentQuery(
        org_id,
        asked.limit,
        filters.get("contact_number"),
        filters.get("phone_number_id"),
        None if opted_in is None else "opted_in" if opted_in else "opted_out",
        filters.get("consent_method"),
        filters.get("since", 0),
        position_of(below),
    )


def _evidence(method: str, details: dict[str, str | None]) -> Evidence:
    captured_at, agreed = details["captured_at"], details["agreement_text"]
    return Evidence(
        "api",
        method,
        carrier_at=parse_instant(captured_at)[0] if captured_at else None,
        agreement_text_hash=hash_of(agreed) if agreed else None,
        details={name: text for name, text in details.items() if text is not None},
    )


def _number_id(fields: Fields) -> str:
    return fields.need("phone_number_id", uuid, "")


def _contact(fields: Fields) -> str:
    return fields.need("contact_number", e164, "")


def _past(now_us: int) -> Any:
    def read(value: Any) -> str:
        try:
            us, _ = parse_instant(value) if isinstance(value, str) else (None, False)
        except (ValueError, OverflowError):
            us = None
        if us is None:
            raise ValueError("must be an RFC 3339 date-time such as 2026-04-26T12:01:00Z")
        if us > now_us:
            raise ValueError("must not be in the future")
        return str(value)

    return read


def _ip_address(value: Any) -> str:
    try:
        return str(ipaddress.ip_address(value if isinstance(value, str) else ""))
    except ValueError:
        raise ValueError("must be an IPv4 or IPv6 address") from None


def _lifetime(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 60 <= value <= WEEK:
        raise ValueError(f"must be a whole number of seconds from 60 to {WEEK}")
    return value


_LIST_READERS = {
    "limit": queries.limit(MAX_LIMIT),
    "contact_number": queries.sender,
    "phone_number_id": uuid,
    "opted_in": queries.boolean,
    "consent_method": one_of(*METHODS),
    "since": queries.since,
}
