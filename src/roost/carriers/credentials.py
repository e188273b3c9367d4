"""The secrets of a carrier account: what was given for each of the carrier's fields, and what is made where nothing was."""

import secrets
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from roost.carriers.contract import Field
from roost.carriers.registry import CARRIERS


class Secrets(NamedTuple):
    """`secrets` as they are stored; `shown` is what the operator sets at the carrier, now or never."""

    secrets: dict[str, Any]
    shown: dict[str, str]


def new_secrets(carrier_name: str, given: Mapping[str, str]) -> Secrets:
    """From the values given by field name. Raises ValueError, saying what to give."""
    fields = _fields(carrier_name, given)
    _refuse_half(carrier_name, fields, given)
    made: dict[str, Any] = {
        name: [value] if fields[name].rotates else value for name, value in given.items() if not fields[name].generated
    }
    shown: dict[str, str] = {}
    if "basic_user" in fields:
        shown = _basic(given)
        made["basic"] = [[shown["basic_user"], shown["basic_password"]]]
    return Secrets(made, shown)


def rotated(carrier_name: str, standing: Mapping[str, Any], given: Mapping[str, str], *, forget_old: bool) -> Secrets:
    """`standing` with each given value first. What rotates keeps its older values, unless `forget_old`; all else is replaced.

    Without any value, `forget_old` leaves of everything the newest; otherwise a new Basic credential is made, where the carrier
    takes one. A value of "" takes away what is never needed. Raises ValueError, saying what to give.
    """
    fields = _fields(carrier_name, given)
    made, shown = dict(standing), dict[str, str]()
    for name, value in given.items():
        if fields[name].generated:
            continue
        if not value:
            if fields[name].needed != "never":
                raise ValueError(f"{_option(name)} must not be empty")
            made.pop(name, None)
        elif fields[name].rotates:
            made[name] = [value, *(old for old in _values(standing.get(name)) if old != value)]
        else:
            made[name] = value
    generated = [name for name in given if fields[name].generated]
    if generated or not (given or forget_old):
        if "basic_user" not in fields:
            options = ", ".join(_option(name) for name, field in fields.items() if field.rotates)
            raise ValueError(f"give what is new: {options}")
        shown = _basic(given)
        pair = [shown["basic_user"], shown["basic_password"]]
        made["basic"] = [pair, *(old for old in standing.get("basic", ()) if list(old) != pair)]
    if forget_old:
        touched = {"basic" if fields[name].generated else name for name in given} or set(made)
        made = {
            name: value[:1] if name in touched and isinstance(value, list) else value for name, value in made.items()
        }
    _refuse_half(carrier_name, fields, made)
    return Secrets(made, shown)


def _fields(carrier_name: str, given: Collection[str]) -> dict[str, Field]:
    """The carrier's fields by name, which all that is given are among."""
    fields = {field.name: field for field in CARRIERS[carrier_name].FIELDS}
    foreign = [_option(name) for name in given if name not in fields]
    if foreign:
        raise ValueError(f"{carrier_name} takes no {', '.join(foreign)}; it takes {', '.join(map(_option, fields))}")
    return fields


def _refuse_half(carrier_name: str, fields: Mapping[str, Field], given: Collection[str]) -> None:
    """All that receiving needs must be there, and of what sending needs all or nothing."""
    for need in ("receive", "send"):
        needed = [name for name, field in fields.items() if field.needed == need and not field.generated]
        lacking = [name for name in needed if name not in given]
        if lacking and (need == "receive" or len(lacking) < len(needed)):
            what = "needs" if need == "receive" else "needs, for sending,"
            raise ValueError(f"{carrier_name} {what} {', '.join(map(_option, lacking))}")


def _values(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value or ())


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
