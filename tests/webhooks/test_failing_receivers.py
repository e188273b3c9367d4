"""Receivers that are down, slow, wrong or hostile: nothing is lost but what was tried for a day, and nobody waits for another."""

import asyncio
from collections import Counter

import pytest

from roost.core.webhooks import GIVEN_UP_US, next_try
from roost.push.webhooks import deliverer, teller
from support.receiver import Posted, Receiver, Reply
from support.telling import HOUR_US, OTHER, SECOND_US, Telling, texts

MINUTE_US = 60 * SECOND_US


def fails(post: Posted) -> Reply:
    return Reply(503)


def takes(post: Posted) -> Reply:
    return Reply()


def test_a_receiver_that_is_down_for_most_of_a_day_misses_nothing(telling: Telling) -> None:
    telling.endpoint()
    telling.receiver.answering = fails
    for hour in range(20):
        telling.arrives(f"{hour}, one")
        telling.arrives(f"{hour}, other", OTHER)
        telling.tell_for(HOUR_US, 15 * MINUTE_US)
    assert Counter(each["outcome"] for each in telling.log()) == {"retry": len(telling.receiver.posts)}
    assert len(telling.receiver.posts) < 120, "it is not stormed"
    telling.receiver.answering = takes
    before = len(telling.receiver.posts)
    telling.tell_for(2 * HOUR_US, 15 * MINUTE_US)
    taken = texts(telling.receiver.posts[before:])
    assert [text for text in taken if "one" in text] == [f"{hour}, one" for hour in range(20)]
    assert [text for text in taken if "other" in text] == [f"{hour}, other" for hour in range(20)]
    assert telling.queued() == 0


def test_what_a_receiver_does_not_take_for_a_day_is_dead_and_noted_and_can_be_replayed(telling: Telling) -> None:
    telling.endpoint()
    telling.receiver.answering = fails
    telling.arrives("lost")
    telling.tell()
    telling.tell_for(25 * HOUR_US, 30 * MINUTE_US)
    log = telling.log()
    assert [each["outcome"] for each in log] == ["dead"] + ["retry"] * (len(log) - 1)
    assert 20 <= len(log) <= 32
    assert [each["attempt"] for each in log] == list(range(len(log), 0, -1))
    assert log[0]["response_status"] == 503
    assert telling.queued() == 0
    telling.receiver.answering = takes
    telling.arrives("next")
    telling.tell_for(HOUR_US, MINUTE_US)
    assert texts(telling.receiver.posts)[-1] == "next"
    path = f"/v1/webhooks/deliveries/{log[0]['id']}/replay"
    answer = telling.house.http.post(path, headers=telling.tenant.auth)
    assert answer.status_code == 202, answer.text
    telling.tell()
    replayed = telling.receiver.posts[-1]
    assert replayed.text == "lost"
    assert replayed.id == answer.json()["event_id"] != log[0]["event_id"]
    assert f"evt_{replayed.event['id']}" == replayed.id
    assert telling.log()[0]["outcome"] == "success"


def test_a_dead_endpoint_with_many_threads_is_asked_ever_more_seldom_and_its_queue_ends(telling: Telling) -> None:
    telling.endpoint()
    telling.receiver.answering = fails
    for nth in range(150):
        telling.arrives(str(nth), f"+1555200{nth:04}")
    telling.tell()
    telling.tell_for(25 * HOUR_US, 10 * MINUTE_US)
    assert len(telling.receiver.posts) < 400
    assert telling.queued() == 0
    assert Counter(each["outcome"] for each in telling.log(outcome="dead"))["dead"] == 150


def test_a_flapping_receiver_is_told_everything_in_order(telling: Telling) -> None:
    telling.endpoint()
    answers = iter([Reply(500), Reply(how="hang up"), Reply(), Reply(429), Reply(), Reply(502), Reply(404)])
    taken: list[str] = []

    def flaps(post: Posted) -> Reply:
        reply = next(answers, Reply())
        if reply.status == 200 and reply.how == "whole":
            taken.append(post.text)
        return reply

    telling.receiver.answering = flaps
    for nth in range(6):
        telling.arrives(str(nth))
        telling.tell()
    telling.tell_for(HOUR_US, MINUTE_US)
    assert taken == [str(nth) for nth in range(6)]


def test_a_receiver_that_comes_back_is_told_at_once_what_waited(telling: Telling) -> None:
    telling.endpoint()
    telling.receiver.answering = fails
    for nth in range(8):
        telling.arrives(str(nth), f"+1555200{nth:04}")
    telling.tell()
    telling.tell_for(3 * HOUR_US, 10 * MINUTE_US)
    telling.receiver.answering = takes
    before = len(telling.receiver.posts)
    telling.tell_for(2 * HOUR_US, 5 * MINUTE_US)
    telling.tell()
    assert len(telling.receiver.posts) == before + 8
    assert telling.queued() == 0


def test_a_dead_receiver_does_not_delay_another(telling: Telling) -> None:
    telling.endpoint("/dead")
    telling.endpoint("/held")
    telling.endpoint("/live")
    replies = {"/dead": Reply(500), "/held": Reply(how="held"), "/live": Reply()}
    telling.receiver.answering = lambda post: replies[post.path]
    for nth in range(40):
        telling.arrives(str(nth), f"+1555200{nth:04}")
    deliverer = telling.house.deliverer

    async def go_on() -> None:
        while sum(post.path == "/live" for post in telling.receiver.posts) < 40:
            await deliverer.take_due()
            await asyncio.sleep(0.005)

    telling.house.wait(go_on())
    live = [post for post in telling.receiver.posts if post.path == "/live"]
    assert sorted(texts(live), key=int) == [str(nth) for nth in range(40)]
    telling.receiver.release()
    telling.house.wait(deliverer.idle())


def test_a_slow_receiver_has_failed_after_its_time_and_is_asked_again(telling: Telling) -> None:
    telling.endpoint()
    telling.receiver.answering = lambda post: Reply(how="held")
    telling.arrives("slow")
    telling.tell()
    [entry] = telling.log()
    assert (entry["outcome"], entry["response_status"], entry["error"]) == ("retry", None, "no answer within 1 seconds")
    assert 900 <= entry["response_time_ms"] < 3000
    telling.receiver.answering = takes
    telling.tell(later_us=MINUTE_US)
    assert telling.log()[0]["outcome"] == "success"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"\x00\xff<html>not json"),
        Reply(204),
        Reply(200, b"x" * 100_000),
        Reply(200, how="endless"),
        Reply(202, how="drip"),
        Reply(200, b"no gzip", (("Content-Encoding", "gzip"),)),
        Reply(200, b'{"error": "no"}', (("Content-Type", "text/plain"),)),
    ],
    ids=["garbage", "nothing", "much", "endless", "drip", "mislabelled", "an error in it"],
)
def test_whoever_answers_2xx_has_it_whatever_the_answer_says(telling: Telling, reply: Reply) -> None:
    telling.endpoint()
    telling.receiver.answering = lambda post: reply
    telling.arrives("taken")
    telling.tell()
    [entry] = telling.log()
    assert (entry["outcome"], entry["response_status"], entry["error"]) == ("success", reply.status, None)
    assert len(entry["response_body_excerpt"] or "") <= 500
    assert telling.queued() == 0


def test_a_redirect_is_not_followed(telling: Telling) -> None:
    with Receiver() as elsewhere:
        telling.endpoint()
        telling.receiver.answering = lambda post: Reply(307, b"", (("Location", elsewhere.url()),))
        telling.arrives("stays here")
        telling.tell()
        assert elsewhere.posts == []
    [entry] = telling.log()
    assert (entry["outcome"], entry["response_status"]) == ("retry", 307)


def test_410_switches_an_endpoint_off_until_it_is_switched_on_again(telling: Telling) -> None:
    house, tenant = telling.house, telling.tenant
    made = telling.endpoint()
    telling.receiver.answering = lambda post: Reply(410)
    for text in ("gone", "after it"):
        telling.arrives(text)
    telling.tell()
    assert [each["outcome"] for each in telling.log()] == ["dead"]
    path = f"/v1/webhooks/{made['id']}"
    assert house.http.get(path, headers=tenant.auth).json()["active"] is False
    telling.arrives("meanwhile")
    telling.tell(later_us=HOUR_US)
    assert (len(telling.receiver.posts), telling.queued()) == (1, 0)
    replay = house.http.post(f"/v1/webhooks/deliveries/{telling.log()[0]['id']}/replay", headers=tenant.auth)
    assert (replay.status_code, replay.json()["error"]["code"]) == (409, "CONFLICT")
    telling.receiver.answering = takes
    assert house.http.patch(path, json={"active": True}, headers=tenant.auth).json()["active"] is True
    telling.arrives("again")
    telling.tell()
    assert texts(telling.receiver.posts) == ["gone", "again"]


@pytest.mark.parametrize(("asked", "waited_us"), [("120", 120 * SECOND_US), ("86400000", HOUR_US), ("soon", 0)])
def test_retry_after_is_done_up_to_an_hour(telling: Telling, asked: str, waited_us: int) -> None:
    telling.endpoint()
    telling.receiver.answering = lambda post: Reply(429, b"", (("Retry-After", asked),))
    telling.arrives("later")
    telling.tell()
    telling.arrives("of another thread", OTHER)
    telling.receiver.answering = takes
    if waited_us:
        telling.tell(later_us=waited_us - SECOND_US)
        assert len(telling.receiver.posts) == 1, "nothing at all is sent to who asked for a pause"
    telling.tell(later_us=4 * SECOND_US)
    assert sorted(texts(telling.receiver.posts)) == ["later", "later", "of another thread"]


def test_a_pause_that_was_asked_for_holds_though_what_was_under_way_meanwhile_is_taken(telling: Telling) -> None:
    telling.endpoint()
    asks = Reply(429, b"", (("Retry-After", "600"),))
    telling.receiver.answering = lambda post: asks if post.text == "first" else Reply()
    telling.arrives("first")
    telling.arrives("beside it", OTHER)
    telling.tell()
    telling.arrives("later", "+15552000000")
    telling.tell(later_us=599 * SECOND_US)
    assert sorted(texts(telling.receiver.posts)) == ["beside it", "first"]
    telling.tell(later_us=2 * SECOND_US)
    assert "later" in texts(telling.receiver.posts)


def test_an_endpoint_is_told_of_so_many_events_at_once_and_no_more(telling: Telling) -> None:
    telling.endpoint()
    telling.receiver.answering = lambda post: Reply(how="held")
    for nth in range(40):
        telling.arrives(str(nth), f"+1555200{nth:04}")
    telling.house.wait(telling.house.deliverer.take_due())
    telling.receiver.wait_for(deliverer.SHARE)
    telling.house.wait(telling.house.deliverer.take_due())
    telling.receiver.release()
    telling.receiver.answering = takes
    telling.tell()
    assert telling.receiver.most_at_once == deliverer.SHARE
    assert len(texts(telling.receiver.posts)) == 40


def test_what_waits_for_a_deleted_endpoint_is_not_sent(telling: Telling) -> None:
    made = telling.endpoint()
    telling.receiver.answering = fails
    telling.arrives("waits")
    telling.tell()
    assert telling.house.http.delete(f"/v1/webhooks/{made['id']}", headers=telling.tenant.auth).status_code == 200
    telling.arrives("comes")
    telling.tell(later_us=HOUR_US)
    assert (len(telling.receiver.posts), telling.queued()) == (1, 0)
    assert len(telling.log()) == 1, "its log stays"


def test_the_last_try_is_when_the_day_is_over() -> None:
    now, give_up_at, attempts, tries = 0, GIVEN_UP_US, 1, [0]
    while (again_at := next_try(attempts, give_up_at, now, None, 0.5)) is not None:
        now, attempts = again_at, attempts + 1
        tries.append(now)
    assert tries[-1] == GIVEN_UP_US
    assert tries == sorted(tries) and 20 <= len(tries) <= 32


def test_a_defect_of_ours_is_tried_again_as_seldom_as_any_failure(
    telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    telling.endpoint()
    telling.arrives("hello")

    def broken(*_: object) -> bytes:
        raise LookupError

    with monkeypatch.context() as broke:
        broke.setattr(teller, "encode", broken)
        telling.tell()
    [entry] = telling.log()
    assert (entry["outcome"], entry["error"]) == ("retry", "a defect of this server; its log says more")
    telling.tell(later_us=3 * SECOND_US)
    assert texts(telling.receiver.posts) == ["hello"]


def test_many_slow_receivers_leave_room_for_another(telling: Telling, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has least in flight comes first."""
    monkeypatch.setattr(deliverer, "SLOTS", 20)
    monkeypatch.setattr(deliverer, "SHARE", 10)
    for nth in range(4):
        telling.endpoint(f"/slow/{nth}")
    quick = telling.endpoint("/quick")
    telling.receiver.answering = lambda post: Reply(how="whole" if post.path == "/quick" else "held")
    for nth in range(30):
        telling.arrives(str(nth), f"+1555200{nth:04}")

    async def go_on() -> None:
        while sum(post.path == "/quick" for post in telling.receiver.posts) < 30:
            await telling.house.deliverer.take_due()
            await asyncio.sleep(0.005)

    telling.house.wait(go_on())
    assert len(telling.log(endpoint_id=quick["id"])) >= 20
    telling.receiver.release()
    telling.house.wait(telling.house.deliverer.idle())
