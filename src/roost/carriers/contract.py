"""What a carrier's file has to offer, and the values it works on."""

import binascii
import hmac
from base64 import b64decode
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from roost.core.account import CarrierAccount
from roost.core.message import CarrierEvent


class IntakeRequest(NamedTuple):
    """One call of a carrier on our intake. Header names are lower-case."""

    headers: Mapping[str, str]
    body: bytes


class Carrier(Protocol):
    """A module in this folder, listed in `registry.py`."""

    @property
    def NAME(self) -> str: ...  # noqa: N802 - a module's constant

    def verify(self, request: IntakeRequest, account: CarrierAccount) -> bool:
        """Whether the request carries a credential of this account; in constant time."""
        ...

    def parse(self, request: IntakeRequest) -> list[CarrierEvent]:
        """Every event in the request, in order. Never raises: what cannot be understood is an UnknownEvent."""
        ...


def verify_basic(request: IntakeRequest, account: CarrierAccount) -> bool:
    """The `verify` of a carrier with Basic credentials (RFC 7617): one of the account's (user, password) pairs.

    Every pair is compared, whichever matches, so that the time taken does not tell which one was near.
    """
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        given = b64decode(encoded.strip(), validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        given = b""
    matched = False
    for user, password in account.secrets["basic"]:
        matched |= hmac.compare_digest(given, f"{user}:{password}".encode())
    return matched and bool(given)
