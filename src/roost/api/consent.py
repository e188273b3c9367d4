"""Dialect A's consent routes: attested, listed, revoked, asked for by text, or given in a hosted form."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from roost.api import consent_bodies as bodies
from roost.api import consent_requests as requests
from roost.api.agentmessage import Meta, not_found, path_id
from roost.api.auth import Authenticator, Principal
from roost.api.bodies import json_object
from roost.api.hosted_form import new_form_token
from roost.api.http import json_response
from roost.api.inbound import CURSOR_KEY, errors
from roost.api.queries import parse_query
from roost.api.routes import SECURITY_KEY, Answer, Parameter, Route
from roost.core.ids import floor_of
from roost.core.organization import Settings
from roost.core.paging import encode_cursor
from roost.errors import Refusal
from roost.store.audit import Actor
from roost.store.base import Store
from roost.store.capture import Ask, Capture, OptedOut
from roost.store.consent import Pair, consent_by_id, history
from roost.store.consent_list import NO_END, ConsentQuery, list_consents
from roost.store.sending import SendRefused

SettingsOf = Callable[[str], Awaitable[Settings]]


class ConsentRoutes:
    """Handlers over one store. `ask` accepts the question of a double opt-in."""

    def __init__(
        self, store: Store, authenticator: Authenticator, settings_of: SettingsOf, ask: Ask, public_url: str
    ) -> None:
        self._store = store
        self._authenticator = authenticator
        self._settings_of = settings_of
        self._ask = ask
        self._public_url = public_url
        self._cursor_key = store.vault.derive(CURSOR_KEY)

    async def record(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "consent:write")
        values, _ = await json_object(request)
        asked = requests.parse_attested(values, self._store.clock())
        capture = await self._capture(principal)
        pair = await self._pair(capture, principal.org_id, asked.phone_number_id, asked.contact_number)
        try:
            captured = await (capture.opt_in if asked.opted_in else capture.opt_out)(pair, asked.evidence)
        except OptedOut:
            raise opted_out("the contact opted out; evidence.captured_at must say that this was agreed to later") from None
        agreed = asked.evidence.agreement_text_hash
        if captured.already:
            events, _ = await history(self._store, principal.org_id, captured.consent.id, 1)
            agreed = events[0].evidence.agreement_text_hash
        body = bodies.recorded_body(captured.consent, agreed, already=captured.already)
        return json_response(body, status=200 if captured.already else 201)

    async def list(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "consent:read")
        asked = requests.parse_list(request.scope["query_string"])
        below = requests.below(self._cursor_key, asked, principal.org_id)
        query = ConsentQuery(
            principal.org_id,
            asked.limit,
            asked.contact_number,
            asked.phone_number_id,
            None if asked.opted_in is None else "opted_in" if asked.opted_in else "opted_out",
            asked.consent_method,
            asked.since,
            NO_END if below is None else below,
        )
        consents, more = await list_consents(self._store, query)
        # The order is by updated_at, which the cursor holds as the id that begins there.
        last = floor_of(consents[-1].updated_at) if more else None
        cursor = encode_cursor(self._cursor_key, asked.binding(principal.org_id), last) if last else None
        data = [bodies.consent_body(consent) for consent in consents]
        return json_response(bodies.ConsentList(True, data, Meta(0, asked.limit, 0, cursor)))

    async def history(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "consent:read")
        consent_id = path_id(request.path_params["id"])
        limit, cursor = requests.parse_history(request.scope["query_string"])
        binding = f"consent {principal.org_id} {consent_id}"
        below = requests.seen(self._cursor_key, binding, cursor)
        if await consent_by_id(self._store, principal.org_id, consent_id) is None:
            raise not_found()
        events, more = await history(self._store, principal.org_id, consent_id, limit, below)
        following = encode_cursor(self._cursor_key, binding, events[-1].id) if more else None
        data = [bodies.event_body(event) for event in events]
        return json_response(bodies.ConsentHistory(True, data, Meta(0, limit, 0, following)))

    async def revoke(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "consent:write")
        consent_id = path_id(request.path_params["id"])
        parse_query(request.scope["query_string"], {})
        consent = await (await self._capture(principal)).revoke(principal.org_id, consent_id)
        if consent is None:
            raise not_found()
        return json_response(bodies.consent_body(consent))

    async def double_opt_in(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "consent:write")
        values, _ = await json_object(request)
        asked = requests.parse_question(values)
        capture = await self._capture(principal)
        pair = await self._pair(capture, principal.org_id, asked.phone_number_id, asked.contact_number)
        try:
            captured = await capture.challenge(pair, asked.confirmation_text, asked.agreement_text, self._ask)
        except OptedOut:
            raise opted_out("the contact opted out, and may not be asked; only their own START lifts that") from None
        except SendRefused as refused:
            raise refusal_of(refused) from None
        body = bodies.challenge_body(captured.consent, already=captured.already)
        return json_response(body, status=200 if captured.already else 202)

    async def hosted(self, request: Request) -> Response:
        principal = await self._authenticator.api_key(request, "consent:write")
        values, _ = await json_object(request)
        asked = requests.parse_form_request(values)
        capture = await self._capture(principal)
        await self._pair(capture, principal.org_id, asked.phone_number_id, asked.contact_number or "")
        token, expires_at = new_form_token(self._store, principal.org_id, asked)
        return json_response(bodies.form_body(token, f"{self._public_url}/consent/{token}", expires_at), status=201)

    async def _capture(self, principal: Principal) -> Capture:
        settings = await self._settings_of(principal.org_id)
        return Capture(self._store, Actor("api_key", principal.key_id), settings)

    async def _pair(self, capture: Capture, org_id: str, phone_number_id: str, contact_number: str) -> Pair:
        pair = await capture.pair(org_id, phone_number_id, contact_number)
        if pair is None:
            raise not_found()
        return pair
