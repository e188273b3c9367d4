"""What a client may take of us: the size and the time of a request are bounded."""

import time

import pytest

from roost.wire import protocol
from support.by_byte import connected, rest_of
from support.house import House


def test_a_head_that_never_ends_is_cut_off(house: House) -> None:
    with connected(house.base_url) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n")
        with pytest.raises(OSError):
            for _ in range(1000):
                connection.sendall(b"x-more: " + b"y" * 1000 + b"\r\n")
            rest_of(connection)
            raise AssertionError("a megabyte of headers was read")


def test_a_head_of_an_ordinary_size_is_read_in_any_number_of_pieces(house: House) -> None:
    with connected(house.base_url) as connection:
        for byte in b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-more: " + b"y" * 500 + b"\r\nconnection: close\r\n\r\n":
            connection.send(bytes([byte]))
        assert b"200 OK" in rest_of(connection)


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\n"])
def test_a_connection_that_sends_no_head_is_closed(house: House, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.3)
    started = time.monotonic()
    with connected(house.base_url) as connection:
        connection.sendall(sent)
        assert rest_of(connection) == b""
    assert time.monotonic() - started < 10


def test_a_body_that_drips_is_cut_off_and_nothing_is_stored(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = house.tenant()
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.3)
    with connected(house.base_url) as connection:
        connection.sendall(f"POST {tenant.webhook} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhal".encode())
        assert rest_of(connection) == b""
    assert house.http.get("/healthz").status_code == 200


def test_a_second_request_on_a_connection_has_its_own_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.3)
    with connected(house.base_url) as connection:
        for _ in range(20):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            assert b"200 OK" in connection.recv(65536)
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert rest_of(connection) == b""


@pytest.mark.parametrize("length", ["-1", "many", "1e3", "99999999999999999999"])
def test_a_length_that_is_none_is_a_client_error(house: House, length: str) -> None:
    tenant = house.tenant()
    with connected(house.base_url) as connection:
        head = f"POST {tenant.webhook} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(65536).split(b" ")[1] in (b"400", b"413")
