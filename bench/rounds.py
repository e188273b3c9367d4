"""Rounds: what is compared takes turns, there and back (A B C C B A ...), so that a drift of the machine hits all alike."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import NamedTuple, TypeVar

Name = TypeVar("Name")

#: A round of what is measured for seconds is cut in so many: a shared machine's clock changes within seconds, and hits what is
#: measured in short turns alike.
SLICES = 3


class Figure(NamedTuple):
    """How fast something went: answers a second, and the time of one in ms."""

    per_second: float
    p50_ms: float
    p99_ms: float


Measure = Callable[[], Figure]


def taken_in_turns(measures: Mapping[Name, Measure], rounds: int) -> dict[Name, list[Figure]]:
    """Each one's figures, a round after the other."""
    taken: dict[Name, list[Figure]] = {name: [] for name in measures}
    order = list(measures)
    for _ in range(rounds):
        for name in order:
            taken[name].append(measures[name]())
        order.reverse()
    return taken


def middle(figures: Sequence[Figure]) -> Figure:
    """The median of each field."""
    return Figure(*map(median, zip(*figures, strict=True)))


def interleaved(measures: Mapping[Name, Measure], rounds: int) -> dict[Name, Figure]:
    """The median of each one's figures."""
    return {name: middle(figures) for name, figures in taken_in_turns(measures, rounds).items()}


def times_as_long(one: Sequence[Figure], other: Sequence[Figure]) -> float:
    """What one request takes, against another: the median of the rounds, in each of which they were measured close together.

    So that a machine which is quicker in one round than in the next does not count.
    """
    return median(each.p50_ms / beside.p50_ms for each, beside in zip(one, other, strict=True))


def times_as_fast(one: Sequence[Figure], other: Sequence[Figure]) -> float:
    """The same, of how many are answered a second."""
    return median(each.per_second / beside.per_second for each, beside in zip(one, other, strict=True))
