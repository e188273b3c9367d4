"""Signing in to the inbox page and out again: by a link that works once, by a key; and what a page of another site cannot do."""

import re
from pathlib import Path

import pytest

import roost.web.inbox
from roost.core.ids import FIRST_ID
from roost.core.scopes import SCOPES
from roost.store.sessions import LINK_US, SESSION_US, Sessions
from support.agents import hear
from support.house import House, Tenant
from support.visitor import Visitor, link_of, signed_in, thread_of

CONTACT = "+15554443333"
#: Everything that needs a session: a new page is new to this table, too.
PAGES = (
    ("GET", "/inbox"), ("GET", "/inbox/new"), ("GET", "{thread}"), ("POST", "{thread}"), ("POST", "{outlook}"),
    ("POST", "{read}"), ("GET", "{phone}"), ("POST", "{phone}"), ("GET", "/inbox/unrouted"), ("POST", "/inbox/unrouted/{id}"),
    ("GET", "/inbox/search"), ("GET", "/inbox/usage"),
    ("GET", "/inbox/webhooks"), ("POST", "/inbox/webhooks/{id}/replay"),
    ("GET", "/inbox/opt-outs"), ("GET", "/inbox/numbers"), ("POST", "/inbox/numbers"), ("GET", "/inbox/agents"),
    ("GET", "/inbox/accounts"), ("POST", "/inbox/accounts/{id}/test"), ("GET", "/inbox/keys"), ("POST", "/inbox/keys"),
    ("POST", "/inbox/keys/{id}/revoke"), ("POST", "/inbox/sign-out"),
)  # fmt: skip


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(carrier="loopback")


def paths(tenant: Tenant) -> list[tuple[str, str]]:
    thread = thread_of(tenant, CONTACT)
    places = {name: thread.replace("/threads/", f"/{name}/") for name in ("outlook", "read", "phone")}
    return [(method, path.format(thread=thread, id=FIRST_ID, **places)) for method, path in PAGES]


def test_a_link_signs_in_once_and_looking_at_it_does_not_use_it(house: House, tenant: Tenant) -> None:
    link, first, second = link_of(house, tenant), Visitor(house), Visitor(house)
    for _ in range(3):  # a preview, a scanner
        looked = second.get(link)
        assert looked.status_code == 200
        assert "set-cookie" not in looked.headers
    answer = first.sign_in(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox")
    assert first.get("/inbox").status_code == 200
    refused = second.sign_in(link)
    assert refused.status_code == 401
    assert "used already" in refused.text
    assert second.get(link).status_code == 401
    assert second.get("/inbox").status_code == 303


def test_the_cookie_is_for_the_pages_alone_and_out_of_reach_of_scripts(house: House, tenant: Tenant) -> None:
    cookie = Visitor(house).sign_in(link_of(house, tenant)).headers["set-cookie"]
    assert re.fullmatch(
        rf"roost_session=[\w-]{{43}}; Path=/inbox; Max-Age={SESSION_US // 1_000_000}; HttpOnly; SameSite=Lax", cookie
    )


def test_a_link_and_a_session_end_by_themselves(house: House, tenant: Tenant) -> None:
    late, visitor = link_of(house, tenant), signed_in(house, tenant)
    house.clock.offset_us = LINK_US
    assert Visitor(house).sign_in(late).status_code == 401
    assert visitor.get("/inbox").status_code == 200
    house.clock.offset_us = SESSION_US
    assert visitor.get("/inbox").status_code == 303


def test_a_key_signs_in_if_it_may_read_and_its_revocation_ends_the_session(house: House, tenant: Tenant) -> None:
    visitor = Visitor(house)
    key = house.wait(house.directory.create_api_key(tenant.org.org_id, "page", ["messages:read"], None))
    unable = house.wait(house.directory.create_api_key(tenant.org.org_id, "other", ["messages:send"], None))
    assert visitor.post("/inbox/sign-in", {"api_key": "am_live_nobody"}).status_code == 401
    assert visitor.post("/inbox/sign-in", {"api_key": unable.plaintext}).status_code == 403
    assert visitor.post("/inbox/sign-in", {"api_key": f" {key.plaintext} "}).status_code == 303
    assert visitor.get("/inbox").status_code == 200
    sends = visitor.fill_in(thread_of(tenant, CONTACT), text="hello")
    assert sends.status_code == 403
    assert "without the scope messages:send" in sends.text
    house.wait(house.directory.revoke_api_key(tenant.org.org_id, key.id))
    assert house.wait(Sessions(house.store).session(visitor.http.cookies["roost_session"])) is None


def test_signing_out_ends_the_session_and_takes_the_cookie_away(house: House, tenant: Tenant) -> None:
    visitor = signed_in(house, tenant)
    secret = visitor.http.cookies["roost_session"]
    answer = visitor.fill_in("/inbox/sign-out")
    assert answer.headers["set-cookie"].startswith("roost_session=; Path=/inbox; Max-Age=0")
    assert house.wait(Sessions(house.store).session(secret)) is None


def test_everybody_is_signed_out_at_once(house: House, tenant: Tenant) -> None:
    visitor, link = signed_in(house, tenant), link_of(house, tenant)
    assert house.wait(Sessions(house.store).end_all(tenant.org.org_id)) == 1
    assert house.wait(Sessions(house.store).session(visitor.http.cookies["roost_session"])) is None
    assert Visitor(house).sign_in(link).status_code == 401


def test_the_table_has_every_page() -> None:
    """But for the door itself and the files, which need no session."""
    source = Path(roost.web.inbox.__file__).read_text("utf-8")
    routes = re.findall(r'\("(GET|POST)", f?"(/?[^"]*)"', source)
    open_to_all = {("GET", "/sign-in"), ("POST", "/sign-in"), ("GET", "/sign-in/{link}"), ("GET", "/assets/{name}")}
    assert open_to_all < set(routes)
    assert len(PAGES) == len(set(routes) - open_to_all - {("GET", "/events"), ("GET", "/{rest:path}")})


def test_nothing_is_shown_or_done_without_a_session(house: House, tenant: Tenant) -> None:
    hear(house, tenant, CONTACT, "hello")
    for method, path in paths(tenant):
        answer = Visitor(house).http.request(method, path, headers={"Origin": house.base_url})
        assert (answer.status_code, answer.headers["location"]) == (303, "/inbox/sign-in"), path
    assert Visitor(house).get("/inbox/events").status_code == 401


def test_no_page_of_another_site_changes_anything(house: House, tenant: Tenant) -> None:
    hear(house, tenant, CONTACT, "hello")
    visitor = signed_in(house, tenant)
    token, other = visitor.token(), signed_in(house, tenant).token()
    values = {"text": "hello", "id": FIRST_ID}
    for method, path in paths(tenant):
        if method == "POST":
            for origin in ("https://evil.example", "null", ""):
                assert visitor.post(path, {**values, "token": token}, Origin=origin).status_code == 403, (path, origin)
            for wrong in ({}, {"token": ""}, {"token": "x"}, {"token": other}):
                assert visitor.post(path, {**values, **wrong}).status_code == 403, (path, wrong)
    link = link_of(house, tenant)
    foreign = Visitor(house)
    foreign.origin = "https://evil.example"
    assert foreign.sign_in(link).status_code == 403
    assert house.outbound(tenant) == []
    assert visitor.get("/inbox").status_code == 200


def test_the_api_believes_no_cookie(house: House, tenant: Tenant) -> None:
    secret = signed_in(house, tenant).http.cookies["roost_session"]
    headers = {"Cookie": f"roost_session={secret}"}
    for path in ("/v1/inbound-messages", "/v1/events", "/v1/api-keys"):
        assert house.http.get(path, headers=headers).status_code == 401


def test_an_organization_sees_its_own_threads_alone(house: House, tenant: Tenant) -> None:
    other = house.tenant(carrier="loopback")
    hear(house, other, CONTACT, "for the other")
    visitor = signed_in(house, tenant)
    assert "for the other" not in visitor.get("/inbox").text
    assert visitor.get(thread_of(other, CONTACT)).status_code == 404
    refused = visitor.fill_in(thread_of(other, CONTACT), text="hello")
    assert refused.status_code == 404
    visitor.fill_in(thread_of(other, CONTACT).replace("threads", "read"), id="ffffffff-ffff-7fff-bfff-ffffffffffff")
    assert 'title="Unread"' in signed_in(house, other).get("/inbox").text


def test_every_page_is_strict_about_what_it_loads(house: House, tenant: Tenant) -> None:
    hear(house, tenant, CONTACT, "hello")
    visitor = signed_in(house, tenant)
    for path in ("/inbox", "/inbox/new", thread_of(tenant, CONTACT), "/inbox/sign-in", "/inbox/nothing-there"):
        answer = visitor.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(
            r'(?: style| on\w+)=|<style|<script(?! type="module" src="/inbox/)|(?:src|href)="(?:https?:)?//',
            answer.text,
        )


def test_what_is_not_there_is_said_on_a_page(house: House) -> None:
    answer = Visitor(house).get("/inbox/nothing-there")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is nothing here" in answer.text
    assert Visitor(house).get("/inbox/").headers["location"] == "/inbox"


def test_a_link_may_be_for_less_than_everything(house: House, tenant: Tenant) -> None:
    hear(house, tenant, CONTACT, "hello")
    visitor = signed_in(house, tenant, ["messages:read"])
    page = visitor.get(thread_of(tenant, CONTACT))
    assert page.status_code == 200
    assert 'id="composer"' not in page.text
    assert visitor.get("/inbox/new").status_code == 403
    assert set(SCOPES) > {"messages:read"}
