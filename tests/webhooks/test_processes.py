"""Several processes share the work: at one organization one at a time, and what one leaves behind another takes over."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from roost.push.webhooks.deliverer import Deliverer
from roost.push.webhooks.poster import Poster
from support.house import House
from support.receiver import Reply
from support.telling import HOUR_US, Telling, texts


@contextmanager
def another(house: House) -> Iterator[Deliverer]:
    """As another process would have it."""

    async def made() -> Deliverer:
        return Deliverer(
            house.store, house.media_urls, Poster(house.clock, house.config.allowed_networks, total_seconds=1)
        )

    deliverer = house.wait(made())
    yield deliverer
    house.wait(deliverer.stop())


def test_two_at_once_tell_each_event_once(telling: Telling) -> None:
    house = telling.house
    telling.endpoint()
    for nth in range(60):
        telling.arrives(str(nth), f"+1555200{nth % 7:04}")

    async def work(deliverers: tuple[Deliverer, ...]) -> None:
        while len(telling.receiver.posts) < 60:
            await asyncio.gather(*(each.take_due() for each in deliverers))
            await asyncio.sleep(0.002)
        for each in deliverers:
            await each.idle()

    with another(house) as beside:
        house.wait(work((house.deliverer, beside)))
    assert Counter(texts(telling.receiver.posts)) == Counter(str(nth) for nth in range(60))
    for thread in range(7):
        told = [int(text) for text in texts(telling.receiver.posts) if int(text) % 7 == thread]
        assert told == sorted(told)


def test_what_a_process_that_is_gone_was_telling_is_told_by_another_under_the_same_id(telling: Telling) -> None:
    house, receiver = telling.house, telling.receiver
    telling.endpoint()
    receiver.answering = lambda post: Reply(how="held")
    telling.arrives("hello")
    with another(house) as gone:
        house.wait(gone.take_due())
        receiver.wait_for(1)
        telling.tell()
        assert len(receiver.posts) == 1, "it is at work there"
        house.clock.frozen_us = house.clock() + HOUR_US
        receiver.answering = lambda post: Reply()
        telling.tell()
        first, second = receiver.posts
        assert first.id == second.id
        receiver.release()
    assert [each["outcome"] for each in telling.log()] == ["success"], "who lost its lease settles nothing"


def test_a_process_that_has_nothing_more_to_do_leaves_the_organization_to_others(telling: Telling) -> None:
    house = telling.house
    telling.endpoint()
    telling.arrives("one")
    telling.tell()
    telling.tell()
    telling.arrives("other")
    with another(house) as beside:

        async def work() -> None:
            await beside.take_due()
            await beside.idle()

        house.wait(work())
    assert texts(telling.receiver.posts) == ["one", "other"]
