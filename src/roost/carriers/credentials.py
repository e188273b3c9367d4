"""The secrets of a new carrier account: what was given for each of the carrier's fields, and what is made where nothing was."""

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from roost.carriers.registry import CARRIERS


class Secrets(NamedTuple):
    """`secrets` as they are stored; `shown` is what the operator sets at the carrier, now or never."""

    secrets: dict[str, Any]
    shown: dict[str, str]


def new_secrets(carrier_name: str, given: Mapping[str, str]) -> Secrets:
    """From the values given by field name. Raises ValueError, saying what to give."""
    fields = {field.name: field for field in CARRIERS[carrier_name].FIELDS}
    foreign = [_option(name) for name in given if name not in fields]
    if foreign:
        raise ValueError(f"{carrier_name} takes no {', '.join(foreign)}; it takes {', '.join(map(_option, fields))}")
    for need in ("receive", "send"):
        needed = [name for name, field in fields.items() if field.needed == need and not field.generated]
        lacking = [name for name in needed if name not in given]
        if lacking and (need == "receive" or len(lacking) < len(needed)):
            what = "needs" if need == "receive" else "needs, for sending,"
            raise ValueError(f"{carrier_name} {what} {', '.join(map(_option, lacking))}")
    made: dict[str, Any] = {
        name: [value] if fields[name].rotates else value for name, value in given.items() if not fields[name].generated
    }
    shown: dict[str, str] = {}
    if "basic_user" in fields:
        shown = _basic(given)
        made["basic"] = [[shown["basic_user"], shown["basic_password"]]]
    return Secrets(made, shown)


def _basic(given: Mapping[str, str]) -> dict[str, str]:
    user, password = given.get("basic_user"), given.get("basic_password")
    if bool(user) != bool(password):
        raise ValueError("give --basic-user and --basic-password together, or neither to have them generated")
    if user and ":" in user:
        raise ValueError("--basic-user must not contain a colon (RFC 7617, section 2)")
    return {
        "basic_user": user or f"roost-{secrets.token_hex(4)}",
        "basic_password": password or secrets.token_urlsafe(24),
    }


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
