"""`python -m bench [--quick] [--database sqlite] [--only ingest,list] [--markdown FILE]`, or `make bench ARGS="..."`."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

from bench import inbox, ingest, listing, page, queries, sending, streaming, sweeping, waiting, webhooks
from bench.machine import describe
from bench.places import Places
from bench.report import TARGET_HEAD, Section, Table, Target, as_text
from bench.scale import FEW_ROWS, FULL, QUICK, Scale
from bench.worker import Worker

BEHIND_THE_CLIENTS = 10
DATABASES = ("sqlite", "postgres")
PARTS = (
    "ingest", "list", "pages", "rows", "polling", "sends", "outbox", "fair", "retention", "stream", "waiting", "inbox",
    "webhooks",
)  # fmt: skip

Measured = tuple[Section, list[Target]]


def measure(kind: str, parts: set[str], load: Worker, scale: Scale) -> Iterator[Measured]:
    """The chosen parts on one database."""
    with Places(kind) as places:
        if "ingest" in parts:
            yield ingest.measure(kind, places, load, scale)
        if "list" in parts:
            yield listing.measure(kind, places, load, scale)
        if parts & {"pages", "rows", "polling"}:
            with ExitStack() as running:
                many = queries.start(running, places, scale.rows)
                if "pages" in parts:
                    yield queries.deep_page(kind, many, load, scale)
                few = queries.start(running, places, FEW_ROWS)
                if "rows" in parts:
                    yield queries.many_rows(kind, many, few, load, scale)
                if "polling" in parts:
                    yield queries.idle_polling(kind, many, few, load, scale)
        others: dict[str, Callable[[], Measured]] = {
            "sends": lambda: sending.sends(kind, places, load, scale),
            "outbox": lambda: sending.outbox(kind, places, load, scale),
            "fair": lambda: sending.fair(kind, places, scale),
            "retention": lambda: sweeping.measure(kind, places, load, scale),
            "stream": lambda: streaming.measure(kind, places, scale),
            "waiting": lambda: waiting.measure(kind, places, scale),
            "inbox": lambda: inbox.measure(kind, places, load, scale),
            "webhooks": lambda: webhooks.measure(kind, places, load, scale),
        }
        for name, part in others.items():
            if name in parts:
                yield part()


def main() -> None:
    options = _options()
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit("stopped")
    )  # so that servers and folders are cleared away then too
    scale = QUICK if options.quick else FULL
    started = perf_counter()
    sections, targets = [describe()], []
    print(as_text(sections[0]), flush=True)
    load = Worker("bench.load")
    # All that begins from here on lets those clients go first: elsewhere they would have a machine of their own, and one that
    # waits until PostgreSQL leaves it a core keeps a server waiting that has nothing to do with it.
    os.nice(BEHIND_THE_CLIENTS)
    for kind in options.database:
        for section, held_to in measure(kind, options.only, load, scale):
            print(as_text(section), flush=True)
            sections.append(section)
            targets += held_to
    load.stop()
    minutes = (perf_counter() - started) / 60
    lead = f"{'A quick look' if options.quick else 'The whole run'}, {minutes:.1f} minutes."
    summary = Section("Targets", lead, [Table(TARGET_HEAD, [target.row for target in targets])])
    print(as_text(summary))
    if options.markdown:
        options.markdown.write_text(page.render([summary, *sections]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=sys.modules["bench"].__doc__)
    parser.add_argument("--quick", action="store_true", help="minutes less, and less exact: 100,000 rows, short rounds")
    parser.add_argument("--database", action="append", choices=DATABASES, help="one of them only")
    parser.add_argument("--only", type=_parts, default=set(PARTS), metavar=",".join(PARTS), help="some parts only")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write it as a page too")
    options = parser.parse_args()
    options.database = options.database or list(DATABASES)
    return options


def _parts(text: str) -> set[str]:
    parts = set(text.split(","))
    if not parts <= set(PARTS):
        raise argparse.ArgumentTypeError(f"choose from {', '.join(PARTS)}")
    return parts


if __name__ == "__main__":
    main()
