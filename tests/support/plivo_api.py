"""Plivo's API, played by a real HTTP server."""

import base64
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from roost.core.times import parse_any_instant, parse_instant, rfc3339
from support.carrier_api import CarrierApi, json_answer

AUTH_ID, AUTH_TOKEN = "MA" + "5CA1AB1E" * 2 + "XX", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNk"


class PlivoApi(CarrierApi):
    """Listens while it is entered. `received` are inbound records, newest first."""

    SEND = LIST = "/v1/Account/{account}/Message/"
    TAKEN = 202

    def __init__(self) -> None:
        super().__init__()
        self.received: list[dict[str, Any]] = []
        self.message_url = ""

    def _more_routes(self, app: web.Application) -> None:
        app.router.add_get("/v1/Account/{account}/", self._account)
        app.router.add_get("/v1/Account/{account}/Number/{number}/", self._number)
        app.router.add_get("/v1/Account/{account}/Application/7/", self._application)

    def _refused(self, request: web.Request) -> web.Response | None:
        good = base64.b64encode(f"{AUTH_ID}:{AUTH_TOKEN}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {good}" or request.match_info["account"] != AUTH_ID:
            return web.Response(status=401, text="Could not verify your access level for that URL.")
        return None

    def _record(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        return self.record(f"{len(self.records) + 1:036x}", wanted["src"], wanted["dst"], message_state="queued")

    def record(self, uuid: str, sender: str, to: str, direction: str = "outbound", **changes: Any) -> dict[str, Any]:
        """As documented for a message detail record: it has no text."""
        return {
            "id": uuid,
            "error_code": None,
            "from_number": sender,
            "message_direction": direction,
            "message_state": "sent",
            "message_time": rfc3339(self.clock()).replace("T", " ").replace("Z", "+00:00"),
            "message_type": "sms",
            "message_uuid": uuid,
            "resource_uri": f"/v1/Account/{AUTH_ID}/Message/{uuid}/",
            "to_number": to,
            "total_amount": "0.00250",
            "total_rate": "0.00250",
            "units": 1,
            **changes,
        }

    def _answer(self, record: Mapping[str, Any]) -> Any:
        return {"api_id": "a1", "message": "message(s) queued", "message_uuid": [record["id"]]}

    def _listed(self, query: Mapping[str, str]) -> Any:
        def fits(record: Mapping[str, Any]) -> bool:
            at = parse_instant(record["message_time"])[0]
            return (
                record["message_direction"] == query["message_direction"]
                and record["message_state"] == query.get("message_state", record["message_state"])
                and query.get("from_number", "").removeprefix("+") in ("", record["from_number"])
                and query.get("to_number", "").removeprefix("+") in ("", record["to_number"])
                and parse_any_instant(query["message_time__gte"]) <= at
                and at <= parse_any_instant(query.get("message_time__lte", "9999-01-01"))
            )

        found = list(filter(fits, [*reversed(self.records), *self.received]))
        offset, limit = int(query.get("offset", "0")), int(query["limit"])
        assert limit <= 20
        return {"api_id": "a1", "meta": {"total_count": len(found)}, "objects": found[offset : offset + limit]}

    async def _account(self, request: web.Request) -> web.Response:
        return self._refused(request) or json_answer(200, {"auth_id": AUTH_ID})

    async def _number(self, request: web.Request) -> web.Response:
        return self._refused(request) or json_answer(200, {"application": f"/v1/Account/{AUTH_ID}/Application/7/"})

    async def _application(self, request: web.Request) -> web.Response:
        return self._refused(request) or json_answer(200, {"message_url": self.message_url})
