"""The inbox page in a real Chromium."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from roost.demo_picture import GARDEN
from roost.store.indexing import go_through_all
from roost.store.sessions import Sessions
from support.agents import hear
from support.browser import NARROW, SOON_MS, WIDE, Operator
from support.house import House, Tenant
from support.visitor import link_of, thread_of

MARIA, PAUL, STOPPED = "+14155551234", "+12125559876", "+17185552211"
SHOWN = {MARIA: "+1 415-555-1234", PAUL: "+1 212-555-9876", STOPPED: "+1 718-555-2211"}
OTHERS = (
    ("+16465550134", "Could we make it Thursday instead?"), ("68849", "482913 is your Acme verification code."),
    ("+13105550177", "please stop texting me"), ("+12065550148", "Running ten minutes late, sorry"), (STOPPED, "STOP"),
)  # fmt: skip
TALK = (
    ("Hello! Can I come in tomorrow at 7?", "You are welcome at 7. Shall I write it down?"),
    ("Yes please", "Done. Bring the form, and come through the garden."),
)
PLACES = ("new", "search", "usage", "unrouted", "opt-outs", "numbers", "agents", "accounts", "webhooks", "keys")
Come = Callable[..., Operator]
#: What has nothing to do with the database is tried with one.
on_one_database = pytest.mark.parametrize("open_house", ["sqlite"], indirect=True)


def head(page: Page, contact: str) -> object:
    return page.get_by_role("link", name=SHOWN[contact])


def test_a_text_appears_by_itself_is_read_and_answered_and_the_answer_is_ticked_off(
    open_house: House, tenant: Tenant, operator: Come
) -> None:
    hear(open_house, tenant, PAUL, "an older one")
    page = operator().sign_in()
    hear(open_house, tenant, MARIA, "Can I come in tomorrow?")
    first = page.locator(".heads .head").first
    expect(first).to_contain_text("Can I come in tomorrow?", timeout=SOON_MS)
    expect(first).to_contain_text("Unread")
    expect(page.locator("#said")).to_have_text(f"New text from {MARIA}")
    first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SHOWN[MARIA])
    expect(page.locator(".heads .head").first).not_to_contain_text("Unread")
    page.get_by_label("Your text to").fill("You are welcome at 7 — bring the form")
    expect(page.locator("#size")).to_contain_text("1 segment · UCS-2")
    page.get_by_role("button", name="Send", exact=True).click()
    answer = page.locator("#messages .out").last
    expect(answer).to_contain_text("You are welcome at 7")
    expect(answer).to_contain_text("Delivered")
    expect(page.get_by_label("Your text to")).to_have_value("")
    hear(open_house, tenant, MARIA, "Thank you!")
    expect(page.locator("#messages .in").last).to_contain_text("Thank you!", timeout=SOON_MS)
    expect(page.locator("#messages .in").last).to_be_in_viewport()


@on_one_database
def test_a_text_whose_answer_was_lost_is_sent_again_and_once(open_house: House, tenant: Tenant, operator: Come) -> None:
    hear(open_house, tenant, MARIA, "hello")
    page = operator().sign_in()
    page.goto(thread_of(tenant, MARIA))
    lost = []

    def lose_the_first(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch(max_redirects=0))
            route.abort()
        else:
            route.continue_()

    page.route("**/inbox/threads/**", lose_the_first)
    page.get_by_label("Your text to").fill("once")
    page.get_by_label("Your text to").press("Enter")
    expect(page.locator("#said")).to_contain_text("did not answer")
    expect(page.get_by_label("Your text to")).to_have_value("once")
    page.get_by_label("Your text to").press("Enter")
    expect(page.get_by_label("Your text to")).to_have_value("")
    assert lost[0].status == 303
    assert [each["text"] for each in open_house.outbound(tenant)] == ["once"]


def test_a_stop_while_one_is_typing_says_so_before_anything_is_sent(
    open_house: House, tenant: Tenant, operator: Come
) -> None:
    hear(open_house, tenant, STOPPED, "hello")
    someone = operator()
    page = someone.sign_in()
    page.goto(thread_of(tenant, STOPPED))
    someone.is_following()
    page.get_by_label("Your text to").fill("Our spring sale begins")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()
    hear(open_house, tenant, STOPPED, "STOP")
    expect(page.locator("#refused")).to_contain_text("opted out", timeout=SOON_MS)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    expect(page.locator("#standing")).to_have_text("Opted out")
    page.get_by_label("Your text to").press("Enter")
    expect(page.get_by_label("Your text to")).to_have_value("Our spring sale begins")
    someone.keep("refused")
    assert [each["text"] for each in open_house.outbound(tenant) if "sale" in each["text"]] == []


@on_one_database
def test_the_keyboard_alone_is_enough(open_house: House, tenant: Tenant, operator: Come) -> None:
    hear(open_house, tenant, MARIA, "hello")
    hear(open_house, tenant, PAUL, "good morning")
    someone = operator()
    page = someone.page
    page.goto(link_of(open_house, tenant))
    expect(page.get_by_role("button", name="Open the inbox")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('head')"):
            break
    page.keyboard.press("ArrowDown")
    expect(head(page, MARIA)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(SHOWN[MARIA])
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "text":
            break
    page.keyboard.type("line one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("line two")
    page.keyboard.press("Enter")
    expect(page.locator("#messages .out .words").last).to_have_text("line one\nline two")
    expect(page.get_by_label("Your text to")).to_be_focused()


@on_one_database
def test_a_narrow_screen_has_one_pane_at_a_time(open_house: House, tenant: Tenant, operator: Come) -> None:
    hear(open_house, tenant, MARIA, "hello " * 60)
    someone = operator()
    page = someone.sign_in()
    page.set_viewport_size(NARROW)
    someone.keep("narrow-list")
    assert not someone.scrolls_sideways()
    head(page, MARIA).click()
    expect(page.get_by_label("Your text to")).to_be_visible()
    expect(head(page, MARIA)).to_be_hidden()
    someone.keep("narrow-thread")
    assert not someone.scrolls_sideways()
    page.get_by_role("link", name="Back to the list").click()
    expect(head(page, MARIA)).to_be_visible()


@on_one_database
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_keeps_anybody_out(open_house: House, tenant: Tenant, operator: Come, scheme: str) -> None:
    hear(open_house, tenant, MARIA, "hello")
    open_house.sent(tenant, MARIA, "good morning")
    hear(open_house, tenant, STOPPED, "STOP")
    hear(open_house, tenant, PAUL, "please stop texting me")
    someone = operator(color_scheme=scheme)
    page = someone.page
    page.goto("/inbox/sign-in")
    rules = ["color-contrast"] if scheme == "dark" else []  # else it is the same page
    barriers = {"sign-in": someone.barriers(*rules)}
    someone.sign_in()
    lost = {"id": f"lost-{scheme}", "from": MARIA, "to": "+19995550000", "text": "Is anybody there?"}
    assert open_house.deliver(tenant, lost).json()["unrouted"] == 1
    open_house.wait(go_through_all(open_house.store))
    # What has colours of its own is looked at in the dark, too.
    places = {name: f"/inbox/{name}" for name in PLACES if scheme == "light" or name in ("usage", "keys")}
    for name, path in {"list": "/inbox", "thread": thread_of(tenant, STOPPED), **places}.items():
        page.goto(path)
        someone.is_following()
        barriers[name] = someone.barriers(*rules)
        someone.keep(f"{scheme}-{name}")
        if scheme == "light" and name in ("list", "thread", "keys"):  # what is narrow is narrow in the dark, too
            page.set_viewport_size(NARROW)
            barriers[f"{name}, narrow"] = someone.barriers()
            page.set_viewport_size(WIDE)
    assert {place: found for place, found in barriers.items() if found} == {}
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background.strip("rgb()").split(","))) < 3 * 128) == (scheme == "dark")


def test_whoever_is_signed_out_is_sent_to_where_one_signs_in(open_house: House, tenant: Tenant, operator: Come) -> None:
    hear(open_house, tenant, MARIA, "private words")
    page = operator().sign_in()
    expect(head(page, MARIA)).to_be_visible()
    open_house.wait(Sessions(open_house.store).end_all(tenant.org.org_id))
    page.wait_for_url("**/inbox/sign-in")
    page.go_back()
    page.wait_for_url("**/inbox/sign-in")
    assert "private words" not in page.content()


@on_one_database
def test_the_phone_beside_it_plays_the_other_side(open_house: House, tenant: Tenant, operator: Come) -> None:
    """It makes the picture of the README: artifacts/inbox.png."""
    for nth, (contact, words) in enumerate(OTHERS):
        hear(open_house, tenant, contact, words)
        if nth == 3:
            open_house.sent(tenant, contact, "Thank you, see you then!")
    someone = operator()
    page = someone.sign_in()
    page.set_viewport_size({"width": 1440, "height": 820})
    page.goto(thread_of(tenant, MARIA))
    someone.is_following()
    on_the_phone, text = page.get_by_label("A text from the phone"), page.get_by_label("Your text to")
    for theirs, ours in TALK:
        on_the_phone.fill(theirs)
        on_the_phone.press("Enter")
        expect(page.locator("#messages .in").last).to_contain_text(theirs, timeout=SOON_MS)
        text.fill(ours)
        text.press("Enter")
        expect(page.locator("#phone .in").last).to_contain_text(ours, timeout=2 * SOON_MS)
    event = {"id": "garden", "from": MARIA, "to": tenant.number.number, "text": "Is this the house?", "media": [GARDEN]}
    assert open_house.deliver(tenant, event).json()["stored"] == 1
    picture = page.locator("#messages img")
    expect(picture).to_be_visible()
    assert page.evaluate("document.querySelector('#messages img').decode().then(() => true)")
    text.fill("Yes! Ring twice.")
    expect(page.locator("#size")).to_contain_text("1 segment")
    assert someone.keep("inbox").stat().st_size < 200 * 1024


def test_a_text_is_looked_for_and_found_in_its_thread(open_house: House, tenant: Tenant, operator: Come) -> None:
    hear(open_house, tenant, MARIA, "Is the garden open on Sundays?")
    hear(open_house, tenant, MARIA, "With the children")
    someone = operator()
    page = someone.sign_in()
    open_house.wait(go_through_all(open_house.store))
    page.get_by_role("link", name="Search").click()
    expect(page.get_by_label("Words, or a number")).to_be_focused()
    page.keyboard.type("gard")
    page.keyboard.press("Enter")
    expect(page.locator(".hits mark")).to_have_text("garden")
    someone.keep("search")
    page.locator(".hits a").click()
    expect(page.locator("#messages .in").last).to_contain_text("Is the garden open")
    page.get_by_role("link", name="Newest messages").click()
    expect(page.locator("#messages .in").last).to_contain_text("With the children")


@on_one_database
def test_a_key_is_made_and_shown_once(tenant: Tenant, operator: Come) -> None:
    page = operator().sign_in()
    page.get_by_role("link", name="API keys").click()
    page.get_by_label("Name").fill("Billing agent")
    page.get_by_label("messages:read").check()
    page.get_by_role("button", name="Create the key").click()
    expect(page.locator("#secret")).to_have_text(re.compile(r"am_live_\w{34}"))
    page.get_by_role("link", name="API keys").click()
    expect(page.get_by_role("row", name="Billing agent")).to_be_visible()
    expect(page.locator("#secret")).to_have_count(0)


@on_one_database
def test_signing_out_is_one_button(tenant: Tenant, operator: Come) -> None:
    page = operator().sign_in()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/inbox/sign-in")
    page.goto("/inbox")
    page.wait_for_url("**/inbox/sign-in")


HOSTILE = (
    "<script>document.title = 'got in'</script>", '"><img src=x onerror="alert(1)">', "\u202eevil\u202c \u2067backwards",
    "z\u200be\u200br\u200bo\ufeff" * 50, "\N{GRINNING FACE}" * 10_000, "\N{COMBINING ACUTE ACCENT}" * 400, "W" * 3000,
    "</textarea></form><h1>", "\u0000\u0007\u001b[31m",
)  # fmt: skip


@on_one_database
def test_hostile_texts_are_shown_and_do_nothing(open_house: House, tenant: Tenant, operator: Come) -> None:
    for text in HOSTILE:
        hear(open_house, tenant, PAUL, text)
    hear(open_house, tenant, "<b onclick=alert(2)>\u202eEVE", "hello")
    someone = operator()
    page = someone.sign_in()
    page.goto(thread_of(tenant, PAUL))
    someone.is_following()
    hear(open_house, tenant, PAUL, HOSTILE[1])  # what comes by itself goes another way
    expect(page.locator("#messages .in")).to_have_count(len(HOSTILE) + 1, timeout=SOON_MS)
    words = page.locator("#messages .words").all_text_contents()
    assert words[0] == HOSTILE[0]
    assert words[4] == HOSTILE[4]
    assert words[-1] == HOSTILE[1]
    assert page.title() == f"{SHOWN[PAUL]} · Roost"
    assert page.locator("main script, main img, main b").count() == 0
    assert not someone.scrolls_sideways()
    for bubble in page.locator("#messages .bubble").all():
        box = bubble.bounding_box()
        assert box is not None
        assert box["width"] < 700
    someone.keep("hostile")
    page.set_viewport_size(NARROW)
    assert not someone.scrolls_sideways()
