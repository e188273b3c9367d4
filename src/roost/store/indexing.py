"""Going through messages after they were stored: their words into the search index, their number into the day's count.

Nothing of it is in the transaction that stores a message, and none waits for it. A step holds its organization's feed, as erasing
does: so what is erased at the same time is either gone already or erased from the index too.
"""

from collections import Counter
from typing import NamedTuple
from uuid import UUID

from roost.core.ids import floor_of, id_text, position_of
from roost.core.words import words_of, words_of_contact
from roost.store.base import Store
from roost.store.sql import load
from roost.store.transaction import Row, Transaction

SEARCH = load("search.sql")
DAY_US = 24 * 3600 * 1_000_000


class Usage(NamedTuple):
    """What came and went at a number of ours on a day (days since 1970, UTC)."""

    day: int
    number: str
    inbound: int
    inbound_segments: int
    outbound: int
    outbound_segments: int


async def organizations_behind(store: Store) -> list[str]:
    """Those in which something was written since they were last gone through."""
    return [id_text(row[0]) for row in await store.fetch(SEARCH["behind"])]


async def go_through(store: Store, org_id: str, limit: int) -> bool:
    """Index and count the next `limit` messages, oldest first; whether there may be more. Raises StoreUnavailable."""

    async def work(tx: Transaction) -> bool:
        next_us = await hold_feed(tx, org_id)
        [(last_us,)] = await tx.fetch(SEARCH["there_is"], UUID(org_id))
        bounds = (UUID(floor_of(next_us)), UUID(floor_of(last_us + 1)))
        rows = await tx.fetch(SEARCH["written"], UUID(org_id), *bounds, limit)
        await _keep_words(tx, store.dialect, org_id, rows)
        await _count(tx, org_id, rows)
        more = len(rows) == limit
        await tx.fetch(SEARCH["go_on_at"], UUID(org_id), 1 + (position_of(id_text(rows[-1][0])) if more else last_us))
        return more

    return await store.transact(work)


async def hold_feed(tx: Transaction, org_id: str) -> int:
    """The position from which on the organization is to be gone through; nobody else does until the transaction has ended."""
    await tx.fetch(SEARCH["begin_feed"], UUID(org_id))
    [(next_us,)] = await tx.fetch(SEARCH["lock_feed"], UUID(org_id))
    return int(next_us)


async def go_through_all(store: Store, limit: int = 200) -> None:
    """Until nobody is behind."""
    for org_id in await organizations_behind(store):
        while await go_through(store, org_id, limit):
            pass


async def usage_since(store: Store, org_id: str, day: int) -> list[Usage]:
    """Each number's days, from `day` on, on which anything came or went."""
    return [Usage(*row) for row in await store.fetch(SEARCH["days"], UUID(org_id), day)]


def organization_word(org_id: str) -> str:
    """What stands for an organization in the index of SQLite."""
    return f"o{org_id.replace('-', '')}"


async def _keep_words(tx: Transaction, dialect: str, org_id: str, rows: list[Row]) -> None:
    found = [(UUID(org_id), UUID(id_text(row[0])), _words(theirs=row[2], body=row[4])) for row in rows]
    found = [row for row in found if row[2]]
    if dialect == "postgres":
        await tx.joined(SEARCH["keep_words_postgres"], "org_id uuid, message_id uuid, words text", found)
        return
    word = organization_word(org_id)
    await tx.many(SEARCH["keep_message_sqlite"], [row[:2] for row in found])
    await tx.many(SEARCH["keep_words_sqlite"], [(*row[:2], word, row[2]) for row in found])


def _words(theirs: str, body: str) -> str:
    return " ".join(dict.fromkeys([*words_of_contact(theirs), *words_of(body)]))


async def _count(tx: Transaction, org_id: str, rows: list[Row]) -> None:
    counts: Counter[tuple[int, str, str]] = Counter()
    for message_id, direction, _, ours, _, segment_count in rows:
        day = position_of(id_text(message_id)) // DAY_US
        counts[day, ours, direction] += 1
        counts[day, ours, f"{direction} segments"] += segment_count
    kinds = ("inbound", "inbound segments", "outbound", "outbound segments")
    days = sorted({(day, number) for day, number, _ in counts})
    await tx.many(
        SEARCH["count_day"],
        [(UUID(org_id), day, number, *(counts[day, number, kind] for kind in kinds)) for day, number in days],
    )
