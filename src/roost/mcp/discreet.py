"""What fails in us is for the log."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from mcp import MCPError
from mcp_types import INTERNAL_ERROR

Params = TypeVar("Params")
Result = TypeVar("Result")
Handler = Callable[[object, Params], Awaitable[Result]]

log = structlog.get_logger(__name__)


def discreet(handler: Handler[Params, Result]) -> Handler[Params, Result]:
    """Older clients would be told what an exception says, whatever that is."""

    async def guarded(context: object, params: Params) -> Result:
        try:
            return await handler(context, params)
        except MCPError:
            raise
        except Exception:
            log.exception("mcp_failed")
            raise MCPError(INTERNAL_ERROR, "internal error") from None

    return guarded
