"""Threads: a reply is linked to the newest outbound message of the 24 hours before it, and a thread lives that long."""

from typing import Any

import pytest

from roost.core.ids import parse_ulid, position_of
from support.house import House, Tenant
from support.payloads import bandwidth_inbound

CONTACT, OTHER = "+15554443333", "+15557778888"
START_US = 1_800_000_000_000_000
#: 24 hours, in figures: a test by the code's own constant would move along with it.
THREAD_US = 24 * 3600 * 1_000_000
HOUR_US = THREAD_US // 24


class Talk:
    """A conversation with a clock that stands where it is set."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.tenant: Tenant = house.tenant()
        self.at(0)
        self.hear("hello")

    def at(self, us: int) -> None:
        self.house.clock.frozen_us = START_US + us

    def hear(self, text: str, sender: str = CONTACT, to: str | None = None) -> dict[str, Any]:
        """A text arrives; the message as dialect B shows it."""
        to = to or self.tenant.number.number
        key = f"in-{len(self.inbox())}"
        answer = self.house.deliver(self.tenant, [bandwidth_inbound(key, to, text=text, sender=sender)])
        assert len(answer.json()["ids"]) == 1, answer.text
        return self.inbox()[0]

    def say(self, text: str = "hi", to: str = CONTACT, **fields: Any) -> dict[str, Any]:
        """A text is accepted; the message as dialect A shows it."""
        message_id = self.house.sent(self.tenant, to, text, **fields)
        message: dict[str, Any] = self.house.http.get(
            f"/v1/messages/{message_id}?include=thread_id", headers=self.tenant.auth
        ).json()["data"]
        return message

    def inbox(self) -> list[dict[str, Any]]:
        answer = self.house.http.get("/v1/tools/sms/inbox?limit=100", headers=self.tenant.agent_header)
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages

    def thread(self, thread_id: str, **params: Any) -> list[tuple[str, str]]:
        answer = self.house.http.get(f"/v1/threads/{thread_id}/messages", params=params, headers=self.tenant.auth)
        assert answer.status_code == 200, answer.text
        return [(message["direction"], message["text"]) for message in answer.json()["data"]]


@pytest.fixture
def talk(house: House) -> Talk:
    return Talk(house)


def links(house: House, message: dict[str, Any]) -> tuple[str | None, str | None]:
    """(thread, related) of an inbox message as dialect A's ids."""
    thread, related = message["thread_id"], message["related_outbound_id"]
    return (
        parse_ulid(thread.removeprefix("msg_")) if thread else None,
        parse_ulid(related.removeprefix("msg_")) if related else None,
    )


def test_a_reply_is_linked_to_the_newest_message_and_the_threads_first(talk: Talk) -> None:
    first, second = talk.say("one"), talk.say("two")
    assert (first["thread_id"], second["thread_id"]) == (first["id"], first["id"])
    assert links(talk.house, talk.hear("yes")) == (first["id"], second["id"])
    assert talk.thread(first["id"]) == [("outbound", "one"), ("outbound", "two"), ("inbound", "yes")]


@pytest.mark.parametrize(
    ("passed_us", "linked"), [(HOUR_US, True), (THREAD_US - 1, True), (THREAD_US, True), (THREAD_US + 1, False)]
)
def test_a_reply_is_linked_for_24_hours_exactly_and_not_a_microsecond_more(
    talk: Talk, passed_us: int, linked: bool
) -> None:
    talk.at(10)
    sent = talk.say()
    talk.house.clock.frozen_us = position_of(sent["id"]) + passed_us
    expected = (sent["id"], sent["id"]) if linked else (None, None)
    assert links(talk.house, talk.hear("here I am")) == expected


@pytest.mark.parametrize(("passed_us", "joins"), [(HOUR_US, True), (THREAD_US, True), (THREAD_US + 1, False)])
def test_a_message_joins_the_thread_while_that_lives(talk: Talk, passed_us: int, joins: bool) -> None:
    talk.at(10)
    first = talk.say()
    talk.house.clock.frozen_us = position_of(first["id"]) + passed_us
    second = talk.say()
    assert second["thread_id"] == (first["id"] if joins else second["id"])


def test_a_reply_keeps_its_thread_alive(talk: Talk) -> None:
    talk.at(10)
    first = talk.say("one")
    talk.at(10 + 20 * HOUR_US)
    talk.hear("still here")
    talk.at(10 + 40 * HOUR_US)
    assert talk.say("two")["thread_id"] == first["id"]
    talk.at(10 + 70 * HOUR_US)
    third = talk.say("three")
    assert third["thread_id"] == third["id"]


def test_a_text_that_answers_nothing_has_no_thread(talk: Talk) -> None:
    assert links(talk.house, talk.hear("anybody?")) == (None, None)
    talk.say()
    assert links(talk.house, talk.hear("who is this?", sender=OTHER)) == (None, None)


def test_a_reply_to_another_number_of_ours_is_no_reply(talk: Talk) -> None:
    talk.house.wait(
        talk.house.directory.add_number(
            talk.tenant.org.org_id, "+15550009999", talk.tenant.account.id, talk.tenant.agent.id, ""
        )
    )
    talk.say()
    assert links(talk.house, talk.hear("hm", to="+15550009999")) == (None, None)


def test_what_surely_never_left_is_answered_by_nobody(talk: Talk) -> None:
    first, second = talk.say("one"), talk.say("two")
    talk.house.http.delete(f"/v1/messages/{second['id']}", headers=talk.tenant.auth)
    assert links(talk.house, talk.hear("ok")) == (first["id"], first["id"])


def test_threads_are_listed_the_last_begun_first_and_by_contact(talk: Talk) -> None:
    talk.hear("hi", sender=OTHER)
    begun = []
    for day, contact in enumerate((CONTACT, OTHER, CONTACT)):
        talk.at(10 + 2 * day * THREAD_US)
        begun.append(talk.say(to=contact)["id"])
    talk.at(20 + 4 * THREAD_US)
    talk.hear("yes?")
    seen, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = talk.house.http.get("/v1/threads", params=params, headers=talk.tenant.auth).json()
        seen += page["data"]
        cursor = page["meta"]["next_cursor"]
        if cursor is None:
            break
    assert [thread["id"] for thread in seen] == begun[::-1]
    assert seen[0] == {
        "id": begun[2],
        "phone_number_id": talk.tenant.number.id,
        "number": talk.tenant.number.number,
        "contact_number": CONTACT,
        "started_at": "2027-01-19T08:00:00.000010Z",
        "last_message_at": "2027-01-19T08:00:00.000020Z",
    }
    mine = talk.house.http.get("/v1/threads", params={"contact_number": OTHER}, headers=talk.tenant.auth).json()["data"]
    assert [thread["id"] for thread in mine] == [begun[1]]


def test_a_threads_messages_come_page_by_page_in_both_directions(talk: Talk) -> None:
    thread_id = talk.say("0")["id"]
    for index in range(1, 9):
        if index % 3:
            talk.hear(str(index))
        else:
            talk.say(str(index))
    seen, cursor = [], None
    while True:
        params = {"limit": 4} | ({"cursor": cursor} if cursor else {})
        answer = talk.house.http.get(
            f"/v1/threads/{thread_id}/messages", params=params, headers=talk.tenant.auth
        ).json()
        seen += [message["text"] for message in answer["data"]]
        cursor = answer["meta"]["next_cursor"]
        if cursor is None:
            break
    assert seen == [str(index) for index in range(9)]


def test_another_organizations_thread_is_not_found(talk: Talk) -> None:
    thread_id, other = talk.say()["id"], talk.house.tenant()
    answer = talk.house.http.get(f"/v1/threads/{thread_id}/messages", headers=other.auth)
    assert answer.status_code == 404
    assert talk.house.http.get("/v1/threads", headers=other.auth).json()["data"] == []


def test_the_clock_may_step_back(talk: Talk) -> None:
    talk.at(10 * HOUR_US)
    first = talk.say("one")
    talk.at(0)
    assert links(talk.house, talk.hear("yes")) == (first["id"], first["id"])
    assert talk.say("two")["thread_id"] == first["id"]
