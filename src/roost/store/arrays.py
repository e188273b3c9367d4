"""Columns as PostgreSQL's array literals (PostgreSQL manual, "Array Input and Output Syntax").

asyncpg asks of every element of a list whether it is a list itself, which for the two dozen columns of a group cost more than
all else that the client does for it; a literal is one string.
"""

from collections.abc import Iterable


def plain_array(values: Iterable[object]) -> str:
    """Of UUIDs, numbers and truth values, None among them: what cannot hold a character that means anything."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def text_array(values: Iterable[str | None]) -> str:
    """Of texts, whatever is in them."""
    return "{" + ",".join(["NULL" if value is None else _quoted(value) for value in values]) + "}"


def _quoted(value: str) -> str:
    if '"' in value or "\\" in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'
