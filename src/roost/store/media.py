"""The media of messages: which are to be copied, who is at it, and what became of each.

A lease is an id made when it was taken, and names the object that its owner makes; nobody else ever writes to that. What is
leased is settled by its owner alone: once the lease has run out, the medium is fetched once more, by whoever comes first.
"""

import json
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from roost.core.ids import floor_of, id_text
from roost.core.media import KEPT_US, SECOND_US, SENDING_US
from roost.store.base import Store
from roost.store.media_objects import MEDIA, Content, begin_object, discard_object, doom_unused, keep_content
from roost.store.transaction import Row, Transaction

#: Longer than a medium can take: fetching it, and keeping it.
LEASE_US = 180 * SECOND_US
#: Whoever fetched it so often never came to tell.
_MAX_ATTEMPTS = 20
#: Messages, uploads or objects per transaction, so that intake never waits long.
BATCH = 200


class LeasedMedium(NamedTuple):
    """A medium that is ours to copy; `attempts` counts this one."""

    org_id: str
    message_id: str
    nth: int
    attempts: int
    lease: str
    carrier_account_id: str
    url: str

    @property
    def key(self) -> tuple[UUID, UUID, int]:
        """Of its row."""
        return UUID(self.org_id), UUID(self.message_id), self.nth


class Medium(NamedTuple):
    """A medium as it stands; `reason` says why it failed, or has so far; what it has is there once it is stored."""

    state: str
    reason: str | None
    object_id: str | None
    content: Content | None


async def expect_media(tx: Transaction, org_id: str, message_id: str, count: int) -> None:
    """A new message's media are to be copied."""
    now = tx.now()
    await tx.many(MEDIA["expect"], [(UUID(org_id), UUID(message_id), nth, now) for nth in range(count)])


async def find_medium(store: Store, org_id: str, message_id: str, nth: int) -> Medium | None:
    """None when it is gone, with its message's content or because its time has run out."""
    rows = await store.fetch(MEDIA["medium"], UUID(org_id), UUID(message_id), nth)
    if not rows:
        return None
    state, reason, object_id, *content = rows[0]
    if object_id is None:
        return Medium(state, reason, None, None)
    return Medium(state, reason, id_text(object_id), Content(bytes(content[0]), *content[1:]))


async def organizations_with_due_media(store: Store) -> list[str]:
    """Those with anything to fetch now."""
    return [id_text(row[0]) for row in await store.fetch(MEDIA["organizations_due"], store.clock())]


async def lease_media(store: Store, org_id: str, limit: int) -> list[LeasedMedium]:
    """At most `limit` media of an organization, those first that wait longest."""

    async def work(tx: Transaction) -> list[LeasedMedium]:
        await tx.lock(org_id)
        now = tx.now()
        await tx.fetch(MEDIA["expire_leases"], UUID(org_id), now)
        rows = await tx.fetch(MEDIA["due"], UUID(org_id), now, limit)
        return [leased for row in rows if (leased := await _lease(tx, org_id, row))]

    return await store.transact(work)


async def _lease(tx: Transaction, org_id: str, row: Row) -> LeasedMedium | None:
    message_id, nth, attempts, account_id, media = row
    urls = json.loads(media) if media else []
    if nth >= len(urls):  # its message is gone, or what it said is
        await forget_media(tx, org_id, [id_text(message_id)])
        return None
    lease = tx.new_id()
    leased = LeasedMedium(org_id, id_text(message_id), nth, attempts + 1, lease, id_text(account_id), urls[nth])
    if attempts >= _MAX_ATTEMPTS:
        await tx.fetch(MEDIA["settle_failed"], *leased.key, "unreachable")
        return None
    await begin_object(tx, org_id, lease)
    await tx.fetch(MEDIA["lease"], *leased.key, UUID(lease), tx.now() + LEASE_US)
    return leased


async def settle_stored(store: Store, leased: LeasedMedium, content: Content) -> bool:
    """Its content is in the object that its lease names; whether it was still its owner's to settle."""

    async def work(tx: Transaction) -> bool:
        if not await _is_ours(tx, leased):
            return False
        object_id = await keep_content(tx, leased.org_id, leased.lease, content)
        await tx.fetch(MEDIA["settle_stored"], *leased.key, UUID(object_id))
        return True

    return await store.transact(work)


async def settle_not_had(store: Store, leased: LeasedMedium, reason: str, again_at: int | None) -> bool:
    """It could not be had: it is tried again at `again_at`, or never where that is None."""

    async def work(tx: Transaction) -> bool:
        if not await _is_ours(tx, leased):
            return False
        await discard_object(tx, leased.org_id, leased.lease)
        if again_at is None:
            await tx.fetch(MEDIA["settle_failed"], *leased.key, reason)
        else:
            await tx.fetch(MEDIA["settle_waiting"], *leased.key, again_at, reason)
        return True

    return await store.transact(work)


async def _is_ours(tx: Transaction, leased: LeasedMedium) -> bool:
    await tx.lock(leased.org_id)
    if await tx.fetch(MEDIA["leased"], *leased.key, UUID(leased.lease)):
        return True
    await discard_object(tx, leased.org_id, leased.lease)
    return False


async def forget_media(tx: Transaction, org_id: str, message_ids: Iterable[str]) -> None:
    """Remove the media of messages, inbound or outbound. Their URLs are answered 410 from then on; content that nobody else
    refers to is removed by the next sweep.

    The transaction holds the organization's counter.
    """
    for message_id in message_ids:
        rows = await tx.fetch(MEDIA["forget"], UUID(org_id), UUID(message_id))
        await doom_unused(tx, org_id, [id_text(row[0]) for row in rows if row[0] is not None])


async def organizations_to_sweep(store: Store) -> list[str]:
    """Those with anything that has run out."""
    now = store.clock()
    found = await store.fetch(MEDIA["organizations_to_sweep"], UUID(floor_of(now - KEPT_US)), now)
    return [id_text(row[0]) for row in found]


async def expire_media(store: Store, org_id: str) -> int:
    """Remove the media of messages that are older than media are had, and uploads that have run out; how many there were.

    At most `BATCH` of each: to be called until there are fewer.
    """

    async def work(tx: Transaction) -> int:
        await tx.lock(org_id)
        now, key = tx.now(), UUID(org_id)
        since = (UUID(floor_of(now - KEPT_US)), now - SENDING_US)
        messages = {id_text(row[0]) for row in await tx.fetch(MEDIA["run_out"], key, *since, BATCH)}
        await forget_media(tx, org_id, sorted(messages))
        uploads = await tx.fetch(MEDIA["uploads_run_out"], key, now, BATCH)
        for (upload_id,) in uploads:
            rows = await tx.fetch(MEDIA["forget_upload"], key, UUID(id_text(upload_id)))
            await doom_unused(tx, org_id, [id_text(row[0]) for row in rows if row[0] is not None])
        return max(len(messages), len(uploads))

    return await store.transact(work)


async def doomed_objects(store: Store, org_id: str) -> list[str]:
    """Objects that are to be removed from the folder or bucket, and then with `forget_objects`; at most `BATCH`."""
    rows = await store.fetch(MEDIA["doomed"], UUID(org_id), store.clock(), BATCH)
    return [id_text(row[0]) for row in rows]


async def forget_objects(store: Store, org_id: str, object_ids: Iterable[str]) -> None:
    """They are not there any more."""
    key = UUID(org_id)
    await store.write(*((MEDIA["forget_object"], (key, UUID(each))) for each in object_ids))
