"""The examples, run as they are."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.agents import hear
from support.databases import Database
from support.house import House

EXAMPLES = Path(__file__).parents[1] / "examples"


class Example:
    """One of them as a process; with `lines` it is read until so many lines have come."""

    def __init__(self, name: str, *words: str | Path, **environ: str) -> None:
        environ = {**os.environ, "PYTHONUNBUFFERED": "1", **environ}
        command = [sys.executable, EXAMPLES / name, *words]
        self._process = subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._process.communicate(timeout=10)[1]
        return line.strip()

    def end(self, number: int = signal.SIGKILL) -> None:
        self._process.send_signal(number)
        self._process.communicate(timeout=60)


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    """It sends: by loopback, at once."""
    running = House(database, tmp_path / "data", working=True, segments_per_second=0).start()
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
