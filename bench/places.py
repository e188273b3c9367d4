"""Places: empty databases, each with a data directory, in one temporary folder that is removed at the end."""

import asyncio
import os
import shutil
import tempfile
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, TypeVar

from tests.support.databases import VARIABLE, PostgresServer, create_database, drop_database

from roost import config
from roost.server import now_us
from roost.store.base import Store
from roost.store.connect import make_store

T = TypeVar("T")


class Place(NamedTuple):
    """Where one Roost keeps its things."""

    data_dir: Path
    database_url: str

    def run(self, work: Callable[[Store], Awaitable[T]]) -> T:
        """`work` on its store, opened in this process."""

        async def opened() -> T:
            store = self.store()
            await store.open()
            try:
                return await work(store)
            finally:
                await store.close()

        return asyncio.run(opened())

    def store(self) -> Store:
        """Not opened yet."""
        return make_store(config.load({}, data_dir=self.data_dir, database_url=self.database_url), now_us)


class Places:
    """Makes places of one kind, `sqlite` or `postgres`, between `with` and its end."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._made: list[Place] = []
        self._server: PostgresServer | None = None

    def __enter__(self) -> "Places":
        self.folder = Path(tempfile.mkdtemp(prefix="roost-bench-"))
        if self._kind == "postgres" and VARIABLE not in os.environ:
            with warnings.catch_warnings(action="ignore"):  # of where its wheel looks for folders
                self._server = PostgresServer()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for place in self._made:
            if place.database_url != "sqlite":
                drop_database(self.server_url, place.database_url)
        if self._server is not None:
            self._server.stop()
        shutil.rmtree(self.folder)

    @property
    def server_url(self) -> str:
        """Of the PostgreSQL."""
        return self._server.url if self._server is not None else os.environ[VARIABLE]

    def new(self) -> Place:
        """Another one, empty."""
        url = create_database(self.server_url) if self._kind == "postgres" else "sqlite"
        place = Place(Path(tempfile.mkdtemp(dir=self.folder)), url)
        self._made.append(place)
        return place

    def new_sqlite(self) -> Place:
        """Another one on SQLite, whatever the kind."""
        return Place(Path(tempfile.mkdtemp(dir=self.folder)), "sqlite")
