"""An agent that sends through dialect B."""

import itertools
from typing import Any

import httpx

from support.house import House, Tenant

SEND = "/v1/tools/sms/send"
_texts = itertools.count(1)


def hear(house: House, tenant: Tenant, sender: str, text: str = "hello?", to: str | None = None) -> None:
    """A contact texts one of the tenant's numbers, and so may be answered from there."""
    event = {"id": f"in-{next(_texts)}", "from": sender, "to": to or tenant.number.number, "text": text}
    assert house.deliver(tenant, event).json()["stored"] == 1


def texted_by(house: House, *contacts: str) -> Tenant:
    """An agent that these have texted; what it sends waits to be settled."""
    made = house.tenant(carrier="loopback", number="+14151234567")
    for contact in contacts:
        hear(house, made, contact)
    return made


def ask(house: House, tenant: Tenant, to: Any, message: Any = "on my way", **options: Any) -> httpx.Response:
    """POST it once; `quote` is sent as x-quote-id, `headers` too, and the rest are fields of the body."""
    headers = {**tenant.agent_header, **options.pop("headers", {})}
    quote = options.pop("quote", None)
    if quote is not None:
        headers["x-quote-id"] = quote
    return house.http.post(SEND, json={"message": message, "to_number": to, **options}, headers=headers)


def quoted(house: House, tenant: Tenant, to: Any, message: str = "on my way", **options: Any) -> str:
    """The id of a quote for it."""
    answer = ask(house, tenant, to, message, **options)
    assert answer.status_code == 402, answer.text
    quote_id: str = answer.json()["context"]["quote_id"]
    return quote_id


def execute(house: House, tenant: Tenant, to: Any, message: str = "on my way", **options: Any) -> httpx.Response:
    """Quote, then execute."""
    quote_id = quoted(house, tenant, to, message, **options)
    return ask(house, tenant, to, message, quote=quote_id, **options)


def requested(house: House, tenant: Tenant, to: Any, message: str = "on my way", **options: Any) -> str:
    """The id of a request that is accepted."""
    answer = execute(house, tenant, to, message, **options)
    assert answer.status_code == 202, answer.text
    request_id: str = answer.json()["request_id"]
    return request_id


def request_of(house: House, tenant: Tenant, request_id: str) -> dict[str, Any]:
    """The request as the agent sees it."""
    answer = house.http.get(f"/v1/requests/{request_id}", headers=tenant.agent_header)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def notifications(house: House, tenant: Tenant, query: str = "") -> list[dict[str, Any]]:
    """What the agent was told, newest first."""
    answer = house.http.get(f"/v1/tools/notifications{query}", headers=tenant.agent_header)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"notifications", "count"}
    listed: list[dict[str, Any]] = body["notifications"]
    assert body["count"] == len(listed)
    return listed
