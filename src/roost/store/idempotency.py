"""Idempotency keys: who has one, what became of the request that had it, and its first success, encrypted."""

import json
from typing import NamedTuple
from uuid import UUID

from roost.core.ids import id_text
from roost.store.base import Store
from roost.store.sql import IDEMPOTENCY
from roost.store.transaction import Transaction

#: A key is good this long.
WINDOW_US = 24 * 3600 * 1_000_000
#: After this a request that never finished is given up, and whoever asks again may do it.
TAKE_OVER_US = 60 * 1_000_000


class ClaimLost(Exception):
    """The request took so long that another one has taken its key over; nothing of this transaction may happen."""


class Claim(NamedTuple):
    """The right to do what a key was sent for. `resource_id` is set when somebody before made it and never answered."""

    org_id: str
    route: str
    key: str
    started_at: int
    resource_id: str | None = None

    def names(self) -> tuple[UUID, str, str, int]:
        return UUID(self.org_id), self.route, self.key, self.started_at


class Running(NamedTuple):
    """Another request with the key has not finished."""


class Reused(NamedTuple):
    """The key was sent with another request."""


class Answered(NamedTuple):
    """The first success."""

    status: int
    body: bytes


class Named(NamedTuple):
    """The first success, by what it made: the answer is made of that again."""

    resource_id: str


Found = Claim | Running | Reused | Answered | Named


class IdempotencyKeys:
    """The keys of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def claim(self, org_id: str, route: str, key: str, body_hash: bytes) -> Found:
        """Claim the key, or hear what stands in the way. Keys past their window are forgotten in passing."""
        names = (UUID(org_id), route, key)

        async def work(transaction: Transaction) -> Found:
            now = transaction.now()
            await transaction.fetch(IDEMPOTENCY["forget_claims"], UUID(org_id), now - WINDOW_US)
            if await transaction.fetch(IDEMPOTENCY["claim"], *names, now, body_hash):
                return Claim(org_id, route, key, now)
            rows = await transaction.fetch(IDEMPOTENCY["claim_of"], *names)
            if not rows:
                return Running()  # dropped between the two statements; whoever asks again gets it
            started_at, known_hash, resource_id, status, response = rows[0]
            if bytes(known_hash) != body_hash:
                return Reused()
            if status is not None and response is None:
                return Named(id_text(resource_id))
            if status is not None:
                return Answered(status, self._store.vault.decrypt(bytes(response), _place(org_id, route, key)))
            if now - started_at <= TAKE_OVER_US:
                return Running()
            if not await transaction.fetch(IDEMPOTENCY["take_over"], *names, started_at, now):
                return Running()
            return Claim(org_id, route, key, now, id_text(resource_id) if resource_id is not None else None)

        return await self._store.transact(work)

    async def note(self, transaction: Transaction, claim: Claim, resource_id: str) -> None:
        """Say in the transaction that makes it what the request made. Raises ClaimLost."""
        if not await transaction.fetch(IDEMPOTENCY["note_resource"], *claim.names(), UUID(resource_id)):
            raise ClaimLost

    async def finish(self, transaction: Transaction, claim: Claim, answer: Answered) -> None:
        """Keep the success. In the transaction that makes the resource, both are there or neither. Raises ClaimLost."""
        sealed = self._store.vault.encrypt(answer.body, _place(claim.org_id, claim.route, claim.key))
        if not await transaction.fetch(IDEMPOTENCY["finish_claim"], *claim.names(), answer.status, sealed):
            raise ClaimLost

    async def finish_by_name(self, transaction: Transaction, claim: Claim, status: int, resource_id: str) -> None:
        """Keep the success without its words, in the transaction that makes the resource. Raises ClaimLost."""
        row = (*claim.names(), status, UUID(resource_id))
        if not await transaction.fetch(IDEMPOTENCY["finish_claim_by_name"], *row):
            raise ClaimLost

    async def drop(self, claim: Claim) -> None:
        """Give the key back, unless something was made with it."""
        await self._store.write((IDEMPOTENCY["drop_claim"], claim.names()))


def _place(org_id: str, route: str, key: str) -> str:
    return json.dumps(["idempotency", org_id, route, key])
