"""Never lost: whatever was acknowledged is there, once, however the server or its database was brought down."""

import asyncio
import json
import random
import signal
import socket
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from roost import config
from roost.server import now_us
from roost.store.connect import make_store
from roost.store.unrouted import list_unrouted
from support.carrier import CREDENTIAL, Carrier, Delivery, deliveries
from support.counters import held_counter, somebody_waits
from support.databases import Database
from support.house import House, Tenant
from support.payloads import bandwidth_inbound
from support.pollers import whole_inbox
from support.processes import Fleet, Server

NOBODYS_NUMBER = "+15559990000"
KILLS = 7
#: How a connection flushes what it commits; 2 is SQLite's FULL (https://www.sqlite.org/pragma.html#pragma_synchronous).
FLUSH = {"sqlite": "PRAGMA synchronous", "postgres": "SHOW synchronous_commit"}


def stored(server: Server, tenant: Tenant) -> Counter[str]:
    """How often each text is in the inbox."""
    return Counter(message["body"] for message in whole_inbox(server.base_url, tenant.auth))


def hold_to_the_promise(found: Counter[str], acknowledged: set[str]) -> None:
    lost, twice = acknowledged - set(found), [text for text, count in found.items() if count > 1]
    assert not lost, f"{len(lost)} acknowledged texts are lost, such as {min(lost)}"
    assert not twice, f"{len(twice)} texts are there twice, such as {min(twice)}"


def unrouted(name: str, count: int) -> list[Delivery]:
    """Deliveries of one text each to a number that nobody holds."""
    texts = [f"{name}-{index:04}" for index in range(count)]
    return [
        Delivery((text,), json.dumps([bandwidth_inbound(f"bw-{text}", NOBODYS_NUMBER, text=text)]).encode())
        for text in texts
    ]


def until_refused(address: tuple[str, int]) -> None:
    """Return once nobody listens there any more."""
    while True:
        try:
            socket.create_connection(address, timeout=30).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            continue


def ask(url: str, sql: str) -> Any:
    """One value from PostgreSQL, past Roost."""

    async def value() -> Any:
        connection = await asyncpg.connect(url)
        found = await connection.fetchval(sql)
        await connection.close()
        return found

    return asyncio.run(value())


def end_connections(url: str) -> int:
    """Have PostgreSQL end every connection of a server; how many there were."""
    ended: int = ask(
        url,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE application_name = 'roost' AND datname = current_database()",
    )
    return ended


def test_no_kill_loses_what_was_acknowledged(fleet: Fleet) -> None:
    server, tenant = fleet.serve(), fleet.tenant()
    work = [*deliveries("text", 1800, tenant.number.number, batch_every=9), *unrouted("nobodys", 200)]
    moments = random.Random(2)
    moments.shuffle(work)
    with Carrier(tenant, [server.target], work) as carrier:
        for turn in range(1, KILLS + 1):
            carrier.wait_until(turn * 230 + moments.randrange(60))
            server.kill()
            acknowledged = carrier.acknowledged()
            server.start()
            hold_to_the_promise(stored(server, tenant), {text for text in acknowledged if text.startswith("text")})
        assert carrier.acknowledged() < carrier.sent, "it was killed after the work was done"
        carrier.finish()
    found = stored(server, tenant)
    waiting = fleet.wait(list_unrouted(fleet.store, tenant.org.org_id, 1000))
    found.update(json.loads(delivery.raw)["message"]["text"] for delivery in waiting)
    assert set(found) == carrier.sent
    hold_to_the_promise(found, carrier.sent)


def test_a_server_told_to_stop_finishes_what_is_in_flight(fleet: Fleet) -> None:
    server, tenant = fleet.serve(), fleet.tenant()
    work = deliveries("text", 1200, tenant.number.number, batch_every=9)
    with Carrier(tenant, [server.target], work) as carrier:
        for turn in range(1, 4):
            carrier.wait_until(turn * 300)
            assert server.terminate() == 0
            acknowledged = carrier.acknowledged()
            server.start()
            hold_to_the_promise(stored(server, tenant), acknowledged)
        carrier.finish()
    assert carrier.half_answers == []
    assert set(carrier.answers) == {200}
    found = stored(server, tenant)
    assert set(found) == carrier.sent
    hold_to_the_promise(found, carrier.sent)


def test_a_delivery_that_has_begun_is_taken_after_the_server_was_told_to_stop(fleet: Fleet) -> None:
    server, tenant = fleet.serve(), fleet.tenant()
    [delivery] = deliveries("text", 1, tenant.number.number)
    address = ("127.0.0.1", urlsplit(server.base_url).port)
    with socket.create_connection(address, timeout=30) as begun:
        headers = {**CREDENTIAL, "Host": "roost", "Content-Length": len(delivery.body), "Expect": "100-continue"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        begun.sendall(f"POST {tenant.webhook} HTTP/1.1\r\n{lines}\r\n".encode())
        assert begun.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"  # so the server waits for the body now
        server.signal(signal.SIGTERM)
        until_refused(address)
        begun.settimeout(0.5)
        with pytest.raises(TimeoutError):  # neither answered nor hung up on
            begun.recv(1)
        begun.settimeout(30)
        begun.sendall(delivery.body)
        answer = b"".join(iter(lambda: begun.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    assert server.wait() == 0
    assert stored(server.start(), tenant) == Counter(delivery.texts)


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_no_broken_database_connection_loses_what_was_acknowledged(fleet: Fleet, database: Database) -> None:
    server, tenant = fleet.serve(), fleet.tenant()
    ended, work = 0, deliveries("text", 1200, tenant.number.number, batch_every=9)
    with Carrier(tenant, [server.target], work) as carrier:
        for turn in range(1, 40):
            carrier.wait_until(turn * 30)
            ended += end_connections(database.url)
        carrier.finish()
    assert ended > 20
    assert carrier.half_answers == []
    assert set(carrier.answers) <= {200, 503}
    found = stored(server, tenant)
    assert set(found) == carrier.sent
    hold_to_the_promise(found, carrier.sent)


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_delivery_whose_connection_breaks_under_it_is_stored_on_another(house: House) -> None:
    tenant, url = house.tenant(), house.config.database_url

    async def deliver_over_a_connection_that_breaks() -> int:
        async with held_counter(url, tenant.org.org_id):
            text = bandwidth_inbound("bw-1", tenant.number.number)
            delivering = asyncio.ensure_future(asyncio.to_thread(house.deliver, tenant, [text]))
            while not await somebody_waits(url):
                assert not delivering.done(), "it did not wait"
            assert await asyncio.to_thread(end_connections, url)
        return (await delivering).status_code

    assert asyncio.run(deliver_over_a_connection_that_breaks()) == 200
    assert len(house.inbound(tenant)) == 1


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_store_whose_connections_were_ended_closes_all_the_same(database: Database, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        store = make_store(config.load({}, data_dir=tmp_path, database_url=database.url), now_us)
        runner.run(store.open())
        assert end_connections(database.url) > 0
        runner.run(store.close())


def test_a_commit_is_on_the_disk_before_it_is_acknowledged(database: Database, tmp_path: Path) -> None:
    async def flush_setting() -> object:
        store = make_store(config.load({}, data_dir=tmp_path, database_url=database.url), now_us)
        await store.open()
        [[setting]] = await store.fetch(FLUSH[database.kind])
        await store.close()
        return setting

    if database.kind == "postgres":  # an installation that defers the flush is overruled
        name = urlsplit(database.url).path[1:]
        ask(database.url, f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    assert asyncio.run(flush_setting()) == {"sqlite": 2, "postgres": "on"}[database.kind]
