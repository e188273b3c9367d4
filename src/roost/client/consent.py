"""Who may be texted: consent, and its history."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from roost.client.calls import D, call, each
from roost.client.flow import Flow, Walk
from roost.client.models import Challenge, Consent, ConsentEvent, ConsentForm, Method
from roost.client.resource import Resource, Time, change, make, read, when

PATH = "/v1/consent"


class Consents(Resource[D]):
    """What contacts told our numbers."""

    @each
    def list(
        self,
        *,
        contact_number: str | None = None,
        phone_number_id: str | None = None,
        opted_in: bool | None = None,
        since: Time | None = None,
        consent_method: Method | None = None,
        page_size: int | None = None,
    ) -> Walk[Consent]:
        """Every consent, the one that changed last first."""
        return self._pages(
            read(
                PATH, contact_number=contact_number, phone_number_id=phone_number_id, opted_in=opted_in, since=since,
                consent_method=consent_method, limit=page_size,
            ),
            Consent,
        )  # fmt: skip

    @each
    def history(self, consent_id: str, *, page_size: int | None = None) -> Walk[ConsentEvent]:
        """All that was ever said about it, newest first. Raises NotFound."""
        return self._pages(read(f"{PATH}/{quote(consent_id, safe='')}/history", limit=page_size), ConsentEvent)

    @call
    def record(
        self,
        phone_number_id: str,
        contact_number: str,
        *,
        opted_in: bool = True,
        agreement_text: str | None = None,
        consent_method: Method | None = None,
        captured_at: Time | None = None,
        ip_address: str | None = None,
        user_agent: str | None = None,
        form_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[Consent]:
        """Attest that a contact agreed to `agreement_text`, or that they withdrew. Raises ConsentRequired after an opt-out."""
        evidence = {
            "captured_at": None if captured_at is None else when(captured_at), "ip_address": ip_address, "user_agent": user_agent,
            "agreement_text": agreement_text, "form_url": form_url, "consent_method": consent_method,
        }  # fmt: skip
        body: Mapping[str, Any] = {
            "phone_number_id": phone_number_id,
            "contact_number": contact_number,
            "opted_in": opted_in,
            "evidence": {name: value for name, value in evidence.items() if value is not None} or None,
        }
        return self._fetch(make(PATH, body, idempotency_key), Consent)

    @call
    def revoke(self, consent_id: str) -> Flow[Consent]:
        """Opt the contact out; what is queued to them never leaves. Raises NotFound."""
        return self._fetch(change("DELETE", f"{PATH}/{quote(consent_id, safe='')}"), Consent)

    @call
    def ask(
        self,
        phone_number_id: str,
        contact_number: str,
        *,
        confirmation_text: str,
        agreement_text: str,
        idempotency_key: str | None = None,
    ) -> Flow[Challenge]:
        """Text a contact `confirmation_text`, which they answer with YES. Raises ConsentRequired after an opt-out."""
        body = {
            "phone_number_id": phone_number_id, "contact_number": contact_number, "confirmation_text": confirmation_text,
            "agreement_text": agreement_text,
        }  # fmt: skip
        return self._fetch(make(f"{PATH}/double-opt-in", body, idempotency_key), Challenge)

    @call
    def form(
        self,
        phone_number_id: str,
        *,
        agreement_text: str,
        contact_number: str | None = None,
        expires_in: int | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[ConsentForm]:
        """A page for whoever is to agree, good for `expires_in` seconds."""
        body = {
            "phone_number_id": phone_number_id, "contact_number": contact_number, "agreement_text": agreement_text,
            "expires_in": expires_in,
        }  # fmt: skip
        return self._fetch(make(f"{PATH}/hosted", body, idempotency_key), ConsentForm)
