"""A server process: the real one, or one with a stand-in."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from types import TracebackType
from typing import Any

from bench.places import Place
from bench.worker import ROOT

#: A client here asks more than any is allowed to.
_UNLIMITED = {"ROOST_RATE_LIMITS": "off"}


class Server:
    """Listens on a free port of 127.0.0.1 between `with` and its end; `counts` is what it counted until then."""

    def __init__(self, which: str, place: Place, **environment: str) -> None:
        options = ["--json", "--port", "0", "--data-dir", str(place.data_dir), "--database-url", place.database_url]
        settings = {name: value for name, value in os.environ.items() if not name.startswith("ROOST_")}
        self._log = place.data_dir / "server.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.stand_ins", which, "serve", *options],
                cwd=ROOT, env=settings | _UNLIMITED | environment, stdout=subprocess.PIPE, stderr=log, text=True,
                process_group=0,
            )  # fmt: skip
        self.pid = self._process.pid
        self.counts: dict[str, int] = {}

    def __enter__(self) -> "Server":
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server did not start:\n{self._log.read_text()}")
        self.base_url: str = json.loads(line)["base_url"]
        self.port = int(self.base_url.rpartition(":")[2])
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.go_on()
        self._process.terminate()
        rest, _ = self._process.communicate(timeout=60)
        self.counts = json.loads(rest or "{}")

    def stand_still(self) -> None:
        """Until `go_on`: what it still does with what it took in is not the next one's to pay for."""
        os.killpg(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.killpg(self.pid, signal.SIGCONT)

    def get(self, path: str, headers: dict[str, str]) -> Any:
        """The JSON answer. Raises for any status but 2xx."""
        with urllib.request.urlopen(urllib.request.Request(self.base_url + path, headers=headers)) as answer:
            return json.load(answer)

    def get_text(self, path: str, headers: dict[str, str]) -> str:
        """The same, as it came."""
        with urllib.request.urlopen(urllib.request.Request(self.base_url + path, headers=headers)) as answer:
            text: str = answer.read().decode()
            return text
