"""The hosted consent form, as a browser without JavaScript uses it."""

import base64
import hashlib
import hmac
import json
import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from roost.core.numbers import number_as_entered
from support.house import House, Tenant
from support.payloads import bandwidth_inbound

CONTACT = "+12125550123"
AGREEMENT = "I agree to receive appointment texts."
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}{% raw %}&lt;"


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def inputs(self) -> dict[str | None, dict[str, str | None]]:
        return {attributes["name"]: attributes for tag, attributes in self.tags if tag == "input"}


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(number="+12125550100")


def make_form(house: House, tenant: Tenant, **changes: Any) -> httpx.Response:
    body = {"phone_number_id": tenant.number.id, "agreement_text": AGREEMENT, **changes}
    return house.http.post("/v1/consent/hosted", json=body, headers=tenant.auth)


def path_of(house: House, tenant: Tenant, **changes: Any) -> str:
    made = make_form(house, tenant, **changes).json()
    assert made["url"] == f"{house.base_url}/consent/{made['token']}"
    return f"/consent/{made['token']}"


def consents(house: House, tenant: Tenant) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = house.http.get("/v1/consent", headers=tenant.auth).json()["data"]
    return data


def test_the_token_is_a_signed_jwt_that_is_good_for_an_hour(house: House, tenant: Tenant) -> None:
    house.clock.frozen_us = 1_780_000_000_123_456
    answer = make_form(house, tenant)
    assert answer.status_code == 201
    made = answer.json()
    assert set(made) == {"token", "url", "expires_at"}
    assert made["expires_at"] == "2026-05-28T21:26:40.000000Z"
    header, payload, signature = (base64.urlsafe_b64decode(part + "==") for part in made["token"].split("."))
    assert json.loads(header) == {"alg": "HS256", "typ": "JWT"}
    claims = json.loads(payload)
    assert (claims["iat"], claims["exp"]) == (1_780_000_000, 1_780_003_600)
    signed = made["token"].rpartition(".")[0].encode()
    key = house.store.vault.derive("hosted consent form")
    assert hmac.new(key, signed, hashlib.sha256).digest() == signature


def test_the_form_says_who_asks_and_for_what_and_works_without_javascript(house: House, tenant: Tenant) -> None:
    answer = house.http.get(path_of(house, tenant))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = Page(answer.text)
    for said in (tenant.org.name, tenant.number.number, AGREEMENT):
        assert said in page.text
    assert set(page.inputs()) == {"contact_number", "agree"}
    assert "script" not in {tag for tag, _ in page.tags}
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in page.tags
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]


def test_nothing_but_the_pages_own_style_may_load_and_the_address_goes_nowhere(house: House, tenant: Tenant) -> None:
    answer = house.http.get(path_of(house, tenant))
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert answer.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("typed", ["+1 (212) 555-0123", "212-555-0123", " 2125550123 "])
def test_whoever_enters_their_number_and_agrees_is_opted_in_with_the_evidence(
    house: House, tenant: Tenant, typed: str
) -> None:
    path = path_of(house, tenant)
    fields = {"contact_number": typed, "agree": "yes"}
    answer = house.http.post(path, data=fields, headers={"User-Agent": "A phone"})
    assert answer.status_code == 200, answer.text
    assert CONTACT in Page(answer.text).text
    (consent,) = consents(house, tenant)
    assert (consent["contact_number"], consent["opted_in"], consent["source"]) == (CONTACT, True, "hosted_form")
    (event,) = house.http.get(f"/v1/consent/{consent['id']}/history", headers=tenant.auth).json()["data"]
    assert (event["consent_method"], event["evidence_ip_address"]) == ("hosted_form", "127.0.0.1")
    assert (event["evidence_user_agent"], event["evidence_agreement_text"]) == ("A phone", AGREEMENT)
    assert event["agreement_text_hash"] == hashlib.sha256(AGREEMENT.encode()).hexdigest()
    assert event["evidence_form_url"].startswith(f"{house.base_url}/consent#")
    assert path.rpartition("/")[2] not in event["evidence_form_url"]
    logged = house.wait(house.store.fetch("SELECT actor_kind FROM audit_log WHERE resource_id = $1", consent["id"]))
    assert [row[0] for row in logged] == ["contact"]
    assert house.send(tenant, CONTACT).status_code == 202


def test_a_form_for_one_contact_asks_for_no_number_and_takes_no_other(house: House, tenant: Tenant) -> None:
    path = path_of(house, tenant, contact_number=CONTACT)
    page = Page(house.http.get(path).text)
    assert set(page.inputs()) == {"agree"}
    assert CONTACT in page.text
    assert house.http.post(path, data={"agree": "yes", "contact_number": "+12125559999"}).status_code == 200
    assert [consent["contact_number"] for consent in consents(house, tenant)] == [CONTACT]


def test_agreeing_twice_is_agreeing_once(house: House, tenant: Tenant) -> None:
    path = path_of(house, tenant, contact_number=CONTACT)
    assert [house.http.post(path, data={"agree": "yes"}).status_code for _ in range(2)] == [200, 200]
    (consent,) = consents(house, tenant)
    assert len(house.http.get(f"/v1/consent/{consent['id']}/history", headers=tenant.auth).json()["data"]) == 1


@pytest.mark.parametrize(
    ("fields", "alerts"),
    [
        ({}, 2),
        ({"agree": "yes"}, 1),
        ({"contact_number": CONTACT}, 1),
        ({"contact_number": CONTACT, "agree": "no"}, 1),
        ({"contact_number": "call me", "agree": "yes"}, 1),
        ({"contact_number": "12", "agree": "yes"}, 1),
        ({"contact_number": "+1212555012345678", "agree": "yes"}, 1),
    ],
)
def test_wrong_input_shows_the_form_again_with_what_to_do(
    house: House, tenant: Tenant, fields: dict[str, str], alerts: int
) -> None:
    answer = house.http.post(path_of(house, tenant), data=fields)
    assert answer.status_code == 422
    page = Page(answer.text)
    assert len([1 for _, attributes in page.tags if attributes.get("role") == "alert"]) == alerts
    assert page.inputs()["contact_number"]["value"] == fields.get("contact_number", "")
    assert ("checked" in page.inputs()["agree"]) == (fields.get("agree") == "yes")
    assert consents(house, tenant) == []


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"agree=yes&contact_number=%00%ff", b"=&=&" * 8])
def test_a_body_that_no_browser_sends_shows_the_form_again(house: House, tenant: Tenant, body: bytes) -> None:
    assert house.http.post(path_of(house, tenant), content=body).status_code == 422


def test_a_body_that_is_too_large_is_refused(house: House, tenant: Tenant) -> None:
    assert house.http.post(path_of(house, tenant), content=b"x" * 20_000).status_code == 413


def test_hostile_text_is_shown_as_text(house: House) -> None:
    tenant = house.tenant(number="+12125550100")
    rename = ("UPDATE organizations SET name = $1 WHERE name = $2", (HOSTILE, tenant.org.name))
    house.wait(house.store.write(rename))
    path = path_of(house, tenant, agreement_text=HOSTILE)
    for answer in (house.http.get(path), house.http.post(path, data={"contact_number": HOSTILE[:32]})):
        page = Page(answer.text)
        assert page.text.count(HOSTILE) == 4, "the title, the heading, who asks, and the agreement"
        assert {tag for tag, _ in page.tags} <= {
            "html", "meta", "title", "style", "main", "h1", "p", "blockquote", "form", "label", "input", "button",
        }  # fmt: skip
    assert page.inputs()["contact_number"]["value"] == HOSTILE[:32]


def test_an_expired_form_says_so(house: House, tenant: Tenant) -> None:
    path = path_of(house, tenant, expires_in=60)
    house.clock.offset_us += 60_000_000
    for answer in (house.http.get(path), house.http.post(path, data={"contact_number": CONTACT, "agree": "yes"})):
        assert (answer.status_code, answer.headers["content-type"]) == (410, "text/html; charset=utf-8")
        assert "not open any more" in answer.text
    assert consents(house, tenant) == []


def test_a_form_whose_number_is_gone_says_so(house: House, tenant: Tenant) -> None:
    path = path_of(house, tenant)
    house.wait(house.store.write(("DELETE FROM numbers WHERE number = $1", (tenant.number.number,))))
    assert house.http.get(path).status_code == 410


def test_a_token_that_was_not_made_here_is_none(house: House, tenant: Tenant) -> None:
    token = path_of(house, tenant).rpartition("/")[2]
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))

    def encoded(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    changed = encoded({**claims, "contact": "+15550009999"})
    none = encoded({"alg": "none", "typ": "JWT"})
    foreign = hmac.new(b"another key", f"{header}.{payload}".encode(), hashlib.sha256).digest()
    foreign_text = base64.urlsafe_b64encode(foreign).decode().rstrip("=")
    for wrong in (
        "x",
        "a..b",
        f"{header}.{changed}.{signature}",
        f"{none}.{payload}.",
        f"{none}.{payload}.{signature}",
        f"{header}.{payload}.{foreign_text}",
        f"{header}.{payload}.{signature}A",
        f"{header}.{payload}.%C3%A9",
        token[:-10],
    ):
        for answer in (
            house.http.get(f"/consent/{wrong}"),
            house.http.post(f"/consent/{wrong}", data={"agree": "yes"}),
        ):
            assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8"), wrong
    assert consents(house, tenant) == []


def test_the_form_does_not_lift_what_the_phone_said(house: House, tenant: Tenant) -> None:
    stop = bandwidth_inbound("m1", tenant.number.number, text="STOP", sender=CONTACT)
    house.deliver(tenant, [stop])
    answer = house.http.post(path_of(house, tenant), data={"contact_number": CONTACT, "agree": "yes"})
    assert answer.status_code == 409
    assert f"Text START from {CONTACT} to {tenant.number.number}" in Page(answer.text).text
    assert [consent["opted_in"] for consent in consents(house, tenant)] == [False]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"agreement_text": ""}, "agreement_text"),
        ({"agreement_text": "x" * 1001}, "agreement_text"),
        ({"contact_number": "555"}, "contact_number"),
        ({"phone_number_id": None}, "phone_number_id"),
        ({"expires_in": 59}, "expires_in"),
        ({"expires_in": 604_801}, "expires_in"),
        ({"expires_in": True}, "expires_in"),
        ({"expires_in": "3600"}, "expires_in"),
        ({"redirect": "x"}, "redirect"),
    ],
)
def test_each_wrong_field_of_a_form_is_named(house: House, tenant: Tenant, changes: dict[str, Any], wrong: str) -> None:
    answer = make_form(house, tenant, **changes)
    assert (answer.status_code, set(answer.json()["error"]["details"])) == (422, {wrong})


def test_the_longest_agreement_still_fits_an_address(house: House, tenant: Tenant) -> None:
    path = path_of(house, tenant, agreement_text="\N{SLICE OF PIZZA}" * 1000)
    assert len(path) < 6000, "proxies commonly take 8,000 bytes"
    assert house.http.get(path).status_code == 200


@pytest.mark.parametrize(
    ("text", "near", "number"),
    [
        ("(212) 555-0123", "+12125550100", "+12125550123"),
        ("020 7123 4567", "+442071234567", "+442071234567"),
        ("+44 20 7123 4567", "+12125550100", "+442071234567"),
        ("0044 20 7123 4567", "+493012345678", "+442071234567"),
        ("12125550123", "+12125550100", "+12125550123"),
        ("2125550123", "+999123", None),
        ("+12125550123", "+999123", None),
        ("911", "+12125550100", None),
        ("", "+12125550100", None),
        ("hello", "+12125550100", None),
    ],
)
def test_a_number_is_read_as_people_write_it(text: str, near: str, number: str | None) -> None:
    assert number_as_entered(text, near) == number
