"""What is decided by when a text comes or goes: an organization's name and settings, in one look-up."""

from typing import NamedTuple
from uuid import UUID

from roost.core.organization import Settings
from roost.store.base import Store
from roost.store.settings import settings_of
from roost.store.sql import QUERIES


class OrganizationPolicy(NamedTuple):
    """What an organization is called, and how it wants things done."""

    name: str
    settings: Settings


async def policy_of(store: Store, org_id: str) -> OrganizationPolicy | None:
    """Of one organization."""
    rows = await store.fetch(QUERIES["organization_policy"], UUID(org_id))
    return OrganizationPolicy(rows[0][0], settings_of(rows[0][1])) if rows else None
