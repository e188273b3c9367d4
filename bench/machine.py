"""What it was measured on."""

import os
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import apsw

from bench.report import Section, Table

_LIBRARIES = ("uvicorn", "uvloop", "httptools", "starlette", "msgspec", "apsw", "asyncpg")


def describe() -> Section:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    rows = [
        ("processor", f"{_processor()}, {os.cpu_count()} cores"),
        ("memory", f"{memory:.0f} GiB"),
        ("system", f"{platform.system()} {platform.release()}"),
        ("busy before the run", f"{os.getloadavg()[0]:.1f} of {os.cpu_count()} cores (1 minute average)"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("libraries", ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)),
        ("SQLite", apsw.sqlite_lib_version()),
        ("disk: 4 KiB appended, fdatasync, one after another", f"{_flushes_per_second():,.0f} a second"),
    ]
    return Section(
        "The machine", "Absolute figures do not carry to another one; ratios mostly do.", [Table(("", ""), rows)]
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _flushes_per_second(seconds: float = 1.0) -> float:
    """In the folder where the databases will be."""
    with tempfile.NamedTemporaryFile(prefix="roost-bench-", buffering=0) as file:
        flush = getattr(os, "fdatasync", os.fsync)
        block = os.urandom(4096)
        started, count = perf_counter(), 0
        while perf_counter() - started < seconds:
            file.write(block)
            flush(file.fileno())
            count += 1
        return count / (perf_counter() - started)
