"""Cursors: opaque, and good only for the query they were made with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.ids import text_of
from roost.core.paging import InvalidCursor, decode_cursor, encode_cursor

KEY = b"k" * 32
IDS = st.binary(min_size=16, max_size=16).map(text_of)


@given(IDS, st.text())
def test_a_cursor_comes_back_as_the_id_it_was_made_of(last_id: str, binding: str) -> None:
    assert decode_cursor(KEY, binding, encode_cursor(KEY, binding, last_id)) == last_id


@given(IDS, st.text(), st.text())
def test_a_cursor_of_another_query_is_refused(last_id: str, made_with: str, used_with: str) -> None:
    cursor = encode_cursor(KEY, made_with, last_id)
    if made_with != used_with:
        with pytest.raises(InvalidCursor):
            decode_cursor(KEY, used_with, cursor)


def test_every_single_altered_character_is_refused() -> None:
    cursor = encode_cursor(KEY, "b", "01a20115-4e56-728a-a00d-4db7bc4dcb6c")
    for at in range(len(cursor)):
        for other in "ABz09-_":
            if other != cursor[at]:
                with pytest.raises(InvalidCursor):
                    decode_cursor(KEY, "b", cursor[:at] + other + cursor[at + 1 :])


def test_another_servers_cursor_is_refused() -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(b"x" * 32, "b", encode_cursor(KEY, "b", "01a20115-4e56-728a-a00d-4db7bc4dcb6c"))


@given(st.text(max_size=80))
def test_no_text_raises_anything_but_invalid_cursor(text: str) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(KEY, "b", text)
