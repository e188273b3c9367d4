"""Requests that wait for something to come."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import httpx

from support.agents import hear
from support.house import House, Tenant

#: Dialect A's and dialect B's.
LISTS = "/v1/inbound-messages", "/v1/tools/sms/inbox"


class Reads(NamedTuple):
    """A house, and requests to it that wait."""

    house: House
    tenant: Tenant
    pool: ThreadPoolExecutor

    def begin(self, path: str, query: str = "") -> "Future[httpx.Response]":
        """Ask, and return once it waits."""
        before = self.waiting()
        headers = self.tenant.auth if path != LISTS[1] else self.tenant.agent_header
        asked = self.pool.submit(self.house.http.get, f"{path}?wait=30{query}", headers=headers)
        while self.waiting() == before:
            assert not asked.done(), asked.result().text
        return asked

    def get(self, path: str, query: str) -> httpx.Response:
        headers = self.tenant.auth if path != LISTS[1] else self.tenant.agent_header
        return self.house.http.get(f"{path}?{query}", headers=headers)

    def waiting(self) -> int:
        page = self.house.http.get("/metrics").text
        return int(float(page.partition("\nroost_waiting_reads ")[2].partition("\n")[0]))

    def hear(self, text: str, sender: str = "+15554443333") -> None:
        hear(self.house, self.tenant, sender, text)
