"""Who is who: organizations, carrier accounts, numbers, agents, API keys and access tokens."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from roost.core.account import CarrierAccount
from roost.core.ids import id_text
from roost.core.organization import Settings
from roost.store.audit import OPERATOR, Actor
from roost.store.credentials import AccessToken, ApiKey, Credentials, Issued, Shown, StoredKey, StoredToken
from roost.store.numbers import Agent, Number, NumberFilters, Numbers, Routing
from roost.store.settings import settings_of, settings_text
from roost.store.sql import DIRECTORY, QUERIES
from roost.store.transaction import Transaction

__all__ = [
    "AccessToken",
    "Agent",
    "ApiKey",
    "Directory",
    "Issued",
    "Number",
    "NumberFilters",
    "Organization",
    "Profile",
    "Routing",
    "Shown",
    "StoredKey",
    "StoredToken",
]


class Organization(NamedTuple):
    org_id: str
    name: str
    created_at: int


class Profile(NamedTuple):
    """An organization, and what it has set for itself."""

    org_id: str
    name: str
    created_at: int
    settings: Settings


class Directory(Credentials, Numbers):
    """Reads and changes the small tables of a store. Whoever changes something is in the audit log, as `actor`."""

    async def create_organization(self, name: str, actor: Actor = OPERATOR) -> Organization:
        org_id, now = self._new_id()

        async def create(transaction: Transaction) -> None:
            await transaction.fetch(QUERIES["create_organization"], UUID(org_id), name, now)
            await transaction.fetch(QUERIES["create_position"], UUID(org_id), 0)
            await self._log(transaction, org_id, actor, "organization.created", org_id, {"name": name})

        await self._store.transact(create)
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

    async def profile(self, org_id: str) -> Profile:
        """Of an organization that there is."""
        return _profile((await self._store.fetch(DIRECTORY["organization_profile"], UUID(org_id)))[0])

    async def change_organization(
        self,
        org_id: str,
        change: Callable[[Profile], Profile],
        actor: Actor = OPERATOR,
        noted: Mapping[str, Any] | None = None,
    ) -> Profile:
        """The profile after `change`, which may touch its name and settings; `noted` goes into the audit log with it.

        The organization's counter is locked meanwhile, so that no send is decided by half of a change.
        """

        async def work(transaction: Transaction) -> Profile:
            await transaction.lock(org_id)
            standing = _profile((await transaction.fetch(DIRECTORY["organization_profile"], UUID(org_id)))[0])
            changed = change(standing)
            if changed == standing:
                return standing
            stored = settings_text(changed.settings)
            row = (UUID(org_id), changed.name, stored, transaction.now())
            await transaction.fetch(DIRECTORY["change_organization"], *row)
            payload = {"name": changed.name, "settings": json.loads(stored or "{}"), **(noted or {})}
            await self._log(transaction, org_id, actor, "organization.updated", org_id, payload)
            return changed

        profile = await self._store.transact(work)
        self._store.kept.forget(org_id)
        return profile

    async def add_carrier_account(
        self, org_id: str, carrier: str, label: str, values: Mapping[str, Any], actor: Actor = OPERATOR
    ) -> CarrierAccount:
        account_id, now = self._new_id()
        sealed = self._store.vault.encrypt(json.dumps(values).encode(), account_id)

        async def add(transaction: Transaction) -> None:
            row = (UUID(org_id), UUID(account_id), carrier, label, sealed, now)
            await transaction.fetch(QUERIES["create_carrier_account"], *row)
            payload = {"carrier": carrier, "label": label}
            await self._log(transaction, org_id, actor, "carrier_account.created", account_id, payload)

        await self._store.transact(add)
        return CarrierAccount(account_id, org_id, carrier, values)

    async def carrier_account(self, account_id: str) -> CarrierAccount | None:
        rows = await self._store.fetch(QUERIES["carrier_account"], UUID(account_id))
        if not rows:
            return None
        _, org_id, carrier, sealed = rows[0]
        values = json.loads(self._store.vault.decrypt(bytes(sealed), account_id))
        return CarrierAccount(account_id, id_text(org_id), carrier, values)


def _profile(row: tuple[Any, ...]) -> Profile:
    org_id, name, created_at, settings = row
    return Profile(id_text(org_id), name, created_at, settings_of(settings))
