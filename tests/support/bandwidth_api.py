"""Bandwidth's Messaging API, played by a real HTTP server."""

import base64
from collections.abc import Mapping
from typing import Any

import httpx
from aiohttp import web

from roost.core.times import parse_instant, rfc3339
from support.carrier_api import CarrierApi, Reply, json_answer
from support.credentials import ACCOUNT_ID, BASIC, PASSWORD, USER
from support.payloads import bandwidth_status

__all__ = ["BandwidthApi", "Reply"]

_CREDENTIAL = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


class BandwidthApi(CarrierApi):
    """Listens while it is entered."""

    SEND = LIST = "/api/v2/users/{account}/messages"
    TAKEN = 202

    def __enter__(self) -> "BandwidthApi":
        super().__enter__()
        return self

    @property
    def base_url(self) -> str:
        return f"{self.host_url}/api/v2"

    def status(self, event: str, record: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """A status callback about a message on the record."""
        payload = bandwidth_status(event, record["id"], record["to"][0], record["from"], **changes)
        payload["message"]["tag"] = record["tag"]
        return payload

    def call_back(self, event: str, record: Mapping[str, Any], **changes: Any) -> None:
        answer = httpx.post(self.webhook_url, json=[self.status(event, record, **changes)], auth=BASIC, timeout=30)
        assert answer.status_code == 200, answer.text

    def _refused(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") != _CREDENTIAL:
            return json_answer(401, {"type": "unauthorized", "description": "Authentication Failed"})
        if request.match_info["account"] != ACCOUNT_ID:
            return json_answer(403, {"type": "forbidden", "description": "Access Denied"})
        return None

    def _listed(self, query: Mapping[str, str]) -> Any:
        if "destinationTn" not in query:
            return {"totalCount": 0, "pageInfo": {}, "messages": []}
        since, until = (parse_instant(query[name])[0] for name in ("fromDateTime", "toDateTime"))
        found = [
            {"messageId": each["id"], "sourceTn": each["from"], "destinationTn": each["to"][0], "messageStatus": "SENT"}
            for each in self.records
            if (each["from"], each["to"][0]) == (query["sourceTn"], query["destinationTn"])
            and since <= parse_instant(each["time"])[0] <= until
        ]
        return {"totalCount": len(found), "pageInfo": {}, "messages": found}

    def _record(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """As documented for 202."""
        return {
            "id": f"bw-{len(self.records) + 1:06}",
            "owner": wanted["from"],
            "time": rfc3339(self.clock()),
            "segmentCount": 1,
            "direction": "out",
            **wanted,
        }
