"""How much is measured: the whole of it, or a quick look."""

from typing import NamedTuple


class Scale(NamedTuple):
    """`rows` is called a million in what follows, `page` ten thousand."""

    rounds: int
    seconds: float
    """Of one measurement under load."""
    deliveries: int
    """Of one measurement of the storage alone."""
    rows: int
    page: int
    query_rounds: int
    query_seconds: float
    queued: int
    """What the outbox is drained of."""
    busy: int
    """What the busy organization has queued, called a hundred thousand in what follows."""
    quiet: int
    """How many messages the quiet one sends."""
    readers: int
    """How many wait, called ten thousand in what follows."""
    crowd_seconds: float
    """Of one measurement beside them."""


FULL = Scale(5, 3.0, 40_000, 1_000_000, 10_000, 25, 0.1, 5000, 100_000, 100, 10_000, 10.0)
QUICK = Scale(3, 0.8, 8_000, 100_000, 4_000, 5, 0.08, 3000, 20_000, 60, 1_000, 3.0)

FEW_ROWS = 1000
WARM_UP = 0.3
