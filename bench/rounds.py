"""Rounds: what is compared takes turns (A B C A B C ...), so that a drift of the machine hits all alike."""

from collections.abc import Callable, Mapping
from statistics import median
from typing import NamedTuple, TypeVar

Name = TypeVar("Name")


class Figure(NamedTuple):
    """How fast something went: answers a second, and the time of one in ms."""

    per_second: float
    p50_ms: float
    p99_ms: float


Measure = Callable[[], Figure]


def interleaved(measures: Mapping[Name, Measure], rounds: int) -> dict[Name, Figure]:
    """The median of each one's figures."""
    taken: dict[Name, list[Figure]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            taken[name].append(measure())
    return {name: Figure(*map(median, zip(*figures, strict=True))) for name, figures in taken.items()}
