"""Media that an organization uploads, and then sends with messages by their ids."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from roost.core.ids import id_text
from roost.core.media import KEPT_US, SECOND_US, uploads_in
from roost.core.outbound import OutboundMessage
from roost.store.base import Store
from roost.store.media_objects import MEDIA, Content, begin_object, discard_object, keep_content
from roost.store.transaction import Reader, Transaction

#: As documented: "Create a media upload URL".
UPLOAD_US = 30 * 60 * SECOND_US


class Upload(NamedTuple):
    """What was announced, and the object that has it once it was uploaded."""

    mime_type: str
    byte_size: int
    object_id: str | None


async def begin_upload(tx: Transaction, org_id: str, mime_type: str, byte_size: int) -> tuple[str, int]:
    """The new medium's id, and until when it may be uploaded."""
    upload_id, expires_at = tx.new_id(), tx.now() + UPLOAD_US
    await tx.fetch(MEDIA["begin_upload"], UUID(org_id), UUID(upload_id), mime_type, byte_size, expires_at)
    return upload_id, expires_at


async def find_upload(reader: Reader, org_id: str, upload_id: str, now: int) -> Upload | None:
    """One of the organization's; None when it has run out."""
    rows = await reader.fetch(MEDIA["upload"], UUID(org_id), UUID(upload_id), now)
    if not rows:
        return None
    mime_type, byte_size, object_id = rows[0]
    return Upload(mime_type, byte_size, None if object_id is None else id_text(object_id))


async def object_for_upload(store: Store, org_id: str) -> str:
    """The id of a new object, to be written and then given to `finish_upload`."""

    async def work(tx: Transaction) -> str:
        object_id = tx.new_id()
        await begin_object(tx, org_id, object_id)
        return object_id

    return await store.transact(work)


async def finish_upload(store: Store, org_id: str, upload_id: str, object_id: str, content: Content) -> bool:
    """The object is whole; False when the medium was uploaded before, or has run out."""

    async def work(tx: Transaction) -> bool:
        await tx.lock(org_id)
        found = await find_upload(tx, org_id, upload_id, tx.now())
        if found is None or found.object_id is not None:
            await discard_object(tx, org_id, object_id)
            return False
        kept = await keep_content(tx, org_id, object_id, content)
        await tx.fetch(MEDIA["finish_upload"], UUID(org_id), UUID(upload_id), UUID(kept), tx.now() + KEPT_US)
        return True

    return await store.transact(work)


async def uploaded(tx: Transaction, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Of (organization, upload) those that are there, with the object of each."""
    found = {}
    for org_id, upload_id in sorted(set(wanted)):
        upload = await find_upload(tx, org_id, upload_id, tx.now())
        if upload is not None and upload.object_id is not None:
            found[org_id, upload_id] = upload.object_id
    return found


async def attach_uploads(
    tx: Transaction, messages: Sequence[OutboundMessage], objects: dict[tuple[str, str], str]
) -> None:
    """The messages that were just accepted have their media from now on, whatever becomes of the uploads."""
    rows = [
        (UUID(message.org_id), UUID(message.id), nth, tx.now(), UUID(objects[message.org_id, upload_id]))
        for message in messages
        for nth, upload_id in uploads_in(message.media).items()
    ]
    await tx.many(MEDIA["attach"], rows)
