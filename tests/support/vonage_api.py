"""Vonage's Messages API, played by a real HTTP server."""

from collections.abc import Mapping
from typing import Any

from aiohttp import encode_basic_auth, web

from support.carrier_api import CarrierApi, json_answer

_CREDENTIAL = encode_basic_auth("abcd1234", "s3:cret", "utf-8")


class VonageMessagesApi(CarrierApi):
    """Listens while it is entered."""

    SEND, TAKEN = "/v1/messages", 202

    def _refused(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == _CREDENTIAL:
            return None
        return json_answer(
            401, {"type": "https://developer.vonage.com/api-errors#unauthorized", "title": "Unauthorized"}
        )

    def _record(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        return {"id": f"aaaaaaaa-bbbb-cccc-dddd-{len(self.records):012x}", **wanted}

    def _answer(self, record: Mapping[str, Any]) -> Any:
        return {"message_uuid": record["id"]}
