"""Ten thousand who wait: what each costs in memory, and what they cost a message that is not for them, or for all of them."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import NamedTuple

from bench.load import PATIENCE
from bench.places import Places
from bench.readers import SEEN
from bench.report import TARGET_HEAD, Section, Table, Target, plain
from bench.scale import Scale
from bench.servers import Server
from bench.tenants import SENDERS, Tenant, delivery, furnish, reading
from bench.worker import Worker

RATE, BURSTS, QUIET_SECONDS = 20, 3, 3.0
#: Whose texts the probe sees and the many do not, and whose all of them do.
OTHERS, WANTED = SENDERS[0], SENDERS[1]
_FROM = f"from=%2B{WANTED[1:]}"
KINDS = {
    "streams": f"/v1/events?types=message.received&{_FROM}",
    "reads that wait": f"/v1/inbound-messages?after={SEEN}&wait=30&{_FROM}",
}
#: While nothing comes: heartbeats, and reads that are answered empty and asked again; both come round in thirty seconds.
_ROUND_SECONDS = 30.0
_GAUGES = {"streams": "roost_streams", "reads that wait": "roost_waiting_reads"}
_ENVIRONMENT = {
    "ROOST_MAX_STREAMS": "20000",
    "ROOST_MAX_STREAMS_PER_ORG": "20000",
    "ROOST_STREAM_HEARTBEAT": "30",
}


class Cost(NamedTuple):
    """Of one message: from POST to event, and of the server's processor; all in ms."""

    p50_ms: float
    p99_ms: float
    cpu_ms: float


class Crowd(NamedTuple):
    """What many of one kind cost."""

    opened_us: float
    """Of the processor, to let one in."""
    bytes_each: float
    idle_share: float
    """Of one core, while nothing comes."""
    without: Cost
    beside: Cost
    reached_seconds: float
    """From the POST of a text that all of them want until the last one has it."""


def measure(kind: str, places: Places, scale: Scale) -> tuple[Section, list[Target]]:
    """Streams, and reads that wait, each with a server of their own."""
    crowds = {name: _crowd(name, places, scale) for name in KINDS}
    rows = [
        (
            name,
            f"{crowd.bytes_each / 1024:.1f}",
            f"{crowd.opened_us:.0f}",
            f"{crowd.idle_share * 100:.1f}",
            f"{crowd.reached_seconds:.2f}",
            f"{crowd.reached_seconds / scale.readers * 1e6:.0f}",
        )
        for name, crowd in crowds.items()
    ]
    costs = [
        (f"{name}, {text}", *(f"{each:.2f}" for each in cost))
        for name, crowd in crowds.items()
        for text, cost in (("without them", crowd.without), ("with them there", crowd.beside))
    ]
    ratios = [
        plain(f"{name}, {text}: with / without", getattr(crowd.beside, field) / getattr(crowd.without, field))
        for name, crowd in crowds.items()
        for text, field in (("p50", "p50_ms"), ("p99", "p99_ms"), ("processor", "cpu_ms"))
    ]
    lead = (
        f"{scale.readers:,} of one organization in one process, who wait for texts of one sender; {RATE} texts a second of "
        "another sender, which one more reader of the same organization gets. Of the server's process alone; what they cost "
        "while nothing comes is taken off."
    )
    head = ("", "KiB each", "us to let each in", "% of a core, idle", "s until all have a text", "us each")
    tables = [
        Table(head, rows),
        Table(("one text", "p50 ms", "p99 ms", "processor ms"), costs),
        Table(TARGET_HEAD, ratios),
    ]
    return Section(f"Waiting readers, {kind}", lead, tables), []


def _crowd(name: str, places: Places, scale: Scale) -> Crowd:
    place = places.new()
    [tenant] = place.run(lambda store: furnish(store, 1))
    # The crowd is read by a process of its own, which is busy when all of them are.
    with Server("counted", place, **_ENVIRONMENT) as server, _readers() as probe, _readers() as crowd:
        stream = reading("/v1/events?types=message.received", tenant.key_header)
        probe.ask({"do": "open", "port": server.port, "request": stream, "count": 1})
        _cost(server, probe, tenant, scale.crowd_seconds, 0)  # what is done once is done
        quiet = _idle(server, QUIET_SECONDS)
        before = _cost(server, probe, tenant, scale.crowd_seconds, quiet)
        memory, used = _resident(server), _processor(server)
        request = reading(KINDS[name], tenant.key_header)
        crowd.ask({"do": "open", "port": server.port, "request": request, "count": scale.readers})
        _until_there(server, name, scale.readers)
        opened_us = (_processor(server) - used) / scale.readers * 1e6
        bytes_each = (_resident(server) - memory) / scale.readers
        idle = _idle(server, _ROUND_SECONDS)
        beside = _cost(server, probe, tenant, _ROUND_SECONDS, idle)
        burst = {"do": "burst", "port": server.port, "request": delivery(tenant, WANTED)}
        reached = []
        for _ in range(BURSTS):
            reached.append(crowd.ask(dict(burst))["seconds"])
            _until_there(server, name, scale.readers)
        crowd.ask({"do": "close"})
        _until_there(server, name, 0)
        after = _cost(server, probe, tenant, scale.crowd_seconds, quiet)
    without = Cost(*(sum(pair) / 2 for pair in zip(before, after, strict=True)))
    return Crowd(opened_us, bytes_each, idle, without, beside, median(reached))


def _cost(server: Server, probe: Worker, tenant: Tenant, seconds: float, idle: float) -> Cost:
    request = delivery(tenant, OTHERS)
    question = {"do": "steady", "port": server.port, "request": request, "rate": RATE, "seconds": seconds}
    began, used = perf_counter(), _processor(server)
    answer = probe.ask(question)
    spent = _processor(server) - used - idle * (perf_counter() - began)
    return Cost(answer["p50_ms"], answer["p99_ms"], spent / (RATE * seconds) * 1e3)


def _idle(server: Server, seconds: float) -> float:
    """The share of one core that it uses while nothing comes."""
    used = _processor(server)
    sleep(seconds)
    return (_processor(server) - used) / seconds


def _processor(server: Server) -> float:
    """Seconds that it has used so far (proc_pid_stat(5))."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(server: Server) -> int:
    """Bytes of memory that it has."""
    pages = int(Path(f"/proc/{server.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _until_there(server: Server, name: str, count: int) -> None:
    """Return once so many wait; one stream is the probe."""
    wanted = count + (name == "streams")
    until = perf_counter() + PATIENCE
    while perf_counter() < until:
        found = re.search(rf"^{_GAUGES[name]} ([0-9.e+]+)$", server.get_text("/metrics", {}), re.MULTILINE)
        if found and float(found[1]) == wanted:
            return
        sleep(0.05)
    raise RuntimeError(f"{wanted} {name} were to be there, not {found and found[1]}")


@contextmanager
def _readers() -> Iterator[Worker]:
    readers = Worker("bench.readers")
    yield readers
    readers.stop()
