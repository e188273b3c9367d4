"""What the storage alone does: the same group commit, with coroutines as clients and no HTTP.

`python -m bench.storage DATA_DIR DATABASE_URL TENANTS` answers questions in a process of its own; TENANTS is JSON.
"""

import asyncio
import gc
import json
import secrets
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import uvloop

from bench.commits import counted
from bench.load import percentiles
from bench.places import Place
from bench.tenants import SENDERS, Line, Tenant, payload
from bench.worker import answer_questions
from roost.carriers import bandwidth
from roost.carriers.contract import IntakeRequest
from roost.core.account import CarrierAccount
from roost.intake import delivery_of
from roost.store.base import Store
from roost.store.group import Delivery


def prepare(tenants: list[Tenant], count: int) -> list[Delivery]:
    """Deliveries as intake makes them, with ids that were never used before."""
    run_id = secrets.token_hex(8)[:13]
    accounts = [CarrierAccount(tenant.account_id, tenant.org_id, "bandwidth", {}) for tenant in tenants]
    prepared = []
    for index in range(count):
        which, sender = index % len(tenants), SENDERS[index // len(tenants) % len(SENDERS)]
        request = IntakeRequest({}, payload(tenants[which], f"{run_id}{index:016x}", sender))
        prepared.append(delivery_of(accounts[which], bandwidth.parse(request)))
    return prepared


async def measure(
    place: Place, tenants: list[Tenant], count: int, clients: int, max_group: int | None
) -> dict[str, Any]:
    """Deliveries recorded a second, and the rest of it."""
    waiting = prepare(tenants, count)
    times: list[float] = []
    with counted(max_group) as commits:
        store = place.store()
        await store.open()
        # Connects, and prepares its statements.
        await asyncio.gather(*(store.record(waiting.pop()) for _ in range(clients)))
        gc.collect()
        gc.freeze()  # what was prepared is no garbage, and would be looked at again and again
        started = perf_counter()
        await asyncio.gather(*(_client(store, waiting, times) for _ in range(clients)))
        elapsed = perf_counter() - started
        gc.unfreeze()
        await store.close()
    return {**percentiles(times), "per_second": len(times) / elapsed, **commits.counts()}


async def _client(store: Store, waiting: list[Delivery], times: list[float]) -> None:
    while waiting:
        delivery = waiting.pop()
        started = perf_counter()
        await store.record(delivery)
        times.append(perf_counter() - started)


def main() -> None:
    data_dir, database_url, listed = sys.argv[1:]
    place = Place(Path(data_dir), database_url)
    tenants = [
        Tenant(org_id, account_id, key, Line(*busy), Line(*quiet))
        for org_id, account_id, key, busy, quiet in json.loads(listed)
    ]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:

        def answer(question: dict[str, Any]) -> dict[str, Any]:
            return runner.run(measure(place, tenants, **question))

        answer_questions(answer)


if __name__ == "__main__":
    main()
