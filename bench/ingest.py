"""Ingest: a carrier's POST, stored and acknowledged, against what could be the limit of it."""

import json
from contextlib import ExitStack

from bench.places import Place, Places
from bench.report import TARGET_HEAD, Section, Table, Target, plain
from bench.rounds import SLICES, Figure, Measure, middle, taken_in_turns, times_as_fast
from bench.scale import WARM_UP, Scale
from bench.servers import Server
from bench.tenants import SENDERS, Tenant, delivery, furnish
from bench.worker import Worker

CLIENTS = 64
TENANTS = 10
AT_LEAST = {"sqlite": 0.4, "postgres": 0.6}

END_TO_END = "end to end: HTTP, group commit"
TOGETHER = "the same, two processes"
SINGLE = "the same, one commit a message"
NO_STORAGE = "the same HTTP stack, nothing stored"
ALONE = "storage alone: group commit, no HTTP"
ALONE_SINGLE = "storage alone, one commit a message"


def measure(kind: str, places: Places, load: Worker, scale: Scale) -> tuple[Section, list[Target]]:
    """The figures of one database."""
    scale = scale._replace(seconds=scale.seconds / SLICES, deliveries=scale.deliveries // SLICES)
    with ExitStack() as running:
        real = _Served(running, "counted", places.new(), load, scale)
        single = _Served(running, "one-by-one", places.new(), load, scale)
        forgetful = _Served(running, "no-storage", places.new_sqlite(), load, scale)
        alone = _Alone(running, places.new(), scale.deliveries, None)
        alone_single = _Alone(running, places.new(), scale.deliveries // 8, 1)
        measures: dict[str, Measure] = {END_TO_END: real.measure, ALONE: alone.measure}
        if kind == "postgres":
            together = _Served(running, "counted", places.new(), load, scale, ROOST_PROCESSES="2")
            measures[TOGETHER] = together.measure
        measures |= {
            NO_STORAGE: forgetful.measure,
            SINGLE: single.measure,
            ALONE_SINGLE: alone_single.measure,
        }
        taken = taken_in_turns(measures, scale.rounds * SLICES)
    grouped = {
        END_TO_END: real.group_size(),
        ALONE: alone.group_size(),
        SINGLE: single.group_size(),
        ALONE_SINGLE: alone_single.group_size(),
    }
    real.check()
    if kind == "postgres":
        together.check()
    return _section(kind, taken, grouped)


class _Served:
    """Ingest over HTTP by one server, which stands still while another is measured."""

    def __init__(
        self, running: ExitStack, which: str, place: Place, load: Worker, scale: Scale, **environment: str
    ) -> None:
        self._place, self._load, self._scale = place, load, scale
        self._tenants = place.run(lambda store: furnish(store, TENANTS))
        self._server = running.enter_context(Server(which, place, **environment))
        self._server.stand_still()
        self._acknowledged = 0

    def measure(self) -> Figure:
        self._server.go_on()
        answer = self._load.ask(
            {
                "port": self._server.port,
                "connections": CLIENTS,
                "requests": [delivery(tenant, sender) for sender in SENDERS for tenant in self._tenants],
                "warm_up": WARM_UP,
                "seconds": self._scale.seconds,
            }
        )
        self._server.stand_still()
        self._acknowledged += answer["answered"]
        return Figure(answer["per_second"], answer["p50_ms"], answer["p99_ms"])

    def group_size(self) -> float:
        """Messages per commit, once the server has stopped."""
        return self._server.counts["deliveries"] / self._server.counts["commits"]

    def check(self) -> None:
        """A figure counts only if everything acknowledged is there, once the server has stopped."""
        rows = self._place.run(lambda store: store.fetch("SELECT count(*) FROM inbound_messages"))
        if rows[0][0] != self._acknowledged:
            raise RuntimeError(f"{self._acknowledged} were acknowledged, but {rows[0][0]} are stored")


class _Alone:
    """The store's own group commit, in a process without HTTP."""

    def __init__(self, running: ExitStack, place: Place, deliveries: int, max_group: int | None) -> None:
        tenants: list[Tenant] = place.run(lambda store: furnish(store, TENANTS))
        self._worker = Worker("bench.storage", str(place.data_dir), place.database_url, json.dumps(tenants))
        running.callback(self._worker.stop)
        self._question = {"count": deliveries, "clients": CLIENTS, "max_group": max_group}
        self._commits = self._deliveries = 0

    def measure(self) -> Figure:
        answer = self._worker.ask(self._question)
        self._commits += answer["commits"]
        self._deliveries += answer["deliveries"]
        return Figure(answer["per_second"], answer["p50_ms"], answer["p99_ms"])

    def group_size(self) -> float:
        return self._deliveries / self._commits


def _section(kind: str, taken: dict[str, list[Figure]], grouped: dict[str, float]) -> tuple[Section, list[Target]]:
    rows = []
    for name, figures in taken.items():
        rate, p50, p99 = middle(figures)
        rows.append(
            (name, f"{rate:,.0f}", f"{p50:.2f}", f"{p99:.2f}", f"{grouped[name]:.1f}" if name in grouped else "")
        )

    def ratio(one: str, other: str) -> float:
        return times_as_fast(taken[one], taken[other])

    target = Target(f"ingest, {kind}: end to end / storage alone", ratio(END_TO_END, ALONE), AT_LEAST[kind])
    ratios = [
        target.row,
        plain("end to end / the same HTTP stack, nothing stored", ratio(END_TO_END, NO_STORAGE)),
        plain("end to end / one commit a message", ratio(END_TO_END, SINGLE)),
        plain("storage alone / storage alone, one commit a message", ratio(ALONE, ALONE_SINGLE)),
    ]
    if TOGETHER in taken:
        ratios += [
            plain("two processes / storage alone", ratio(TOGETHER, ALONE)),
            plain("two processes / one", ratio(TOGETHER, END_TO_END)),
        ]
    lead = (
        f"A Bandwidth callback of about 550 bytes with its Basic credential, {CLIENTS} clients, {TENANTS} organizations, "
        f"{len(SENDERS)} senders each, every message id new, fsync on; afterwards all that was acknowledged is in the database."
    )
    head = ("", "messages/s", "p50 ms", "p99 ms", "messages per commit")
    return Section(f"Ingest, {kind}", lead, [Table(head, rows), Table(TARGET_HEAD, ratios)]), [target]
