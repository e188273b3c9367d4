"""API keys and access tokens: made, found by what a client sent, listed, rotated and revoked. Only hashes are kept."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

from roost.core.ids import id_text
from roost.store.audit import OPERATOR, Actor
from roost.store.base import Row
from roost.store.changes import Beside, Changes, nothing_beside
from roost.store.events import tell_account
from roost.store.numbers import Agent
from roost.store.pages import Condition, PageOf, Slice, newest_first
from roost.store.sql import DIRECTORY, QUERIES
from roost.store.transaction import Transaction

_KEY_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
#: How exactly the time of last use is kept.
USE_INTERVAL_US = 60 * 1_000_000


class ApiKey(NamedTuple):
    """A key that a client sent."""

    id: str
    org_id: str
    scopes: frozenset[str]
    expires_at: int | None
    last_used_at: int | None


class AccessToken(NamedTuple):
    """A token that a client sent."""

    id: str
    org_id: str
    agent_id: str
    expires_at: int | None
    last_used_at: int | None


class Shown(NamedTuple):
    """What somebody showed who they are by, and may be taken back: a key, a token, an agent's being open, an agent, or the
    session of a browser."""

    kind: Literal["api_key", "access_token", "open_agent", "agent", "session"]
    org_id: str
    id: str


class StoredKey(NamedTuple):
    """An API key as it can be shown again and again."""

    id: str
    org_id: str
    label: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    revoked_at: int | None


class StoredToken(NamedTuple):
    """An access token as it can be shown again and again; `created_by` is the wallet that made it, or None for us."""

    id: str
    agent_id: str
    name: str
    prefix: str
    created_by: str | None
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    revoked_at: int | None


class Issued(NamedTuple):
    """A new secret: `plaintext` is shown once and never stored."""

    id: str
    prefix: str
    plaintext: str
    created_at: int
    expires_at: int | None


class Credentials(Changes):
    """The part of the directory that has secrets."""

    async def create_api_key(
        self,
        org_id: str,
        label: str,
        scopes: Sequence[str],
        lifetime_us: int | None,
        actor: Actor = OPERATOR,
        beside: Beside[Issued] = nothing_beside,
    ) -> Issued:
        issued = self._issue_key(lifetime_us)

        async def create(transaction: Transaction) -> None:
            await _insert_key(transaction, org_id, label, scopes, issued)
            payload = {"label": label, "prefix": issued.prefix, "scopes": list(scopes)}
            await self._log(transaction, org_id, actor, "api_key.created", issued.id, payload)
            await tell_account(transaction, org_id, "api_key.created", issued.id, payload)
            await beside(transaction, issued)

        await self._store.transact(create)
        return issued

    async def rotate_api_key(
        self, key: StoredKey, actor: Actor = OPERATOR, beside: Beside[Issued] = nothing_beside
    ) -> Issued | None:
        """Another key with the same label, scopes and expiry; the old one is revoked. None when it was already."""
        issued = self._issue_key(None)._replace(expires_at=key.expires_at)

        async def rotate(transaction: Transaction) -> bool:
            args = (UUID(key.org_id), UUID(key.id), issued.created_at)
            if not await transaction.fetch(DIRECTORY["revoke_api_key"], *args):
                return False
            await _insert_key(transaction, key.org_id, key.label, key.scopes, issued)
            payload = {"new_id": issued.id, "label": key.label, "prefix": issued.prefix}
            await self._log(transaction, key.org_id, actor, "api_key.rotated", key.id, payload)
            await tell_account(transaction, key.org_id, "api_key.rotated", key.id, payload)
            await beside(transaction, issued)
            return True

        return issued if await self._store.transact(rotate) else None

    async def revoke_api_key(self, org_id: str, key_id: str, actor: Actor = OPERATOR) -> StoredKey | None:
        """The key, revoked now or earlier: the first revocation's time stands. None when there is no such key."""

        async def revoke(transaction: Transaction) -> None:
            args = (UUID(org_id), UUID(key_id))
            if await transaction.fetch(DIRECTORY["revoke_api_key"], *args, self._store.clock()):
                await self._log(transaction, org_id, actor, "api_key.revoked", key_id)
                await tell_account(transaction, org_id, "api_key.revoked", key_id, {})

        await self._store.transact(revoke)
        return await self.stored_api_key(org_id, key_id)

    async def api_key(self, plaintext: str) -> ApiKey | None:
        """The key that is neither revoked nor unknown; whether it has expired is for the caller to see."""
        rows = await self._matching("api_key", plaintext)
        if not rows:
            return None
        key_id, org_id, scopes, expires_at, last_used_at, _ = rows[0]
        return ApiKey(id_text(key_id), id_text(org_id), frozenset(scopes.split()), expires_at, last_used_at)

    async def stored_api_key(self, org_id: str, key_id: str) -> StoredKey | None:
        rows = await self._store.fetch(DIRECTORY["api_key_one"], UUID(org_id), UUID(key_id))
        return _stored_key(rows[0]) if rows else None

    async def api_keys(self, page: PageOf, *, include_revoked: bool = True) -> Slice[StoredKey]:
        """Newest first."""
        conditions: list[Condition] = [] if include_revoked else [("revoked_at IS NULL",)]
        return await newest_first(self._store, DIRECTORY["api_keys"], page, conditions, _stored_key)

    async def api_key_owner(self, key_id: str) -> str | None:
        """The organization of a key."""
        rows = await self._store.fetch(DIRECTORY["api_key_owner"], UUID(key_id))
        return id_text(rows[0][0]) if rows else None

    async def create_access_token(
        self,
        agent: Agent,
        name: str,
        lifetime_us: int | None,
        actor: Actor = OPERATOR,
        beside: Beside[Issued] = nothing_beside,
    ) -> Issued:
        issued = self._issue(f"oneshot_{secrets.token_hex(32)}", 16, lifetime_us)
        created_by = agent.wallet if actor.kind == "agent" else None
        row = (UUID(agent.org_id), UUID(issued.id), UUID(agent.id), name, issued.prefix, _hash(issued.plaintext))

        async def create(transaction: Transaction) -> None:
            args = (*row, created_by, issued.created_at, issued.expires_at)
            await transaction.fetch(QUERIES["create_access_token"], *args)
            payload = {"agent_id": agent.id, "name": name, "prefix": issued.prefix}
            await self._log(transaction, agent.org_id, actor, "access_token.created", issued.id, payload)
            await beside(transaction, issued)

        await self._store.transact(create)
        return issued

    async def access_token(self, plaintext: str) -> AccessToken | None:
        """The token that is neither revoked nor unknown; whether it has expired is for the caller to see."""
        rows = await self._matching("access_token", plaintext)
        if not rows:
            return None
        token_id, org_id, agent_id, expires_at, last_used_at, _ = rows[0]
        return AccessToken(id_text(token_id), id_text(org_id), id_text(agent_id), expires_at, last_used_at)

    async def access_tokens(self, agent: Agent, limit: int, *, active: bool = False) -> list[StoredToken]:
        """Newest first; with `active`, only those that still work."""
        conditions: list[Condition] = [("agent_id = {}", UUID(agent.id))]
        if active:
            conditions += [("revoked_at IS NULL",), ("(expires_at IS NULL OR expires_at > {})", self._store.clock())]
        page = PageOf(agent.org_id, limit)
        return (await newest_first(self._store, DIRECTORY["access_tokens"], page, conditions, _stored_token)).items

    async def access_token_owner(self, token_id: str) -> tuple[str, str] | None:
        """The organization and the agent of a token."""
        rows = await self._store.fetch(DIRECTORY["access_token_owner"], UUID(token_id))
        return (id_text(rows[0][0]), id_text(rows[0][1])) if rows else None

    async def revoke_access_token(self, org_id: str, agent_id: str, token_id: str, actor: Actor = OPERATOR) -> bool:
        """Whether the agent has such a token; it is revoked now, or was already."""

        async def revoke(transaction: Transaction) -> None:
            args = (UUID(org_id), UUID(token_id), UUID(agent_id), self._store.clock())
            if await transaction.fetch(DIRECTORY["revoke_access_token"], *args):
                await self._log(transaction, org_id, actor, "access_token.revoked", token_id, {"agent_id": agent_id})

        await self._store.transact(revoke)
        return await self.access_token_owner(token_id) == (org_id, agent_id)

    async def in_force(self, shown: Collection[Shown]) -> set[Shown]:
        """Those of them that still hold."""
        now = self._store.clock()
        wanted = [(each.kind, UUID(each.org_id), UUID(each.id), now) for each in shown]
        rows = await self._store.joined(DIRECTORY["in_force"], "kind text, org_id uuid, id uuid, now bigint", wanted)
        return {Shown(kind, id_text(org_id), id_text(shown_id)) for kind, org_id, shown_id in rows}

    def note_use(self, kind: str, org_id: str, credential_id: str, last_used_at: int | None) -> None:
        """Keep when an `api_key` or `access_token` was last used, to the minute; nobody waits for it."""
        now = self._store.clock()
        if last_used_at is None or last_used_at < now - USE_INTERVAL_US:
            args = (UUID(org_id), UUID(credential_id), now, now - USE_INTERVAL_US)
            self._store.write_soon((DIRECTORY[f"use_{kind}"], args))

    async def _matching(self, query: str, plaintext: str) -> list[tuple[Any, ...]]:
        digest = _hash(plaintext)
        rows = await self._store.fetch(QUERIES[query], digest)
        # The index has compared already, in whatever time it took; what is believed is compared in constant time.
        return [row for row in rows if secrets.compare_digest(bytes(row[-1]), digest)]

    def _issue_key(self, lifetime_us: int | None) -> Issued:
        return self._issue("am_live_" + "".join(secrets.choice(_KEY_ALPHABET) for _ in range(34)), 12, lifetime_us)

    def _issue(self, plaintext: str, shown: int, lifetime_us: int | None) -> Issued:
        key_id, now = self._new_id()
        return Issued(key_id, plaintext[:shown], plaintext, now, now + lifetime_us if lifetime_us else None)


async def _insert_key(transaction: Transaction, org_id: str, label: str, scopes: Sequence[str], issued: Issued) -> None:
    row = (UUID(org_id), UUID(issued.id), label, issued.prefix, _hash(issued.plaintext), " ".join(scopes))
    await transaction.fetch(QUERIES["create_api_key"], *row, issued.created_at, issued.expires_at)


def _stored_key(row: Row) -> StoredKey:
    key_id, org_id, label, prefix, scopes, *times = row
    return StoredKey(id_text(key_id), id_text(org_id), label, prefix, tuple(scopes.split()), *times)


def _stored_token(row: Row) -> StoredToken:
    return StoredToken(id_text(row[0]), id_text(row[1]), *row[2:])


def _hash(plaintext: str) -> bytes:
    return hashlib.sha256(plaintext.encode("utf-8", "surrogatepass")).digest()
