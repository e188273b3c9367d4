"""Clients that follow, in every way that there is, while the server is ended again and again and the network breaks."""

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from roost.client import BEGINNING, ConnectionFailed, ServerError
from support.callers import Caller
from support.carrier import Carrier, deliveries
from support.databases import Database
from support.processes import Fleet
from support.relay import Relay

ENDS, TEXTS = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL), 120
LONG_AGO = "2020-01-01T00:00:00Z"
#: A connection is broken after so many bytes: in the middle of a head, of an event, of a page, and so on again.
BUDGETS = (1_503, 90, 40_011, 100_007)


def waited(roost: Caller) -> list[Any]:
    """One after the other, each waited for."""
    seen: list[Any] = []
    while len(seen) < TEXTS:
        after = seen[-1].id if seen else BEGINNING
        with suppress(ConnectionFailed, ServerError):
            message = roost.call(lambda client: client.inbound.wait(after=after, timeout=60))  # noqa: B023
            assert message is not None
            seen.append(message)
    return seen


def taken(of: Callable[[Any], Any]) -> Callable[[Caller], list[Any]]:
    return lambda roost: roost.take(of, TEXTS)


WAYS: dict[str, Callable[[Caller], list[Any]]] = {
    "follow": taken(lambda client: client.inbound.follow(after=BEGINNING)),
    "stream": taken(lambda client: client.stream(last_event_id=BEGINNING, types=["message.received"])),
    "wait": waited,
    "agent's follow": taken(lambda client: client.agent.follow(since=LONG_AGO)),
    "agent's stream": taken(lambda client: client.agent.stream(last_event_id=BEGINNING)),
}


class Following:
    """One way, in a thread of its own."""

    def __init__(self, way: Callable[[Caller], list[Any]], roost: Caller) -> None:
        self._way, self._roost = way, roost
        self._done: Future[list[Any]] = Future()
        threading.Thread(target=self._follow, daemon=True).start()

    def finish(self) -> list[str]:
        """The texts that came."""
        return [getattr(item, "data", item).body for item in self._done.result(60)]

    def _follow(self) -> None:
        try:
            self._done.set_result(self._way(self._roost))
        except BaseException as error:
            self._done.set_exception(error)


@pytest.fixture
def fleet(database: Database, tmp_path: Path) -> Iterator[Fleet]:
    servers = Fleet(database, tmp_path)
    yield servers
    servers.close()


def test_each_text_comes_once_and_in_order_whatever_is_ended_and_wherever_it_breaks(
    fleet: Fleet, connect: Callable[..., Caller]
) -> None:
    tenant, server = fleet.tenant(), fleet.serve()
    work = deliveries("text", TEXTS, tenant.number.number)
    with ExitStack() as running:
        relays = {name: running.enter_context(Relay(server.base_url, BUDGETS)) for name in WAYS}
        credentials = {"api_key": tenant.key, "agent": tenant.agent.wallet}
        following = {name: Following(way, connect(relays[name].base_url, **credentials)) for name, way in WAYS.items()}
        carrier = running.enter_context(Carrier(tenant, [server.target], work, connections=4))
        for turn, number in enumerate(ENDS, 1):
            carrier.wait_until(turn * TEXTS // (len(ENDS) + 1))
            server.end(number)
            server.start()
        carrier.finish()
        seen = {name: each.finish() for name, each in following.items()}
        assert all(relay.cuts for relay in relays.values())
    listed = connect(server.base_url, **credentials).take(lambda client: client.inbound.list(page_size=7))
    in_order = [message.body for message in reversed(listed)]
    assert sorted(in_order) == sorted(carrier.sent)
    for name, bodies in seen.items():
        assert bodies == in_order, name
