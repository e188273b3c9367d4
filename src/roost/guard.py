"""The guard of the way out: what others name is reached at public addresses only, whatever name, redirect or resolver led there.

A name is resolved once for each connection, and the connection goes to an address of that answer that was vetted; what is
dialled is vetted once more, which is where an address that stands in the URL itself is met.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from roost.core.addresses import Network, may_reach, may_use_port

if TYPE_CHECKING:
    import aiohttp
    import yarl
    from aiohttp.abc import AbstractResolver

MAX_URL = 4096
#: A name or an address, as it is resolved.
_HOST = re.compile(r"[A-Za-z0-9._:%-]+", re.ASCII)


class AddressRefused(OSError):
    """It leads to an address that is not public, and that no operator has allowed."""


class UrlRefused(ValueError):
    """No URL of a public web server."""


def checked_url(text: str, base: yarl.URL | None = None) -> yarl.URL:
    """The URL as it will be requested; `base` is where a relative one was found. Raises UrlRefused.

    Whoever decides anything by a URL decides it by this value: two parsers that differ are how guards are passed.
    """
    import yarl

    try:
        if len(text) > MAX_URL:
            raise UrlRefused("too long")
        url = yarl.URL(text) if base is None else base.join(yarl.URL(text))
        if url.scheme not in ("http", "https") or not url.host or url.user is not None or url.password is not None:
            raise UrlRefused("no plain http or https URL")
        if not _HOST.fullmatch(url.raw_host or ""):
            raise UrlRefused("no name of a host")
        if url.port is None or not may_use_port(url.port):
            raise UrlRefused("no port of a web server")
    except UrlRefused:
        raise
    except ValueError:
        raise UrlRefused("no URL") from None
    return url.with_fragment(None)


def guarded_connector(
    allowed: Sequence[Network] = (), resolver: AbstractResolver | None = None, **options: Any
) -> aiohttp.TCPConnector:
    """A connector that reaches public addresses, and those in `allowed`. To be made in a running loop.

    A request to any other fails with a ClientConnectorError whose `os_error` is AddressRefused; see `is_refusal`.
    """
    import aiohttp
    from aiohttp.abc import AbstractResolver

    class Vetting(AbstractResolver):
        def __init__(self) -> None:
            self._resolver = resolver or aiohttp.DefaultResolver()

        async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> Any:
            found = await self._resolver.resolve(host, port, family)
            if not found:
                raise OSError("no address")
            vetted = [each for each in found if may_reach(each["host"], allowed)]
            if not vetted:
                raise AddressRefused("not a public address")
            return vetted

        async def close(self) -> None:
            await self._resolver.close()

    def dial(found: Any) -> socket.socket:
        family, kind, protocol, _, address = found
        if not may_reach(address[0], allowed):
            raise AddressRefused("not a public address")
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(resolver=Vetting(), use_dns_cache=False, socket_factory=dial, **options)


def is_refusal(error: BaseException) -> bool:
    """Whether it failed because of the guard."""
    return isinstance(getattr(error, "os_error", error), AddressRefused)
