"""What is asked of the socket under a transport."""

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Any


def address(transport: asyncio.BaseTransport, which: str) -> tuple[str, int] | None:
    """Host and port of one end, "sockname" or "peername"; None where it has none."""
    found = transport.get_extra_info(which)
    return (str(found[0]), int(found[1])) if isinstance(found, tuple) else None


def abort(transport: Any) -> None:
    """End a connection at once, whatever its client has not read yet.

    Without lingering the kernel throws away what it holds, and resets; else it would go on offering that to a client whose window
    is shut, more and more rarely, and the client would not hear of the end for minutes (RFC 9293, 3.8.6.1).
    """
    with suppress(OSError, ValueError):  # it is being closed already
        at_once = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    transport.abort()
