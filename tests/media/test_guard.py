"""The guard is asked what it would dial; nothing of it leaves this machine."""

import asyncio
import socket
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver

from roost.core.addresses import networks
from roost.guard import UrlRefused, checked_url, guarded_connector, is_refusal
from support.media_server import MediaServer
from support.resolver import Resolver

HERE = networks("127.0.0.0/8")


class Dialled:
    """What sockets would have been connected to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.addresses: list[str] = []
        monkeypatch.setattr(socket.socket, "connect", self._note)

    def _note(self, address: Any) -> None:
        self.addresses.append(address[0])
        raise ConnectionRefusedError("nothing is dialled in a test")


def get(url: str, resolver: AbstractResolver | None = None, allowed: Any = ()) -> int | BaseException:
    """The status, or the error that it became."""

    async def run() -> int | BaseException:
        async with aiohttp.ClientSession(connector=guarded_connector(allowed, resolver)) as session:
            try:
                async with session.get(checked_url(url)) as response:
                    return response.status
            except (aiohttp.ClientError, UrlRefused) as error:
                return error

    with asyncio.Runner() as runner:
        return runner.run(run())


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> Dialled:
    return Dialled(monkeypatch)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "10.0.0.1", "169.254.169.254", "100.100.100.200", "192.168.1.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[fe80::1]", "[fd00:ec2::254]",
        "[64:ff9b::7f00:1]", "[2002:7f00:1::1]", "[2001:0:53aa:64c::1]", "[ff02::1]",
    ],
)  # fmt: skip
def test_an_address_in_the_url_itself_is_refused_before_it_is_dialled(host: str, dialled: Dialled) -> None:
    found = get(f"http://{host}:8080/latest/meta-data")
    assert isinstance(found, aiohttp.ClientConnectorError) and is_refusal(found)
    assert dialled.addresses == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "017700000001", "localhost"])
def test_other_spellings_of_this_machine_are_resolved_and_then_refused(host: str, dialled: Dialled) -> None:
    found = get(f"http://{host}:8080/")
    assert isinstance(found, (aiohttp.ClientError, UrlRefused))
    assert dialled.addresses == []


def test_a_name_that_leads_to_a_private_address_is_refused(dialled: Dialled) -> None:
    found = get("http://innocent.example/", Resolver(["10.0.0.7", "169.254.169.254", "::1"]))
    assert isinstance(found, aiohttp.ClientConnectorError) and is_refusal(found)
    assert dialled.addresses == []


def test_of_a_name_with_several_addresses_only_public_ones_are_dialled(dialled: Dialled) -> None:
    found = get("http://mixed.example/", Resolver(["10.0.0.7", "8.8.8.8", "127.0.0.1"]))
    assert isinstance(found, aiohttp.ClientConnectorError) and not is_refusal(found)
    assert dialled.addresses == ["8.8.8.8"]


def test_a_resolver_that_changes_its_answer_gains_nothing(dialled: Dialled) -> None:
    """What was vetted is what is dialled: there is one question for each connection, and each answer is vetted."""
    resolver = Resolver(["8.8.8.8"], ["127.0.0.1"])
    assert not is_refusal(get("http://rebinding.example/", resolver))  # type: ignore[arg-type]
    assert resolver.asked == 1
    assert is_refusal(get("http://rebinding.example/", resolver))  # type: ignore[arg-type]
    assert dialled.addresses == ["8.8.8.8"]


def test_a_network_that_the_operator_allows_is_reached() -> None:
    with MediaServer() as server:
        url = server.has("/1", b"x")
        assert get(url, allowed=HERE) == 200
        assert get(f"http://named.example:{server.port}/1", Resolver(["127.0.0.1"]), HERE) == 200
        assert server.asked[1].headers["host"] == f"named.example:{server.port}"
        assert is_refusal(get(url, allowed=networks("10.0.0.0/8")))  # type: ignore[arg-type]
        assert len(server.asked) == 2


@pytest.mark.parametrize(
    "url",
    [
        "", "no url", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "//example.com/", "http://",
        "http://user:pass@example.com/", "https://user@example.com/", "http://example.com:22/", "http://example.com:0/",
        "http://example.com:99999/", "http://example.com:6667/", "http://[::1/", "http://exa mple.com/", "javascript:alert(1)",
        "http://example.com/" + "a" * 5000, "http://example.com:port/",
    ],
)  # fmt: skip
def test_what_is_no_plain_url_of_a_web_server_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        checked_url(url)


def test_a_relative_url_is_read_from_where_it_was_found() -> None:
    base = checked_url("https://example.com/a/b?c#d")
    assert str(checked_url("../e", base)) == "https://example.com/e"
    assert str(checked_url("//other.example/f#g", base)) == "https://other.example/f"
    with pytest.raises(UrlRefused):
        checked_url("http://10.0.0.1:25/", base)
