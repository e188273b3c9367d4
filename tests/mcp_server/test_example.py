"""The example of an agent, run as it is."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from support.agents import hear
from support.house import House, Tenant

EXAMPLE = Path(__file__).parents[2] / "examples" / "mcp_agent.py"


class Running:
    """The example as a process, to be read and to be killed."""

    def __init__(self, position: Path, house: House, tenant: Tenant) -> None:
        environ = {**os.environ, "ROOST_URL": house.base_url, "ROOST_API_KEY": tenant.key}
        pipe = subprocess.PIPE
        command = [sys.executable, EXAMPLE, position]
        self._process = subprocess.Popen(command, env=environ, stdout=pipe, stderr=pipe, text=True)

    def line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._process.communicate(timeout=10)[1]
        return line.strip()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=60)


def test_the_agent_answers_each_text_once_wherever_it_is_stopped(house: House, tenant: Tenant, tmp_path: Path) -> None:
    contacts = [f"+1555444{n:04}" for n in range(4)]
    position = tmp_path / "position"
    hear(house, tenant, contacts[0])
    hear(house, tenant, "22000", "G-482913 is your Google verification code.")
    agent = Running(position, house, tenant)
    assert agent.line().startswith("done with ")
    agent.kill()
    hear(house, tenant, contacts[1])
    hear(house, tenant, contacts[1], "STOP")
    position.unlink(missing_ok=True)  # the worst that can happen: it begins all over again
    agent = Running(position, house, tenant)
    hear(house, tenant, contacts[2])
    hear(house, tenant, contacts[3])
    seen = Counter(agent.line().partition(" ")[0] for _ in range(7))
    agent.kill()
    assert seen == {"done": 6, "CONSENT_REQUIRED:": 1}, "who stopped before they were answered is left alone"
    answered = [message["to"] for message in house.outbound(tenant) if message["text"].startswith("You wrote")]
    assert sorted(answered) == sorted({*contacts} - {contacts[1]})
