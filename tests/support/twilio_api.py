"""Twilio's API, played by a real HTTP server."""

import base64
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

from aiohttp import web

from support.carrier_api import CarrierApi, json_answer

ACCOUNT_SID, AUTH_TOKEN = "AC" + "5ca1ab1e" * 4, "0123456789abcdef0123456789abcdef"
_MESSAGES = "/2010-04-01/Accounts/{account}/Messages.json"


class TwilioApi(CarrierApi):
    """Listens while it is entered. `received` are inbound records, newest first, of which a page has `page_size`."""

    SEND = LIST = _MESSAGES
    TAKEN = 201
    page_size = 2

    def __init__(self) -> None:
        super().__init__()
        self.received: list[dict[str, Any]] = []
        self.media: dict[str, list[str]] = {}
        self.numbers: list[dict[str, Any]] = []

    def _more_routes(self, app: web.Application) -> None:
        app.router.add_get("/2010-04-01/Accounts/{account}/Messages/{sid}/Media.json", self._media)
        app.router.add_get("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json", self._numbers)

    async def _wanted(self, request: web.Request) -> dict[str, Any]:
        form = await request.post()
        return {name: (form.getall(name) if name == "MediaUrl" else form[name]) for name in form}

    def _refused(self, request: web.Request) -> web.Response | None:
        good = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {good}" or request.match_info["account"] != ACCOUNT_SID:
            return json_answer(401, {"code": 20003, "message": "Authenticate", "status": 401})
        return None

    def _record(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        media = wanted.get("MediaUrl", [])
        sid = f"{'MM' if media else 'SM'}{len(self.records) + 1:032x}"
        return self.record(
            sid,
            wanted["From"],
            wanted["To"],
            wanted.get("Body", ""),
            status="queued",
            direction="outbound-api",
            date_sent=None,
            num_media=str(len(media)),
        )

    def record(self, sid: str, sender: str, to: str, body: str, **changes: Any) -> dict[str, Any]:
        """As documented for a Message resource."""
        now = formatdate(self.clock() // 1_000_000, usegmt=False)
        return {
            "id": sid,
            "sid": sid,
            "account_sid": ACCOUNT_SID,
            "api_version": "2010-04-01",
            "body": body,
            "date_created": now,
            "date_sent": now,
            "date_updated": now,
            "direction": "inbound",
            "error_code": None,
            "error_message": None,
            "from": sender,
            "messaging_service_sid": None,
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "status": "received",
            "to": to,
            "uri": f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/{sid}.json",
            **changes,
        }

    def _listed(self, query: Mapping[str, str]) -> Any:
        found = [
            record
            for record in [*reversed(self.records), *self.received]
            if query.get("To", record["to"]) == record["to"] and query.get("From", record["from"]) == record["from"]
        ]
        start = int(query.get("Page", "0")) * self.page_size
        more = f"{_MESSAGES.format(account=ACCOUNT_SID)}?Page={start // self.page_size + 1}&PageToken=PASM1"
        if "To" in query:  # one page: what is looked up is among the newest
            return {"messages": found, "next_page_uri": None}
        return {
            "messages": found[start : start + self.page_size],
            "next_page_uri": more if start + self.page_size < len(found) else None,
            "page": 0,
        }

    async def _media(self, request: web.Request) -> web.Response:
        sids = self.media.get(request.match_info["sid"], [])
        return self._refused(request) or json_answer(200, {"media_list": [{"sid": sid} for sid in sids]})

    async def _numbers(self, request: web.Request) -> web.Response:
        return self._refused(request) or json_answer(200, {"incoming_phone_numbers": self.numbers})
