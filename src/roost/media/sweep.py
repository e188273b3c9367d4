"""The sweep: media that have run out go, and content that nobody refers to any more."""

from roost.store.base import Store
from roost.store.media import BATCH, doomed_objects, expire_media, forget_objects, organizations_to_sweep
from roost.store.objects import Objects


async def sweep(store: Store, objects: Objects) -> None:
    """Remove what has run out, of all organizations. Several processes may do so at once.

    Raises StoreUnavailable and ObjectsUnavailable; what is left is removed the next time.
    """
    for org_id in await organizations_to_sweep(store):
        while await expire_media(store, org_id) >= BATCH:
            pass
        while doomed := await doomed_objects(store, org_id):
            for object_id in doomed:
                await objects.delete(org_id, object_id)
            await forget_objects(store, org_id, doomed)
