"""Intake: where carriers deliver. Verify, parse, decide, store in one transaction, and only then answer 2xx."""

from collections.abc import Callable, Sequence

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from roost.api.auth import ShortCache
from roost.api.errors import general
from roost.api.http import json_response, read_body
from roost.api.limits import Limits
from roost.api.policies import policy_for
from roost.carriers.contract import Carrier, IntakeRequest
from roost.carriers.registry import CARRIERS
from roost.core.account import CarrierAccount
from roost.core.ids import parse_uuid
from roost.core.message import CarrierEvent, Draft, InboundEvent, PartEvent, ReceiptEvent, UnknownEvent, draft
from roost.core.parts import Part, part
from roost.errors import Refusal
from roost.metrics import INTAKE
from roost.store.base import Store
from roost.store.directory import Directory
from roost.store.errors import ContentRefused
from roost.store.group import DEFAULT_POLICY, Delivery, Outcome, Policy

MAX_BODY_BYTES = 1 << 20

log = structlog.get_logger(__name__)


class Intake:
    """Handles `POST /carriers/{carrier}/{account_id}`, and GET for the carriers that call so."""

    def __init__(
        self, store: Store, limits: Limits, wake: Callable[[], None], wake_copier: Callable[[], None], public_url: str
    ) -> None:
        self._store = store
        self._limits = limits
        self._known: ShortCache[tuple[CarrierAccount, Policy]] = ShortCache(self._look_up, is_secret=False)
        self._wake = wake
        self._wake_copier = wake_copier
        self._public_url = public_url

    async def __call__(self, request: Request) -> Response:
        """200 with what became of the delivery, once it is durable.

        401 for a missing or wrong credential (and for an unknown account: which ones exist is nobody's business), 404
        for a carrier we do not have, 413 beyond 1 MiB, 429 after too many wrong credentials, 503 when it could not be
        stored; nothing for what it says.
        """
        scope = request.scope
        method, called = scope["method"], scope["path_params"]
        carrier = CARRIERS.get(called["carrier"])
        if carrier is None:
            raise general(404, scope["path"])
        if method not in carrier.METHODS:
            raise general(405, scope["path"], Allow=", ".join(sorted(carrier.METHODS)))
        body = await read_body(request, MAX_BODY_BYTES)
        incoming = IntakeRequest(request.headers, body, self._url(scope), method)
        account, policy = await self._known.get(called["account_id"]) or _NOBODY
        if (
            account is None
            or account.carrier != carrier.NAME
            or not carrier.verify(incoming, account, self._store.clock())
        ):
            INTAKE.counts[carrier.NAME, "refused"] += 1
            headers = {"WWW-Authenticate": 'Basic realm="roost"'}
            refusal = Refusal(401, "UNAUTHORIZED", "authentication failed", headers=headers)
            raise await self._limits.failed_sign_in(request, refusal)
        outcome = await self._take_in(carrier, account, policy, incoming)
        if carrier.EMPTY_ANSWER:
            return Response(status_code=204)
        return json_response(
            {
                "ids": outcome.stored,
                "stored": len(outcome.stored),
                "duplicates": outcome.duplicates,
                "unrouted": outcome.unrouted,
                "receipts": outcome.receipts,
            }
        )

    async def play(self, account_id: str, body: bytes) -> Outcome:
        """As if an account's carrier had delivered it: for whoever has shown already that they may."""
        known = await self._known.get(account_id)
        assert known is not None, "whoever asks has looked it up"
        account, policy = known
        return await self._take_in(CARRIERS[account.carrier], account, policy, IntakeRequest({}, body))

    async def _take_in(
        self, carrier: Carrier, account: CarrierAccount, policy: Policy, incoming: IntakeRequest
    ) -> Outcome:
        delivery = delivery_of(account, carrier.parse(incoming), policy)
        outcome = await store_safely(self._store, delivery, incoming.body)
        _count(carrier.NAME, outcome)
        if delivery.parts:
            self._wake()
        for decided in delivery.drafts:
            if decided.keyword:
                self._wake()  # it may be answered
            if decided.media:
                self._wake_copier()
        if outcome.unrouted:
            log.warning("unrouted", carrier=carrier.NAME, account_id=account.id, count=outcome.unrouted)
        return outcome

    def _url(self, scope: Scope) -> str:
        # What a proxy says of where it was called (X-Forwarded-*) is not asked: anybody can write it.
        url = self._public_url + scope["raw_path"].decode("latin-1")
        query: bytes = scope["query_string"]
        return f"{url}?{query.decode('latin-1')}" if query else url

    async def _look_up(self, text: str) -> tuple[CarrierAccount, Policy] | None:
        account_id = parse_uuid(text)
        account = await Directory(self._store).carrier_account(account_id) if account_id else None
        return (account, await policy_for(self._store, account)) if account else None


async def store_safely(store: Store, delivery: Delivery, raw: bytes) -> Outcome:
    """Nothing authenticated is refused for its content: what the database will not take is kept as the bytes that it was."""
    try:
        return await store.record(delivery)
    except ContentRefused:
        log.exception("unstorable", account_id=delivery.account_id)
        whole = UnknownEvent("unstorable", raw)
        return await store.record(Delivery(delivery.org_id, delivery.account_id, [], [], [whole]))


_NOBODY = (None, DEFAULT_POLICY)


def delivery_of(account: CarrierAccount, events: Sequence[CarrierEvent], policy: Policy = DEFAULT_POLICY) -> Delivery:
    """Sort a request's events by what they become."""
    parts: list[Part] = []
    delivery = Delivery(account.org_id, account.id, [], [], [], policy, parts)
    words = frozenset(policy.settings.opt_out_words)
    for event in events:
        decided: Draft | Part | ReceiptEvent | UnknownEvent
        if isinstance(event, InboundEvent):
            decided = draft(event, words)
        else:
            decided = part(event) if isinstance(event, PartEvent) else event
        if isinstance(decided, Part):
            parts.append(decided)
        elif isinstance(decided, Draft):
            delivery.drafts.append(decided)
        elif isinstance(decided, ReceiptEvent):
            delivery.receipts.append(decided)
        else:
            delivery.unknown.append(decided)
    return delivery


def _count(carrier: str, outcome: Outcome) -> None:
    if outcome.stored:
        INTAKE.counts[carrier, "stored"] += len(outcome.stored)
    if outcome.duplicates:
        INTAKE.counts[carrier, "duplicate"] += outcome.duplicates
    if outcome.unrouted:
        INTAKE.counts[carrier, "unrouted"] += outcome.unrouted
    if outcome.receipts:
        INTAKE.counts[carrier, "receipt"] += outcome.receipts
