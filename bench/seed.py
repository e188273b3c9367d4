"""Many rows quickly: inbound messages written in bulk with the real schema, as if they had come over twenty days.

Every other message is from one of a few regular senders, the rest from strangers; the quiet agent has ten, all over the
time; none is an MMS or an opt-out. Only reading is measured on them, so that the deduplication table is left empty.
"""

import asyncio
from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

import apsw
import asyncpg

from bench.places import Place
from bench.tenants import TEXT, Tenant, payload
from roost.core.ids import bytes_of, uuid7
from roost.server import now_us

REGULARS = tuple(f"+1212555{index:04}" for index in range(20))
STRANGER = "+13125550000"  # writes to nobody
QUIET_MESSAGES = 10

_SPAN_US = 20 * 24 * 3600 * 1_000_000  # within the 30 days that dialect B keeps
_COLUMNS = (
    "org_id", "id", "phone_number_id", "agent_id", "from_number", "to_number", "body", "channel", "media", "recipients",
    "segment_count", "opt_out_keyword", "suspected", "carrier_message_id", "carrier_received_at", "opt_out",
    "carrier_account_id", "raw",
)  # fmt: skip


class Inbox(NamedTuple):
    """A tenant and the messages it got; times are microseconds since 1970."""

    tenant: Tenant
    total: int
    first_us: int
    newest_us: int
    newest_id: str
    newest_quiet_us: int

    def time_of(self, index: int) -> int:
        """When message `index` of `total` came."""
        return self.first_us + (self.newest_us - self.first_us) * index // (self.total - 1)


def plan(tenant: Tenant, count: int, span_us: int = _SPAN_US) -> Inbox:
    """What `load` will write for this tenant: so many messages over so much time."""
    newest = now_us() - 60_000_000
    inbox = Inbox(tenant, count, newest - span_us, newest, "", 0)
    newest_quiet = next(index for index in reversed(range(count)) if _is_quiet(inbox, index))
    return inbox._replace(newest_id=_id(inbox, count - 1), newest_quiet_us=inbox.time_of(newest_quiet))


def load(place: Place, inboxes: list[Inbox]) -> None:
    """Write them, and leave the database as its own upkeep would leave it."""
    rows = chain.from_iterable(map(_rows, inboxes))
    counters = [(bytes_of(inbox.tenant.org_id), inbox.newest_us) for inbox in inboxes]
    if place.database_url == "sqlite":
        _load_sqlite(str(place.data_dir / "roost.db"), rows, counters)
    else:
        asyncio.run(_load_postgres(place.database_url, rows, counters))


def _id(inbox: Inbox, index: int) -> str:
    return uuid7(inbox.time_of(index), index * 0x9E3779B97F4A7C15 & (1 << 62) - 1)


def _is_quiet(inbox: Inbox, index: int) -> bool:
    return index % (inbox.total // QUIET_MESSAGES) == 7


def _rows(inbox: Inbox) -> Iterator[tuple[Any, ...]]:
    tenant = inbox.tenant
    org_id, account_id = bytes_of(tenant.org_id), bytes_of(tenant.account_id)
    raw = payload(tenant, "14762070468292kw2fuqty55yp2b2", REGULARS[0])[1:-1]
    busy, quiet = [(bytes_of(line.phone_number_id), bytes_of(line.agent_id)) for line in (tenant.busy, tenant.quiet)]
    for index in range(inbox.total):
        line, ids = (tenant.quiet, quiet) if _is_quiet(inbox, index) else (tenant.busy, busy)
        # Not by the remainder of an even number: every regular writes to both agents.
        sender = REGULARS[index // 2 % len(REGULARS)] if index % 2 else f"+1773{index:07}"
        yield (
            org_id, bytes_of(_id(inbox, index)), *ids, sender, line.number, TEXT, "sms", None, None, 1, None, False,
            f"14762070468292kw2fuq{index:09}", inbox.time_of(index), False, account_id, raw,
        )  # fmt: skip


def _load_sqlite(path: str, rows: Iterator[tuple[Any, ...]], counters: list[tuple[bytes, int]]) -> None:
    connection = apsw.Connection(path)
    for name, value in (("journal_mode", "OFF"), ("synchronous", 0), ("cache_size", -2_000_000)):
        connection.pragma(name, value)
    connection.execute("BEGIN")
    places = ", ".join("?" * len(_COLUMNS))
    connection.executemany(f"INSERT INTO inbound_messages ({', '.join(_COLUMNS)}) VALUES ({places})", rows)
    connection.executemany("UPDATE positions SET last_us = ?2 WHERE org_id = ?1", counters)
    connection.execute("COMMIT")
    connection.close()


async def _load_postgres(url: str, rows: Iterator[tuple[Any, ...]], counters: list[tuple[bytes, int]]) -> None:
    ids = [index for index, column in enumerate(_COLUMNS) if column == "id" or column.endswith("_id")]
    ids.remove(_COLUMNS.index("carrier_message_id"))

    def record(row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for index in ids:
            values[index] = UUID(bytes=row[index])
        return tuple(values)

    connection = await asyncpg.connect(url)
    await connection.copy_records_to_table("inbound_messages", records=map(record, rows), columns=_COLUMNS)
    await connection.executemany(
        "UPDATE positions SET last_us = $2 WHERE org_id = $1", [(UUID(bytes=org_id), us) for org_id, us in counters]
    )
    # As autovacuum does after so many inserts: here and now, so that it does not do so while something is measured.
    await connection.execute("VACUUM ANALYZE inbound_messages")
    await connection.execute("CHECKPOINT")
    await connection.close()
