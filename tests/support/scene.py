"""All that a table of requests asks about, in one house: an organization with something of everything, and who asks."""

import hashlib
import json
import re
from collections.abc import Mapping
from copy import copy
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx

from roost.api.errors import is_oneshot
from roost.core.webhooks import Attempt, Target
from roost.store.idempotency import IdempotencyKeys
from roost.store.transaction import Transaction
from roost.store.webhook_log import Entry, log_tries
from support.agents import hear, notifications, quoted, requested
from support.allowed import Signer, allowed
from support.house import House
from support.media_server import PNG
from support.settling import settle

CONTACT, STRANGER, STOPPED, NEW_YORK = "+15554443333", "+15557770000", "+15556660000", "+12125550123"
TOKENS = "/v1/agents/me/access-tokens"
#: Who asks.
NOBODY, UNSCOPED, UNPROVEN, TOKEN, NUMBERLESS, RECEIVING, AT_NIGHT = (
    "nobody", "unscoped", "unproven", "token", "numberless", "receiving", "at_night",
)  # fmt: skip


class Row(NamedTuple):
    """One request, and what it is answered. `{name}` in a value stands for what `Scene` calls so."""

    method: str
    path: str
    status: int
    code: str | None = None
    """Of a refusal."""
    id: str = ""
    """For the placeholder in the path."""
    who: str = ""
    """A's routes are asked with a key, B's by an agent."""
    query: str = ""
    body: Any = None
    headers: Mapping[str, str] = MappingProxyType({})
    later_us: int = 0
    """How much later it is then."""


class Scene:
    """All that the table asks about, in one house."""

    def __init__(self, house: House) -> None:
        self.house = house
        house.clock.frozen_us = house.clock()
        hour = datetime.fromtimestamp(house.clock() / 1_000_000, ZoneInfo("America/New_York")).hour
        self.tenant = tenant = house.tenant(carrier="loopback")
        self.signer = Signer(house, tenant)
        holder = (tenant.account.id, self.signer.agent.id, "")
        mine = house.wait(house.directory.add_number(tenant.org.org_id, "+15551230000", *holder))
        spare = house.wait(house.directory.add_number(tenant.org.org_id, "+15551230001", *holder))
        assert mine is not None and spare is not None
        for number in (tenant.number.number, mine.number):
            for contact, text in ((CONTACT, "Your Acme code is 482913"), (STOPPED, "STOP")):
                hear(house, tenant, contact, text, number)
        self.night, self.receiving = house.tenant(carrier="loopback"), house.tenant(secrets={})
        quiet = {"quiet_hours": {"enabled": True, "start": f"{hour:02}:00", "end": f"{(hour + 2) % 24:02}:00"}}
        assert house.http.patch("/v1/organization", json=quiet, headers=self.night.auth).status_code == 200
        hear(house, self.night, NEW_YORK)
        self.numberless = Signer(house, tenant, "0x" + "5d" * 32, open_=True)
        self.names = {
            "malformed": "no-uuid", "unknown": "01900000-0000-7000-8000-000000000000", "number": tenant.number.number,
            "number_id": tenant.number.id, "spare_id": spare.id, "account_id": tenant.account.id,
            "night_number": self.night.number.number,
        }  # fmt: skip
        self.names |= self._of_a() | self._of_b()

    def ask(self, row: Row) -> httpx.Response:
        bare = re.sub(r"\{\w+\}", self.names.get(row.id, row.id), row.path)
        path = bare + (f"?{row.query}" if row.query else "").format_map(self.names)
        body = self._filled(row.body)
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = self._credential(row) | {name: self._filled(value) for name, value in row.headers.items()}
        self.house.clock.frozen_us += row.later_us
        try:
            if headers.get("Idempotency-Key") == "busy" and row.status == 409:
                self._keep_busy(row, bare, content or b"")
            request = self.house.http.build_request(row.method, path, content=content, headers=headers)
            answer = self.house.http.send(request, stream=True)
            if answer.headers.get("content-type") == "text/event-stream":
                answer.close()  # which would go on for ever
            else:
                answer.read()
            return answer
        finally:
            self.house.clock.frozen_us -= row.later_us

    def _filled(self, value: Any) -> Any:
        """With what the names stand for."""
        if isinstance(value, dict):
            return {name: self._filled(each) for name, each in value.items()}
        is_name = isinstance(value, str) and value.startswith("{")
        return value.format_map(self.names) if is_name else value

    def _credential(self, row: Row) -> dict[str, str]:
        is_of_b = is_oneshot(row.path)
        if row.who == AT_NIGHT:
            return {**self.night.auth, **self.night.agent_header} if not is_of_b else self.night.agent_header
        named = {
            NOBODY: dict[str, str],
            UNSCOPED: lambda: allowed(self.house, self.tenant, "billing:read"),
            UNPROVEN: lambda: {"X-Agent-ID": self.signer.address, "x-agent-proof": "{}"},
            TOKEN: lambda: {"X-Agent-ID": self.signer.address, "Authorization": f"Bearer {self.names['token']}"},
            NUMBERLESS: lambda: {"X-Agent-ID": self.numberless.address},
            RECEIVING: lambda: self.receiving.agent_header,
            "": lambda: (
                self.signer.headers("read" if row.method == "GET" else "write") if is_of_b else self.tenant.auth
            ),
        }
        return named[row.who]()

    def _keep_busy(self, row: Row, path: str, content: bytes) -> None:
        """Somebody has the key, and has not finished."""
        is_of_b = is_oneshot(row.path)
        route = f"{row.method} {row.path}" + (f" {self.signer.agent.id}" if is_of_b else "")
        body_hash = hashlib.sha256(path.encode() + b"\0" + content).digest()
        self.house.wait(IdempotencyKeys(self.house.store).claim(self.tenant.org.org_id, route, "busy", body_hash))

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        auth = allowed(self.house, self.tenant)
        answer = self.house.http.post(path, json=body, headers=auth)
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json()
        return made.get("data", made)

    def _of_a(self) -> dict[str, str]:
        house, tenant = self.house, self.tenant
        form = {"phone_number_id": tenant.number.id, "agreement_text": "I agree."}
        key, revoked = (self._post("/v1/api-keys", {"label": text, "scopes": ["messages:read"]})["id"] for text in "ab")
        assert house.http.delete(f"/v1/api-keys/{revoked}", headers=tenant.auth).status_code == 200
        sent, queued = house.sent(tenant, CONTACT), house.sent(tenant, CONTACT)
        settled = "UPDATE outbound_messages SET status = 'sent' WHERE id = $1"
        house.wait(
            house.store.write((settled, (UUID(sent),)), ("DELETE FROM outbox WHERE message_id = $1", (UUID(sent),)))
        )
        consent = {"phone_number_id": tenant.number.id, "contact_number": "+15551110000", "opted_in": False}
        return {
            "inbound": house.inbound(tenant)[0]["id"], "sent": sent, "queued": queued, "thread": sent,
            "consent": self._post("/v1/consent", consent)["id"], "key": key, "revoked_key": revoked,
            "blocked": self._post("/v1/blocked-senders", {"sender": "+15550000000"})["id"],
            "form": self._post("/v1/consent/hosted", form)["token"],
            **self._media(), **self._webhooks(),
            "stopped_form": self._post("/v1/consent/hosted", {**form, "contact_number": STOPPED})["token"],
        }  # fmt: skip

    def _media(self) -> dict[str, str]:
        """A place to upload to, and a medium that was sent."""
        announced = {"mime_type": "image/png", "byte_size": len(PNG)}
        awaited, put = (self._post("/v1/messages/media-upload", announced) for _ in range(2))
        assert self.house.http.put(put["upload_url"], content=PNG).status_code == 200
        self.house.sent(self.tenant, CONTACT, "", media_id=put["media_id"])
        (url,) = self.house.outbound(self.tenant, limit=1)[0]["media_urls"]
        return {"upload": awaited["upload_url"].rpartition("/")[2], "medium": url.rpartition("/")[2]}

    def _webhooks(self) -> dict[str, str]:
        """An endpoint that nothing can reach, what it was not told, and what can be told no more."""
        told = {"url": "https://example.com/hook", "events": ["message.received"]}
        endpoint_id = self._post("/v1/webhooks", told)["id"]
        message_id = self.house.inbound(self.tenant)[0]["id"]
        target = Target(self.tenant.org.org_id, endpoint_id, "organization")

        async def log(tx: Transaction) -> list[str]:
            failed = Attempt(tx.now(), 503, 7, "no")
            entry = Entry(
                target,
                message_id,
                message_id,
                "message.received",
                CONTACT,
                told["url"],
                1,
                "dead",
                failed,
                b"7" * 32,
                2,
            )
            old = entry._replace(source_id="01900000-0000-7000-8000-000000000000")
            return await log_tries(tx, [entry, old])

        delivery, old = self.house.wait(self.house.store.transact(log))
        return {"webhook": endpoint_id, "delivery": delivery, "old_delivery": old}

    def _of_b(self) -> dict[str, str]:
        house, signer = self.house, copy(self.tenant)
        token = house.http.post(TOKENS, json={}, headers=self.signer.headers()).json()["data"]
        signer.agent_header = {"X-Agent-ID": self.signer.address, "Authorization": f"Bearer {token['token']}"}
        inbox = house.http.get("/v1/tools/sms/inbox", headers=signer.agent_header).json()["messages"]
        request = requested(house, signer, CONTACT)
        settle(house, self.tenant, "delivered", CONTACT)
        return {
            "msg_id": inbox[0]["id"], "token": token["token"], "token_id": token["id"], "request": request,
            "notification": notifications(house, signer)[0]["id"], "quote": quoted(house, signer, CONTACT),
            "no_quote": quoted(house, signer, STRANGER), "night_quote": quoted(house, self.night, NEW_YORK),
        }  # fmt: skip
