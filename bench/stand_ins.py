"""The real server, with one part replaced by a stand-in: `python -m bench.stand_ins WHICH serve ...`.

    counted        nothing is replaced; the commits are counted
    one-by-one     every delivery is committed by itself
    no-worker      what is accepted stays queued
    no-sweeper     what is past its retention stays
    no-deliverer   nobody is told by webhook
    no-storage     a delivery is verified and parsed, and forgotten
    forgetful      SQLite remembers no page: each is asked of the database, as when texts come all the time
    ready-made     both lists answer with a body made before (no key, no query, no encoding), read from BENCH_BODIES

At its end the process prints what it counted, as JSON.
"""

import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from starlette.requests import Request
from starlette.responses import Response

from bench.commits import Commits, counted
from roost import app, cli, server
from roost.api.inbound import Inbound
from roost.config import Config
from roost.core.ids import RANDOM_BITS, uuid7
from roost.push.webhooks.deliverer import Deliverer
from roost.store import sqlite
from roost.store.base import Clock, RandomBits, Store
from roost.store.group import Delivery, Outcome
from roost.store.sqlite import SqliteStore
from roost.store.vault import open_vault
from roost.sweeper import Sweeper
from roost.worker import Worker

BODIES = "BENCH_BODIES"


class NoStorage(SqliteStore):
    """Knows who is who, and acknowledges at once what it does not keep."""

    async def record(self, delivery: Delivery) -> Outcome:
        return Outcome([uuid7(self.clock(), self.random_bits(RANDOM_BITS)) for _ in delivery.drafts], 0, 0, 0)


class ReadyMade(Inbound):
    """Both lists, answered with the same bytes each time."""

    bodies: dict[str, str] = json.loads(Path(os.environ[BODIES]).read_text()) if BODIES in os.environ else {}

    async def agentmessage_list(self, request: Request) -> Response:
        return Response(self.bodies["agentmessage"], 200, None, "application/json")

    async def oneshot_list(self, request: Request) -> Response:
        return Response(self.bodies["oneshot"], 200, None, "application/json")


def no_storage(config: Config, clock: Clock, random_bits: RandomBits) -> Store:
    return NoStorage(config.data_dir / "roost.db", open_vault(config.data_dir, None), clock, random_bits)


REPLACEMENTS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "counted": lambda: counted(None),
    "one-by-one": lambda: counted(1),
    "no-worker": lambda: patch.object(Worker, "start", lambda self: None),
    "no-sweeper": lambda: patch.object(Sweeper, "start", lambda self: None),
    "no-deliverer": lambda: patch.object(Deliverer, "start", lambda self: None),
    "no-storage": lambda: patch.object(server, "make_store", no_storage),
    "forgetful": lambda: patch.object(sqlite, "MAX_PAGES", 0),
    "ready-made": lambda: patch.object(app, "Inbound", ReadyMade),
}


def main() -> None:
    which, *arguments = sys.argv[1:]
    with REPLACEMENTS[which]() as replaced:
        cli.main(arguments, standalone_mode=False)
    print(json.dumps(replaced.counts() if isinstance(replaced, Commits) else {}))


if __name__ == "__main__":
    main()
