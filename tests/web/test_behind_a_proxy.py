"""The inbox page behind a proxy that speaks https and shows it below a path."""

import re

import httpx

from roost.app import build
from support.agents import hear
from support.house import House
from support.visitor import link_of

PUBLIC = "https://texts.example.com/roost"
CONTACT = "+15554443333"


def test_addresses_cookie_and_origin_are_those_of_the_outside(house: House) -> None:
    tenant = house.tenant(carrier="loopback")
    hear(house, tenant, CONTACT, "hello")
    link = link_of(house, tenant).rpartition("/")[2]
    app = build(house.store, PUBLIC, house.objects)
    outside = {
        "Origin": "https://texts.example.com",
        "Host": "10.0.0.7:8080",
    }  # the proxy took the path away, and changed Host

    async def visit() -> tuple[httpx.Response, httpx.Response, httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://10.0.0.7:8080") as client:
            signed_in = await client.post("/inbox/sign-in", data={"link": link}, headers=outside)
            cookie = {"Cookie": signed_in.headers["set-cookie"].partition(";")[0]}
            page = await client.get("/inbox", headers=cookie)
            token = re.findall(r'name="token" value="(\w+)"', page.text)[0]
            thread = f"/inbox/threads/{tenant.number.number}/{CONTACT}"
            wrong = {**outside, **cookie, "Origin": "https://texts.example.com.evil.example"}
            refused = await client.post(thread, data={"token": token, "text": "hello"}, headers=wrong)
            assert refused.status_code == 403
            return (
                signed_in,
                page,
                await client.post(thread, data={"token": token, "text": "hello"}, headers={**outside, **cookie}),
            )

    signed_in, page, sent = house.wait(visit())
    assert signed_in.headers["location"] == "/roost/inbox"
    assert "; Path=/roost/inbox; " in signed_in.headers["set-cookie"]
    assert signed_in.headers["set-cookie"].endswith("; HttpOnly; SameSite=Lax; Secure")
    addresses = re.findall(r'(?:href|src|action)="(/[^"]*)"', page.text)
    assert addresses and all(address.startswith("/roost/inbox") for address in addresses)
    assert sent.headers["location"] == f"/roost/inbox/threads/{tenant.number.number}/{CONTACT}"
