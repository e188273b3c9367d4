"""One `roost serve` of several processes: they serve as one, and none of them is missed when it dies."""

import json
import os
import pickle
import random
import resource
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from roost import config
from support import together
from support.carrier import Carrier, deliveries
from support.commands import RunningRoost, environment, roost
from support.databases import Database
from support.pollers import whole_inbox
from support.processes import Fleet, Server

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)
#: Enough connections that each of two processes is given some, but for once in 2**39 runs.
CONNECTIONS = 40


@pytest.fixture
def env(database: Database, tmp_path: Path) -> dict[str, str]:
    return environment(database, tmp_path / "data", ROOST_PROCESSES="2")


@pytest.fixture
def fleet(database: Database, tmp_path: Path) -> Iterator[Fleet]:
    servers = Fleet(database, tmp_path, ROOST_PROCESSES="3")
    yield servers
    servers.close()


def test_they_share_what_comes_and_whichever_is_asked_tells_the_metrics_of_all(env: dict[str, str]) -> None:
    server = RunningRoost("serve", env=env)
    for _ in range(CONNECTIONS):
        assert httpx.get(f"{server.base_url}/healthz").status_code == 200
    answered = together.answered_by(server.base_url)
    assert set(answered) == {"1", "2"}
    assert sum(answered.values()) == CONNECTIONS
    assert together.answered_by(server.base_url) == answered
    note = Path(env["ROOST_DATA_DIR"]) / "server.json"
    assert json.loads(note.read_text())["base_url"] == server.base_url
    processes = [os.pidfd_open(pid) for pid in together.children(server.process.pid)]
    assert len(processes) == 2
    code, logged = server.stop()
    assert code == 0
    assert [json.loads(line)["event"] for line in logged.splitlines()] == ["limits_not_shared", "stopped"]
    assert not note.exists()
    for process in processes:
        together.gone(process)


def test_one_that_dies_is_replaced_and_nothing_is_lost(fleet: Fleet) -> None:
    server, tenant = fleet.serve(), fleet.tenant()
    work, moments = list(deliveries("text", 1800, tenant.number.number, batch_every=9)), random.Random(3)
    with Carrier(tenant, [server.target], work) as carrier:
        for turn in range(1, 5):
            carrier.wait_until(turn * 300)
            together.kill(moments.choice(together.children(server.pid)))
        assert carrier.acknowledged() < carrier.sent, "they were killed after the work was done"
        carrier.wait_until(1700)
        assert server.terminate() == 0
        server.start()
        carrier.finish()
    assert set(carrier.answers) == {200}
    found = Counter(message["body"] for message in whole_inbox(server.base_url, tenant.auth))
    assert set(found) == carrier.sent
    assert set(found.values()) == {1}
    assert exit_codes(server) == [-signal.SIGKILL] * 4


def test_one_that_is_killed_while_it_starts_is_replaced_too(fleet: Fleet) -> None:
    server = fleet.serve()
    killed: set[int] = set()

    def six_are_killed() -> bool:
        for pid in set(together.children(server.pid)) - killed:
            together.kill(pid)
            killed.add(pid)
        return len(killed) >= 6

    wait_until(six_are_killed)  # each at once, as the moment looked for is the one before it is told the settings
    wait_until(lambda: all_three_serve(server))
    assert server.terminate() == 0
    assert exit_codes(server) == [-signal.SIGKILL] * len(killed)


def test_while_there_is_no_room_for_one_the_others_serve_and_it_is_tried_again(fleet: Fleet) -> None:
    server = fleet.serve()
    lowest, highest = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (3, highest))  # no pipe to another one can be opened
    together.kill(together.children(server.pid)[0])
    wait_until(lambda: len(exit_codes(server)) >= 2)
    assert all(is_well(server) for _ in range(CONNECTIONS))
    assert set(together.answered_by(server.base_url)) == {"2", "3"}
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (lowest, highest))
    wait_until(lambda: all_three_serve(server))
    assert server.terminate() == 0
    killed, *refused = exit_codes(server)
    assert killed == -signal.SIGKILL
    assert set(refused) == {None}
    assert "Traceback" not in server.log.read_text()


def all_three_serve(server: Server) -> bool:
    try:
        return is_well(server) and set(together.answered_by(server.base_url)) == {"1", "2", "3"}
    except httpx.TransportError:  # none of them does
        return False


def is_well(server: Server) -> bool:
    return httpx.get(f"{server.base_url}/healthz").status_code == 200


def wait_until(is_so: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < give_up_at


def exit_codes(server: Server) -> list[int | None]:
    """Of its processes that died, as it says."""
    lines = [line for line in server.log.read_text().splitlines() if "process_died" in line]
    return [json.loads(line)["exit_code"] for line in lines]


def test_they_end_when_the_one_that_started_them_is_gone(fleet: Fleet) -> None:
    server = fleet.serve()
    processes = [os.pidfd_open(pid) for pid in together.children(server.pid)]
    assert len(processes) == 3
    server.kill()
    for process in processes:
        together.gone(process)
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize(
    ("settings", "events"),
    [
        ({}, ["limits_not_shared", "stopped"]),
        ({"ROOST_RATE_LIMITS": "off"}, ["stopped"]),
        ({"ROOST_REDIS_URL": "redis://127.0.0.1:1"}, ["stopped"]),
        ({"ROOST_PROCESSES": "1"}, ["stopped"]),
    ],
    ids=["each counts alone", "nothing is limited", "they count together", "it is one"],
)
def test_limits_that_each_process_counts_alone_are_warned_of(
    env: dict[str, str], settings: dict[str, str], events: list[str]
) -> None:
    _, logged = RunningRoost("serve", env=env | settings).stop()
    assert [json.loads(line)["event"] for line in logged.splitlines()] == events


def test_what_keeps_them_from_starting_is_said_once(env: dict[str, str], tmp_path: Path) -> None:
    other = RunningRoost(
        "serve", env=env | {"ROOST_DATA_DIR": str(tmp_path / "other"), "ROOST_SECRET_KEY": "A" * 43 + "="}
    )
    try:
        port = str(urlsplit(other.base_url).port)
        taken = roost("serve", "--port", port, env=env | {"ROOST_SECRET_KEY": "A" * 43 + "="})
        strange = roost("serve", "--port", "0", env=env | {"ROOST_SECRET_KEY": "B" * 43 + "="})
    finally:
        other.stop()
    for refused, line in ((taken, "Address already in use"), (strange, "ROOST_SECRET_KEY")):
        assert refused.returncode == 1
        said = [line for line in refused.stderr.splitlines() if "limits_not_shared" not in line]
        assert len(said) == 1
        assert line in said[0]


def test_one_that_cannot_begin_says_so_in_a_line(database: Database, tmp_path: Path) -> None:
    """As one does that is to take another's place while PostgreSQL is away."""
    settings = config.load({}, data_dir=tmp_path, database_url="postgresql://u:hunter2@127.0.0.1:1/d", processes=2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd = listener.fileno()
        command = [sys.executable, "-m", "roost.processes", str(fd), str(tmp_path), "1"]
        ended = subprocess.run(command, input=pickle.dumps(settings), capture_output=True, pass_fds=[fd], timeout=60)
    assert ended.returncode == 1
    [line] = ended.stderr.decode().splitlines()
    assert line.startswith("Error: ")
    assert "hunter2" not in line
