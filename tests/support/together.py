"""The processes of one `roost serve` that has several, as the operating system and their metrics show them."""

import os
import select
import signal
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

_SECONDS = 30


def children(pid: int) -> list[int]:
    """The processes that a process has started and that live."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def kill(pid: int) -> None:
    """SIGKILL; returns once it is gone."""
    descriptor = os.pidfd_open(pid)
    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    gone(descriptor)


def gone(descriptor: int) -> None:
    """Wait for the end of a process, by `os.pidfd_open` of it."""
    ended, _, _ = select.select([descriptor], [], [], _SECONDS)
    os.close(descriptor)
    assert ended, "it still runs"


def answered_by(base_url: str) -> dict[str, float]:
    """How many requests to /healthz each process says it has answered, by its number."""
    text = httpx.get(f"{base_url}/metrics").text
    [requests] = [each for each in text_string_to_metric_families(text) if each.name == "roost_requests"]
    return {
        sample.labels["process"]: sample.value
        for sample in requests.samples
        if sample.name == "roost_requests_total" and sample.labels["route"] == "/healthz"
    }
