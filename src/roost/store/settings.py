"""An organization's settings as they are stored: JSON of what differs from the defaults."""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from roost.core.organization import (
    MESSAGE_RETENTION_DAYS,
    MMS_RETENTION_DAYS,
    AutoReplies,
    QuietHours,
    Settings,
    is_clock,
)

_DEFAULT = Settings()
#: What a value of the right type must be besides.
_IS_SOUND: dict[str, Callable[[Any], bool]] = {
    "start": is_clock,
    "end": is_clock,
    "message_retention_days": MESSAGE_RETENTION_DAYS.__contains__,
    "mms_retention_days": MMS_RETENTION_DAYS.__contains__,
}


def settings_of(stored: str | None) -> Settings:
    """The settings. Total: a stored field that is unknown or broken is as good as its default, and says nothing of others."""
    try:
        values = json.loads(stored or "{}")
    except (ValueError, RecursionError):
        return _DEFAULT
    settings: Settings = _read(_DEFAULT, values)
    return settings


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
                value = msgspec.convert(value, fields[name])
            except msgspec.ValidationError:
                continue
            if _IS_SOUND.get(name, lambda _: True)(value):
                found[name] = value
    return default._replace(**found)


def _changed(default: Any, settings: Any) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for name, value in settings._asdict().items():
        standing = getattr(default, name)
        if value != standing:
            nested = isinstance(value, AutoReplies | QuietHours)
            changed[name] = _changed(standing, value) if nested else value
    return changed
