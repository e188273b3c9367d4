"""Reading JSON by a shape: quick where all is as it should be, and the same where it is not."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.carriers.fields import object_of
from roost.carriers.shapes import Texts, Whole, _mended, reader


class Inner(msgspec.Struct):
    id: str = ""
    to: Texts = ()
    count: Whole = None


class Outer(msgspec.Struct, rename={"from_number": "from"}):
    from_number: str = "nobody"
    inner: Inner | None = None


read = reader(Outer)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([-1, 0, 1, 2**31 - 1, 2**31, 2**63, 2**64, 10**30]),
    st.sampled_from([0.0, 1.0, 1.5, 1e300]),
    st.sampled_from(["", "text", "7", "\N{SNOWMAN}", "\ud83d", "a\x00b"]),
)
TEXTS = st.lists(st.sampled_from(["", "text"]), max_size=3)
VALUES = st.one_of(SCALARS, TEXTS, st.lists(SCALARS, max_size=3), st.fixed_dictionaries({"id": SCALARS}))


@settings(max_examples=500)
@given(st.sampled_from(["from", "inner", "other"]), st.sampled_from(["id", "to", "count", "other"]), VALUES)
def test_a_value_is_read_the_same_the_quick_way_and_field_by_field(outer: str, inner: str, value: Any) -> None:
    for written in ({outer: value}, {"inner": {inner: value}}, {outer: value, "inner": {inner: value}}):
        raw = json.dumps(written).encode()
        assert read(raw) == _mended(object_of(raw), Outer)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"from": "+1", "inner": {"id": "7", "to": ["+2"], "count": 1}}', Outer("+1", Inner("7", ("+2",), 1))),
        (b'{"from": 15550001111, "inner": {"id": 7}}', Outer("15550001111", Inner("7"))),
        (b'{"from": null, "inner": []}', Outer("")),
        (b'{"from": true, "inner": {"to": "+2", "count": "many"}}', Outer("", Inner("", ("+2",)))),
        (b'{"inner": {"to": ["", 5, null, "+2"], "count": 2147483648}}', Outer(inner=Inner("", ("5", "+2")))),
        (b'{"from": "\\ud83d", "inner": {"id": "\xff"}}', Outer("\ud83d", Inner("\udcff"))),
    ],
    ids=["as it should be", "numbers for texts", "nothing and a list", "one for several", "odd ones out", "no UTF-8"],
)
def test_a_field_of_the_wrong_type_is_as_good_as_missing(raw: bytes, expected: Outer) -> None:
    assert read(raw) == expected


@pytest.mark.parametrize("raw", [b"", b"[]", b"7", b"null", b"{", b'"text"', b"[" * 100_000])
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        read(raw)
