"""The `roost` command in a process of its own, at once.

It is forked from a process that has imported Roost and done nothing else. What happens from there on is what happens in
one that was started afresh, whose imports alone take half a second.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from signal import Signals
from typing import TextIO

_roosts = multiprocessing.get_context("forkserver")
_roosts.set_forkserver_preload(["roost.cli", "roost.store.sqlite", "roost.store.postgres", "uvloop"])


class Forked:
    """Begun; to be used as `subprocess.Popen` is with text. Its errors go to `log` where that is given."""

    def __init__(self, command: Sequence[str | Path], env: Mapping[str, str], log: Path | None = None) -> None:
        self.args = [str(word) for word in command]
        reading, writing = zip(*(_roosts.Pipe(duplex=False) for _ in range(2)), strict=True)
        self._process = _roosts.Process(
            target=_run, args=(self.args, dict(env), *writing, log and str(log)), daemon=True
        )
        self._process.start()
        self.stdout, self.stderr = map(_text_of, reading)
        for end in (*reading, *writing):
            end.close()

    @property
    def pid(self) -> int:
        pid = self._process.pid
        assert pid is not None
        return pid

    @property
    def returncode(self) -> int | None:
        """As of a child of ours: a signal's number is negative; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: Signals) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float | None = None) -> int:
        """The exit code. Raises TimeoutError."""
        self._process.join(timeout)
        if self.returncode is None:
            raise TimeoutError(f"{' '.join(self.args)} still runs")
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it still writes to its end. Raises TimeoutError, and it is killed."""
        with ThreadPoolExecutor(2) as pool:
            written = [pool.submit(stream.read) for stream in (self.stdout, self.stderr)]
            try:
                output, errors = (each.result(timeout) for each in written)
            except TimeoutError:
                self.kill()
                raise
        self.close()
        self.wait(timeout)
        return output, errors

    def close(self) -> None:
        """Nobody listens to it any more."""
        self.stdout.close()
        self.stderr.close()


def _text_of(reading: Connection) -> TextIO:
    return os.fdopen(os.dup(reading.fileno()), "r", encoding="utf-8")


def _run(command: list[str], env: dict[str, str], output: Connection, errors: Connection, log: str | None) -> None:
    """In the new process: become the command."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background job would have ignored
    os.environ.clear()
    os.environ.update(env)
    os.dup2(output.fileno(), 1)
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if log else errors.fileno(), 2)
    output.close()
    errors.close()
    sys.stdout, sys.stderr = os.fdopen(1, "w", encoding="utf-8"), os.fdopen(2, "w", encoding="utf-8", buffering=1)
    sys.argv = command
    from roost.cli import main

    main(prog_name=Path(command[0]).name)
