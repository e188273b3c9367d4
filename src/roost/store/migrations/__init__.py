"""Numbered SQL files, applied once each, in order, under a lock.

`0007_what_it_does.sql` is for both databases, `0008_what_it_does.postgres.sql` for one. What only SQLite understands stands
in a comment: `/* sqlite: WITHOUT ROWID */`.
"""

import hashlib
from importlib.resources import files
from typing import NamedTuple

from roost.store.errors import NewerDatabase
from roost.store.sql import for_sqlite


class Migration(NamedTuple):
    version: int
    name: str
    sql: str
    checksum: str


def available(dialect: str) -> list[Migration]:
    """The migrations of `sqlite` or `postgres`, in order."""
    found = []
    for file in sorted(files(__package__).iterdir(), key=lambda file: file.name):
        stem, _, only = file.name.removesuffix(".sql").partition(".")
        if file.name.endswith(".sql") and only in ("", dialect):
            text = file.read_text("utf-8")
            number, _, name = stem.partition("_")
            sql = for_sqlite(text) if dialect == "sqlite" else text
            found.append(Migration(int(number), name, sql, hashlib.sha256(text.encode()).hexdigest()))
    return found


def pending(applied: list[tuple[int, str]], migrations: list[Migration]) -> list[Migration]:
    """What is still to be applied. Raises NewerDatabase when the database knows migrations that this code does not."""
    known = {migration.version: migration for migration in migrations}
    for version, checksum in applied:
        migration = known.get(version)
        if migration is None:
            raise NewerDatabase(
                f"this database is at migration {version}, newer than this Roost knows ({max(known)}): upgrade Roost"
            )
        if migration.checksum != checksum:
            raise NewerDatabase(
                f"migration {version} of this database is not the one this Roost has: upgrade Roost, or restore a backup"
            )
    done = {version for version, _ in applied}
    return [migration for migration in migrations if migration.version not in done]


CREATE_TABLE = """CREATE TABLE IF NOT EXISTS schema_migrations (
    version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)"""
