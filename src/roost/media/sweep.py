"""The sweep: media that have run out go, and content that nobody refers to any more."""

import structlog

from roost.store.base import Store
from roost.store.media import BATCH, doomed_objects, expire_media, forget_objects, organizations_to_sweep
from roost.store.objects import Objects, ObjectsUnavailable

log = structlog.get_logger(__name__)


async def sweep_media(store: Store, objects: Objects) -> None:
    """Remove what has run out, of all organizations. Several processes may do so at once.

    Raises StoreUnavailable. Where the folder or bucket cannot be used, what is there is removed another time.
    """
    for org_id in await organizations_to_sweep(store):
        while await expire_media(store, org_id) >= BATCH:
            pass
        try:
            while doomed := await doomed_objects(store, org_id):
                for object_id in doomed:
                    await objects.delete(org_id, object_id)
                await forget_objects(store, org_id, doomed)
        except ObjectsUnavailable as error:
            log.error("objects_unavailable", error=str(error))
            return
