"""A server that speaks S3: one from a wheel, over a folder. `ROOST_TEST_S3` names another, as `ENDPOINT BUCKET KEY SECRET`."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

VARIABLE = "ROOST_TEST_S3"
_PATIENCE_SECONDS = 30


class Bucket:
    """Listens while it is entered; `environ` is what a client of it reads, `url` its place as Roost's setting says it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        own = os.environ.get(VARIABLE)
        if own:
            self.endpoint, self.name, key, secret = own.split()
        else:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                port = listener.getsockname()[1]
            self.endpoint, self.name, key, secret = f"http://127.0.0.1:{port}", "pictures", "test", "test"
        self.url = f"s3://{self.name}/roost"
        self.environ = {
            "AWS_ENDPOINT": self.endpoint, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret,
        }  # fmt: skip
        if not own:  # the wheel's server has no DeleteObjects
            self.environ["AWS_DISABLE_BULK_DELETE"] = "true"

    def __enter__(self) -> "Bucket":
        if VARIABLE not in os.environ:
            self.start()
            httpx.put(f"{self.endpoint}/{self.name}").raise_for_status()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._folder.mkdir(exist_ok=True)
        port = self.endpoint.rpartition(":")[2]
        command = [Path(sys.executable).with_name("localbucket"), "--port", port, self._folder]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                httpx.get(self.endpoint)
                return
            except httpx.TransportError:
                assert time.monotonic() < until and self._process.poll() is None, "the bucket's server did not start"
                time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def objects(self) -> list[str]:
        """What is in the bucket of the wheel's server."""
        folder = self._folder / self.name
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
