"""The page `docs/benchmarks.md`."""

from datetime import UTC, datetime

from bench.report import Section, as_markdown

_READING = """# Benchmarks

Written by `make bench ARGS="--markdown docs/benchmarks.md"` on {date}.

## How to read it

- **Ratios, within one run.** Everything that is compared was measured in turns on the same machine, seconds or less apart
  (A B B A ...), and each figure is the median of its rounds. So are the ratios of ingest, lists and single queries: of
  what each round gave, since a machine may be half as quick again in one round as in the next; they need not be those of
  the figures beside them. Absolute figures do not carry to another machine. Between two runs a ratio may move by a tenth.
- **Everything shares the machine.** The load generator, the server and PostgreSQL are processes of their own on the same
  cores. With two cores PostgreSQL, the server and the clients stand in each other's way; the storage measured alone has no
  HTTP clients to compete with, so that the ratio against it is a strict one. The clients go first (the rest runs at nice 10):
  elsewhere they have a machine of their own.
- **Durable.** SQLite runs with WAL and synchronous=FULL, PostgreSQL with fsync and synchronous_commit on; an answer to a
  carrier means that its commit is on disk.
- **Single queries** (deep page, many rows, polling) are timed over HTTP with one connection: the time is what one request
  takes from the client's write to the last byte of the answer. Each is asked of the database: SQLite, which remembers
  pages until somebody commits, remembers none there.
- A target is a ratio that we hold ourselves to; `MISSED` says that this run did not reach it.

"""


def render(sections: list[Section]) -> str:
    return _READING.format(date=datetime.now(UTC).date()) + "\n".join(map(as_markdown, sections))
