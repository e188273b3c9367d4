"""Dialect B's requests: what became of a text that an agent asked to send."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from roost.api.answers import oneshot_refusals
from roost.api.auth import Authenticator
from roost.api.http import json_response
from roost.api.oneshot import RETENTION_US, public_id
from roost.api.routes import SECURITY_AGENT, Answer, Parameter, Route
from roost.core.agent_request import Outcome, Recipient, RequestStatus, parse_request_id, public_request_id, tally
from roost.core.outbound import Status
from roost.core.times import rfc3339
from roost.errors import Refusal
from roost.store.agent_requests import AgentRequest, get_request
from roost.store.base import Store


class SmsDetail(msgspec.Struct, omit_defaults=True, rename={"from_number": "from"}):
    """One recipient. `message_sid` is the message's id; without a message, `error` says why there is none."""

    to: str
    from_number: str
    status: Status
    message_sid: str | None = None
    error: str | None = None


class SmsResult(msgspec.Struct, omit_defaults=True):
    """`sent` counts what the carrier took, `delivered` included; `failed` what will never be delivered."""

    status: Outcome
    delivered: int
    sent: int
    failed: int
    total: int
    details: list[SmsDetail]
    memo: str | None = None


class AgentRequestBody(msgspec.Struct, omit_defaults=True):
    """`result` comes with `completed` and `failed`, and goes on to change while receipts come in."""

    request_id: str
    status: RequestStatus
    tool: Literal["sms"]
    created_at: str
    updated_at: str
    result: SmsResult | None = None
    error: str | None = None
    error_code: Literal["consent_required", "provider_unavailable"] | None = None


class AgentRequests:
    """The handler over one store."""

    def __init__(self, store: Store, authenticator: Authenticator) -> None:
        self._store = store
        self._authenticator = authenticator

    async def get(self, request: Request) -> Response:
        agent = await self._authenticator.agent(request, "read")
        request_id = parse_request_id(request.path_params["id"])
        found = await get_request(self._store, agent.org_id, request_id) if request_id else None
        oldest = self._store.clock() - RETENTION_US
        if found is None or found.agent_id != agent.id or found.created_at < oldest:
            raise Refusal(404, "not_found", "Request not found: it may be another agent's, or older than 30 days.")
        return json_response(request_body(found))

    def routes(self) -> Sequence[Route]:
        """The route, as documented."""
        return (
            Route(
                "GET", "/v1/requests/{id}", self.get, "Dialect B: OneShot", "Get a request to send",
                "Completed as soon as each message was handed to the carrier or has failed; failed when all of them have. "
                "Kept for 30 days.",
                [Answer(200, "How far it has come", AgentRequestBody), *oneshot_refusals(404)],
                [Parameter("id", "path", {"type": "string"}, "The request's id: `req_` and 26 characters.")],
                SECURITY_AGENT,
            ),
        )  # fmt: skip


def request_body(request: AgentRequest) -> AgentRequestBody:
    """The union of both documented results."""
    counts = tally(request.recipients)
    body = AgentRequestBody(
        public_request_id(request.id), counts.status, "sms", rfc3339(request.created_at), rfc3339(request.updated_at)
    )
    if counts.status == "processing":
        return body
    details = [_detail(recipient) for recipient in request.recipients]
    body.result = SmsResult(
        counts.outcome, counts.delivered, counts.sent, counts.failed, counts.total, details, request.memo
    )
    if counts.status == "failed":
        body.error = f"None of {counts.total} could be sent: {details[0].error}"
        is_refused = all(recipient.error_code in _NO_CONSENT for recipient in request.recipients)
        body.error_code = "consent_required" if is_refused else "provider_unavailable"
    return body


#: What says so in a message, and in a recipient who got none.
_NO_CONSENT = ("CONSENT_REQUIRED", "consent_required")


def _detail(recipient: Recipient) -> SmsDetail:
    error = ": ".join(part for part in (recipient.error_code, recipient.error_description) if part)
    message_id = recipient.message_id
    return SmsDetail(
        recipient.to_number,
        recipient.from_number,
        recipient.status,
        public_id(message_id) if message_id else None,
        error or None,
    )
