"""A connection on which a test says HTTP byte by byte, and reads what comes as it comes."""

import socket
from urllib.parse import urlsplit


def connected(base_url: str) -> socket.socket:
    """To a server; what takes longer than 20 s raises TimeoutError."""
    address = urlsplit(base_url)
    return socket.create_connection((address.hostname or "", address.port or 80), timeout=20)


def rest_of(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def raw_answer(base_url: str, request: bytes) -> bytes:
    """Everything that is said to these bytes until the server hangs up."""
    with connected(base_url) as connection:
        connection.sendall(request)
        return rest_of(connection)
