"""What was looked up is remembered for a moment, and looked up once for all who ask meanwhile."""

import asyncio

import pytest

from roost.api import auth
from roost.api.auth import ShortCache


class Counted:
    """A look-up that waits until it may answer."""

    def __init__(self, answer: str | Exception | None) -> None:
        self.answer, self.count = answer, 0
        self.gate = asyncio.Event()

    async def __call__(self, _: str) -> str | None:
        self.count += 1
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def asked_at_once(cache: ShortCache[str], look_up: Counted, secrets: list[str]) -> list[object]:
    asking = [asyncio.ensure_future(cache.get(secret)) for secret in secrets]
    await asyncio.sleep(0)
    look_up.gate.set()
    return await asyncio.gather(*asking, return_exceptions=True)


def test_those_who_ask_at_once_share_one_look_up_and_the_answer_is_remembered() -> None:
    async def ask() -> None:
        look_up = Counted("found")
        cache: ShortCache[str] = ShortCache(look_up)
        assert await asked_at_once(cache, look_up, ["a"] * 50 + ["b"]) == ["found"] * 51
        assert await cache.get("a") == "found"
        assert look_up.count == 2

    asyncio.run(ask())


@pytest.mark.parametrize("answer", [None, ValueError("away")])
def test_what_was_not_found_or_failed_is_looked_up_again(answer: Exception | None) -> None:
    async def ask() -> None:
        look_up = Counted(answer)
        cache: ShortCache[str] = ShortCache(look_up)
        assert await asked_at_once(cache, look_up, ["a"] * 3) == [answer] * 3
        look_up.answer = "found"
        assert await cache.get("a") == "found"
        assert look_up.count == 2

    asyncio.run(ask())


def test_a_look_up_that_takes_too_long_is_not_shared_and_its_answer_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was revoked since it began may not have been seen."""
    monkeypatch.setattr(auth, "CACHE_SECONDS", 0.0)

    async def ask() -> None:
        look_up = Counted("found")
        cache: ShortCache[str] = ShortCache(look_up)
        assert await asked_at_once(cache, look_up, ["a", "a"]) == ["found"] * 2
        await cache.get("a")
        assert look_up.count == 3

    asyncio.run(ask())


def test_one_who_goes_away_does_not_take_the_look_up_with_them() -> None:
    async def ask() -> None:
        look_up = Counted("found")
        cache: ShortCache[str] = ShortCache(look_up)
        first, second = asyncio.ensure_future(cache.get("a")), asyncio.ensure_future(cache.get("a"))
        await asyncio.sleep(0)
        first.cancel()
        look_up.gate.set()
        assert await second == "found"
        assert look_up.count == 1

    asyncio.run(ask())
