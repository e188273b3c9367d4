"""What is counted with every request. prometheus_client's own counters lock, since any thread may count, and its histograms look
at one bucket after the other, which together cost more than reading a text's JSON. Here one thread counts: the event loop's.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Tally(Collector):
    """A counter: add to `counts`, by the values of the labels."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str], registry: CollectorRegistry) -> None:
        self._described = (name, documentation, labels)
        self.counts: defaultdict[tuple[object, ...], int] = defaultdict(int)
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        name, documentation, labels = self._described
        family = CounterMetricFamily(name, documentation, labels=labels)
        for values, count in self.counts.items():
            family.add_metric([str(value) for value in values], count)
        yield family


class Timings(Collector):
    """A histogram of seconds by one label; `bounds` are the upper ends of its buckets, in order."""

    def __init__(
        self, name: str, documentation: str, label: str, bounds: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._described = (name, documentation, label)
        self._bounds = bounds
        self._buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(bounds) + 1))
        self._sums: defaultdict[str, float] = defaultdict(float)
        registry.register(self)

    def observe(self, value: str, seconds: float) -> None:
        """Something took so long; a bucket's upper end belongs to it."""
        self._buckets[value][bisect_left(self._bounds, seconds)] += 1
        self._sums[value] += seconds

    def collect(self) -> Iterable[Metric]:
        name, documentation, label = self._described
        family = HistogramMetricFamily(name, documentation, labels=[label])
        ends = [*map(floatToGoString, self._bounds), "+Inf"]
        for value, counts in self._buckets.items():
            family.add_metric([value], list(zip(ends, accumulate(counts), strict=True)), self._sums[value])
        yield family
