"""Turns: one caller passes per turn of the event loop."""

import asyncio

from roost.store.turns import Turns


def test_each_caller_passes_in_a_turn_of_its_own_and_in_the_order_of_coming() -> None:
    async def scenario() -> list[int | str]:
        turns, passed = Turns(), list[int | str]()

        async def caller(number: int) -> None:
            await turns.take()
            passed.append(number)
            # What becomes ready meanwhile has its chance before the next caller.
            asyncio.get_running_loop().call_soon(passed.append, f"after {number}")

        await asyncio.gather(*(caller(number) for number in range(3)))
        await asyncio.sleep(0)
        return passed

    assert asyncio.run(scenario()) == [0, "after 0", 1, "after 1", 2, "after 2"]


def test_one_who_gives_up_waiting_is_passed_over() -> None:
    async def scenario() -> list[int]:
        turns, passed = Turns(), list[int]()

        async def caller(number: int) -> None:
            await turns.take()
            passed.append(number)

        callers = [asyncio.create_task(caller(number)) for number in range(3)]
        await asyncio.sleep(0)
        callers[1].cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(*callers, return_exceptions=True)
            await turns.take()  # and whoever comes later is let through
        return passed

    assert asyncio.run(scenario()) == [0, 2]
