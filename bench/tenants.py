"""Tenants to measure with: organizations with a Bandwidth account, numbers, open agents and a key; and their requests."""

import json
from base64 import b64encode
from typing import NamedTuple

from tests.support.payloads import bandwidth_inbound

from bench.load import UNIQUE
from roost.store.base import Store
from roost.store.directory import Directory

_BASIC = ("bandwidth", "kP3vWq8ZrT5xYn2L")
_SECRETS = {
    "basic": [_BASIC],
    "account_id": "9900000",
    "application_id": "93de2206-9669-4e07-948d-329f4b722ee2",
    "api_user": "bench",
    "api_password": "Zt5xYn2LkP3vWq8r",
}
TEXT = (
    "Hi, I ordered two of the blue ones last week and only one of them came today. Can you check what happened to the "
    "other? My order is 7421. Thanks, Maria"
)
SENDERS = tuple(f"+1415555{number:04}" for number in range(0, 10_000, 200))


class Line(NamedTuple):
    """A number and the agent that holds it."""

    number: str
    phone_number_id: str
    agent_id: str
    wallet: str


class Tenant(NamedTuple):
    """An organization; `busy` and `quiet` are its two numbers."""

    org_id: str
    account_id: str
    api_key: str
    busy: Line
    quiet: Line

    @property
    def key_header(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"}


async def furnish(store: Store, count: int) -> list[Tenant]:
    """So many new tenants."""
    return [await _tenant(Directory(store), index) for index in range(count)]


async def _tenant(directory: Directory, index: int) -> Tenant:
    org = await directory.create_organization(f"Organization {index}")
    account = await directory.add_carrier_account(org.org_id, "bandwidth", "", _SECRETS)
    lines = []
    for place in (2 * index, 2 * index + 1):
        agent = await directory.add_agent(org.org_id, f"0x{place:040x}", open_=True)
        assert agent is not None
        number = await directory.add_number(org.org_id, f"+1555{place:07}", account.id, agent.id, "")
        assert number is not None
        lines.append(Line(number.number, number.id, agent.id, agent.wallet))
    key = await directory.create_api_key(org.org_id, "bench", ["messages:read", "messages:send"], None)
    return Tenant(org.org_id, account.id, key.plaintext, *lines)


def payload(tenant: Tenant, message_id: str, sender: str) -> bytes:
    """What Bandwidth would send: about 550 bytes."""
    return json.dumps([bandwidth_inbound(message_id, tenant.busy.number, text=TEXT, sender=sender)]).encode()


def delivery(tenant: Tenant, sender: str) -> str:
    """The request that delivers it, with a message id of its own each time it is sent."""
    body = payload(tenant, UNIQUE, sender).decode()
    credential = b64encode(":".join(_BASIC).encode()).decode()
    return (
        f"POST /carriers/bandwidth/{tenant.account_id} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: BandwidthAPI/v2\r\n"
        f"Content-Type: application/json; charset=utf-8\r\nAuthorization: Basic {credential}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )


def posting(tenant: Tenant, to: str) -> str:
    """The request that sends a text."""
    body = json.dumps({"from": tenant.busy.number, "to": to, "text": TEXT})
    lines = "".join(f"{name}: {value}\r\n" for name, value in tenant.key_header.items())
    return (
        f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{lines}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )


def reading(path: str, headers: dict[str, str]) -> str:
    """The request that reads it."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n{lines}\r\n"
