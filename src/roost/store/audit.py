"""The audit log: who changed what, written in the transaction of the change."""

import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple
from uuid import UUID

from roost.core.ids import RANDOM_BITS, uuid7
from roost.store.base import Statement, Store
from roost.store.sql import QUERIES

ActorKind = Literal["api_key", "agent", "operator", "carrier", "contact"]


class Actor(NamedTuple):
    """Who changes something; `id` is that of the API key, agent or account."""

    kind: ActorKind
    id: str | None = None


#: Whoever is at the command line.
OPERATOR = Actor("operator")


def audited(
    store: Store,
    org_id: str,
    actor: Actor,
    action: str,
    resource_type: str,
    resource_id: str,
    payload: Mapping[str, Any] | None = None,
) -> Statement:
    """The statement that logs a change, such as `api_key.created`. Never give it a secret or a message's words."""
    now = store.clock()
    entry_id = uuid7(now, store.random_bits(RANDOM_BITS))
    written = json.dumps(payload) if payload else None
    row = (UUID(org_id), UUID(entry_id), action, resource_type, resource_id, *actor, now, written)
    return QUERIES["log_change"], row
