"""An organization's settings as they are stored: JSON of what differs from the defaults."""

import json
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from roost.core.organization import AutoReplies, QuietHours, Settings
from roost.store.base import Store
from roost.store.sql import QUERIES

_DEFAULT = Settings()


class OrganizationPolicy(NamedTuple):
    """What an organization is called, and how it wants things done."""

    name: str
    settings: Settings


async def policy_of(store: Store, org_id: str) -> OrganizationPolicy | None:
    """Of one organization."""
    rows = await store.fetch(QUERIES["organization_policy"], UUID(org_id))
    return OrganizationPolicy(rows[0][0], settings_of(rows[0][1])) if rows else None


def settings_of(stored: str | None) -> Settings:
    """The settings. Total: a stored field that is unknown or broken is as good as its default, and says nothing of others."""
    try:
        values = json.loads(stored or "{}")
    except (ValueError, RecursionError):
        return _DEFAULT
    read: Settings = _read(_DEFAULT, values)
    return read


def settings_text(settings: Settings) -> str | None:
    """What is stored; None when nothing differs from the defaults."""
    changed = _changed(_DEFAULT, settings)
    return json.dumps(changed) if changed else None


def _read(default: Any, values: Any) -> Any:
    """A settings tuple with what is good in `values`; each field alone decides about itself."""
    if not isinstance(values, dict):
        return default
    fields = type(default).__annotations__
    found: dict[str, Any] = {}
    for name in fields.keys() & values.keys():
        standing, value = getattr(default, name), values[name]
        if isinstance(standing, AutoReplies | QuietHours):
            found[name] = _read(standing, value)
        else:
            try:
                found[name] = msgspec.convert(value, fields[name])
            except msgspec.ValidationError:
                continue
    return default._replace(**found)


def _changed(default: Any, settings: Any) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for name, value in settings._asdict().items():
        standing = getattr(default, name)
        if value != standing:
            nested = isinstance(value, AutoReplies | QuietHours)
            changed[name] = _changed(standing, value) if nested else value
    return changed
