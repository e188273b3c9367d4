"""Telnyx's API, played by a real HTTP server."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from roost.core.times import parse_instant, rfc3339
from support.carrier_api import CarrierApi, json_answer
from support.telnyx import API_KEY


class TelnyxApi(CarrierApi):
    """Listens while it is entered."""

    SEND, LIST = "/messages", "/detail_records"

    def _refused(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Bearer {API_KEY}":
            return None
        return json_answer(401, {"errors": [{"code": "10009", "title": "Authentication failed"}]})

    def _record(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        return {"id": f"40385f64-5717-4562-b3fc-{len(self.records):012x}", "created_at": self.clock(), **wanted}

    def _answer(self, record: Mapping[str, Any]) -> Any:
        return {
            "data": {
                "record_type": "message",
                "direction": "outbound",
                "id": record["id"],
                "type": "MMS" if "media_urls" in record else "SMS",
                "from": {"phone_number": record["from"], "carrier": "TELNYX LLC", "line_type": "VoIP"},
                "to": [
                    {"phone_number": record["to"], "status": "queued", "carrier": "T-MOBILE", "line_type": "Wireless"}
                ],
                "text": record.get("text"),
                "parts": 1,
                "errors": [],
            }
        }

    def _listed(self, query: Mapping[str, str]) -> Any:
        first, last = (parse_instant(query[f"filter[created_at][{end}]"])[0] for end in ("gte", "lte"))
        found = [
            {
                "record_type": "messaging",
                "uuid": record["id"],
                "cli": record["from"],
                "cld": record["to"],
                "direction": "outbound",
                "created_at": rfc3339(record["created_at"]),
            }
            for record in self.records
            if (record["from"], record["to"]) == (query["filter[cli]"], query["filter[cld]"])
            and first <= record["created_at"] <= last
        ]
        return {"data": found, "meta": {"page_number": 1, "total_results": len(found)}}
