"""The last look before a text leaves, which is when its connection is there: connecting may take seconds."""

import asyncio
import socket
import threading
from pathlib import Path

import aiohttp
import pytest

from support.bandwidth_api import BandwidthApi
from support.credentials import SECRETS
from support.databases import Database
from support.house import House
from support.outbound import CONTACT, is_settled, send, until
from support.payloads import bandwidth_inbound

OTHER = "+15550001111"
_PATIENCE_SECONDS = 30


@pytest.mark.parametrize("said", ["STOP", "see you tomorrow"])
def test_a_stop_stored_while_the_worker_connects_keeps_the_text_from_leaving(
    database: Database, tmp_path: Path, api: BandwidthApi, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    connecting, may_connect = threading.Event(), threading.Event()

    async def resolve(
        _: object, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[dict[str, object]]:
        connecting.set()
        await asyncio.to_thread(may_connect.wait, _PATIENCE_SECONDS)
        found = {"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
        return [found]

    monkeypatch.setattr(aiohttp.DefaultResolver, "resolve", resolve)
    url = api.base_url.replace("127.0.0.1", "carrier.example")
    house = House(database, tmp_path / "data", working=True, bandwidth_url=url, segments_per_second=0).start()
    try:
        tenant = house.tenant(secrets=SECRETS)
        message_id = send(house, tenant)
        assert connecting.wait(_PATIENCE_SECONDS)
        answer = house.deliver(tenant, [bandwidth_inbound("in-1", tenant.number.number, text=said, sender=CONTACT)])
        assert answer.status_code == 200
        may_connect.set()
        stand = until(house, tenant, message_id, is_settled)
        other = send(house, tenant, to=OTHER)
        assert until(house, tenant, other, is_settled).status == "sent"
    finally:
        may_connect.set()
        house.stop()
    stopped = said == "STOP"
    assert (stand.status, stand.error_code) == (("failed", "CONSENT_REQUIRED") if stopped else ("sent", None))
    assert (message_id in [post["tag"] for post in api.posts]) is not stopped
    assert other in [post["tag"] for post in api.posts]


def test_a_connection_that_a_text_did_not_leave_on_is_not_left_open(house: House, api: BandwidthApi) -> None:
    """What the look raises is passed on, and nothing of the request was written."""

    async def look() -> None:
        raise LookupError("not wanted any more")

    async def refused() -> int:
        with pytest.raises(LookupError):
            await house.outside.request(
                "POST", f"{api.base_url}/users/1/messages", auth=("user", "password"), last_look=look, json={}
            )
        connector = house.outside._opened().connector
        assert connector is not None
        return len(connector._acquired) + len(connector._conns)

    assert house.wait(refused()) == 0
    assert api.posts == []
