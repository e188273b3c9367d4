"""The examples, run as they are."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.agents import hear
from support.databases import Database
from support.house import House

EXAMPLES = Path(__file__).parents[1] / "examples"


class Example:
    """One of them as a process."""

    def __init__(self, name: str, *words: str | Path, **environ: str) -> None:
        environ = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1", **environ}
        command = [sys.executable, EXAMPLES / name, *words]
        self._process = subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        """The next that it prints, for which it has a minute."""
        assert self._process.stdout is not None
        late = threading.Timer(60, self._process.kill)
        late.start()
        line = self._process.stdout.readline()
        late.cancel()
        assert line, (self._process.communicate(timeout=10)[1], self._process.returncode)
        return line.strip()

    def end(self, number: int = signal.SIGKILL) -> None:
        self._process.send_signal(number)
        self._process.communicate(timeout=60)


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    """It sends: by loopback, at once."""
    running = House(
        database, tmp_path / "data", working=True, telling=True, segments_per_second=0, allowed_networks="127.0.0.0/8"
    ).start()
    yield running
    running.stop()


@pytest.mark.parametrize(
    ("example", "left_alone"),
    [("agent_loop.py", "+15554440003"), ("mcp_agent.py", "CONSENT_REQUIRED:")],
    ids=["client", "mcp"],
)
def test_an_agent_answers_each_text_once_wherever_it_is_stopped(
    house: House, tmp_path: Path, example: str, left_alone: str
) -> None:
    tenant = house.tenant(carrier="loopback", number="+15551112222")
    contacts = [f"+1555444{n:04}" for n in range(6)]
    position = tmp_path / "position"
    server = {"ROOST_URL": house.base_url, "ROOST_API_KEY": tenant.key}
    for contact in contacts[:3]:
        hear(house, tenant, contact)
    hear(house, tenant, "22000", "G-482913 is your Google verification code.")
    loop = Example(example, position, **server)
    assert loop.line().startswith("done with ")
    loop.end()
    hear(house, tenant, contacts[3])
    hear(house, tenant, contacts[3], "STOP")
    position.unlink()  # the worst that can happen: it begins all over again
    loop = Example(example, position, **server)
    hear(house, tenant, contacts[4])
    hear(house, tenant, contacts[5])
    seen = Counter(loop.line().partition(" ")[0] for _ in range(9))
    loop.end()
    assert seen == {"done": 8, left_alone: 1}
    answered = [message["to"] for message in house.outbound(tenant) if message["text"].startswith("You wrote")]
    assert sorted(answered) == sorted({*contacts} - {contacts[3]})


def test_the_receiver_answers_each_text_once_wherever_it_is_stopped(house: House, tmp_path: Path) -> None:
    tenant = house.tenant(carrier="loopback", number="+15551112222")
    contacts = [f"+1555444{n:04}" for n in range(6)]
    folder, port = tmp_path / "receiver", free_port()
    url = f"http://127.0.0.1:{port}/"
    server = {"ROOST_URL": house.base_url, "ROOST_API_KEY": tenant.key}
    receiver = Example("webhook_receiver.py", url, str(port), folder, **server)
    assert receiver.line() == f"listening on {port}"
    for contact in contacts[:2]:
        hear(house, tenant, contact)
    hear(house, tenant, "22000", "G-482913 is your Google verification code.")
    assert receiver.line().startswith("done with ")
    receiver.end()
    for contact in contacts[2:4]:
        hear(house, tenant, contact)  # while it is away: told again, in the end
    receiver = Example("webhook_receiver.py", url, str(port), folder, **server)
    assert receiver.line() == f"listening on {port}"
    for contact in contacts[4:]:
        hear(house, tenant, contact)
    forged = httpx.post(url, json={"id": "evt_1", "type": "message.received"}, headers={"webhook-id": "evt_1"})
    assert forged.status_code == 401
    until_answered = {*contacts}
    while until_answered - {message["to"] for message in house.outbound(tenant, limit=100)}:
        assert receiver.line().startswith("done with ")
    receiver.end()
    answered = [
        message["to"] for message in house.outbound(tenant, limit=100) if message["text"].startswith("You wrote")
    ]
    assert sorted(answered) == sorted(contacts)
    [endpoint] = house.http.get("/v1/webhooks", headers=tenant.auth).json()["data"]
    assert endpoint["url"] == url, "made once"
    assert (folder / "secret").stat().st_mode & 0o777 == 0o600


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
