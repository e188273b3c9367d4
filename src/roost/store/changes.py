"""How the small tables are changed: the change and its entry in the audit log are one transaction."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from roost.core.ids import RANDOM_BITS, uuid7
from roost.store.audit import Actor, audited
from roost.store.base import Store
from roost.store.transaction import Transaction

T = TypeVar("T")

#: What else is written in the transaction that makes something, such as the answer for its idempotency key.
Beside = Callable[[Transaction, T], Awaitable[None]]


async def nothing_beside(transaction: Transaction, made: Any) -> None:
    """Nothing else."""


class Changes:
    """What the parts of the directory share."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def _new_id(self) -> tuple[str, int]:
        now = self._store.clock()
        return uuid7(now, self._store.random_bits(RANDOM_BITS)), now

    async def _log(
        self,
        transaction: Transaction,
        org_id: str,
        actor: Actor,
        action: str,
        resource_id: str,
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        """`action` begins with what kind of resource it is: `api_key.created`."""
        resource_type = action.partition(".")[0]
        sql, args = audited(self._store, org_id, actor, action, resource_type, resource_id, payload)
        await transaction.fetch(sql, *args)
