"""Streams and reads that wait go on through whatever ends them: nothing is missed, and nothing comes twice."""

import asyncio
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import cycle
from pathlib import Path

import asyncpg
import pytest

from support.carrier import Carrier, deliveries
from support.crashing import crash
from support.databases import Database
from support.pollers import ByAfter, BySince, ByStream, ByWebhook, Follower, Inbox, sender_of
from support.processes import Fleet
from support.receiver import REACHING_RECEIVERS, Answering, Posted, Receiver, Reply, tell_of_texts
from support.sse import Ended, Sse
from support.wire import Wire

A, B = "/v1/inbound-messages", "/v1/tools/sms/inbox"
TURNS, TEXTS_A_TURN = 6, 150


def end_connections(url: str) -> int:
    """Have PostgreSQL end every connection of every server, those that listen too; how many there were."""

    async def end() -> int:
        connection = await asyncpg.connect(url)
        ended: int = await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name LIKE 'roost%' AND datname = current_database()"
        )
        await connection.close()
        return ended

    return asyncio.run(end())


def test_no_kill_and_no_broken_connection_makes_a_reader_miss_anything(fleet: Fleet, database: Database) -> None:
    servers = [fleet.serve() for _ in range({"sqlite": 1, "postgres": 2}[database.kind])]
    tenant, urls = fleet.tenant(), [server.base_url for server in servers]
    work = deliveries("text", TURNS * TEXTS_A_TURN, tenant.number.number, batch_every=7)
    with ExitStack() as running:
        ways = [(A, tenant.auth), (A, tenant.auth), (A, tenant.auth), (A, tenant.auth), (B, tenant.agent_header)]
        inboxes = [
            running.enter_context(closing(Inbox(urls[turn % 2 :] + urls[: turn % 2], *way, 50, patient=True)))
            for turn, way in enumerate(ways)
        ]
        streams = [
            running.enter_context(closing(ByStream(inbox, headers, cut_every)))
            for inbox, headers, cut_every in zip(
                inboxes, (tenant.auth, tenant.auth, tenant.agent_header), (10_000, 10_000, 90), strict=False
            )
        ]
        readers = [*streams, ByAfter(inboxes[3], wait=1), BySince(inboxes[4], wait=1)]
        followers = [Follower(f"{nth}: {type(reader).__name__}", reader) for nth, reader in enumerate(readers)]
        for follower in followers:
            running.callback(follower.start().give_up)
        carrier = running.enter_context(Carrier(tenant, [server.target for server in servers], work, connections=8))
        for turn, server, number in zip(
            range(1, TURNS), cycle(servers), cycle([signal.SIGKILL, signal.SIGTERM]), strict=False
        ):
            carrier.wait_until(turn * TEXTS_A_TURN)
            if database.kind == "postgres":
                assert end_connections(database.url) > 2
            server.end(number)
            server.start()
        carrier.finish()
        for follower in followers:
            follower.finish(carrier.sent)
    assert all(stream.resumed >= TURNS // len(servers) for stream in streams)
    assert set(carrier.answers) <= {200, 503}


def test_a_webhook_brings_everything_through_kills_crashes_and_a_receiver_that_fails(
    own_database: Database, tmp_path: Path
) -> None:
    """At least once on the wire, once by its id, and in order of each thread."""
    with ExitStack() as running:
        fleet = running.enter_context(closing(Fleet(own_database, tmp_path, **REACHING_RECEIVERS)))
        servers = [fleet.serve() for _ in range({"sqlite": 1, "postgres": 2}[own_database.kind])]
        tenant, urls = fleet.tenant(), [server.base_url for server in servers]
        receiver = running.enter_context(Receiver(failing_now_and_then()))
        tell_of_texts(urls[0], tenant.auth, receiver.url())
        inbox = running.enter_context(closing(Inbox(urls, A, tenant.auth, 100, patient=True)))
        reader = ByWebhook(receiver, inbox)
        follower = Follower("a webhook", reader, sender_of)
        running.callback(follower.start().give_up)
        work = deliveries("text", TURNS * TEXTS_A_TURN, tenant.number.number, batch_every=7, senders=40)
        carrier = running.enter_context(Carrier(tenant, [server.target for server in servers], work, connections=8))
        for turn, server, number in zip(
            range(1, TURNS), cycle(servers), cycle([signal.SIGKILL, signal.SIGTERM]), strict=False
        ):
            carrier.wait_until(turn * TEXTS_A_TURN)
            server.end(number)
            server.start()
            if own_database.kind == "postgres" and turn % 2:
                crash(own_database.url)
        carrier.finish()
        follower.finish(carrier.sent)
    assert reader.again > 0, "nothing failed"


def failing_now_and_then() -> Answering:
    """No event more than once: what fails for the third time is not tried again for a minute."""
    answers = cycle([Reply()] * 60 + [Reply(503)] + [Reply()] * 60 + [Reply(how="hang up")])
    failed: set[str] = set()

    def answer(posted: Posted) -> Reply:
        reply = next(answers)
        if reply == Reply() or posted.id in failed:
            return Reply()
        failed.add(posted.id)
        return reply

    return answer


def test_a_server_told_to_stop_answers_who_waits_and_ends_streams_at_once(fleet: Fleet) -> None:
    server, tenant = fleet.serve(), fleet.tenant()
    wires = [Wire(server.base_url) for _ in range(2)]
    with ExitStack() as running, ThreadPoolExecutor(2) as pool:
        stalled = running.enter_context(Sse(server.base_url, tenant.auth, small=True))
        stream = running.enter_context(Sse(server.base_url, tenant.auth))
        asked = [
            pool.submit(wire.get, f"{path}?wait=30", headers)
            for wire, path, headers in zip(wires, (A, B), (tenant.auth, tenant.agent_header), strict=True)
        ]
        while b"\nroost_waiting_reads 2.0" not in metrics_of(server.base_url):
            assert not any(each.done() for each in asked)
        began = time.monotonic()
        assert server.terminate() == 0
        assert time.monotonic() - began < 10, "nobody is waited for who waits"
        with pytest.raises(Ended):
            stream.next()
        for each in asked:
            answer = each.result(10)
            assert (answer.status, answer.headers["connection"]) == (200, "close")
        stalled.close()
        for wire in wires:
            wire.close()
    assert b"Traceback" not in server.log.read_bytes()


def metrics_of(base_url: str) -> bytes:
    wire = Wire(base_url)
    page = wire.get("/metrics", {}).body
    wire.close()
    return page
