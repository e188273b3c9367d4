"""Carrier accounts once they are there: what came through one, and its credentials changed."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from roost.core.account import CarrierAccount
from roost.core.ids import id_text, position_of
from roost.store.audit import OPERATOR, Actor
from roost.store.changes import Changes
from roost.store.sql import load
from roost.store.transaction import Transaction

_SQL = load("carrier_accounts.sql")
_LIMIT = 1000


class Reception(NamedTuple):
    """What came through an account: its numbers, when the newest message came, and how many deliveries are unrouted.

    At most 1,000 of each are looked at; `last_received_at` is microseconds since 1970.
    """

    numbers: tuple[str, ...]
    last_received_at: int | None
    unrouted: int


class AccountEntry(NamedTuple):
    """An account as a list shows it: without its secrets."""

    id: str
    carrier: str
    label: str
    created_at: int


class CarrierAccounts(Changes):
    """Reads and changes the accounts of a store."""

    async def reception(self, account: CarrierAccount) -> Reception:
        """Through the numbers that the account has now."""
        ids = (UUID(account.org_id), UUID(account.id), _LIMIT)
        rows = await self._store.fetch(_SQL["numbers_of_account"], *ids)
        waiting = await self._store.fetch(_SQL["waiting_of_account"], *ids)
        newest = max(
            (position_of(id_text(message_id)) for _, message_id in rows if message_id is not None), default=None
        )
        return Reception(tuple(number for number, _ in rows), newest, len(waiting))

    async def accounts(self, org_id: str) -> list[AccountEntry]:
        """The organization's, first made first; 1,000 at most."""
        rows = await self._store.fetch(_SQL["accounts"], UUID(org_id), _LIMIT)
        return [AccountEntry(id_text(row[0]), *row[1:]) for row in rows]

    async def numbers_of(self, org_id: str, carrier: str) -> dict[str, str]:
        """The organization's numbers at a carrier, each with the id of its account; 1,000 at most."""
        rows = await self._store.fetch(_SQL["numbers_of_carrier"], UUID(org_id), carrier, _LIMIT)
        return {number: id_text(account_id) for number, account_id in rows}

    async def change_secrets(
        self,
        account: CarrierAccount,
        change: Callable[[Mapping[str, Any]], dict[str, Any]],
        changed_fields: Sequence[str],
        *,
        forgets: bool,
        actor: Actor = OPERATOR,
    ) -> CarrierAccount:
        """The account with what `change` makes of its secrets; the audit log names the fields, never a value."""
        ids = (UUID(account.org_id), UUID(account.id))

        async def work(transaction: Transaction) -> CarrierAccount:
            await transaction.lock(account.org_id)
            [[sealed]] = await transaction.fetch(_SQL["carrier_account_of"], *ids)
            secrets = change(json.loads(self._store.vault.decrypt(bytes(sealed), account.id)))
            sealed = self._store.vault.encrypt(json.dumps(secrets).encode(), account.id)
            await transaction.fetch(_SQL["change_secrets"], *ids, sealed)
            payload = {"carrier": account.carrier, "fields": list(changed_fields), "forgot_old": forgets}
            await self._log(transaction, account.org_id, actor, "carrier_account.rotated", account.id, payload)
            return account._replace(secrets=secrets)

        return await self._store.transact(work)
