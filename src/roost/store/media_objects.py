"""The rows of media objects: which content is kept, who refers to it, and what is to be removed from the folder or bucket.

Each function is part of a transaction that holds the organization's counter.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from roost.core.ids import id_text
from roost.core.media import SECOND_US
from roost.store.sql import load
from roost.store.transaction import Transaction

MEDIA = load("media.sql")
#: After what was being made must have been finished, or never will be: longer than any lease and any request.
_ABANDONED_US = 3600 * SECOND_US


class Content(NamedTuple):
    """What is known of some content; `content_type` is what its bytes say."""

    sha256: bytes
    content_type: str
    byte_size: int


async def begin_object(tx: Transaction, org_id: str, object_id: str) -> None:
    """To be committed before anything is written there, so that nothing is ever there that no row tells of."""
    await tx.fetch(MEDIA["begin_object"], UUID(org_id), UUID(object_id), tx.now() + _ABANDONED_US)


async def keep_content(tx: Transaction, org_id: str, object_id: str, content: Content) -> str:
    """The object to refer to: the one that was made, or one that has the same content already, and then that is doomed."""
    key = (UUID(org_id), UUID(object_id))
    same = await tx.fetch(MEDIA["object_with"], key[0], content.sha256)
    if same:
        await discard_object(tx, org_id, object_id)
        return id_text(same[0][0])
    await tx.fetch(MEDIA["keep_object"], *key, *content)
    return object_id


async def discard_object(tx: Transaction, org_id: str, object_id: str) -> None:
    """What was being made is not wanted, or came to nothing."""
    await tx.fetch(MEDIA["doom_made"], UUID(org_id), UUID(object_id), tx.now())


async def doom_unused(tx: Transaction, org_id: str, object_ids: Iterable[str]) -> None:
    """Of objects that somebody has ceased to refer to: those that nobody does any more."""
    key = UUID(org_id)
    await tx.many(MEDIA["doom_unused"], [(key, UUID(each), tx.now()) for each in sorted(set(object_ids))])
