"""Which internet addresses may be reached on behalf of others: public ones, and what an operator allows."""

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: IANA's special-purpose registry (RFC 6890), and what else is nobody's public server. Written out because what Python's
#: `is_global` knows differs between its versions.
_NOT_PUBLIC_4 = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",
    "100.64.0.0/10",  # shared by carriers' customers (RFC 6598)
    "127.0.0.0/8",
    "168.63.129.16/32",  # a cloud's own wire server, on a public address
    "169.254.0.0/16",  # link-local, and clouds' metadata
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",  # documentation, as are 198.51.100.0/24 and 203.0.113.0/24
    "192.88.99.0/24",  # relays of 6to4
    "192.168.0.0/16",
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, and broadcast
)
#: Of what is allotted for global unicast at all.
_GLOBAL_UNICAST_6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6 = (
    "2001::/23",  # protocols' own: Teredo, ORCHID, benchmarks
    "2001:db8::/32",  # documentation, as is 3fff::/20
    "2002::/16",  # 6to4: any IPv4 address may be inside
    "3ffe::/16",
    "3fff::/20",
)
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
#: Where an IPv6-only host reaches IPv4 ones (NAT64, RFC 6052).
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
#: Ports of services that take harm from an HTTP request, of those that are not below 1024 (Fetch standard, "port blocking").
_BAD_PORTS = {
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
}  # fmt: skip


def networks(text: str) -> tuple[Network, ...]:
    """Networks such as `10.0.0.0/8`, separated by commas. Raises ValueError."""
    return tuple(ipaddress.ip_network(each.strip()) for each in text.split(",") if each.strip())


def may_reach(address: str, allowed: Sequence[Network] = ()) -> bool:
    """Whether an address, as a socket takes it, is public or in one of the allowed networks."""
    try:
        found = _plain(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    return _in_any(found, allowed) or (_is_public(found) and "%" not in address)


def may_use_port(port: int) -> bool:
    """Whether a web server may be there: the web's own ports, or one that needs no privilege and is nobody else's."""
    return port in (80, 443) or (1024 <= port <= 65535 and port not in _BAD_PORTS)


def _plain(address: Address) -> Address:
    """The IPv4 address that a connection to an IPv6 one really goes to."""
    if isinstance(address, ipaddress.IPv6Address) and (address in _MAPPED or address in _TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return not _in_any(address, _parsed(_NOT_PUBLIC_4))
    return address in _GLOBAL_UNICAST_6 and not _in_any(address, _parsed(_NOT_PUBLIC_6))


def _in_any(address: Address, found: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in found)


@lru_cache
def _parsed(found: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, found))
