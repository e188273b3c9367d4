"""One kept-open HTTP connection, so that a test can hold many and see how each of them ends."""

import http.client
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class NoAnswer(Exception):
    """The connection was refused or broke: nothing was acknowledged."""


class HalfAnswer(NoAnswer):
    """It broke in the middle of an answer, or what came was no HTTP."""


class Wire:
    """Opened by the first request, and again by the next one after it broke."""

    def __init__(self, base_url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=60)

    def get(self, target: str, headers: Mapping[str, str]) -> Answer:
        return self._ask("GET", target, None, headers)

    def post(self, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        return self._ask("POST", target, body, headers)

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Raises NoAnswer or HalfAnswer."""
        try:
            self._connection.request(method, target, body, dict(headers))
            response = self._connection.getresponse()
        except ConnectionError as error:  # which http.client.RemoteDisconnected is: not one byte came
            self.close()
            raise NoAnswer(repr(error)) from None
        except http.client.HTTPException as error:
            self.close()
            raise HalfAnswer(repr(error)) from None
        try:
            return Answer(response.status, response.headers, response.read())
        except (ConnectionError, http.client.HTTPException) as error:
            self.close()
            raise HalfAnswer(repr(error)) from None
