"""A resolver that answers what it is told to."""

import socket
from collections.abc import Sequence
from typing import Any

from aiohttp.abc import AbstractResolver


class Resolver(AbstractResolver):
    """Answers each question with the next of its answers."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[Any]:
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return [
            {"hostname": host, "host": each, "port": port, "family": socket.AF_INET6 if ":" in each else socket.AF_INET,
             "proto": 0, "flags": socket.AI_NUMERICHOST}
            for each in answer
        ]  # fmt: skip

    async def close(self) -> None:
        pass
