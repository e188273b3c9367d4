"""What the client is as a package: it needs nothing of the server, and its calls explain themselves."""

import subprocess
import sys

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
cancel = Roost().messages.cancel
print(inspect.signature(cancel))
help(cancel)
"""
    shown = run("-c", code)
    assert "(message_id: str)" in shown
    assert "Take a queued message back." in shown
