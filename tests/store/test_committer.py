"""Group commit: what arrives during a commit joins the next, and nobody hurts anybody else."""

import asyncio

import pytest

from roost.store.committer import GroupCommitter
from roost.store.errors import StoreUnavailable


def test_one_item_alone_is_committed_at_once_and_those_that_wait_go_together() -> None:
    groups: list[list[int]] = []

    async def main() -> list[int]:
        gate = asyncio.Event()

        async def commit(items: list[int]) -> list[int]:
            groups.append(items)
            if len(groups) == 1:
                await gate.wait()
            return [item * 10 for item in items]

        committer = GroupCommitter(commit)
        first = asyncio.create_task(committer.submit(1))
        while not groups:
            await asyncio.sleep(0)
        rest = [asyncio.create_task(committer.submit(item)) for item in (2, 3, 4)]
        await asyncio.sleep(0)
        gate.set()
        return [await first, *[await task for task in rest]]

    assert asyncio.run(main()) == [10, 20, 30, 40]
    assert groups == [[1], [2, 3, 4]]


def test_a_group_is_never_larger_than_its_most() -> None:
    groups: list[int] = []

    async def main() -> None:
        async def commit(items: list[int]) -> list[int]:
            groups.append(len(items))
            return items

        committer = GroupCommitter(commit, max_group=4)
        assert await asyncio.gather(*(committer.submit(item) for item in range(10))) == list(range(10))

    asyncio.run(main())
    assert groups == [4, 4, 2]


def test_a_group_that_fails_is_written_again_one_by_one() -> None:
    groups: list[list[int]] = []

    async def main() -> list[int | BaseException]:
        async def commit(items: list[int]) -> list[int]:
            groups.append(items)
            if 13 in items:
                raise ValueError("poison")
            return items

        committer = GroupCommitter(commit)
        return await asyncio.gather(*(committer.submit(item) for item in (1, 13, 2)), return_exceptions=True)

    answers = asyncio.run(main())
    assert (answers[0], answers[2]) == (1, 2)
    assert isinstance(answers[1], ValueError)
    assert groups == [[1, 13, 2], [1], [13], [2]]


def test_an_outage_fails_its_group_once_and_the_next_one_is_tried() -> None:
    tries = 0

    async def main() -> None:
        async def commit(items: list[int]) -> list[int]:
            nonlocal tries
            tries += 1
            if tries == 1:
                raise StoreUnavailable("gone")
            return items

        committer = GroupCommitter(commit)
        answers = await asyncio.gather(*(committer.submit(item) for item in (1, 2)), return_exceptions=True)
        assert all(isinstance(answer, StoreUnavailable) for answer in answers)
        assert await committer.submit(3) == 3

    asyncio.run(main())
    assert tries == 2


def test_what_waits_is_bounded() -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def commit(items: list[int]) -> list[int]:
            await gate.wait()
            return items

        committer = GroupCommitter(commit, max_group=1, max_waiting=2)
        waiting = [asyncio.create_task(committer.submit(item)) for item in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.append(asyncio.create_task(committer.submit(3)))
        await asyncio.sleep(0)
        gate.set()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert sum(isinstance(answer, StoreUnavailable) for answer in answers) >= 1

    asyncio.run(main())


def test_one_who_gives_up_waiting_does_not_disturb_the_others() -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def commit(items: list[int]) -> list[int]:
            await gate.wait()
            return items

        committer = GroupCommitter(commit)
        impatient, patient = (asyncio.create_task(committer.submit(item)) for item in (1, 2))
        await asyncio.sleep(0)
        impatient.cancel()
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        assert await patient == 2

    asyncio.run(main())


def test_those_who_come_one_after_the_other_are_one_group_where_it_waits_for_quiet_turns() -> None:
    groups: dict[int, list[int]] = {0: [], 8: []}

    async def main(quiet_turns: int) -> None:
        async def commit(items: list[int]) -> list[int]:
            groups[quiet_turns].append(len(items))
            return items

        committer = GroupCommitter(commit, quiet_turns=quiet_turns, max_group=20)

        async def come(item: int) -> int:
            for _ in range(item * 3):
                await asyncio.sleep(0)
            return await committer.submit(item)

        assert await asyncio.gather(*map(come, range(30))) == list(range(30))
        assert await committer.submit(30) == 30

    for quiet_turns in groups:
        asyncio.run(main(quiet_turns))
    assert groups[8] == [20, 10, 1], "as large as one may be, the rest, and one alone"
    assert groups[0] == [1] * 31
