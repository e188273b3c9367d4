"""The stream: from the carrier's POST to the reader's event, against a bare server that forwards."""

from contextlib import ExitStack
from statistics import median

from bench.places import Places
from bench.report import TARGET_HEAD, Section, Table, Target, plain
from bench.rounds import Figure, interleaved
from bench.scale import Scale
from bench.servers import Server
from bench.tenants import SENDERS, Tenant, delivery, furnish, reading
from bench.worker import Worker

RATE = 500
OURS, BARE = "end to end: stored, acknowledged, pushed", "a bare server that forwards"


def measure(kind: str, places: Places, scale: Scale) -> tuple[Section, list[Target]]:
    """At a steady rate, both in turns."""
    place = places.new()
    [tenant] = place.run(lambda store: furnish(store, 1))
    with ExitStack() as running:
        server = running.enter_context(Server("counted", place))
        forwarder = Worker("bench.forwarder")
        running.callback(forwarder.stop)
        ports = {OURS: server.port, BARE: forwarder.ask({})["port"]}
        paths = {name: _Path(running, port, tenant, scale) for name, port in ports.items()}
        figures = interleaved({name: path.measure for name, path in paths.items()}, scale.rounds)
    rows = [
        (
            name,
            f"{each.per_second:,.0f}",
            f"{each.p50_ms:.2f}",
            f"{each.p99_ms:.2f}",
            f"{median(paths[name].answered):.2f}",
        )
        for name, each in figures.items()
    ]
    ours, bare = figures[OURS], figures[BARE]
    ratios = [
        plain("p50: end to end / bare", ours.p50_ms / bare.p50_ms),
        plain("p99: end to end / bare", ours.p99_ms / bare.p99_ms),
    ]
    lead = (
        f"A Bandwidth callback, {RATE} a second whether or not the last was answered, one organization, one reader of "
        "GET /v1/events: from the carrier's write to the reader's read, by the clock of one process."
    )
    head = ("", "messages/s", "p50 ms", "p99 ms", "acknowledged, p50 ms")
    return Section(f"Stream, {kind}", lead, [Table(head, rows), Table(TARGET_HEAD, ratios)]), []


class _Path:
    """One server, its reader, and the carrier before it."""

    def __init__(self, running: ExitStack, port: int, tenant: Tenant, scale: Scale) -> None:
        self._port, self._scale = port, scale
        self.answered: list[float] = []
        self._request = delivery(tenant, SENDERS[0])
        self._readers = Worker("bench.readers")
        running.callback(self._readers.stop)
        stream = reading("/v1/events?types=message.received", tenant.key_header)
        self._readers.ask({"do": "open", "port": port, "request": stream, "count": 1})

    def measure(self) -> Figure:
        question = {"do": "steady", "port": self._port, "request": self._request, "rate": RATE}
        answer = self._readers.ask({**question, "seconds": self._scale.seconds})
        self.answered.append(answer["answered_ms"])
        return Figure(answer["per_second"], answer["p50_ms"], answer["p99_ms"])
