"""Sessions of the inbox page: a one-time link or an API key begins one, a cookie carries it. Only hashes are kept."""

import hashlib
import secrets
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from roost.core.ids import id_text
from roost.store.audit import OPERATOR, Actor
from roost.store.changes import Changes
from roost.store.credentials import ApiKey, Shown
from roost.store.sql import load
from roost.store.transaction import Row, Transaction

_SQL = load("sessions.sql")
_MINUTE_US = 60 * 1_000_000
#: How long a link waits to be used, and a session lasts.
LINK_US, SESSION_US = 15 * _MINUTE_US, 7 * 24 * 60 * _MINUTE_US


class Session(NamedTuple):
    """A browser that is signed in; `api_key_id` of None: by a link. `expires_at` is microseconds since 1970."""

    org_id: str
    id: str
    scopes: frozenset[str]
    api_key_id: str | None
    expires_at: int

    @property
    def shown(self) -> Shown:
        """What somebody shows who they are by."""
        return Shown("session", self.org_id, self.id)

    @property
    def actor(self) -> Actor:
        """Who changes something with it."""
        return Actor("api_key", self.api_key_id) if self.api_key_id else OPERATOR


class Begun(NamedTuple):
    """A session that began just now, and the secret that its browser is given."""

    session: Session
    secret: str


class Sessions(Changes):
    """The links and sessions of a store."""

    async def new_link(self, org_id: str, scopes: Iterable[str]) -> tuple[str, int]:
        """The token of a link that signs in once, and when it expires, in microseconds since 1970."""
        link_id, now = self._new_id()
        token, expires_at = secrets.token_urlsafe(32), now + LINK_US

        async def create(tx: Transaction) -> None:
            row = (UUID(org_id), UUID(link_id), _hash(token), " ".join(sorted(scopes)), expires_at)
            await tx.fetch(_SQL["create_link"], *row)
            await self._log(tx, org_id, OPERATOR, "sign_in_link.created", link_id)

        await self._store.transact(create)
        return token, expires_at

    async def is_good(self, token: str) -> bool:
        """Whether a link could still be used."""
        return bool(await self._store.fetch(_SQL["link"], _hash(token), self._store.clock()))

    async def begin_by_link(self, token: str) -> Begun | None:
        """None when the link was used, or has expired: of two who use it at once, one is signed in."""

        async def use(tx: Transaction) -> Begun | None:
            rows = await tx.fetch(_SQL["use_link"], _hash(token), self._store.clock())
            if not rows:
                return None
            return await self._begin(tx, id_text(rows[0][0]), rows[0][1].split(), None)

        return await self._store.transact(use)

    async def begin_by_key(self, key: ApiKey) -> Begun:
        """A session that may do what the key may, as long as the key may."""
        return await self._store.transact(lambda tx: self._begin(tx, key.org_id, key.scopes, key.id))

    async def session(self, secret: str) -> Session | None:
        """The session whose secret it is, if it is good now."""
        digest = _hash(secret)
        rows = await self._store.fetch(_SQL["session"], digest, self._store.clock())
        # The index has compared already, in whatever time it took; what is believed is compared in constant time.
        return next((_session(row) for row in rows if secrets.compare_digest(bytes(row[-1]), digest)), None)

    async def end(self, session: Session) -> None:
        """Sign out."""

        async def work(tx: Transaction) -> None:
            if await tx.fetch(_SQL["end_session"], UUID(session.org_id), UUID(session.id)):
                await self._log(tx, session.org_id, session.actor, "session.ended", session.id)

        await self._store.transact(work)

    async def end_all(self, org_id: str) -> int:
        """Sign everybody of an organization out, and let no link sign in; how many sessions there were."""

        async def work(tx: Transaction) -> int:
            await tx.fetch(_SQL["end_links"], UUID(org_id))
            ended = await tx.fetch(_SQL["end_sessions"], UUID(org_id))
            for (session_id,) in ended:
                await self._log(tx, org_id, OPERATOR, "session.ended", id_text(session_id))
            return len(ended)

        return await self._store.transact(work)

    async def _begin(self, tx: Transaction, org_id: str, scopes: Iterable[str], key_id: str | None) -> Begun:
        session_id, now = self._new_id()
        secret = secrets.token_urlsafe(32)
        session = Session(org_id, session_id, frozenset(scopes), key_id, now + SESSION_US)
        ids = (UUID(org_id), UUID(session_id), _hash(secret))
        key = UUID(key_id) if key_id else None
        await tx.fetch(_SQL["create_session"], *ids, " ".join(sorted(scopes)), key, now, session.expires_at)
        await self._log(tx, org_id, session.actor, "session.began", session_id)
        return Begun(session, secret)


def _session(row: Row) -> Session:
    org_id, session_id, scopes, key_id, expires_at, _ = row
    return Session(
        id_text(org_id), id_text(session_id), frozenset(scopes.split()), id_text(key_id) if key_id else None, expires_at
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
