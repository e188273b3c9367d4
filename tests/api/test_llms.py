"""/llms.txt against the routes that there are."""

import re

from support.agents import hear
from support.house import House

#: More than a model should have to read before it can do anything.
MOST_CHARACTERS = 12_000


def test_it_has_every_route_for_agents_once_and_nothing_that_there_is_not(house: House) -> None:
    answer = house.http.get("/llms.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    page, paths = answer.text, house.http.get("/openapi.json").json()["paths"]
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
    listed = re.findall(r"^- `([A-Z]+ [^`]+)`: (.*)$", page, re.MULTILINE)
    wanted = {
        name
        for name, operation in operations.items()
        if not {"Intake", "Operations", "Consent form"} & {*operation["tags"]}
    }
    assert sorted(name for name, _ in listed) == sorted(wanted)
    for name, said in listed:
        operation = operations[name]
        assert operation["summary"] in said
        scope = re.search(r"Requires the `([^`]+)` scope", operation["description"])
        assert re.findall(r"\(scope `([^`]+)`\)", said) == ([scope[1]] if scope else [])
        query = [each["name"] for each in operation["parameters"] if each["in"] == "query"]
        assert said.endswith(f"Query: {', '.join(query)}." if query else ".")
    mentioned = set(re.findall(r"`([A-Z]+ /v1/[^`?]+)", page))
    assert mentioned <= set(operations)
    assert f"Base URL: {house.base_url}\n" in page
    for address in re.findall(rf"{house.base_url}(/[a-z.]+[a-z])", page):
        assert house.http.get(address).status_code in (200, 401, 405), address


def test_what_it_says_of_calling_is_so(house: House) -> None:
    """Each request that it spells out, as it is spelt."""
    tenant = house.tenant(carrier="loopback", number="+15551112222")
    hear(house, tenant, "22000", "G-482913 is your Google verification code.")
    page = house.http.get("/llms.txt").text
    asked = re.findall(r"`GET (/v1/otp[^`]+)`", page)[0].replace("%2B1...", "%2B15551112222")
    assert house.http.get(asked, headers=tenant.auth).json()["data"]["code"] == "482913"
    body = (
        re.findall(r"`(\{\"from\"[^`]+)`", page)[0]
        .replace("+1...", tenant.number.number, 1)
        .replace("+1...", "+15554443333")
    )
    hear(house, tenant, "+15554443333")
    assert house.http.post("/v1/messages", content=body, headers=tenant.auth).status_code == 202
    refusal = house.http.get("/v1/inbound-messages?wait=x").json()
    assert {*refusal["error"]} <= {"code", "message", "request_id", "details"}
    assert len(page) < MOST_CHARACTERS
