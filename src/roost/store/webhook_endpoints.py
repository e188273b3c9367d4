"""Webhook endpoints: made, listed, changed and deleted; their secrets, which are kept encrypted; and numbers' URLs."""

import base64
import secrets
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from roost.core.ids import id_text
from roost.core.webhooks import EVENT_OF, MAX_ENDPOINTS, OVERLAP_US
from roost.store.audit import OPERATOR, Actor
from roost.store.base import Row
from roost.store.changes import Beside, Changes, nothing_beside
from roost.store.pages import PageOf, Slice, newest_first
from roost.store.sql import load
from roost.store.transaction import Transaction

WEBHOOKS = load("webhooks.sql")
_QUEUE = load("webhook_queue.sql")
_SECRET_BYTES = 32


class StoredEndpoint(NamedTuple):
    """An endpoint of the organization's own; times are microseconds since 1970."""

    id: str
    org_id: str
    url: str
    events: tuple[str, ...]
    description: str
    active: bool
    created_at: int
    updated_at: int


class Secret(NamedTuple):
    """A new secret, in base64; `previous_until` is until when the one before it is signed with as well."""

    text: str
    made_at: int
    previous_until: int


class Webhooks(Changes):
    """An organization's endpoints. Whoever changes one is in the audit log, as `actor`."""

    async def create(
        self,
        org_id: str,
        url: str,
        events: tuple[str, ...],
        description: str,
        actor: Actor = OPERATOR,
        beside: Beside[tuple[StoredEndpoint, Secret]] = nothing_beside,
    ) -> tuple[StoredEndpoint, Secret] | None:
        """The endpoint, which is told what comes from now on, and its secret. None when there are enough."""
        endpoint_id, now = self._new_id()
        made = StoredEndpoint(endpoint_id, org_id, url, events, description, True, now, now)

        async def work(tx: Transaction) -> tuple[StoredEndpoint, Secret] | None:
            await tx.lock(org_id)
            await tx.fetch(WEBHOOKS["begin_feed"], UUID(org_id))
            row = (UUID(org_id), UUID(endpoint_id), url, " ".join(events), description, now, MAX_ENDPOINTS)
            if not await tx.fetch(WEBHOOKS["create_endpoint"], *row):
                return None
            secret = await self._add_secret(tx, org_id, endpoint_id)
            await self._log(tx, org_id, actor, "webhook.created", endpoint_id, {"url": url, "events": list(events)})
            await beside(tx, (made, secret))
            return made, secret

        return await self._store.transact(work)

    async def page(self, page: PageOf) -> Slice[StoredEndpoint]:
        """Newest first."""
        return await newest_first(self._store, WEBHOOKS["endpoints"], page, (), _endpoint)

    async def get(self, org_id: str, endpoint_id: str) -> StoredEndpoint | None:
        rows = await self._store.fetch(WEBHOOKS["endpoint"], UUID(org_id), UUID(endpoint_id))
        return _endpoint(rows[0]) if rows else None

    async def change(
        self,
        org_id: str,
        endpoint_id: str,
        change: Callable[[StoredEndpoint], StoredEndpoint],
        actor: Actor = OPERATOR,
    ) -> StoredEndpoint | None:
        """The endpoint after `change`, which may touch its URL, events, description and whether it is active. None: unknown."""

        async def work(tx: Transaction) -> StoredEndpoint | None:
            await tx.lock(org_id)
            rows = await tx.fetch(WEBHOOKS["endpoint"], UUID(org_id), UUID(endpoint_id))
            if not rows:
                return None
            standing = _endpoint(rows[0])
            changed = change(standing)
            if changed == standing:
                return standing
            changed = changed._replace(updated_at=tx.now())
            await tx.fetch(WEBHOOKS["begin_feed"], UUID(org_id))
            if not changed.active:
                await tx.fetch(_QUEUE["empty"], UUID(org_id), UUID(endpoint_id), "organization")
            values = (changed.url, " ".join(changed.events), changed.description, changed.active, changed.updated_at)
            await tx.fetch(WEBHOOKS["change_endpoint"], UUID(org_id), UUID(endpoint_id), *values)
            payload = {"url": changed.url, "events": list(changed.events), "active": changed.active}
            await self._log(tx, org_id, actor, "webhook.updated", endpoint_id, payload)
            return changed

        return await self._store.transact(work)

    async def delete(self, org_id: str, endpoint_id: str, actor: Actor = OPERATOR) -> bool:
        """Whether there was such an endpoint. It is told nothing more; the log of what it was told stays."""

        async def work(tx: Transaction) -> bool:
            await tx.lock(org_id)
            await tx.fetch(_QUEUE["lock_feed"], UUID(org_id))
            ids = (UUID(org_id), UUID(endpoint_id))
            if not await tx.fetch(WEBHOOKS["delete_endpoint"], *ids, tx.now()):
                return False
            await tx.fetch(_QUEUE["empty"], *ids, "organization")
            await tx.fetch(WEBHOOKS["forget_secrets"], *ids)
            await self._log(tx, org_id, actor, "webhook.deleted", endpoint_id)
            return True

        return await self._store.transact(work)

    async def rotate_secret(
        self, org_id: str, endpoint_id: str, actor: Actor = OPERATOR, beside: Beside[Secret] = nothing_beside
    ) -> Secret:
        """Another secret of an endpoint; under the organization's own id, of its numbers' URLs."""

        async def work(tx: Transaction) -> Secret:
            secret = await self._add_secret(tx, org_id, endpoint_id)
            await self._log(tx, org_id, actor, "webhook.secret_rotated", endpoint_id)
            await beside(tx, secret)
            return secret

        return await self._store.transact(work)

    async def secrets(self, org_id: str, endpoint_id: str) -> tuple[str, ...]:
        """Those that are signed with now, in base64, the current one first; it is made where there was none."""
        args = (UUID(org_id), UUID(endpoint_id), self._store.clock())
        rows = await self._store.fetch(WEBHOOKS["secrets"], *args)
        if not rows:
            made = await self._store.transact(lambda tx: self._add_secret(tx, org_id, endpoint_id))
            return (made.text,)
        return tuple(self._store.vault.decrypt(bytes(row[0]), endpoint_id).decode() for row in rows)

    async def _add_secret(self, tx: Transaction, org_id: str, endpoint_id: str) -> Secret:
        await tx.lock(org_id)
        now, ids = tx.now(), (UUID(org_id), UUID(endpoint_id))
        until = now + OVERLAP_US["organization" if endpoint_id == org_id else "endpoint"]
        await tx.fetch(WEBHOOKS["forget_retired"], *ids, now)
        await tx.fetch(WEBHOOKS["retire_secret"], *ids, until)
        text = base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
        sealed = self._store.vault.encrypt(text.encode(), endpoint_id)
        await tx.fetch(WEBHOOKS["add_secret"], *ids, UUID(tx.new_id()), sealed)
        return Secret(text, now, until)


async def follow_urls(
    tx: Transaction, org_id: str, number_id: str, inbound_url: str | None, status_url: str | None
) -> None:
    """To be called in every transaction that may change a number's URLs: they are told what comes from now on."""
    now = tx.now()
    for kind, url in (("inbound_url", inbound_url), ("status_url", status_url)):
        key = (UUID(org_id), UUID(number_id), kind)
        if url is None:
            await tx.fetch(WEBHOOKS["drop_number_url"], *key)
            await tx.fetch(_QUEUE["empty"], *key)
        else:
            await tx.fetch(WEBHOOKS["begin_feed"], UUID(org_id))
            await tx.fetch(WEBHOOKS["put_number_url"], *key, url, EVENT_OF[kind], now)  # type: ignore[index]


def _endpoint(row: Row) -> StoredEndpoint:
    endpoint_id, org_id, url, events, description, active, created_at, updated_at = row
    ids = (id_text(endpoint_id), id_text(org_id))
    return StoredEndpoint(*ids, url, tuple(events.split()), description, bool(active), created_at, updated_at)
