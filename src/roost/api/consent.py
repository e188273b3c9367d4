"""Dialect A's consent routes: attested, listed, revoked, asked for by text, or given in a hosted form."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from roost.api import consent_bodies as bodies
from roost.api import consent_requests as requests
from roost.api.answers import errors, refusals
from roost.api.auth import Authenticator, Principal, ShortCache
from roost.api.bodies import invalid, json_object
from roost.api.errors import not_found
from roost.api.form_tokens import FormTokens
from roost.api.http import json_response
from roost.api.idempotency import IDEMPOTENCY_KEY, REPLAYED, Idempotency
from roost.api.listing import CURSOR, CURSOR_KEY, limit_parameter
from roost.api.queries import parse_query, path_id
from roost.api.routes import SECURITY_KEY, Answer, Parameter, Route
from roost.api.sender import Sender
from roost.core.ids import floor_of
from roost.core.outbound import Send
from roost.errors import Refusal
from roost.store.audit import Actor
from roost.store.base import Store
from roost.store.capture import Capture, OptedOut
from roost.store.consent import Pair, consent_by_id, history
from roost.store.consent_list import list_consents
from roost.store.policy import OrganizationPolicy
from roost.store.sending import SendRefused


class ConsentRoutes:
    """Handlers over one store."""

    def __init__(
        self, store: Store, authenticator: Authenticator, policies: ShortCache[OrganizationPolicy], sender: Sender,
        public_url: str, idempotency: Idempotency,
    ) -> None:  # fmt: skip
        self._store = store
        self._authenticator = authenticator
        self._policies = policies
        self._sender = sender
        self._forms = FormTokens(store)
        self._public_url = public_url
        self._idempotency = idempotency
        self._cursor_key = store.vault.derive(CURSOR_KEY)

    async def record(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "consent:write", "consents")
        values, raw = await json_object(request)
        return await self._idempotency.once(request, principal.org_id, raw, lambda _: self._record(principal, values))

    async def _record(self, principal: Principal, values: dict[str, Any]) -> Response:
        asked = requests.parse_attested(values, self._store.clock())
        capture = await self._capture(principal)
        pair = await self._pair(capture, principal.org_id, asked.phone_number_id, asked.contact_number)
        try:
            captured = await (capture.opt_in if asked.opted_in else capture.opt_out)(pair, asked.evidence)
        except OptedOut:
            raise _opted_out(
                "the contact opted out; evidence.captured_at must say that this was agreed to later"
            ) from None
        agreed = asked.evidence.agreement_text_hash
        if captured.already:
            events, _ = await history(self._store, principal.org_id, captured.consent.id, 1)
            agreed = events[0].evidence.agreement_text_hash
        body = bodies.recorded_body(captured.consent, agreed, already=captured.already)
        return json_response(body, status=200 if captured.already else 201)

    async def list(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "consent:read")
        asked = requests.parse_consent_list(request.scope["query_string"])
        below = asked.seen(self._cursor_key, "consents", principal.org_id)
        consents, more = await list_consents(self._store, requests.consent_query(asked, principal.org_id, below))
        # The order is by updated_at, which the cursor holds as the id that begins there.
        last = floor_of(consents[-1].updated_at) if more else None
        meta = asked.meta_after(self._cursor_key, "consents", principal.org_id, last)
        data = [bodies.consent_body(consent) for consent in consents]
        return json_response(bodies.ConsentList(True, data, meta))

    async def history(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "consent:read")
        consent_id = path_id(request.path_params["id"])
        asked = requests.parse_history(request.scope["query_string"])
        name = f"consent {consent_id}"
        below = asked.seen(self._cursor_key, name, principal.org_id)
        if await consent_by_id(self._store, principal.org_id, consent_id) is None:
            raise not_found()
        events, more = await history(self._store, principal.org_id, consent_id, asked.limit, below)
        meta = asked.meta_after(self._cursor_key, name, principal.org_id, events[-1].id if more else None)
        return json_response(bodies.ConsentHistory(True, [*map(bodies.event_body, events)], meta))

    async def revoke(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "consent:write")
        consent_id = path_id(request.path_params["id"])
        parse_query(request.scope["query_string"], {})
        consent = await (await self._capture(principal)).revoke(principal.org_id, consent_id)
        if consent is None:
            raise not_found()
        return json_response(bodies.consent_body(consent))

    async def double_opt_in(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "consent:write", "consents")
        values, raw = await json_object(request)
        return await self._idempotency.once(
            request, principal.org_id, raw, lambda _: self._double_opt_in(principal, values)
        )

    async def _double_opt_in(self, principal: Principal, values: dict[str, Any]) -> Response:
        asked = requests.parse_question(values)
        capture = await self._capture(principal)
        pair = await self._pair(capture, principal.org_id, asked.phone_number_id, asked.contact_number)
        question = Send(pair.org_id, pair.number, pair.contact_number, asked.confirmation_text, purpose="double_opt_in")
        try:
            await self._sender.policy_for(question)
            captured = await capture.challenge(pair, question, asked.agreement_text)
        except OptedOut:
            raise _opted_out("the contact opted out and may not be asked: only their own START lifts that") from None
        except SendRefused:
            raise invalid({"phone_number_id": _UNSENDABLE}) from None
        if not captured.already:
            self._sender.wake()
        body = bodies.challenge_body(captured.consent, already=captured.already)
        return json_response(body, status=200 if captured.already else 202)

    async def hosted(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "consent:write", "consents")
        values, raw = await json_object(request)
        return await self._idempotency.once(request, principal.org_id, raw, lambda _: self._hosted(principal, values))

    async def _hosted(self, principal: Principal, values: dict[str, Any]) -> Response:
        asked = requests.parse_form_request(values)
        capture = await self._capture(principal)
        await self._pair(capture, principal.org_id, asked.phone_number_id, asked.contact_number or "")
        token, expires_at = self._forms.issue(principal.org_id, asked)
        return json_response(bodies.form_body(token, self._public_url, expires_at), status=201)

    async def _capture(self, principal: Principal) -> Capture:
        policy = await self._policies.get(principal.org_id)
        assert policy is not None, "a key belongs to an organization"
        return Capture(self._store, Actor("api_key", principal.key_id), policy.settings)

    async def _pair(self, capture: Capture, org_id: str, phone_number_id: str, contact_number: str) -> Pair:
        pair = await capture.pair(org_id, phone_number_id, contact_number)
        if pair is None:
            raise not_found()
        return pair

    def routes(self) -> Sequence[Route]:
        """The routes, as documented."""
        tag, key = "Dialect A: AgentMessage", [SECURITY_KEY]
        writing = refusals(403, 404, 409, 413, 422)
        return (
            Route(
                "POST", "/v1/consent", self.record, tag, "Record a consent", _RECORD_TEXT,
                [
                    Answer(201, "Recorded", bodies.RecordedBody, REPLAYED),
                    Answer(200, "It stood so already, and nothing was recorded", bodies.RecordedBody, REPLAYED),
                    *writing,
                    *errors(453),
                ],
                [IDEMPOTENCY_KEY], key, "consent:write", body=requests.AttestedBody,
            ),
            Route(
                "GET", "/v1/consent", self.list, tag, "List consents", "The one that changed last first.",
                [Answer(200, "A page", bodies.ConsentList), *refusals(403, 422)],
                _LIST_PARAMETERS, key, "consent:read",
            ),
            Route(
                "GET", "/v1/consent/{id}/history", self.history, tag, "List a consent's history",
                "Every entry that was ever written, newest first: the ledger only grows.",
                [Answer(200, "A page", bodies.ConsentHistory), *refusals(400, 403, 404, 422)],
                [_ID, *_PAGE], key, "consent:read",
            ),
            Route(
                "DELETE", "/v1/consent/{id}", self.revoke, tag, "Revoke a consent",
                "Opts the contact out: what is queued to them from that number never leaves. Twice is once.",
                [Answer(200, "The contact is opted out", bodies.ConsentBody), *refusals(400, 403, 404, 422)],
                [_ID], key, "consent:write",
            ),
            Route(
                "POST", "/v1/consent/double-opt-in", self.double_opt_in, tag, "Ask a contact for consent", _ASK_TEXT,
                [
                    Answer(202, "The contact is asked", bodies.ChallengeBody, REPLAYED),
                    Answer(200, "They were asked already, or have opted in", bodies.ChallengeBody, REPLAYED),
                    *writing,
                    *errors(453),
                ],
                [IDEMPOTENCY_KEY], key, "consent:write", body=requests.QuestionBody,
            ),
            Route(
                "POST", "/v1/consent/hosted", self.hosted, tag, "Make a consent form", _FORM_TEXT,
                [Answer(201, "The form's address", bodies.HostedFormBody, REPLAYED), *writing],
                [IDEMPOTENCY_KEY], key, "consent:write", body=requests.FormRequestBody,
            ),
        )  # fmt: skip


def _opted_out(message: str) -> Refusal:
    # 453 is the documented status, and no registered one.
    return Refusal(453, "CONSENT_REQUIRED", message)


_UNSENDABLE = "must be a number on a carrier account that can send; add the account's API credentials"
_RECORD_TEXT = """What the organization attests: that the contact agreed (or, with `opted_in` false, that they withdrew), and
the evidence of it: `captured_at`, `ip_address`, `user_agent`, `agreement_text`, `form_url`, `consent_method`. A contact who
opted out is opted in again only by evidence that says when (`captured_at`), and that this was afterwards."""
_ASK_TEXT = """Sends `confirmation_text`, and opts the contact in when they answer YES, CONFIRM or START within 24 hours. While
that lasts, asking again sends nothing. A contact who opted out may not be asked."""
_FORM_TEXT = """A page for whoever is to agree to `agreement_text`, good for `expires_in` seconds (an hour unless it is given, a
week at most). Without a `contact_number` they enter their own. Only a text from the phone itself lifts an opt-out."""
_ID = Parameter("id", "path", {"type": "string", "format": "uuid"}, "The consent's id.")
_PAGE = (CURSOR, limit_parameter(requests.DEFAULT_LIMIT, requests.MAX_LIMIT))
_LIST_PARAMETERS = (
    *_PAGE,
    Parameter("contact_number", "query", {"type": "string", "maxLength": 255}, "Only this contact (`+` as `%2B`)."),
    Parameter("phone_number_id", "query", {"type": "string", "format": "uuid"}, "Only this number of ours."),
    Parameter("opted_in", "query", {"type": "boolean"}, "Only those who are opted in, or only those who are not."),
    Parameter("since", "query", {"type": "string", "format": "date-time"}, "Updated at this time or later."),
    Parameter("consent_method", "query", {"type": "string", "enum": list(requests.METHODS)}, "How it was given."),
)
