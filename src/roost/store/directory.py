"""Who is who: organizations, carrier accounts, numbers, agents, API keys and access tokens."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from roost.core.account import CarrierAccount
from roost.core.ids import RANDOM_BITS, id_text, uuid7
from roost.store.base import Store
from roost.store.sql import QUERIES

_KEY_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


class Organization(NamedTuple):
    org_id: str
    name: str
    created_at: int


class Number(NamedTuple):
    org_id: str
    id: str
    number: str
    carrier_account_id: str
    agent_id: str | None
    label: str


class Agent(NamedTuple):
    """`wallet` as it was registered; addresses are compared lower-cased."""

    org_id: str
    id: str
    wallet: str
    open: bool


class ApiKey(NamedTuple):
    id: str
    org_id: str
    scopes: frozenset[str]
    expires_at: int | None


class AccessToken(NamedTuple):
    id: str
    org_id: str
    agent_id: str
    expires_at: int | None


class Issued(NamedTuple):
    """A new secret: `plaintext` is shown once and never stored."""

    id: str
    prefix: str
    plaintext: str
    created_at: int
    expires_at: int | None


class Directory:
    """Reads and changes the small tables of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def create_organization(self, name: str) -> Organization:
        org_id, now = self._new_id()
        await self._store.write(
            (QUERIES["create_organization"], (UUID(org_id), name, now)),
            (QUERIES["create_position"], (UUID(org_id), 0)),
        )
        return Organization(org_id, name, now)

    async def organization(self, org_id: str) -> Organization | None:
        rows = await self._store.fetch(QUERIES["organization"], UUID(org_id))
        return Organization(id_text(rows[0][0]), *rows[0][1:]) if rows else None

    async def organizations(self) -> list[Organization]:
        """All, oldest first."""
        return [
            Organization(id_text(row[0]), row[1], row[2]) for row in await self._store.fetch(QUERIES["organizations"])
        ]

    async def organizations_named(self, name: str) -> list[Organization]:
        rows = await self._store.fetch(QUERIES["organizations_named"], name)
        return [Organization(id_text(row[0]), row[1], row[2]) for row in rows]

    async def add_carrier_account(
        self, org_id: str, carrier: str, label: str, values: Mapping[str, Any]
    ) -> CarrierAccount:
        account_id, now = self._new_id()
        sealed = self._store.vault.encrypt(json.dumps(values).encode(), account_id)
        await self._store.write(
            (QUERIES["create_carrier_account"], (UUID(org_id), UUID(account_id), carrier, label, sealed, now))
        )
        return CarrierAccount(account_id, org_id, carrier, values)

    async def carrier_account(self, account_id: str) -> CarrierAccount | None:
        rows = await self._store.fetch(QUERIES["carrier_account"], UUID(account_id))
        if not rows:
            return None
        _, org_id, carrier, sealed = rows[0]
        values = json.loads(self._store.vault.decrypt(bytes(sealed), account_id))
        return CarrierAccount(account_id, id_text(org_id), carrier, values)

    async def add_number(
        self, org_id: str, number: str, account_id: str, agent_id: str | None, label: str
    ) -> Number | None:
        """None when the number is registered already, whoever holds it."""
        number_id, now = self._new_id()
        agent = UUID(agent_id) if agent_id else None
        row = (UUID(org_id), UUID(number_id), number, UUID(account_id), agent, label, now)
        rows = await self._store.write((QUERIES["create_number"], row))
        return Number(org_id, number_id, number, account_id, agent_id, label) if rows else None

    async def number(self, number: str) -> Number | None:
        rows = await self._store.fetch(QUERIES["number"], number)
        if not rows:
            return None
        org_id, number_id, number, account_id, agent_id, label = rows[0]
        agent = id_text(agent_id) if agent_id is not None else None
        return Number(id_text(org_id), id_text(number_id), number, id_text(account_id), agent, label)

    async def add_agent(self, org_id: str, wallet: str, *, open_: bool) -> Agent | None:
        """None when the wallet is registered already, in whichever organization."""
        agent_id, now = self._new_id()
        row = (UUID(org_id), UUID(agent_id), wallet.lower(), wallet, open_, now)
        rows = await self._store.write((QUERIES["create_agent"], row))
        return Agent(org_id, agent_id, wallet, open_) if rows else None

    async def agent(self, wallet: str) -> Agent | None:
        rows = await self._store.fetch(QUERIES["agent"], wallet.lower())
        return _agent(rows[0]) if rows else None

    async def open_agents(self) -> list[Agent]:
        return [_agent(row) for row in await self._store.fetch(QUERIES["open_agents"])]

    async def create_api_key(self, org_id: str, label: str, scopes: list[str], lifetime_us: int | None) -> Issued:
        plaintext = "am_live_" + "".join(secrets.choice(_KEY_ALPHABET) for _ in range(34))
        issued = self._issue(plaintext, 12, lifetime_us)
        row = (UUID(org_id), UUID(issued.id), label, issued.prefix, _hash(plaintext), " ".join(scopes))
        await self._store.write((QUERIES["create_api_key"], (*row, issued.created_at, issued.expires_at)))
        return issued

    async def api_key(self, plaintext: str) -> ApiKey | None:
        """The key that is neither revoked nor unknown; whether it has expired is for the caller to see."""
        rows = await self._matching("api_key", plaintext)
        if not rows:
            return None
        key_id, org_id, scopes, expires_at, _ = rows[0]
        return ApiKey(id_text(key_id), id_text(org_id), frozenset(scopes.split()), expires_at)

    async def revoke_api_key(self, key_id: str) -> dict[str, Any] | None:
        rows = await self._store.write((QUERIES["revoke_api_key"], (UUID(key_id), self._store.clock())))
        if not rows:
            return None
        row_id, org_id, label, prefix, revoked_at = rows[0]
        return {
            "id": id_text(row_id),
            "org_id": id_text(org_id),
            "label": label,
            "prefix": prefix,
            "revoked_at": revoked_at,
        }

    async def create_access_token(self, agent: Agent, name: str, lifetime_us: int | None) -> Issued:
        plaintext = f"oneshot_{secrets.token_hex(32)}"
        issued = self._issue(plaintext, 16, lifetime_us)
        row = (UUID(agent.org_id), UUID(issued.id), UUID(agent.id), name, issued.prefix, _hash(plaintext))
        await self._store.write((QUERIES["create_access_token"], (*row, issued.created_at, issued.expires_at)))
        return issued

    async def access_token(self, plaintext: str) -> AccessToken | None:
        rows = await self._matching("access_token", plaintext)
        if not rows:
            return None
        token_id, org_id, agent_id, expires_at, _ = rows[0]
        return AccessToken(id_text(token_id), id_text(org_id), id_text(agent_id), expires_at)

    async def _matching(self, query: str, plaintext: str) -> list[tuple[Any, ...]]:
        digest = _hash(plaintext)
        rows = await self._store.fetch(QUERIES[query], digest)
        # The index has compared already, in whatever time it took; what is believed is compared in constant time.
        return [row for row in rows if secrets.compare_digest(bytes(row[-1]), digest)]

    def _issue(self, plaintext: str, shown: int, lifetime_us: int | None) -> Issued:
        key_id, now = self._new_id()
        return Issued(key_id, plaintext[:shown], plaintext, now, now + lifetime_us if lifetime_us else None)

    def _new_id(self) -> tuple[str, int]:
        now = self._store.clock()
        return uuid7(now, self._store.random_bits(RANDOM_BITS)), now


def _agent(row: tuple[Any, ...]) -> Agent:
    return Agent(id_text(row[0]), id_text(row[1]), row[2], bool(row[3]))


def _hash(plaintext: str) -> bytes:
    return hashlib.sha256(plaintext.encode("utf-8", "surrogatepass")).digest()
