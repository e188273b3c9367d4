"""Server-sent events, cut anywhere."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.client import BrokenAnswer
from roost.client.sse import MAX_FRAME_BYTES, Frame, Frames

STREAM = (
    b": hello\n\n"
    b"id: 1\nevent: message.received\ndata: {\"a\":\ndata: 1}\n\n"
    b"retry: 1500\r\n\r\n"
    b"id:2\rdata:  two spaces\r\r"
    b"event: nothing\n\n"
    b"data\n\n"
    b"id: \xc3\xa9\ndata: last\nfield: unknown\n\n"
    b"id: 9\ndata: half"
)  # fmt: skip
FRAMES = [
    ("1", Frame("message.received", b'{"a":\n1}')),
    ("2", Frame("message", b" two spaces")),
    ("2", Frame("message", b"")),
    ("é", Frame("message", b"last")),
]


def fed(*pieces: bytes) -> tuple[Frames, list[tuple[str | None, Frame]]]:
    frames = Frames()
    return frames, [(frames.last_id, frame) for piece in pieces for frame in frames.feed(piece)]


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=len(STREAM)))
def test_wherever_it_is_cut_the_frames_are_the_same(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    frames, seen = fed(*(STREAM[start:end] for start, end in pairwise(edges)))
    assert seen == FRAMES
    assert (frames.last_id, frames.retry) == ("é", 1.5), "what is half-way counts for nothing"


def test_byte_by_byte_too() -> None:
    assert fed(*(bytes([byte]) for byte in STREAM))[1] == FRAMES


def test_an_id_alone_is_where_to_go_on_from() -> None:
    frames, seen = fed(b"id: 7\n\n")
    assert (frames.last_id, seen) == ("7", [])


def test_after_a_broken_connection_it_begins_anew_where_it_was() -> None:
    frames, _ = fed(b"id: 7\ndata: x\n\nid: 8\ndata: ha")
    frames.reconnected()
    assert [*frames.feed(b"lf\n\ndata: y\n\n")] == [Frame("message", b"y")]
    assert frames.last_id == "7"


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 65536, b"x" * 65536, b"data: " + b"x" * 58 + b"\n"])
def test_an_event_without_an_end_is_given_up(piece: bytes) -> None:
    frames = Frames()
    with pytest.raises(BrokenAnswer):
        for _ in range(MAX_FRAME_BYTES // len(piece) + 1):
            assert [*frames.feed(piece)] == []


def test_comments_keep_a_connection_alive_for_however_long() -> None:
    frames = Frames()
    for _ in range(MAX_FRAME_BYTES // 65536 + 2):
        assert [*frames.feed(b":" + b" " * 65536 + b"\n")] == []


@given(st.lists(st.binary(max_size=20)))
def test_no_bytes_are_too_odd(pieces: list[bytes]) -> None:
    fed(*pieces)
