"""Endpoints of a house's tenant that are told what happens, and the receiver that they are at."""

from collections.abc import Sequence
from typing import Any

from support.house import House, Tenant
from support.receiver import Posted, Receiver

CONTACT, OTHER = "+15554443333", "+15557778888"
SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US


class Telling:
    """A house with one tenant on loopback, and a receiver. Nothing is told but with `tell`."""

    def __init__(self, house: House, receiver: Receiver) -> None:
        self.house, self.receiver = house, receiver
        self.tenant = house.tenant(carrier="loopback")
        self._texts = 0
        house.clock.frozen_us = house.clock()

    def endpoint(self, path: str = "/hook", *, url: str | None = None, **fields: Any) -> dict[str, Any]:
        """A new one at the receiver, for everything."""
        body = {
            "url": url or self.receiver.url(path),
            "events": ["message.received", "message.status", "consent.changed"],
        }
        answer = self.house.http.post("/v1/webhooks", json={**body, **fields}, headers=self.tenant.auth)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def arrives(self, text: str, sender: str = CONTACT, tenant: Tenant | None = None) -> None:
        tenant = tenant or self.tenant
        self._texts += 1
        payload = {"id": f"text-{self._texts}", "from": sender, "to": tenant.number.number, "text": text}
        assert self.house.deliver(tenant, payload).status_code == 200
        self.house.clock.frozen_us = self.house.clock() + 1000

    def tell(self, *, later_us: int = 0) -> None:
        """Everything that is due is tried once; then what is due now because of that, until nothing is."""
        self.house.clock.frozen_us = self.house.clock() + later_us
        tried = -1
        while tried != (tried := len(self.log())):
            self.house.wait(self.house.deliverer.take_due())
            self.house.wait(self.house.deliverer.idle())

    def tell_for(self, span_us: int, step_us: int) -> None:
        """As time goes on."""
        for _ in range(span_us // step_us):
            self.tell(later_us=step_us)

    def log(self, **params: Any) -> list[dict[str, Any]]:
        """The delivery log, newest first."""
        answer = self.house.http.get(
            "/v1/webhooks/deliveries", params={"limit": 200, **params}, headers=self.tenant.auth
        )
        assert answer.status_code == 200, answer.text
        data: list[dict[str, Any]] = answer.json()["data"]
        return data

    def queued(self) -> int:
        rows = self.house.wait(self.house.store.fetch("SELECT count(*) FROM webhook_queue"))
        return int(rows[0][0])


def texts(posts: Sequence[Posted]) -> list[str]:
    """The words of what was received, in the order in which it came."""
    return [post.text for post in posts if post.event["type"] == "message.received"]
