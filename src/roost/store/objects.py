"""Where the content of media is: a folder, or a bucket of S3, Google Cloud Storage or Azure, by URL."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obstore.store import ObjectStore

#: How much of an object is in memory at once when it is read.
CHUNK_BYTES = 256 * 1024
#: No options of the client beside them: those would take the place of what the environment says of it.
_RETRIES: Any = {"max_retries": 2, "retry_timeout": timedelta(seconds=15)}


class ObjectsUnavailable(Exception):
    """The folder or bucket cannot be used now."""


class ObjectMissing(Exception):
    """It is not there."""


class Objects:
    """`where` is a folder, or a URL such as `s3://bucket/prefix`; what else a bucket takes, obstore reads from its own
    environment. Opened when it is first used, and obstore imported then.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._folder = None if "://" in where else Path(where)
        self._opened: ObjectStore | None = None

    async def put(self, org_id: str, object_id: str, content: bytes) -> None:
        """Write a whole object; durable on return. Raises ObjectsUnavailable."""
        import obstore

        try:
            await obstore.put_async(self._store(), _path(org_id, object_id), content)
            if self._folder is not None:
                await asyncio.to_thread(_flush, self._folder / _path(org_id, object_id))
        except (obstore.exceptions.BaseError, OSError, ValueError) as error:
            raise ObjectsUnavailable(type(error).__name__) from error

    async def get(self, org_id: str, object_id: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end` (exclusive), in pieces. Raises ObjectsUnavailable and ObjectMissing."""
        import obstore

        try:
            found = await obstore.get_async(self._store(), _path(org_id, object_id), options={"range": (start, end)})
        except (FileNotFoundError, obstore.exceptions.NotFoundError):
            raise ObjectMissing from None
        except (obstore.exceptions.BaseError, OSError, ValueError) as error:
            raise ObjectsUnavailable(type(error).__name__) from error
        return _pieces(found.stream(min_chunk_size=CHUNK_BYTES))

    async def delete(self, org_id: str, object_id: str) -> None:
        """Remove an object, if it is there. Raises ObjectsUnavailable."""
        import obstore

        try:
            await obstore.delete_async(self._store(), _path(org_id, object_id))
        except (FileNotFoundError, obstore.exceptions.NotFoundError):
            pass
        except (obstore.exceptions.BaseError, OSError, ValueError) as error:
            raise ObjectsUnavailable(type(error).__name__) from error

    def _store(self) -> ObjectStore:
        if self._opened is None:
            from obstore.store import LocalStore, from_url

            if self._folder is not None:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._opened = LocalStore(self._folder)
            else:
                self._opened = from_url(self._where, retry_config=_RETRIES)
        return self._opened


async def _pieces(stream: Any) -> AsyncIterator[bytes]:
    async for piece in stream:
        yield bytes(piece)


def _path(org_id: str, object_id: str) -> str:
    return f"{org_id}/{object_id}"


def _flush(path: Path) -> None:
    """The file and its name survive a power cut."""
    for each in (path, path.parent):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
