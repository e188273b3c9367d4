"""Sinch's SMS API, played by a real HTTP server."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from roost.core.times import parse_instant, rfc3339
from support.carrier_api import CarrierApi, json_answer
from support.sinch import PLAN, TOKEN


class SinchApi(CarrierApi):
    """Listens while it is entered."""

    SEND = LIST = f"/{PLAN}/batches"
    TAKEN = 201

    def _refused(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Bearer {TOKEN}":
            return None
        return json_answer(401, {})

    def _record(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        now = rfc3339(self.clock())
        return {
            "id": f"01FC66621XXXXX119Z8P{len(self.records):06}",
            "canceled": False,
            "created_at": now,
            "modified_at": now,
            "flash_message": False,
            **wanted,
        }

    def _listed(self, query: Mapping[str, str]) -> Any:
        first, last = (parse_instant(query[f"{end}_date"])[0] for end in ("start", "end"))
        found = [
            record
            for record in reversed(self.records)
            if query.get("client_reference", record["client_reference"]) == record["client_reference"]
            and first <= parse_instant(record["created_at"])[0] < last
        ]
        return {"count": len(found), "page": 0, "page_size": 30, "batches": found}
