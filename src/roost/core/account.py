"""Who a carrier's request is for."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class CarrierAccount(NamedTuple):
    """An organization's account with a carrier. `secrets` is what the carrier's file needs, decrypted."""

    id: str
    org_id: str
    carrier: str
    secrets: Mapping[str, Any]

    def every(self, name: str) -> tuple[str, ...]:
        """The values of a field, newest first: of a credential that rotates several are good at once."""
        value = self.secrets.get(name) or ()
        return (value,) if isinstance(value, str) else tuple(value)

    def newest(self, name: str) -> str:
        """The value to use; empty where the account has none."""
        return next(iter(self.every(name)), "")
