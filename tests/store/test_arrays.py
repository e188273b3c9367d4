"""Array literals come back from PostgreSQL as what they were made of."""

import asyncio
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.store.arrays import plain_array, text_array

ODD = [
    "",
    "NULL",
    "null",
    "{}",
    "a,b",
    '"',
    "\\",
    '\\"',
    "\\\\",
    " padded ",
    "\n\r\t",
    "'; DROP TABLE numbers;--",
    "😀",
    "x" * 5000,
]


def read_back(postgres_server: str, kind: str, literal: str) -> list[Any]:
    async def read() -> list[Any]:
        connection = await asyncpg.connect(postgres_server)
        try:
            return list(await connection.fetchval(f"SELECT $1::text::{kind}[]", literal))
        finally:
            await connection.close()

    return asyncio.run(read())


def test_texts_come_back_whatever_is_in_them(postgres_server: str) -> None:
    texts = [*ODD, None]
    assert read_back(postgres_server, "text", text_array(texts)) == texts

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))))
    def check(texts: list[str | None]) -> None:
        assert read_back(postgres_server, "text", text_array(texts)) == texts

    check()


@pytest.mark.parametrize(
    ("kind", "values"), [("int", [1, None, -7]), ("bool", [True, None, False]), ("bigint", [1 << 60]), ("int", [])]
)
def test_numbers_and_truth_values_come_back(postgres_server: str, kind: str, values: list[Any]) -> None:
    assert read_back(postgres_server, kind, plain_array(values)) == values
