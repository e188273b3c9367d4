"""Looking for messages by their words and by who wrote them: the newest first."""

from typing import NamedTuple
from uuid import UUID

from roost.core.ids import LAST_ID, id_text
from roost.core.words import words_to_find
from roost.store.base import Store
from roost.store.indexing import SEARCH, organization_word
from roost.store.pairs import Pair
from roost.store.transaction import Row


class Found(NamedTuple):
    """A message that was found."""

    id: str
    pair: Pair
    is_outbound: bool
    body: str


async def search(store: Store, org_id: str, text: str, limit: int, below: str = LAST_ID) -> tuple[list[Found], bool]:
    """The newest messages before an id that have all of the words, and whether there are more.

    A word is found by its beginning, a number by its last digits too. Nothing is found by no words.
    """
    words = words_to_find(text)
    if not words:
        return [], False
    question = _sqlite(words, org_id) if store.dialect == "sqlite" else _postgres(words)
    bounds = (UUID(below), UUID(await store.kept.above(org_id)), limit + 1)
    rows = await store.fetch(SEARCH[f"find_{store.dialect}"], UUID(org_id), question, *bounds)
    ids = [id_text(row[0]) for row in rows[:limit]]
    shown = await store.joined(SEARCH["found"], "org_id uuid, id uuid", [(UUID(org_id), UUID(each)) for each in ids])
    found = [each for row in shown if (each := _found(row)) is not None]
    return sorted(found, key=lambda each: each.id, reverse=True), len(rows) > limit


def _sqlite(words: tuple[str, ...], org_id: str) -> str:
    """Words have letters and digits alone, so that no quote can end the string that they stand in."""
    wanted = " AND ".join([f'"{word}" *' for word in words])
    return f"org:{organization_word(org_id)} AND words:({wanted})"


def _postgres(words: tuple[str, ...]) -> str:
    return " & ".join(f"'{word}':*" for word in words)


def _found(row: Row) -> Found | None:
    """None when it is gone meanwhile."""
    message_id, theirs, ours, body, to, sent_from, sent = row
    if theirs is not None:
        return Found(id_text(message_id), Pair(ours, theirs), False, body)
    return None if to is None else Found(id_text(message_id), Pair(sent_from, to), True, sent)
