"""The routes of claims: how the workers of one agent, or of one organization, share an inbox. Ours, in dialect A's shapes."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from roost.api.answers import refusals
from roost.api.auth import Authenticator
from roost.api.bodies import json_object
from roost.api.http import json_response
from roost.api.idempotency import IDEMPOTENCY_KEY, REPLAYED, Attempt, Idempotency
from roost.api.oneshot import RETENTION_US
from roost.api.routes import SECURITY_AGENT, SECURITY_KEY, Answer, Route
from roost.core.claims import MAX_LEASED, Claimed, Settling
from roost.core.ids import FIRST_ID, floor_of
from roost.core.media_urls import MediaUrls
from roost.errors import Refusal
from roost.push.claim_bodies import (
    ClaimBody,
    ClaimedOne,
    SettleBody,
    SettledList,
    claimed_body,
    parse_claim,
    parse_settling,
    settled_body,
)
from roost.push.claiming import Claiming
from roost.store.base import Store
from roost.store.claims import QueueFull, settle, still_held
from roost.store.transaction import Transaction

_SCOPE = "messages:read"


class _Worker(NamedTuple):
    """Who asks: of an organization, or for one of its agents."""

    org_id: str
    agent_id: str | None
    above: str
    """An id below which it sees nothing."""


class ClaimRoutes:
    """Handlers over one store."""

    def __init__(
        self,
        store: Store,
        authenticator: Authenticator,
        idempotency: Idempotency,
        claiming: Claiming,
        urls: MediaUrls,
    ) -> None:
        self._store = store
        self._authenticator = authenticator
        self._idempotency = idempotency
        self._claiming = claiming
        self._urls = urls

    async def claim(self, request: Request) -> Response:
        worker = await self._worker(request)
        values, raw = await json_object(request)
        asked = parse_claim(values, *worker)
        org_id, queue = worker.org_id, asked.wanted.queue

        def answer(claimed: Claimed) -> Response:
            return json_response(claimed_body(claimed, queue, self._urls, asked.include))

        async def make(attempt: Attempt) -> Response:
            async def noted(tx: Transaction, claimed: Claimed) -> None:
                await attempt.name(tx, 200, str(UUID(int=claimed.fence)))

            try:
                return answer(await self._claiming.claim(request, asked.wanted, asked.wait, noted))
            except QueueFull:
                full = f"{MAX_LEASED:,} messages of this queue are leased; ack or release some"
                raise Refusal(409, "CONFLICT", full, headers={"Retry-After": "1"}) from None

        async def rebuild(fence: str) -> Response:
            return answer(await still_held(self._store, org_id, queue, UUID(fence).int))

        caller = worker.agent_id or ""
        return await self._idempotency.once(request, org_id, raw, make, caller=caller, rebuild=rebuild)

    async def ack(self, request: Request) -> Response:
        return await self._settle(request, "ack")

    async def release(self, request: Request) -> Response:
        return await self._settle(request, "release")

    async def _settle(self, request: Request, how: Settling) -> Response:
        worker = await self._worker(request)
        values, _ = await json_object(request)
        queue, held = parse_settling(values)
        refused = await settle(self._store, how, worker.org_id, queue, held, worker.agent_id)
        if how == "release":
            self._claiming.released(worker.org_id, queue)
        return json_response(settled_body(how, queue, held, refused))

    async def _worker(self, request: Request) -> _Worker:
        if "x-agent-id" not in request.headers:
            principal = await self._authenticator.api_key(request, _SCOPE)
            return _Worker(principal.org_id, None, FIRST_ID)
        agent, _ = await self._authenticator.agent_in_a(request, "read")
        # An agent's messages are gone after their time, here too.
        return _Worker(agent.org_id, agent.id, floor_of(self._store.clock() - RETENTION_US))

    def routes(self) -> Sequence[Route]:
        """The three routes."""
        tag, who, base = "Claims", [SECURITY_KEY, *SECURITY_AGENT], "/v1/inbound-messages"
        settled = [Answer(200, "What became of each", SettledList), *refusals(403, 413, 422)]
        return (
            Route(
                "POST", f"{base}/claim", self.claim, tag, "Claim inbound messages", _CLAIM_TEXT,
                [Answer(200, "What is yours now", ClaimedOne, REPLAYED), *refusals(403, 409, 413, 422)],
                [IDEMPOTENCY_KEY], who, _SCOPE, body=ClaimBody,
            ),
            Route(
                "POST", f"{base}/ack", self.ack, tag, "Acknowledge claimed messages", _ACK_TEXT, settled, (), who, _SCOPE,
                body=SettleBody,
            ),
            Route(
                "POST", f"{base}/release", self.release, tag, "Give claimed messages back", _RELEASE_TEXT, settled, (), who,
                _SCOPE, body=SettleBody,
            ),
        )  # fmt: skip


_CLAIM_TEXT = """The oldest messages of a queue that nobody has and nobody is done with: yours for `lease_seconds`. Until then
no other worker of the queue gets them; after that, or once they are released, whoever comes next does, under a greater fence.
Every `queue` has all messages to hand out: workers that share them name the same one. Filters narrow what a worker gets,
within the one queue. Texts of blocked senders are left out. With an idempotency key a claim that is sent again gets what it
still holds. With `X-Agent-ID` and a proof (scope `read`) or an access token: the agent's own messages."""
_ACK_TEXT = """They are done, and no worker of the queue gets them again. Each counts by itself; one whose `fence` is outdated is
refused, and nothing changes: another worker has it. Acknowledging again with the same fence is acknowledging once. A lease
that ran out still counts as long as nobody else has claimed the message."""
_RELEASE_TEXT = """Whoever comes next gets them, without waiting for the lease to run out."""
