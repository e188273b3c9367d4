"""Which addresses may be reached on behalf of others."""

import pytest

from roost.core.addresses import may_reach, may_use_port, networks

REFUSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.8.8.8",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "100.100.100.200",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:53aa:64c::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3ffe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "4000::1",
    "localhost",
    "2130706433",
    "0x7f000001",
    "127.1",
    "1.2.3",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700::1111",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not may_reach(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_reached(address: str) -> None:
    assert may_reach(address)


def test_an_operator_allows_networks_of_their_own() -> None:
    allowed = networks("10.1.0.0/16, fd12::/16")
    assert may_reach("10.1.2.3", allowed) and may_reach("::ffff:10.1.2.3", allowed) and may_reach("fd12::1", allowed)
    assert not may_reach("10.2.0.1", allowed) and not may_reach("fd13::1", allowed)
    assert may_reach("8.8.8.8", allowed), "what is public stays so"


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.1/8", "home", "10.0.0.0/8;11.0.0.0/8"])
def test_a_network_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not appear|has host bits"):
        networks(text)


def test_only_ports_where_a_web_server_may_be_are_used() -> None:
    assert all(may_use_port(port) for port in (80, 443, 1024, 3000, 8080, 8443, 65535))
    assert not any(may_use_port(port) for port in (-1, 0, 1, 22, 25, 53, 111, 445, 1023, 2049, 6000, 6667, 65536))
