"""One-time codes over HTTP: with each message on demand, and the newest of a number."""

from typing import Any

import httpx
import pytest

from support.allowed import allowed
from support.house import House, Tenant
from support.payloads import bandwidth_inbound

PATH = "/v1/otp"
GOOGLE, BANK, FRIEND = "22000", "+15554443333", "+15554443334"
MINUTE_US = 60 * 1_000_000


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(number="+15551112222")


def arrive(house: House, tenant: Tenant, sender: str, *texts: str) -> list[str]:
    """Texts of one sender; their ids."""
    now = house.clock()
    batch = [
        bandwidth_inbound(f"{now}-{n}", tenant.number.number, text=text, sender=sender) for n, text in enumerate(texts)
    ]
    ids: list[str] = house.deliver(tenant, batch).json()["ids"]
    return ids


def newest(house: House, tenant: Tenant, **params: Any) -> httpx.Response:
    return house.http.get(PATH, params={"to": tenant.number.number, **params}, headers=tenant.auth)


def code(house: House, tenant: Tenant, **params: Any) -> str | None:
    """The newest code; None when there is none."""
    answer = newest(house, tenant, **params)
    if answer.status_code == 404:
        assert answer.json()["error"]["code"] == "NOT_FOUND"
        return None
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["data"]["code"]
    return found


def test_a_message_shows_its_code_when_asked_to(house: House, tenant: Tenant) -> None:
    bound = "Your Acme code is 482-913.\n\n@acme.example #482-913"
    google, plain, both = arrive(house, tenant, GOOGLE, "G-482913 is your Google verification code.", "hello", bound)
    shown = {message["id"]: message["otp"] for message in house.inbound(tenant, include="otp")}
    assert shown == {
        google: {"code": "482913", "service": "Google", "domain": None},
        plain: None,
        both: {"code": "482-913", "service": "Acme", "domain": "acme.example"},
    }
    one = house.http.get(f"/v1/inbound-messages/{google}", params={"include": "otp"}, headers=tenant.auth)
    assert one.json()["data"]["otp"] == shown[google]
    assert "otp" not in house.inbound(tenant)[0], "and only then"


def test_the_newest_code_of_a_number_comes_with_the_message_that_brought_it(house: House, tenant: Tenant) -> None:
    arrive(house, tenant, GOOGLE, "G-111111 is your Google verification code.")
    [message] = arrive(house, tenant, BANK, "Acme: Your code is 482913")
    arrive(house, tenant, FRIEND, "how are you?", "order 777777 is on its way")
    answer = newest(house, tenant)
    assert answer.status_code == 200
    data = answer.json()["data"]
    received_at = data.pop("received_at")
    assert answer.json()["success"] is True
    assert data == {
        "code": "482913", "service": "Acme", "domain": None, "message_id": message, "from": BANK, "to": "+15551112222",
    }  # fmt: skip
    stored = house.http.get(f"/v1/inbound-messages/{message}", headers=tenant.auth).json()["data"]
    assert received_at == stored["received_at"]
    assert code(house, tenant, **{"from": GOOGLE}) == "111111"
    assert code(house, tenant, **{"from": FRIEND}) is None


def test_only_a_recent_code_counts_or_one_since_then_or_after_that_message(house: House, tenant: Tenant) -> None:
    house.clock.frozen_us = house.clock()
    [first] = arrive(house, tenant, GOOGLE, "G-111111 is your Google verification code.")
    at = house.inbound(tenant)[0]["received_at"]
    assert code(house, tenant, since=at) == "111111", "inclusive"
    assert code(house, tenant, after=first) is None
    house.clock.frozen_us += 9 * MINUTE_US
    assert code(house, tenant) == "111111"
    house.clock.frozen_us += 2 * MINUTE_US
    assert code(house, tenant) is None
    assert code(house, tenant, since=at) == "111111", "however long ago"
    assert code(house, tenant, since=at, after=first) is None
    arrive(house, tenant, GOOGLE, "G-222222 is your Google verification code.")
    assert code(house, tenant, after=first) == "222222"


def test_a_code_is_found_beneath_hundreds_of_other_texts(house: House, tenant: Tenant) -> None:
    arrive(house, tenant, GOOGLE, "G-482913 is your Google verification code.", *(f"text {n}" for n in range(150)))
    assert code(house, tenant) == "482913"


def test_a_blocked_senders_code_is_left_out(house: House, tenant: Tenant) -> None:
    arrive(house, tenant, GOOGLE, "G-482913 is your Google verification code.")
    assert house.http.post("/v1/blocked-senders", json={"sender": BANK}, headers=tenant.auth).status_code == 201
    arrive(house, tenant, BANK, "G-666666 is your Google verification code.")
    assert code(house, tenant) == "482913"


def test_another_organizations_code_is_not_found(house: House, tenant: Tenant) -> None:
    other = house.tenant(number="+15551113333")
    arrive(house, other, GOOGLE, "G-482913 is your Google verification code.")
    assert code(house, tenant, to=other.number.number) is None
    assert code(house, other) == "482913"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "to"), ("to=", "to"), ("to=%2B15551112222&to=22000", "to"), ("to=22000&from=", "from"),
        ("to=22000&since=x", "since"),
        ("to=22000&after=7", "after"), ("to=22000&number=x", "number"), ("to=22000&limit=1", "limit"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_parameter(house: House, tenant: Tenant, query: str, parameter: str) -> None:
    answer = house.http.get(f"{PATH}?{query}", headers=tenant.auth)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "VALIDATION_FAILED")
    assert set(answer.json()["error"]["details"]) == {parameter}


def test_it_takes_a_key_that_may_read(house: House, tenant: Tenant) -> None:
    params = {"to": tenant.number.number}
    assert house.http.get(PATH, params=params).status_code == 401
    assert house.http.get(PATH, params=params, headers=allowed(house, tenant, "messages:send")).status_code == 403
