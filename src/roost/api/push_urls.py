"""URLs that we may be told to push to."""

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any

from roost.api.bodies import string
from roost.core.addresses import Network, may_reach
from roost.guard import UrlRefused, checked_url

MAX_URL = 2048


def push_url(allowed: Sequence[Network]) -> Callable[[Any], str]:
    """Reads a URL that may be pushed to; "" stands for none.

    Where a name leads is vetted with each connection. Plain http is for addresses that the operator has allowed.
    """

    def read(value: Any) -> str:
        text = string(0, MAX_URL)(value)
        if text and not (text.isascii() and text.isprintable() and " " not in text and _may_push(text, allowed)):
            raise ValueError("must be an https URL of a public server, without a user name")
        return text

    return read


def _may_push(text: str, allowed: Sequence[Network]) -> bool:
    try:
        url = checked_url(text)
    except UrlRefused:
        return False
    host = "127.0.0.1" if url.host == "localhost" else url.host or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return url.scheme == "https"
    if any(address in network for network in allowed):
        return True
    return url.scheme == "https" and may_reach(host)
