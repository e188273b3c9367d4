"""A command in a terminal of its own, as a person sees it and types into it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PATIENCE_SECONDS = 30


def _sit_down() -> None:
    """In the new process: the terminal is its own, and Ctrl-C means what it means in a shell."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """Begun; `seen` is everything on it so far, as it was written."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self._screen, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
        self.process = subprocess.Popen(
            command,
            env={**env, "TERM": "xterm"},
            stdin=end,
            stdout=end,
            stderr=end,
            start_new_session=True,
            preexec_fn=_sit_down,
        )
        os.close(end)
        self.seen = ""
        self._read_until = 0

    def expect(self, pattern: str) -> re.Match[str]:
        """Wait for what matches after all that was expected before."""
        until = time.monotonic() + PATIENCE_SECONDS
        while (found := re.compile(pattern).search(self.seen, self._read_until)) is None:
            assert self._more(until), f"no {pattern!r} in {self.seen[self._read_until :]!r}"
        self._read_until = found.end()
        return found

    def type(self, line: str) -> None:
        os.write(self._screen, f"{line}\n".encode())

    def interrupt(self) -> None:
        """Ctrl-C, while it waits: a line editor that has just written its prompt would notice one with the next key only."""
        until = time.monotonic() + PATIENCE_SECONDS
        while Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
            assert time.monotonic() < until
        os.write(self._screen, b"\x03")

    def end(self) -> int:
        """The exit code, once all it wrote is seen."""
        until = time.monotonic() + PATIENCE_SECONDS
        while self._more(until):
            pass
        os.close(self._screen)
        return self.process.wait(PATIENCE_SECONDS)

    def _more(self, until: float) -> bool:
        """Whether it still writes."""
        if not select.select([self._screen], [], [], max(0, until - time.monotonic()))[0]:
            self.process.kill()
            return False
        try:
            written = os.read(self._screen, 65536)
        except OSError:  # nobody is at the other end
            return False
        self.seen += written.decode("utf-8", "replace")
        return bool(written)
