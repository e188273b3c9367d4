"""The inbox page without a script: threads newest first, what was read, and what is said before and after a send."""

import httpx
import pytest

from roost.core.outbound import MAX_TEXT
from roost.store import pairs
from support.agents import hear
from support.house import House, Tenant
from support.visitor import Html, Visitor, signed_in, thread_of

MARIA, PAUL, STOPPED = "+14155551234", "+14155559876", "+14155550011"


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(carrier="loopback", number="+14155550100")


@pytest.fixture
def visitor(house: House, tenant: Tenant) -> Visitor:
    return signed_in(house, tenant)


def listed(page: httpx.Response) -> list[str]:
    """The contacts of the list, in order."""
    return [
        str(link["href"]).rpartition("/")[2]
        for link in Html(page.text).all("a")
        if "head" in str(link.get("class")).split()
    ]


def unread(page: httpx.Response) -> list[str]:
    links = Html(page.text).all("a")
    return [str(link["href"]).rpartition("/")[2] for link in links if "unread" in str(link.get("class")).split()]


def test_the_thread_that_was_written_in_last_comes_first(house: House, tenant: Tenant, visitor: Visitor) -> None:
    for contact, text in ((MARIA, "first"), (PAUL, "was second"), (MARIA, "third")):
        hear(house, tenant, contact, text)
    assert listed(visitor.get("/inbox")) == [MARIA, PAUL]
    house.sent(tenant, PAUL, "our answer")
    page = visitor.get("/inbox")
    assert listed(page) == [PAUL, MARIA]
    assert "our answer" in page.text
    assert "was second" not in page.text


def test_older_threads_follow_page_by_page_each_once(
    house: House, tenant: Tenant, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where one contact writes so much that a page is not full after all that is looked at."""
    monkeypatch.setattr("roost.web.threads.PAGE", 3)
    for name in ("_STEP", "_LONGEST_STEP", "_STEPS"):
        monkeypatch.setattr(pairs, name, 2)
    contacts = [f"+1415555{nth:04}" for nth in range(8)]
    for contact in contacts:
        hear(house, tenant, contact, "hello")
    for nth in range(20):
        hear(house, tenant, MARIA, f"again {nth}")
    house.sent(tenant, contacts[0], "moved up")
    found, path = [], "/inbox"
    while path:
        page = visitor.get(path)
        found += listed(page)
        more = [str(link["href"]) for link in Html(page.text).all("a") if "?before=" in str(link.get("href"))]
        path = more[0] if more else ""
    assert found == [contacts[0], MARIA, *reversed(contacts[1:])]


def test_a_thread_has_both_directions_oldest_first_and_is_read_once_it_is_seen(
    house: House, tenant: Tenant, visitor: Visitor
) -> None:
    hear(house, tenant, MARIA, "can I come?")
    house.sent(tenant, MARIA, "you are welcome")
    hear(house, tenant, MARIA, "thank you")
    assert unread(visitor.get("/inbox")) == [MARIA]
    page = visitor.get(thread_of(tenant, MARIA))
    assert page.text.index("can I come?") < page.text.rindex("you are welcome") < page.text.rindex("thank you")
    assert unread(visitor.get("/inbox")) == [MARIA], "to look changes nothing"
    html = Html(page.text)
    [seen] = html.all("input", name="id")
    [form] = html.all("form", id="seen")
    assert visitor.fill_in(str(form["action"]), id=str(seen["value"])).status_code == 204
    assert unread(visitor.get("/inbox")) == []
    hear(house, tenant, MARIA, "one more thing")
    assert unread(visitor.get("/inbox")) == [MARIA]
    visitor.fill_in(str(form["action"]), id=str(seen["value"]))
    assert unread(visitor.get("/inbox")) == [MARIA], "what was read before does not make it read"


def test_a_long_thread_goes_on_with_older_messages(
    house: House, tenant: Tenant, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roost.web.threads.MESSAGES", 2)
    for nth in range(5):
        hear(house, tenant, MARIA, f"text {nth}")
    seen, path = [], thread_of(tenant, MARIA)
    while path:
        page = visitor.get(path)
        thread = page.text.partition('class="phone"')[0]
        seen.append([nth for nth in range(5) if f">text {nth}</p>" in thread])
        older = [str(link["href"]) for link in Html(page.text).all("a") if "?before=" in str(link.get("href"))]
        path = older[0] if older else ""
    assert seen == [[3, 4], [1, 2], [0]]


def test_a_reply_is_sent_as_the_api_sends(house: House, tenant: Tenant, visitor: Visitor) -> None:
    hear(house, tenant, MARIA, "hello")
    answer = visitor.fill_in(thread_of(tenant, MARIA), text="line one\r\nline two")
    assert (answer.status_code, answer.headers["location"]) == (303, thread_of(tenant, MARIA))
    [message] = house.outbound(tenant)
    assert (message["to"], message["text"], message["status"]) == (MARIA, "line one\nline two", "queued")
    assert "Queued" in visitor.get(thread_of(tenant, MARIA)).text


def test_who_gets_no_answer_sends_again_and_it_is_sent_once(house: House, tenant: Tenant, visitor: Visitor) -> None:
    hear(house, tenant, MARIA, "hello")
    values = {"token": visitor.token(), "text": "once"}
    name = {"Idempotency-Key": "0123456789abcdef"}
    answers = [visitor.post(thread_of(tenant, MARIA), values, **name) for _ in range(2)]
    assert {(answer.status_code, answer.headers["location"]) for answer in answers} == {(303, thread_of(tenant, MARIA))}
    assert [message["text"] for message in house.outbound(tenant)] == ["once"]
    assert visitor.post(thread_of(tenant, MARIA), {**values, "text": "other"}, **name).status_code == 422


@pytest.mark.parametrize(
    ("contact", "said"),
    [
        (STOPPED, "opted out. Only a START from their phone lifts that."),
        (PAUL, "has neither written first nor agreed"),
        ("68849", "a short code or a sender&#39;s name"),
        ("SUPPORT", "a short code or a sender&#39;s name"),
    ],
)
def test_a_send_that_would_be_refused_says_so_before_and_keeps_what_was_typed(
    house: House, tenant: Tenant, visitor: Visitor, contact: str, said: str
) -> None:
    hear(house, tenant, STOPPED, "STOP")
    for sender in ("68849", "SUPPORT"):
        hear(house, tenant, sender, "your code is 482913")
    path = thread_of(tenant, contact)
    page = visitor.get(path)
    assert said in page.text
    [button] = Html(page.text).all("button", id="send")
    assert "disabled" in button
    tried = visitor.fill_in(path, text="what I typed")
    assert tried.status_code == 422
    assert said in tried.text
    assert ">what I typed</textarea>" in tried.text
    assert [each["text"] for each in house.outbound(tenant) if each["to"] == contact and "typed" in each["text"]] == []


def test_the_page_says_when_a_text_waits_and_for_what(house: House, tenant: Tenant, visitor: Visitor) -> None:
    hear(house, tenant, MARIA, "hello")
    hear(house, tenant, PAUL, "please stop texting me")
    hours = {"enabled": True, "start": "00:00", "end": "23:59", "mode": "defer"}
    assert house.http.patch("/v1/organization", json={"quiet_hours": hours}, headers=tenant.auth).status_code == 200
    visitor.get("/inbox")
    house.clock.offset_us = 2_000_000
    assert "this leaves" in visitor.get(thread_of(tenant, MARIA)).text
    visitor.fill_in(thread_of(tenant, MARIA), text="tomorrow then")
    assert "Waits for its time" in visitor.get(thread_of(tenant, MARIA)).text


def test_the_size_of_a_text_is_told_as_it_is_counted_everywhere(house: House, tenant: Tenant, visitor: Visitor) -> None:
    hear(house, tenant, MARIA, "hello")
    path = thread_of(tenant, MARIA).replace("threads", "outlook")
    told = {
        text: " ".join(Html(visitor.fill_in(path, text=text).text).text.split())
        for text in ("", "hello", "é" * 161, "\N{GRINNING FACE}" * 35, "x" * (MAX_TEXT + 1), "two\r\nlines")
    }
    assert "segment" not in told[""]
    assert "1 segment · GSM-7 · 5 of 1,600" in told["hello"]
    assert "2 segments · GSM-7" in told["é" * 161]
    assert "1 segment · UCS-2" in told["\N{GRINNING FACE}" * 35]
    assert "at most 1600 characters" in told["x" * (MAX_TEXT + 1)]
    assert "· 9 of" in told["two\r\nlines"]


def test_badges_tell_who_opted_out_and_who_perhaps_did(house: House, tenant: Tenant, visitor: Visitor) -> None:
    hear(house, tenant, STOPPED, "STOP")
    hear(house, tenant, PAUL, "please stop texting me")
    hear(house, tenant, MARIA, "hello")
    page = visitor.get("/inbox").text
    assert page.count(">Opted out<") == 1
    assert page.count(">Opted out?<") == 1
    assert ">Opt-out<" in visitor.get(thread_of(tenant, STOPPED)).text


def test_a_new_text_begins_with_a_number_as_people_write_it(house: House, tenant: Tenant, visitor: Visitor) -> None:
    assert tenant.number.number in visitor.get("/inbox/new").text
    params = {"number": tenant.number.number, "contact": "(415) 555-1234"}
    assert visitor.get("/inbox/new", params=params).headers["location"] == thread_of(tenant, MARIA)
    wrong = visitor.get("/inbox/new", params={**params, "contact": "<b>nobody"})
    assert wrong.status_code == 422
    assert "&lt;b&gt;nobody" in wrong.text
    assert visitor.get(thread_of(tenant, MARIA)).status_code == 200, "there is nothing in it yet"


def test_what_is_past_its_time_is_not_shown(house: House, tenant: Tenant, visitor: Visitor) -> None:
    hear(house, tenant, MARIA, "hello")
    house.clock.offset_us = 31 * 24 * 3600 * 1_000_000
    visitor = signed_in(house, tenant)
    hear(house, tenant, PAUL, "later")
    assert listed(visitor.get("/inbox")) == [PAUL]
    assert "hello" not in visitor.get(thread_of(tenant, MARIA)).text


HOSTILE = (
    "<script>document.title='got in'</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "{{ 7*7 }}{% raw %}",
    "\u202eright to left\u202c", "a\u200bb\u200db\ufeff", "</p></li></ol><h1>", "&lt;b&gt;", "javascript:alert(1)",
)  # fmt: skip


def test_no_text_and_no_sender_becomes_markup(house: House, tenant: Tenant, visitor: Visitor) -> None:
    before = {tag for tag, _ in Html(visitor.get("/inbox").text).tags}
    for nth, text in enumerate(HOSTILE):
        hear(house, tenant, f"<b>{nth}</b>'\"/&", text)
    page = Html(visitor.get("/inbox").text)
    assert {tag for tag, _ in page.tags} - before <= {"bdi", "time", "span", "circle"}
    for text in HOSTILE:
        assert text in page.text
    for nth, text in enumerate(HOSTILE):
        thread = Html(visitor.get(thread_of(tenant, f"<b>{nth}</b>'\"/&")).text)
        assert text in thread.text
        assert f"<b>{nth}</b>'\"/&" in thread.text
        assert not [each for tag, each in thread.tags if any(name.startswith("on") for name in each)]
        assert [tag for tag, _ in thread.tags].count("script") == 1
