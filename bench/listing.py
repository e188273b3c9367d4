"""The lists: a page of each dialect, against the same stack with a ready-made response."""

import json
from contextlib import ExitStack
from itertools import product

from bench import seed, stand_ins
from bench.places import Places
from bench.report import TARGET_HEAD, Section, Table, Target, plain
from bench.rounds import SLICES, Figure, Measure, middle, taken_in_turns, times_as_fast
from bench.scale import FEW_ROWS, WARM_UP, Scale
from bench.servers import Server
from bench.tenants import furnish, reading
from bench.worker import Worker

CLIENTS = 32
TENANTS = 10
AT_LEAST = {"sqlite": 0.4}

PATHS = {"agentmessage": "/v1/inbound-messages", "oneshot": "/v1/tools/sms/inbox"}
NAMES = {"agentmessage": "dialect A, 20 messages", "oneshot": "dialect B, 50 messages"}

ASKED, READY_MADE, ANEW = "asked again and again", "ready-made", "asked anew"


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
            answer = load.ask({**question, "warm_up": WARM_UP / SLICES, "seconds": scale.seconds * 2 / 3 / SLICES})
            return Figure(answer["per_second"], answer["p50_ms"], answer["p99_ms"])

        return measured

    with ExitStack() as running:
        real = running.enter_context(Server("counted", place))
        bodies = {dialect: real.get_text(PATHS[dialect], headers[dialect][0]) for dialect in PATHS}
        elsewhere = places.new_sqlite()
        path = elsewhere.data_dir / "bodies.json"
        path.write_text(json.dumps(bodies))
        ready_made = running.enter_context(Server("ready-made", elsewhere, **{stand_ins.BODIES: str(path)}))
        servers = {ASKED: real, READY_MADE: ready_made}
        if kind == "sqlite":
            servers[ANEW] = running.enter_context(Server("forgetful", place))
        measures = {(dialect, which): measuring(servers[which], dialect) for dialect, which in product(PATHS, servers)}
        taken = taken_in_turns(measures, scale.rounds * SLICES)
    return _section(kind, taken, {dialect: len(body) for dialect, body in bodies.items()})


def _section(
    kind: str, taken: dict[tuple[str, str], list[Figure]], sizes: dict[str, int]
) -> tuple[Section, list[Target]]:
    rows = []
    for (dialect, which), figures in taken.items():
        rate, p50, p99 = middle(figures)
        rows.append((f"{NAMES[dialect]}, {which}", f"{rate:,.0f}", f"{p50:.2f}", f"{p99:.2f}", f"{sizes[dialect]:,}"))
    targets, ratios = [], []
    for dialect, which in taken:
        if which == READY_MADE:
            continue
        ratio = times_as_fast(taken[dialect, which], taken[dialect, READY_MADE])
        what = f"{NAMES[dialect]}, {which} / ready-made"
        if kind in AT_LEAST and (dialect, which) == ("agentmessage", ASKED):
            targets.append(Target(f"list, {kind}: {what}", ratio, AT_LEAST[kind]))
            ratios.append(targets[-1].row)
        else:
            ratios.append(plain(what, ratio))
    lead = (
        f"The newest page, {CLIENTS} connections, {TENANTS} organizations in turn, each with its own key or agent. "
        "Ready-made: the same server, shell and router, and the same bytes, without credential, query and encoding. "
        "Anew: SQLite remembers no page, as when something is committed between any two questions."
    )
    head = ("", "requests/s", "p50 ms", "p99 ms", "bytes")
    return Section(f"List, {kind}", lead, [Table(head, rows), Table(TARGET_HEAD, ratios)]), targets
