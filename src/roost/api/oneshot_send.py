"""Dialect B's sending: quoted, then accepted as one request whose progress can be asked for."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from roost.api.answers import OneShotError, oneshot_refusals
from roost.api.auth import Authenticator
from roost.api.bodies import MAX_BODY_BYTES
from roost.api.http import json_response, read_body
from roost.api.idempotency import IDEMPOTENCY_KEY, REPLAYED, Attempt, Idempotency
from roost.api.oneshot_sms import Asked, SmsAccepted, SmsSend, parse_send
from roost.api.quotes import PAYMENT_REQUIRED, Quote, QuoteExpired, Quotes, expired
from roost.api.routes import SECURITY_AGENT, Answer, Parameter, Route
from roost.api.sender import Sender
from roost.core.agent_request import public_request_id
from roost.core.outbound import Send
from roost.errors import Refusal
from roost.store.agent_requests import request_of_quote
from roost.store.agent_sending import AllRefused, Planned, accept_request, number_towards
from roost.store.base import Store
from roost.store.directory import Agent
from roost.store.sending import SendRefused
from roost.store.transaction import Transaction


class AgentSending:
    """The handler over one store. `quotes`: whether a request is quoted before it is executed."""

    def __init__(
        self, store: Store, authenticator: Authenticator, sender: Sender, idempotency: Idempotency, *, quotes: bool
    ) -> None:
        self._store = store
        self._authenticator = authenticator
        self._sender = sender
        self._idempotency = idempotency
        self._asks_first = quotes
        self._quotes = Quotes(store)

    async def send(self, request: Request) -> Response:
        agent = await self._authenticator.agent(request, "write", "sends")
        raw = await read_body(request, MAX_BODY_BYTES)
        asked = parse_send(raw)
        quote_id = request.headers.get("x-quote-id", "").strip() or None
        if quote_id is None and self._asks_first:
            await self._plan(agent, asked)  # what cannot be sent at all is not quoted
            headers = {"PAYMENT-REQUIRED": PAYMENT_REQUIRED}
            return json_response(self._quotes.quote(agent.id, asked), headers, status=402)

        async def execute(attempt: Attempt) -> Response:
            return await self._execute(agent, asked, quote_id, attempt)

        # Around the execution alone: clients send their key with the request for the quote, too.
        return await self._idempotency.once(request, agent.org_id, raw, execute, caller=agent.id)

    async def _execute(self, agent: Agent, asked: Asked, quote_id: str | None, attempt: Attempt) -> Response:
        request_id = await self._executed(agent, asked, quote_id) if quote_id else None
        if request_id is not None:
            return _accepted(asked, request_id)
        planned = await self._plan(agent, asked)

        async def work(tx: Transaction) -> Response:
            response = _accepted(asked, await accept_request(tx, agent.org_id, agent.id, planned, quote_id, asked.memo))
            await attempt.answer(tx, response)
            return response

        try:
            response = await self._store.transact(work)
        except AllRefused as refused:
            raise refusal_of(refused.reasons) from None
        self._sender.wake()
        return response

    async def _executed(self, agent: Agent, asked: Asked, quote_id: str) -> str | None:
        """The request that the quote became, also when the quote has expired since. Refuses what is no good quote."""
        try:
            self._quotes.verify(quote_id, agent.id, asked)
        except QuoteExpired:
            request_id = await request_of_quote(self._store, agent.org_id, quote_id)
            if request_id is None:
                raise expired() from None
            return request_id
        return await request_of_quote(self._store, agent.org_id, quote_id)

    async def _plan(self, agent: Agent, asked: Asked) -> list[Planned]:
        """Each recipient's text and the number that it is sent from. Refuses when none can be sent at all."""
        planned: list[Planned] = []
        for to_number in asked.to_numbers:
            from_number = await number_towards(self._store, agent.org_id, agent.id, to_number)
            if from_number is None:
                raise refusal_of(["not_owned"])
            send = Send(agent.org_id, from_number, to_number, asked.message, agent_id=agent.id)
            try:
                planned.append((send, (await self._sender.policy_for(send)).settings))
            except SendRefused as refused:
                planned.append((send, refused))
        reasons = [refused.reason for _, refused in planned if isinstance(refused, SendRefused)]
        if len(reasons) == len(planned):
            raise refusal_of(reasons)
        return planned

    def routes(self) -> Sequence[Route]:
        """The route, as documented."""
        return (
            Route(
                "POST", "/v1/tools/sms/send", self.send, "Dialect B: OneShot", "Send a text", _TEXT,
                [
                    Answer(202, "Accepted; it is sent afterwards", SmsAccepted, REPLAYED),
                    Answer(402, "The quote; its amounts are zero", Quote, ("PAYMENT-REQUIRED",)),
                    Answer(403, "`consent_required` or `quiet_hours`: no recipient may be texted now", OneShotError),
                    *oneshot_refusals(400, 409, 413, 422),
                ],
                _PARAMETERS, SECURITY_AGENT, body=SmsSend,
            ),
        )  # fmt: skip


def _accepted(asked: Asked, request_id: str) -> Response:
    return json_response(asked.accepted(public_request_id(request_id)), status=202)


def refusal_of(reasons: Sequence[str]) -> Refusal:
    """The answer when no recipient can be texted: what the caller can do most about, when there are several reasons."""
    status, code, message = next(_REFUSALS[reason] for reason in _REFUSALS if reason in reasons)
    return Refusal(status, code, message)


_REFUSALS = {
    "consent_required": (
        403,
        "consent_required",
        "The recipient has not consented to texts from this number, or opted out; a recipient who texts first may be answered.",
    ),
    "quiet_hours": (403, "quiet_hours", "It is night where the recipient is; send later."),
    "receive_only": (
        400,
        "receive_only",
        "The agent's number is on a carrier account that only receives; the operator has to add what sending takes.",
    ),
    "not_owned": (400, "no_phone_number", "The agent has no phone number; the operator has to give it one."),
}

_TEXT = """The first call answers 402 with a quote at price zero, good for 15 minutes; the same body again with `x-quote-id`
is accepted, and the same quote is accepted once. (A server can be set to accept at once.) It is sent from the agent's number
that last spoke with the recipient, else from its oldest one. A recipient who may not be texted fails alone, in the result's
`details`."""
_STRING: dict[str, Any] = {"type": "string"}
_PARAMETERS = (
    IDEMPOTENCY_KEY,
    Parameter("x-quote-id", "header", _STRING, "`context.quote_id` of the quote for this very body."),
    Parameter("payment-signature", "header", _STRING, "Ignored: nothing is to be paid."),
)
