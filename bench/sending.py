"""Sending: what is accepted against what is ingested, what the outbox drains to a carrier that answers at once, and whether a
quiet organization waits for a busy one."""

import json
from contextlib import ExitStack
from http.client import HTTPConnection
from statistics import median
from time import perf_counter, sleep
from uuid import UUID

from bench.ingest import CLIENTS, TENANTS
from bench.load import percentiles
from bench.places import Place, Places
from bench.report import TARGET_HEAD, Section, Table, Target, plain
from bench.rounds import Figure, interleaved
from bench.scale import WARM_UP, Scale
from bench.servers import Server
from bench.tenants import SENDERS, TEXT, Tenant, delivery, furnish, posting
from bench.worker import Worker
from roost.core.organization import Settings
from roost.core.outbound import Send
from roost.store.base import Store
from roost.store.sending import accept
from roost.store.settings import settings_text

#: A text to anybody may be sent: what is measured is not how consent is come by.
SETTINGS = Settings(consent_required=False)
ORGANIZATIONS = 100
AT_MOST = 2.0
#: The default, in segments a second for each number; a quiet organization's messages come no faster.
PACE, PAUSE_SECONDS = 10, 0.15
_CHUNK = 1000

ACCEPTED, INGESTED, DRAINED = "accepted: POST /v1/messages", "ingested: a carrier's POST", "drained to a carrier"


def sends(kind: str, places: Places, load: Worker, scale: Scale) -> tuple[Section, list[Target]]:
    """Accepted a second against ingested, by the same server."""
    with ExitStack() as running:
        posts = _Posts(running, places.new(), load, scale)
        figures = interleaved({ACCEPTED: posts.accepted, INGESTED: posts.ingested}, scale.rounds)
    rows = [_row(name, figure) for name, figure in figures.items()]
    ratio = figures[ACCEPTED].per_second / figures[INGESTED].per_second
    lead = f"{CLIENTS} clients, {TENANTS} organizations, {len(SENDERS)} contacts each; the worker does not run."
    tables = [
        Table(("", "messages/s", "p50 ms", "p99 ms"), rows),
        Table(TARGET_HEAD, [plain("accepted / ingested", ratio)]),
    ]
    return Section(f"Accepted sends, {kind}", lead, tables), []


def outbox(kind: str, places: Places, load: Worker, scale: Scale) -> tuple[Section, list[Target]]:
    """What was queued, until all of it arrived at a carrier that answers at once and is settled."""
    with ExitStack() as running:
        carrier = _carrier(running)
        place = places.new()
        tenants = place.run(lambda store: _furnished(store, TENANTS))
        posts = _Posts(running, places.new(), load, scale)

        def drained(count: int, senders: list[Tenant]) -> Figure:
            place.run(lambda store: _queue(store, senders, count))
            with Server("counted", place, **_towards(carrier)):
                per_second = carrier.ask({"count": count})["per_second"]
            left = place.run(lambda store: store.fetch("SELECT count(*) FROM outbox"))[0][0]
            if left:
                raise RuntimeError(f"{left} arrived but are not settled")
            return Figure(per_second, 0, 0)

        one = f"{DRAINED}, of one organization"
        measures = {
            DRAINED: lambda: drained(scale.queued, tenants),
            one: lambda: drained(scale.queued, tenants[:1]),
            ACCEPTED: posts.accepted,
        }
        figures = interleaved(measures, scale.rounds)
    rate = {name: figure.per_second for name, figure in figures.items()}
    lead = (
        f"{scale.queued:,} queued to as many contacts, of {TENANTS} organizations or of one; no pace but the carrier's."
    )
    ratios = [plain(f"{name} / accepted", rate[name] / rate[ACCEPTED]) for name in (DRAINED, one)]
    tables = [
        Table(("", "messages/s"), [(name, f"{each:,.0f}") for name, each in rate.items()]),
        Table(TARGET_HEAD, ratios),
    ]
    return Section(f"Outbox, {kind}", lead, tables), []


def fair(kind: str, places: Places, scale: Scale) -> tuple[Section, list[Target]]:
    """A quiet organization's message, from its POST to its arrival, alone and beside a busy one."""
    with ExitStack() as running:
        carrier = _carrier(running)
        place = places.new()
        busy, *others = place.run(lambda store: _furnished(store, ORGANIZATIONS))
        with Server("counted", place, **_towards(carrier, PACE)) as server:
            alone = _arrivals(server, carrier, others[0], scale.quiet, PAUSE_SECONDS)
        place.run(lambda store: _queue(store, [busy], scale.busy))
        with Server("counted", place, **_towards(carrier, PACE)) as server:
            beside = _arrivals(server, carrier, others[1], scale.quiet, PAUSE_SECONDS)
        with Server("counted", place, **_towards(carrier)) as server:
            unpaced = _arrivals(server, carrier, others[2], scale.quiet)
        left = place.run(lambda store: store.fetch("SELECT count(*) FROM outbox"))[0][0]
        if not left:
            raise RuntimeError("the busy organization had nothing left to send")
    ratio = median(beside) / median(alone)
    target = Target(f"fairness, {kind}: beside a busy organization / alone", ratio, AT_MOST, at_most=True)
    rows = [
        (name, f"{median(times) * 1e3:.1f}", f"{percentiles(times)['p95_ms']:.1f}")
        for name, times in (
            ("alone", alone),
            ("beside the busy one", beside),
            ("beside the busy one, which has no pace but the carrier's", unpaced),
        )
    ]
    lead = (
        f"{ORGANIZATIONS} organizations, of which one has {scale.busy:,} queued, at the default pace of {PACE} segments a second "
        f"for each number; {scale.quiet} messages of a quiet one, one after another, each from its POST to its arrival."
    )
    without = plain("the same without a pace", median(unpaced) / median(alone))
    tables = [Table(("", "p50 ms", "p95 ms"), rows), Table(TARGET_HEAD, [target.row, without])]
    return Section(f"Fairness, {kind}", lead, tables), [target]


class _Posts:
    """A server whose worker does not run, to which clients post."""

    def __init__(self, running: ExitStack, place: Place, load: Worker, scale: Scale) -> None:
        self._load, self._scale = load, scale
        self._tenants = place.run(lambda store: _furnished(store, TENANTS))
        self._server = running.enter_context(Server("no-worker", place))

    def accepted(self) -> Figure:
        return self._measure([posting(tenant, to) for to in SENDERS for tenant in self._tenants])

    def ingested(self) -> Figure:
        return self._measure([delivery(tenant, sender) for sender in SENDERS for tenant in self._tenants])

    def _measure(self, requests: list[str]) -> Figure:
        question = {"port": self._server.port, "connections": CLIENTS, "requests": requests}
        answer = self._load.ask({**question, "warm_up": WARM_UP, "seconds": self._scale.seconds})
        return Figure(answer["per_second"], answer["p50_ms"], answer["p99_ms"])


def _carrier(running: ExitStack) -> Worker:
    carrier = Worker("bench.carrier")
    running.callback(carrier.stop)
    return carrier


def _towards(carrier: Worker, pace: int = 0) -> dict[str, str]:
    """The environment of a server that sends there, as fast as it can unless each number has a pace."""
    url = f"http://127.0.0.1:{carrier.ask({})['port']}"
    return {"ROOST_BANDWIDTH_URL": url, "ROOST_SEGMENTS_PER_SECOND": str(pace)}


async def _furnished(store: Store, count: int) -> list[Tenant]:
    tenants = await furnish(store, count)
    update = "UPDATE organizations SET settings = $2 WHERE org_id = $1"
    await store.write(*((update, (UUID(tenant.org_id), settings_text(SETTINGS))) for tenant in tenants))
    return tenants


async def _queue(store: Store, tenants: list[Tenant], count: int) -> None:
    """So many texts of these organizations in turn, each to a contact of its own, as a send would have queued them."""
    waiting = [
        Send(tenant.org_id, tenant.busy.number, f"+1415{nth:07}", TEXT)
        for nth, tenant in zip(range(count), tenants * -(-count // len(tenants)), strict=False)
    ]
    for start in range(0, count, _CHUNK):
        chunk = [(send, SETTINGS) for send in waiting[start : start + _CHUNK]]
        await store.transact(lambda tx, chunk=chunk: accept(tx, chunk))


def _arrivals(server: Server, carrier: Worker, tenant: Tenant, count: int, pause: float = 0) -> list[float]:
    """How many seconds each message took from its POST to its arrival; the first few, which warm up, are not counted."""
    connection = HTTPConnection("127.0.0.1", server.port)
    times = []
    for nth in range(count + count // 10):
        body = json.dumps({"from": tenant.busy.number, "to": f"+1212{nth:07}", "text": TEXT})
        posted = perf_counter()
        connection.request("POST", "/v1/messages", body, {"Content-Type": "application/json", **tenant.key_header})
        message_id = json.load(connection.getresponse())["data"]["id"]
        times.append(carrier.ask({"tag": message_id})["at"] - posted)
        sleep(pause)
    connection.close()
    return times[count // 10 :]


def _row(name: str, figure: Figure) -> tuple[str, ...]:
    return (name, f"{figure.per_second:,.0f}", f"{figure.p50_ms:.2f}", f"{figure.p99_ms:.2f}")
