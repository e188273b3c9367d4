"""Real `roost serve` processes over one database, to be killed, stopped and started again."""

import asyncio
import base64
import json
import os
import secrets
import select
import signal
import subprocess
import sys
from collections.abc import Coroutine, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from roost import config
from roost.server import now_us
from roost.store.connect import make_store
from roost.store.directory import Directory
from support.carrier import Delivery, Target
from support.databases import Database
from support.forked import Forked
from support.house import Tenant

T = TypeVar("T")
ROOST = Path(sys.executable).with_name("roost")
BESIDE = Path(__file__).with_name("beside.py")
_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 60


class Server:
    """One `roost serve`; after `start` it listens at `base_url`, and again at the same port after it was ended."""

    def __init__(self, data_dir: Path, environ: dict[str, str]) -> None:
        self._data_dir, self._environ = data_dir, environ
        self._process: Forked | None = None
        self._port = "0"
        self.target = Target("")
        self.log = data_dir / "server.log"

    @property
    def base_url(self) -> str:
        return self.target.base_url

    @property
    def pid(self) -> int:
        assert self._process is not None, "it does not run"
        return self._process.pid

    def start(self) -> "Server":
        self._data_dir.mkdir(parents=True, exist_ok=True)
        command = [ROOST, "serve", "--json", "--port", self._port, "--data-dir", self._data_dir]
        self._process = Forked(command, self._environ, self.log)
        ready, _, _ = select.select([self._process.stdout], [], [], _SECONDS_TO_START)
        line = self._process.stdout.readline() if ready else ""
        assert line, f"the server did not start: {self.log.read_text()[-2000:]}"
        self.target.base_url = json.loads(line)["base_url"]
        self._port = self.base_url.rpartition(":")[2]
        self.target.up.set()
        return self

    def kill(self) -> None:
        """SIGKILL: no chance to finish anything."""
        self.end(signal.SIGKILL)

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def end(self, number: signal.Signals) -> None:
        """Whether it runs or not."""
        if self._process is not None:
            self.signal(number)
            self.wait()

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "it does not run"
        self.target.up.clear()
        self._process.send_signal(number)

    def wait(self) -> int:
        """The exit code, once it has ended."""
        assert self._process is not None, "it does not run"
        process, self._process = self._process, None
        try:
            return process.wait(_SECONDS_TO_STOP)
        finally:
            process.kill()
            process.wait()
            process.close()


class Writer:
    """A store beside the server's, in a process of its own: ready, and recording what it was given after `begin`."""

    def __init__(self, process: subprocess.Popen[bytes], work: Iterable[Delivery]) -> None:
        self._process = process
        self._work = list(work)
        self._feeding = ThreadPoolExecutor(1)
        self._fed: Future[tuple[bytes, bytes]] | None = None
        self.sent = {text for delivery in self._work for text in delivery.texts}

    def begin(self) -> None:
        lines = b"".join(delivery.body + b"\n" for delivery in self._work)
        self._fed = self._feeding.submit(self._process.communicate, lines, _SECONDS_TO_STOP)

    def finish(self) -> None:
        """Return once all is recorded."""
        assert self._fed is not None, "it has not begun"
        _, errors = self._fed.result()
        assert self._process.returncode == 0, errors.decode()[-2000:]

    def kill(self) -> None:
        """Whether it has finished or not."""
        self._process.kill()
        self._feeding.shutdown()
        with self._process:
            pass


class Fleet:
    """The servers over one database, and a store of this process's own to look into it with.

    On PostgreSQL each server has a data directory of its own; all share one secret key, as an installation does.
    """

    def __init__(self, database: Database, folder: Path, **environ: str) -> None:
        self._database, self._folder = database, folder
        self._servers: list[Server] = []
        self._writers: list[Writer] = []
        self._tenants = 0
        own = {name: value for name, value in os.environ.items() if not name.startswith("ROOST_")}
        self._environ = own | {
            "ROOST_DATABASE_URL": database.url,
            "ROOST_RATE_LIMITS": "off",
            "ROOST_SECRET_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            **environ,
        }
        self._runner = asyncio.Runner()
        database.lay(self._data_dir(0))
        self.store = make_store(config.load(self._environ, data_dir=self._data_dir(0)), now_us)
        self.wait(self.store.open())
        self.directory = Directory(self.store)

    def close(self) -> None:
        for server in self._servers:
            server.end(signal.SIGKILL)
        for writer in self._writers:
            writer.kill()
        self.wait(self.store.close())
        self._runner.close()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine on this process's own store."""
        return self._runner.run(work)

    def serve(self) -> Server:
        """One more server, started."""
        self._servers.append(Server(self._data_dir(len(self._servers)), self._environ))
        return self._servers[-1].start()

    def write_beside(self, tenant: Tenant, work: Iterable[Delivery], *, clock_off_by: tuple[int, ...] = (0,)) -> Writer:
        """A writer beside the servers, ready to begin; its clock is wrong by each of those seconds in turn."""
        offsets = ",".join(map(str, clock_off_by))
        command = [sys.executable, BESIDE, self._data_dir(0), self._database.url, tenant.account.id, offsets]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, env=self._environ, stdin=pipe, stdout=pipe, stderr=pipe)
        self._writers.append(Writer(process, work))
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return self._writers[-1]

    def tenant(self, *, number: str = "+15550001111", secrets: Mapping[str, Any] | None = None) -> Tenant:
        """An organization, complete. `secrets` are what its carrier account sends with."""
        self._tenants += 1
        return Tenant(self, f"Org {self._tenants}", number, "bandwidth", f"0x{self._tenants:040x}", secrets)

    def _data_dir(self, index: int) -> Path:
        return self._folder / ("data" if self._database.kind == "sqlite" else f"data{index}")
