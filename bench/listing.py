"""The lists: a page of each dialect, against the same stack with a ready-made response."""

import json
from contextlib import ExitStack

from bench import seed, stand_ins
from bench.places import Places
from bench.report import TARGET_HEAD, Section, Table, Target, plain
from bench.rounds import Figure, Measure, interleaved
from bench.scale import FEW_ROWS, WARM_UP, Scale
from bench.servers import Server
from bench.tenants import furnish, reading
from bench.worker import Worker

CLIENTS = 32
TENANTS = 10
AT_LEAST = {"sqlite": 0.4}

PATHS = {"agentmessage": "/v1/inbound-messages", "oneshot": "/v1/tools/sms/inbox"}
NAMES = {"agentmessage": "dialect A, 20 messages", "oneshot": "dialect B, 50 messages"}


def measure(kind: str, places: Places, load: Worker, scale: Scale) -> tuple[Section, list[Target]]:
    """The figures of one database."""
    place = places.new()
    tenants = place.run(lambda store: furnish(store, TENANTS))
    seed.load(place, [seed.plan(tenant, FEW_ROWS) for tenant in tenants])
    headers = {
        "agentmessage": [tenant.key_header for tenant in tenants],
        "oneshot": [{"X-Agent-ID": tenant.busy.wallet} for tenant in tenants],
    }
    requests = {dialect: [reading(PATHS[dialect], header) for header in headers[dialect]] for dialect in PATHS}

    def measuring(server: Server, dialect: str) -> Measure:
        question = {"port": server.port, "connections": CLIENTS, "requests": requests[dialect]}

        def measured() -> Figure:
            answer = load.ask({**question, "warm_up": WARM_UP, "seconds": scale.seconds * 2 / 3})
            return Figure(answer["per_second"], answer["p50_ms"], answer["p99_ms"])

        return measured

    with ExitStack() as running:
        real = running.enter_context(Server("counted", place))
        bodies = {dialect: real.get_text(PATHS[dialect], headers[dialect][0]) for dialect in PATHS}
        elsewhere = places.new_sqlite()
        path = elsewhere.data_dir / "bodies.json"
        path.write_text(json.dumps(bodies))
        ready_made = running.enter_context(Server("ready-made", elsewhere, **{stand_ins.BODIES: str(path)}))
        figures = interleaved(
            {
                (dialect, which): measuring(server, dialect)
                for dialect in PATHS
                for which, server in (("from the database", real), ("ready-made", ready_made))
            },
            scale.rounds,
        )
    return _section(kind, figures, {dialect: len(body) for dialect, body in bodies.items()})


def _section(kind: str, figures: dict[tuple[str, str], Figure], sizes: dict[str, int]) -> tuple[Section, list[Target]]:
    rows = [
        (
            f"{NAMES[dialect]}, {which}",
            f"{figure.per_second:,.0f}",
            f"{figure.p50_ms:.2f}",
            f"{figure.p99_ms:.2f}",
            f"{sizes[dialect]:,}",
        )
        for (dialect, which), figure in figures.items()
    ]
    targets, ratios = [], []
    for dialect, name in NAMES.items():
        ratio = figures[dialect, "from the database"].per_second / figures[dialect, "ready-made"].per_second
        if kind in AT_LEAST and dialect == "agentmessage":
            targets.append(Target(f"list, {kind}: {name}: database / ready-made", ratio, AT_LEAST[kind]))
            ratios.append(targets[-1].row)
        else:
            ratios.append(plain(f"{name}: database / ready-made", ratio))
    lead = (
        f"The newest page, {CLIENTS} connections, {TENANTS} organizations in turn, each with its own key or agent. "
        "Ready-made: the same server, shell and router, and the same bytes, without credential, query and encoding."
    )
    head = ("", "requests/s", "p50 ms", "p99 ms", "bytes")
    return Section(f"List, {kind}", lead, [Table(head, rows), Table(TARGET_HEAD, ratios)]), targets
