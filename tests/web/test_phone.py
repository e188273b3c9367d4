"""The phone beside the inbox, which plays the other side."""

import pytest

from support.house import House, Tenant
from support.visitor import Html, Visitor, signed_in, thread_of

MARIA = "+14155551234"


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(carrier="loopback", number="+14155550100")


@pytest.fixture
def visitor(house: House, tenant: Tenant) -> Visitor:
    return signed_in(house, tenant)


def phone_of(tenant: Tenant, contact: str) -> str:
    return thread_of(tenant, contact).replace("/threads/", "/phone/")


def test_what_is_written_on_it_comes_in_as_a_text(house: House, tenant: Tenant, visitor: Visitor) -> None:
    [form] = [each for each in Html(visitor.get("/inbox").text).all("form") if "data-stay" in each]
    answer = visitor.fill_in(str(form["action"]), text="is this\r\nthe clinic?")
    assert answer.status_code == 303
    [message] = house.inbound(tenant)
    assert (message["body"], message["to"]) == ("is this\nthe clinic?", tenant.number.number)
    assert "the clinic?" in visitor.get(answer.headers["location"]).text
    visitor.fill_in(phone_of(tenant, MARIA), text="STOP")
    assert house.inbound(tenant)[0]["opt_out"] == {"detected": True, "keyword": "STOP"}
    assert house.send(tenant, MARIA).status_code == 453


def test_it_shows_what_has_reached_it(house: House, tenant: Tenant, visitor: Visitor) -> None:
    visitor.fill_in(phone_of(tenant, MARIA), text="hello")
    house.sent(tenant, MARIA, "still on its way")
    page = visitor.get(phone_of(tenant, MARIA))
    assert "hello" in page.text
    assert "still on its way" not in page.text


def test_nobody_plays_a_contact_of_a_real_carrier_or_of_another_organization(house: House, visitor: Visitor) -> None:
    real, other = house.tenant(), house.tenant(carrier="loopback")
    at_real = signed_in(house, real)
    assert "data-stay" not in at_real.get("/inbox").text
    for someone, tenant in ((at_real, real), (visitor, other)):
        assert someone.get(phone_of(tenant, MARIA)).status_code == 404
        assert someone.fill_in(phone_of(tenant, MARIA), text="hello").status_code == 404
        assert house.inbound(tenant) == []


def test_it_takes_a_session_that_may_send(house: House, tenant: Tenant) -> None:
    reader = signed_in(house, tenant, ["messages:read"])
    assert "data-stay" not in reader.get("/inbox").text
    assert reader.fill_in(phone_of(tenant, MARIA), text="hello").status_code == 403
