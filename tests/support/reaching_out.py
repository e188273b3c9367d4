"""What a carrier's file does outside, without a house around it."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from roost.carriers.outside import Outside
from roost.cli.common import run_async
from roost.config import load
from roost.server import now_us

T = TypeVar("T")


def reaching_out(work: Callable[[Outside], Awaitable[T]], **settings: Any) -> T:
    """The result of `work`, which is given the way out."""

    async def done() -> T:
        outside = Outside(load({}, **settings), now_us)
        try:
            return await work(outside)
        finally:
            await outside.close()

    return run_async(done())
