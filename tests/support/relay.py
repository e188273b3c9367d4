"""A network that breaks: each connection is reset after some bytes of the server's answers, wherever that is."""

import itertools
import socket
import struct
import threading
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: what is closed is reset


class Relay:
    """Forwards to one server. `budgets` are how many bytes of answers each connection in turn may carry, over and over.

    A `with` of it ends it; `cuts` counts the connections that were broken.
    """

    def __init__(self, base_url: str, budgets: Iterable[int]) -> None:
        server = urlsplit(base_url)
        self._server = (server.hostname, server.port)
        self._budgets = itertools.cycle(budgets)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cuts = 0

    def __enter__(self) -> "Relay":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            try:
                self._answer(client)
            finally:
                client.shutdown(socket.SHUT_RD)  # who still reads from it would keep it open

    def _answer(self, client: socket.socket) -> None:
        with socket.create_connection(self._server) as server:
            budget = next(self._budgets)  # none is spent on a server that is away
            threading.Thread(target=_pump, args=(client, server), daemon=True).start()
            while piece := server.recv(min(65536, budget)):
                client.sendall(piece)
                budget -= len(piece)
                if not budget:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    server.shutdown(socket.SHUT_RDWR)
                    self.cuts += 1
                    return


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """The way of the questions."""
    with suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
