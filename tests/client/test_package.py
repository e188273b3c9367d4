"""What the client is as a package: it needs nothing of the server, and its calls explain themselves."""

import re
import subprocess
import sys
from pathlib import Path

from roost.client import Roost
from roost.client.calls import call, each
from roost.client.resource import Resource

#: The server's parts, and what they are made of.
HEAVY = ("aiohttp", "apsw", "asyncpg", "click", "coincurve", "cryptography", "jinja2", "phonenumbers", "prometheus_client",
         "starlette", "structlog", "uvicorn", "uvloop")  # fmt: skip
ONLY = {"roost", "roost.client", "roost.wallet"}


def run(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_importing_it_imports_nothing_of_the_server_and_no_http_yet() -> None:
    loaded = set(run("-c", "import roost.client, sys; print(*sys.modules)").split())
    assert {name for name in loaded if name.startswith("roost")} <= ONLY | {
        name for name in loaded if name.startswith("roost.client.")
    }
    assert loaded & {*HEAVY, "asyncio", "ssl", "httpx2"} == set()


def test_using_it_needs_its_http_client_and_nothing_of_the_server() -> None:
    code = "import sys; from roost.client import *; Roost(); AsyncRoost(); Roost(wallet_key='4c' * 32); print(*sys.modules)"
    loaded = set(run("-c", code).split())
    assert loaded & {*HEAVY} == {"coincurve"}, "which only a wallet's key needs"
    assert "httpx2" in loaded
    assert {name.split(".")[1] for name in loaded if name.startswith("roost.")} == {"client", "wallet"}


def test_a_call_shows_its_own_signature_and_what_it_does() -> None:
    code = """
import inspect
from roost.client import Roost
roost = Roost()
cancel = roost.messages.cancel
print(inspect.signature(cancel))
print(inspect.signature(roost.threads.messages))
help(cancel)
"""
    shown = run("-c", code)
    assert "(message_id: str) -> roost.client.models.OutboundMessage\n" in shown
    assert "-> collections.abc.Iterator[roost.client.models.ThreadMessage]\n" in shown
    assert "Take a queued message back." in shown


def test_threads_that_read_the_same_kind_of_answer_for_the_first_time_at_once_do_not_crash() -> None:
    code = """
import faulthandler, sys, threading
import msgspec
from datetime import datetime
from roost.client.resource import decoded

faulthandler.enable()
sys.setswitchinterval(1e-6)

def read(kind, together):
    together.wait()
    decoded(b'{"id": "7", "at": "2026-11-29T00:00:00Z", "inner": {"words": ["a"]}}', kind)

for _ in range(200):
    inner = msgspec.defstruct("Inner", [("words", list[str]), ("more", int | None, None)])
    kind = msgspec.defstruct("Outer", [("id", str), ("at", datetime), ("inner", inner)])
    together = threading.Barrier(4)
    threads = [threading.Thread(target=read, args=(kind, together)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""
    run("-c", code)


def documented() -> set[tuple[str, str]]:
    """The calls in the table of the documentation, each with the part of the client that has it."""
    page = (Path(__file__).parents[2] / "docs/client.md").read_text("utf-8")
    found = set()
    for cell in re.findall(r"^\| (`[^|]+) \|", page, re.MULTILINE):
        part = ""
        for word in re.findall(r"`([\w.]+)", cell):
            part, name = word.split(".") if "." in word else (part, word)
            found.add((part, name))
    return found


def test_every_call_is_documented_and_says_what_it_does() -> None:
    with Roost() as roost:
        parts = {name: part for name, part in vars(roost).items() if isinstance(part, Resource)}
    calls = {
        (part, name): described
        for part, resource in [("", roost), *parts.items()]
        for kind in type(resource).__mro__
        for name, described in vars(kind).items()
        if isinstance(described, (call, each))
    }
    assert len(calls) > 30
    assert set(calls) - documented() == set()
    assert all(described.__doc__ for described in calls.values())
