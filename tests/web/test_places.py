"""What the page has besides threads: keys, numbers, agents, carrier accounts, unrouted deliveries, opt-outs."""

import re

import pytest

from roost.store.indexing import go_through_all
from support.agents import hear
from support.house import House, Tenant
from support.visitor import Html, Visitor, signed_in

CONTACT, UNKNOWN = "+14155551234", "+19995550000"


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(carrier="loopback", number="+14155550100")


@pytest.fixture
def visitor(house: House, tenant: Tenant) -> Visitor:
    return signed_in(house, tenant)


def test_a_key_is_shown_once_and_works_until_it_is_revoked(house: House, tenant: Tenant, visitor: Visitor) -> None:
    made = visitor.fill_in("/inbox/keys", label="Billing <b>", **{"scope messages:read": "on"})
    assert made.status_code == 201
    [secret] = set(re.findall(r"am_live_\w{34}", made.text))
    assert secret not in visitor.get("/inbox/keys").text
    assert "Billing &lt;b&gt;" in made.text
    auth = {"Authorization": f"Bearer {secret}"}
    assert house.http.get("/v1/inbound-messages", headers=auth).status_code == 200
    assert house.http.get("/v1/api-keys", headers=auth).status_code == 403
    revoke = next(str(form["action"]) for form in Html(made.text).all("form") if "revoke" in str(form["action"]))
    assert visitor.fill_in(revoke).status_code == 303
    assert "Revoked" in visitor.get("/inbox/keys").text
    log = house.http.get("/v1/audit-log", headers=tenant.auth).json()["data"]
    assert {"api_key.created", "api_key.revoked", "session.began"} <= {entry["action"] for entry in log}


def test_nobody_gives_a_key_what_they_do_not_have(house: House, tenant: Tenant) -> None:
    visitor = signed_in(house, tenant, ["messages:read", "apikeys:read", "apikeys:write"])
    assert "messages:send" not in str(Html(visitor.get("/inbox/keys").text).all("input", type="checkbox"))
    for values in ({"scope messages:send": "on"}, {"scope nonsense": "on"}, {}):
        assert visitor.fill_in("/inbox/keys", label="more", **values).status_code == 422
    assert visitor.fill_in("/inbox/keys", **{"scope messages:read": "on"}).status_code == 422, "without a name"


def test_a_number_is_added_once_and_to_ones_own_account(house: House, tenant: Tenant, visitor: Visitor) -> None:
    other = house.tenant(carrier="loopback")
    values = {"number": "+14155550199", "account": tenant.account.id, "agent": tenant.agent.id, "label": "Support"}
    for wrong in ({"number": "4155550199"}, {"account": other.account.id}, {"agent": other.agent.id}, {"account": "x"}):
        assert visitor.fill_in("/inbox/numbers", **{**values, **wrong}).status_code == 422, wrong
    assert visitor.fill_in("/inbox/numbers", **values).status_code == 303
    page = visitor.get("/inbox/numbers").text
    assert "+1 415-555-0199" in page
    assert "Support" in page
    again = visitor.fill_in("/inbox/numbers", **values)
    assert (again.status_code, "registered already" in again.text) == (422, True)
    assert other.number.number not in page
    agents = visitor.get("/inbox/agents").text
    assert tenant.agent.wallet in agents
    assert other.agent.wallet not in agents
    assert "+1 415-555-0199" in agents


def test_a_carrier_account_has_its_webhook_url_and_is_tested(house: House, tenant: Tenant, visitor: Visitor) -> None:
    other = house.tenant(carrier="loopback")
    page = visitor.get("/inbox/accounts")
    assert f"{house.base_url}{tenant.webhook}" in page.text
    assert other.account.id not in page.text
    tested = visitor.fill_in(f"/inbox/accounts/{tenant.account.id}/test")
    assert "it receives and sends" in tested.text
    assert "loopback needs nothing from outside" in tested.text
    assert visitor.fill_in(f"/inbox/accounts/{other.account.id}/test").status_code == 404


def test_what_could_not_be_placed_is_routed(house: House, tenant: Tenant, visitor: Visitor) -> None:
    lost = {"id": "lost", "from": CONTACT, "to": UNKNOWN, "text": "Is <b>anybody</b> there?"}
    odd = {"odd": "thing"}
    assert house.deliver(tenant, [lost, odd]).json()["unrouted"] == 2
    page = Html(visitor.get("/inbox/unrouted").text)
    assert "Is <b>anybody</b> there?" in page.text
    forms = [str(form["action"]) for form in page.all("form") if "/unrouted/" in str(form["action"])]
    assert len(forms) == 2
    refused = [visitor.fill_in(action) for action in forms]
    assert [each.status_code for each in refused] == [422, 422], "the number is not there yet"
    assert "still unrouted" in refused[0].text + refused[1].text
    routed = [visitor.fill_in(action, number=tenant.number.number).status_code for action in forms]
    assert sorted(routed) == [303, 422], "the odd one cannot be a message"
    assert [message["body"] for message in house.inbound(tenant)] == ["Is <b>anybody</b> there?"]
    assert "anybody" not in visitor.get("/inbox/unrouted").text
    assert "anybody" in visitor.get("/inbox").text
    stranger = signed_in(house, house.tenant(carrier="loopback"))
    assert "Nothing waits" in stranger.get("/inbox/unrouted").text
    assert stranger.fill_in(forms[0], number=tenant.number.number).status_code == 404


def test_the_opt_outs_that_stand_are_listed(house: House, tenant: Tenant, visitor: Visitor) -> None:
    assert "Nobody has opted out" in visitor.get("/inbox/opt-outs").text
    hear(house, tenant, CONTACT, "STOP")
    hear(house, tenant, UNKNOWN, "hello")
    page = visitor.get("/inbox/opt-outs").text
    assert "+1 415-555-1234" in page
    assert "their text" in page
    assert "+1 999-555-0000" not in page
    hear(house, tenant, CONTACT, "START")
    assert "Nobody has opted out" in visitor.get("/inbox/opt-outs").text


@pytest.mark.parametrize(
    ("place", "scope"),
    [
        ("keys", "apikeys:read"),
        ("numbers", "numbers:read"),
        ("agents", "org:read"),
        ("accounts", "org:read"),
        ("opt-outs", "consent:read"),
    ],
)
def test_a_place_takes_the_scope_that_the_api_asks_for(house: House, tenant: Tenant, place: str, scope: str) -> None:
    reader = signed_in(house, tenant, ["messages:read"])
    assert reader.get(f"/inbox/{place}").status_code == 403
    assert f'href="/inbox/{place}"' not in reader.get("/inbox").text
    able = signed_in(house, tenant, ["messages:read", scope])
    page = able.get(f"/inbox/{place}")
    assert page.status_code == 200
    assert [form["action"] for form in Html(page.text).all("form")] == ["/inbox/sign-out"], "to look is not to change"


def test_search_shows_where_the_words_stand_and_leads_there(house: House, tenant: Tenant, visitor: Visitor) -> None:
    hear(house, tenant, CONTACT, "Is the <b>garden</b> open?")
    for nth in range(60):
        hear(house, tenant, CONTACT, f"and {nth}")
    house.wait(go_through_all(house.store))
    page = visitor.get("/inbox/search", params={"q": "GARD"})
    assert "&lt;<mark>" not in page.text
    assert "<mark>garden</mark>" in page.text
    assert "&lt;b&gt;" not in page.text.partition("<mark>")[2].partition("</a>")[0].replace("&lt;/b&gt;", "")
    [hit] = [str(link["href"]) for link in Html(page.text).all("a") if "#m-" in str(link.get("href"))]
    thread = visitor.get(hit.partition("#")[0]).text
    assert f'id="{hit.partition("#")[2]}"' in thread
    many = Html(visitor.get("/inbox/search", params={"q": "and"}).text)
    [older] = [str(link["href"]) for link in many.all("a") if str(link["href"]).startswith("/inbox/search?")]
    assert "<mark>and</mark>" in visitor.get(older).text
    assert "Nothing has all of these words" in visitor.get("/inbox/search", params={"q": "<script>"}).text


def test_usage_is_drawn_and_told_for_each_day_and_number(house: House, tenant: Tenant, visitor: Visitor) -> None:
    for nth in range(3):
        hear(house, tenant, CONTACT, f"hello {nth}")
    house.sent(tenant, CONTACT, "é" * 161)
    house.wait(go_through_all(house.store))
    page = visitor.get("/inbox/usage")
    assert "<td>3</td><td>3</td><td>1</td><td>2</td>" in page.text
    assert "3 in, 1 out" in page.text
    none = visitor.get("/inbox/usage", params={"number": "+19995550000"})
    assert "Nothing yet." in none.text
