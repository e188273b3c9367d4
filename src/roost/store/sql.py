"""Named SQL statements: readable text in `.sql` files, looked up by name.

A statement begins with a line `-- name: what it is for` and ends where the next begins. Parameters are written `$1`,
`$2`, ... for both databases.
"""

import re
from functools import lru_cache
from importlib.resources import files

_HEADER = re.compile(r"^-- (\w+): .*$", re.MULTILINE)
#: What only SQLite understands stands in a comment: `/* sqlite: INDEXED BY .. */`.
_SQLITE_ONLY = re.compile(r"/\* sqlite: (.*?) \*/")
_PARAMETER = re.compile(r"\$(\d+)")


def load(file_name: str) -> dict[str, str]:
    """The statements of one file in this folder, by name."""
    pieces = _HEADER.split(files(__package__).joinpath(file_name).read_text("utf-8"))
    return {name: sql.strip().rstrip(";") for name, sql in zip(pieces[1::2], pieces[2::2], strict=True)}


@lru_cache(maxsize=1024)
def for_sqlite(sql: str) -> str:
    """The same statement with SQLite's numbered parameters, and with what only SQLite understands."""
    return _PARAMETER.sub(r"?\1", _SQLITE_ONLY.sub(r"\1", sql))


@lru_cache(maxsize=256)
def wanted_values(sql: str, columns: str) -> str:
    """`sql` with `wanted` as one row of parameters."""
    names = [column.split()[0] for column in columns.split(", ")]
    values = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    return f"WITH wanted ({', '.join(names)}) AS (VALUES ({values})) {sql}"


@lru_cache(maxsize=256)
def wanted_unnested(sql: str, columns: str) -> str:
    """`sql` with `wanted` as the rows that arrays of parameters make."""
    names, types = zip(*(column.split() for column in columns.split(", ")), strict=True)
    arrays = ", ".join(f"${number}::{each}[]" for number, each in enumerate(types, start=1))
    return f"WITH wanted ({', '.join(names)}) AS (SELECT * FROM unnest({arrays})) {sql}"  # noqa: S608 - no values


QUERIES = load("queries.sql")
DIRECTORY = load("directory.sql")
IDEMPOTENCY = load("idempotency.sql")
ERASURE = load("erasure.sql")
