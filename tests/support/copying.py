"""Pictures that arrive at a house, are copied, and are asked for."""

from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from support.house import House, Tenant
from support.media_server import MediaServer

CONTACT = "+15554443333"
DAY_US = 24 * 3600 * 1_000_000


class Copying:
    """A house with one tenant on loopback, and the server that its carrier's media are at."""

    def __init__(self, house: House, server: MediaServer) -> None:
        self.house, self.server = house, server
        self.tenant = house.tenant(carrier="loopback")
        self._texts = 0

    def arrives(self, *urls: str, tenant: Tenant | None = None, sender: str = CONTACT) -> tuple[str, ...]:
        """A picture message; the URLs that are shown of it at once, the same in both dialects."""
        tenant = tenant or self.tenant
        self._texts += 1
        payload = {
            "id": f"pic-{self._texts}",
            "from": sender,
            "to": tenant.number.number,
            "text": "look",
            "media": urls,
        }
        assert self.house.deliver(tenant, payload).status_code == 200
        newest = self.house.inbound(tenant, limit=1)[0]
        asked = self.house.http.get("/v1/tools/sms/inbox", params={"limit": 1}, headers=tenant.agent_header)
        shown = asked.json()["messages"][0]
        assert shown["media_urls"] == newest["media_urls"] and shown["num_media"] == len(urls)
        return tuple(newest["media_urls"])

    def copy(self, *, later_us: int = 0) -> None:
        """Everything that is due is tried once."""
        self.house.clock.offset_us += later_us
        self.house.wait(self.house.copier.take_due())
        self.house.wait(self.house.copier.idle())

    def get(self, url: str, **options: Any) -> httpx.Response:
        assert url.startswith(self.house.base_url + "/media/")
        return self.house.http.get(url, **options)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.house.wait(self.house.store.fetch(sql))]

    def files(self) -> list[Path]:
        """What is in the folder."""
        folder = Path(self.house.config.media_url)
        return [path for path in folder.rglob("*") if path.is_file()]

    def newest_id(self) -> UUID:
        return UUID(self.house.inbound(self.tenant, limit=1)[0]["id"])
