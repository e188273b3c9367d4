"""Which messages a worker gets, and when what it says of them still counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.claims import Choice, ClaimFilters, Reason, Settling, Standing, choose, refusal

IDS = st.lists(st.sampled_from("abcdefghij"), unique=True)


@pytest.mark.parametrize(
    ("returned", "passed", "limit", "room", "expected"),
    [
        ([], [("a", True), ("b", True)], 1, 9, Choice(["a"], "a")),
        ([], [("a", False), ("b", True), ("c", False)], 1, 9, Choice(["b"], "c")),
        (["a"], [("b", True)], 1, 9, Choice(["a"], None)),
        (["c"], [("b", True), ("d", True)], 2, 9, Choice(["b", "c"], "b")),
        (["a"], [("b", True), ("c", True)], 3, 1, Choice(["a", "b"], "b")),
        ([], [("a", False), ("b", True)], 3, 0, Choice([], "a")),
        ([], [], 3, 9, Choice([], None)),
    ],
)
def test_the_oldest_are_taken_and_the_place_stops_before_what_is_still_free(
    returned: list[str], passed: list[tuple[str, bool]], limit: int, room: int, expected: Choice
) -> None:
    assert choose(returned, passed, limit, room) == expected


@given(IDS, st.sets(st.sampled_from("abcdefghij")), st.integers(1, 12), st.integers(0, 12))
def test_nothing_that_is_free_is_ever_left_behind_the_place(
    ids: list[str], free: set[str], limit: int, room: int
) -> None:
    half = len(ids) // 2
    returned, passed = sorted(ids[:half]), [(each, each in free) for each in sorted(ids[half:])]
    taken, through = choose(returned, passed, limit, room)
    offered = sorted([*returned, *[each for each, is_free in passed if is_free][:room]])
    assert taken == offered[:limit]
    assert all(each in taken for each, is_free in passed if is_free and each <= (through or ""))


@pytest.mark.parametrize(
    ("how", "standing", "fence", "expected"),
    [
        ("ack", None, 1, "unknown"),
        ("ack", Standing(2, 50, None), 2, None),
        ("ack", Standing(2, 50, 40), 2, None),
        ("ack", Standing(2, 50, None), 1, "outdated"),
        ("ack", Standing(2, 50, 40), 1, "outdated"),
        ("ack", Standing(2, 50, None), 3, "unknown"),
        ("ack", Standing(2, 0, None), 2, "released"),
        ("release", Standing(2, 50, None), 2, None),
        ("release", Standing(2, 0, None), 2, None),
        ("release", Standing(2, 50, 40), 2, "acked"),
        ("release", Standing(2, 50, None), 1, "outdated"),
    ],
)
def test_only_the_newest_fence_counts(
    how: Settling, standing: Standing | None, fence: int, expected: Reason | None
) -> None:
    assert refusal(how, standing, fence) == expected


def test_each_set_of_filters_has_a_place_of_its_own() -> None:
    assert ClaimFilters().name == ""
    assert ClaimFilters("a", None, "+1").name == "agent_id=a to_number=+1"
    assert ClaimFilters(None, "a").name != ClaimFilters("a").name
