"""Retention: what sweeping nine tenths of all messages costs intake."""

from uuid import UUID

from bench import seed
from bench.ingest import CLIENTS, TENANTS
from bench.places import Places
from bench.report import TARGET_HEAD, Section, Table, Target
from bench.rounds import Figure, interleaved
from bench.scale import WARM_UP, Scale
from bench.servers import Server
from bench.tenants import SENDERS, delivery, furnish
from bench.worker import Worker
from roost.core.ids import floor_of
from roost.core.retention import DAY_US, ONESHOT_DAYS
from roost.server import now_us

AT_LEAST = 0.8
#: Of which the newest tenth is kept.
SPAN_US = 10 * ONESHOT_DAYS * DAY_US

SWEEPING, ALONE = "while the sweeper sweeps", "without a sweeper"


def measure(kind: str, places: Places, load: Worker, scale: Scale) -> tuple[Section, list[Target]]:
    """Ingest by the same server over the same database, with and without."""
    place = places.new()
    tenants = place.run(lambda store: furnish(store, TENANTS))
    seed.load(place, [seed.plan(tenant, scale.rows // TENANTS, SPAN_US) for tenant in tenants])
    kept_from = UUID(floor_of(now_us() - ONESHOT_DAYS * DAY_US))
    requests = [delivery(tenant, sender) for sender in SENDERS for tenant in tenants]

    def due() -> int:
        return int(place.run(lambda store: store.fetch(_DUE_SQL, kept_from))[0][0])

    def measured(which: str) -> Figure:
        question = {"port": 0, "connections": CLIENTS, "requests": requests}
        with Server(which, place) as server:
            answer = load.ask({**question, "port": server.port, "warm_up": WARM_UP, "seconds": scale.seconds})
        return Figure(answer["per_second"], answer["p50_ms"], answer["p99_ms"])

    before = due()
    figures = interleaved({SWEEPING: lambda: measured("counted"), ALONE: lambda: measured("no-sweeper")}, scale.rounds)
    left = due()
    if not 0 < left < before:
        raise RuntimeError(f"{before} were due, and {left} are left: it was not sweeping all the time")
    seconds = scale.rounds * (scale.seconds + WARM_UP)
    rows = [
        (name, f"{figure.per_second:,.0f}", f"{figure.p50_ms:.2f}", f"{figure.p99_ms:.2f}", swept)
        for (name, figure), swept in zip(figures.items(), (f"{(before - left) / seconds:,.0f}", ""), strict=True)
    ]
    ratio = figures[SWEEPING].per_second / figures[ALONE].per_second
    target = Target(f"retention, {kind}: ingest while sweeping / without", ratio, AT_LEAST)
    lead = (
        f"Ingest as above, into a database with {scale.rows:,} messages, of which {before:,} are past their retention; the "
        "sweeper is at it all the time, at its own pace."
    )
    head = ("", "messages/s", "p50 ms", "p99 ms", "swept/s")
    return Section(f"Retention, {kind}", lead, [Table(head, rows), Table(TARGET_HEAD, [target.row])]), [target]


_DUE_SQL = "SELECT count(*) FROM inbound_messages WHERE id < $1"
