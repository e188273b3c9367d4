"""Webhooks: from the carrier's POST to the receiver's, against a bare server that forwards each POST."""

from contextlib import ExitStack

from bench.ingest import CLIENTS, TENANTS
from bench.places import Place, Places
from bench.report import TARGET_HEAD, Section, Table, Target, plain
from bench.rounds import Figure, interleaved
from bench.scale import Scale
from bench.servers import Server
from bench.tenants import SENDERS, Tenant, delivery, furnish
from bench.worker import Worker
from roost.store.base import Store
from roost.store.webhook_endpoints import Webhooks

FORWARDED, TOLD = "forwarded by a bare server", "told by Roost, as texts are ingested"
DRAINED = "told by Roost, of what was ingested before"
#: More would only wait longer for its turn.
SECONDS = 4
_ALLOWED = {"ROOST_ALLOWED_NETWORKS": "127.0.0.0/8"}


def measure(kind: str, places: Places, load: Worker, scale: Scale) -> tuple[Section, list[Target]]:
    """What arrives at one receiver a second, until all that was posted has."""
    with ExitStack() as running:
        receiver, relay = Worker("bench.carrier"), Worker("bench.relay")
        running.callback(receiver.stop)
        running.callback(relay.stop)
        port = receiver.ask({})["port"]
        forwarding = relay.ask({"port": port})["port"]
        place, tenants = _furnished(places, port)
        server = running.enter_context(Server("counted", place, **_ALLOWED))
        later, later_tenants = _furnished(places, port)

        def posted(to: int, tenants: list[Tenant]) -> int:
            requests = [delivery(tenant, sender) for sender in SENDERS for tenant in tenants]
            question = {"port": to, "connections": CLIENTS, "requests": requests, "warm_up": 0}
            return int(load.ask({**question, "seconds": min(scale.seconds, SECONDS)})["answered"])

        def arrived(count: int) -> Figure:
            return Figure(receiver.ask({"count": count})["per_second"], 0, 0)

        def drained() -> Figure:
            with Server("no-deliverer", later, **_ALLOWED) as silent:
                count = posted(silent.port, later_tenants)
            with Server("counted", later, **_ALLOWED):
                return arrived(count)

        measures = {
            FORWARDED: lambda: arrived(posted(forwarding, tenants)),
            TOLD: lambda: arrived(posted(server.port, tenants)),
            DRAINED: drained,
        }
        figures = interleaved(measures, scale.rounds)
    return _section(kind, {name: figure.per_second for name, figure in figures.items()}), []


def _section(kind: str, rate: dict[str, float]) -> Section:
    lead = (
        f"{CLIENTS} clients post texts of {len(SENDERS)} contacts each to {TENANTS} organizations, for at most {SECONDS} s, "
        "each with an endpoint. Counted is what arrives at the receiver, until it has all."
    )
    ratios = [plain(f"{name} / {FORWARDED}", rate[name] / rate[FORWARDED]) for name in (TOLD, DRAINED)]
    rows = [(name, f"{each:,.0f}") for name, each in rate.items()]
    return Section(f"Webhooks, {kind}", lead, [Table(("", "webhooks/s"), rows), Table(TARGET_HEAD, ratios)])


def _furnished(places: Places, port: int) -> tuple[Place, list[Tenant]]:
    place = places.new()
    return place, place.run(lambda store: _told(store, f"http://127.0.0.1:{port}/hook"))


async def _told(store: Store, url: str) -> list[Tenant]:
    tenants = await furnish(store, TENANTS)
    for tenant in tenants:
        await Webhooks(store).create(tenant.org_id, url, ("message.received",), "")
    return tenants
