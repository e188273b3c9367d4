"""The one exception that answers a request: whoever refuses says how, each dialect decides the shape."""

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """An answer that is not a success.

    `code` and `message` are the dialect's own words; `details` maps a field to what to do about it (A); `extra` are
    further top-level keys (B).
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.extra = extra
        self.headers = headers or {}
