"""Named SQL statements: readable text in `.sql` files, looked up by name.

A statement begins with a line `-- name: what it is for` and ends where the next begins. Parameters are written `$1`,
`$2`, ... for both databases.
"""

import re
from functools import lru_cache
from importlib.resources import files

_HEADER = re.compile(r"^-- (\w+): .*$", re.MULTILINE)
_PARAMETER = re.compile(r"\$(\d+)")


def load(file_name: str) -> dict[str, str]:
    """The statements of one file in this folder, by name."""
    pieces = _HEADER.split(files(__package__).joinpath(file_name).read_text("utf-8"))
    return {name: sql.strip().rstrip(";") for name, sql in zip(pieces[1::2], pieces[2::2], strict=True)}


@lru_cache(maxsize=1024)
def for_sqlite(sql: str) -> str:
    """The same statement with SQLite's numbered parameters."""
    return _PARAMETER.sub(r"?\1", sql)


QUERIES = load("queries.sql")
DIRECTORY = load("directory.sql")
IDEMPOTENCY = load("idempotency.sql")
ERASURE = load("erasure.sql")
