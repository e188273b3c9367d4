"""A second writer, run as a process of its own: a store beside the server's, with a clock of its own.

    python beside.py DATA_DIR DATABASE_URL ACCOUNT_ID OFFSETS < one delivery's body a line

It prints `ready` once it is, and records each delivery as the command line does when it routes one. OFFSETS are
seconds that its clock is wrong by, separated by commas: every tenth reading of it goes on to the next, round and round.
"""

import asyncio
import itertools
import sys
from pathlib import Path

from roost import config
from roost.carriers.contract import IntakeRequest
from roost.carriers.registry import CARRIERS
from roost.intake import delivery_of
from roost.server import now_us
from roost.store.connect import make_store
from roost.store.directory import Directory


async def record_all(data_dir: str, database_url: str, account_id: str, offsets: list[int]) -> None:
    readings = itertools.count()

    def clock() -> int:
        return now_us() + offsets[next(readings) // 10 % len(offsets)] * 1_000_000

    store = make_store(config.load(data_dir=Path(data_dir), database_url=database_url), clock)
    await store.open()
    account = await Directory(store).carrier_account(account_id)
    assert account is not None
    print("ready", flush=True)
    for line in sys.stdin.buffer:
        events = CARRIERS[account.carrier].parse(IntakeRequest({}, line))
        outcome = await store.record(delivery_of(account, events))
        assert outcome.stored, outcome
    await store.close()


if __name__ == "__main__":
    asyncio.run(record_all(*sys.argv[1:4], [int(seconds) for seconds in sys.argv[4].split(",")]))
