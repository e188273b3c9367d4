"""The `roost` command, as a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.databases import Database
from support.forked import Forked

ROOST = str(Path(sys.executable).with_name("roost"))


def environment(database: Database, data_dir: Path, **more: str) -> dict[str, str]:
    """What the command needs to find its database, and nothing of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROOST_")}
    return {**kept, "ROOST_DATA_DIR": str(data_dir), "ROOST_DATABASE_URL": database.url, **more}


def roost(*words: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    running = Forked([ROOST, *words], env)
    output, errors = running.communicate(60)
    return subprocess.CompletedProcess(running.args, running.wait(), output, errors)


def roost_json(*words: str, env: Mapping[str, str]) -> Any:
    """The one JSON value that a command prints with --json; it must succeed."""
    done = roost(*words, "--json", env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class RunningRoost:
    """`roost serve` or `roost demo`, ready; `announced` is what it printed with --json."""

    def __init__(self, *words: str, env: Mapping[str, str]) -> None:
        self.process = Forked([ROOST, *words, "--port", "0", "--json"], env)
        line = self.process.stdout.readline()
        if not line:
            _, errors = self.process.communicate(timeout=10)
            raise AssertionError(f"roost {' '.join(words)} did not start: {errors}")
        self.announced: dict[str, Any] = json.loads(line)
        self.base_url: str = self.announced["base_url"]

    def stop(self) -> tuple[int, str]:
        """SIGTERM, then its exit code and what it logged."""
        self.process.terminate()
        _, errors = self.process.communicate(timeout=60)
        return self.process.wait(), errors
