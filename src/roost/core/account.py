"""Who a carrier's request is for."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class CarrierAccount(NamedTuple):
    """An organization's account with a carrier. `secrets` is what the carrier's file needs, decrypted."""

    id: str
    org_id: str
    carrier: str
    secrets: Mapping[str, Any]
