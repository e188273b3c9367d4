"""What is counted with every request is told as prometheus_client's own counters and histograms would tell it."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from roost.tallies import Tally, Timings

BOUNDS = (0.001, 0.5, 1.0, 2.5, 10.0)
SECONDS = (0.0, 0.001, 0.0011, 0.4, 0.5, 0.5000001, 2.5, 9.99, 10.0, 11.0, 86_400.0, 0.001)


def told(registry: CollectorRegistry) -> set[tuple[str, str, tuple[tuple[str, str], ...], float]]:
    """(kind, name, labels, value) of every sample; when each began to be counted (`_created`) is left out."""
    return {
        (family.type, sample.name, tuple(sorted(sample.labels.items())), sample.value)
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_a_tally_is_a_counter() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    tally = Tally("asked", "What was asked", ["route", "status"], ours)
    counter = Counter("asked", "What was asked", ["route", "status"], registry=theirs)
    assert told(ours) == told(theirs), "nothing was asked yet"
    for route, status, times in (("/a", 200, 3), ('/"b"\\', 404, 1), ("/a", 500, 2), ("/a", 200, 4)):
        tally.counts[route, status] += times
        counter.labels(route, status).inc(times)
    assert told(ours) == told(theirs)
    assert ("counter", "asked_total", (("route", "/a"), ("status", "200")), 7.0) in told(ours)


def test_timings_are_a_histogram() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    timings = Timings("took", "How long it took", "route", BOUNDS, ours)
    histogram = Histogram("took", "How long it took", ["route"], registry=theirs, buckets=BOUNDS)
    assert told(ours) == told(theirs), "nothing took any time yet"
    for nth, seconds in enumerate(SECONDS):
        route = ("/a", "/b")[nth % 3 == 0]
        timings.observe(route, seconds)
        histogram.labels(route).observe(seconds)
    assert told(ours) == told(theirs)
    assert ("histogram", "took_bucket", (("le", "0.001"), ("route", "/a")), 2.0) in told(ours), (
        "an end is in its bucket"
    )
