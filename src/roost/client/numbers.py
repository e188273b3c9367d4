"""The organization's phone numbers."""

from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote

from roost.client.calls import D, call, each
from roost.client.flow import Flow, Walk
from roost.client.models import Number
from roost.client.resource import Resource, change, make, read

PATH = "/v1/phone-numbers"
NumberType = Literal["local", "toll_free", "short_code"]


class Numbers(Resource[D]):
    """Numbers of ours."""

    @each
    def list(
        self,
        *,
        number_type: NumberType | None = None,
        search: str | None = None,
        include: Sequence[str] | None = None,
        page_size: int | None = None,
    ) -> Walk[Number]:
        """Every number, newest first. `include`: "agent", "carrier_account_id", "segments_per_second"."""
        return self._pages(read(PATH, number_type=number_type, search=search, include=include, limit=page_size), Number)

    @call
    def get(self, number_id: str, *, include: Sequence[str] | None = None) -> Flow[Number]:
        """One number. Raises NotFound."""
        return self._fetch(read(_path(number_id), include=include), Number)

    @call
    def register(
        self,
        number: str,
        *,
        carrier_account_id: str,
        label: str | None = None,
        agent: str | None = None,
        number_type: NumberType | None = None,
        inbound_url: str | None = None,
        status_url: str | None = None,
        segments_per_second: float | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[Number]:
        """Register a number that a carrier account has already; `agent` is the wallet of who holds it. Raises Conflict."""
        body = {
            "number": number, "carrier_account_id": carrier_account_id, "label": label, "agent": agent,
            "number_type": number_type, "inbound_url": inbound_url, "status_url": status_url,
            "segments_per_second": segments_per_second,
        }  # fmt: skip
        return self._fetch(make(PATH, body, idempotency_key), Number)

    @call
    def change(
        self, number_id: str, *, label: str | None = None, inbound_url: str | None = None, status_url: str | None = None
    ) -> Flow[Number]:
        """Change what is given; "" clears. Raises NotFound."""
        body = {"label": label, "inbound_url": inbound_url, "status_url": status_url}
        return self._fetch(change("PATCH", _path(number_id), body), Number)

    @call
    def remove(self, number_id: str) -> Flow[None]:
        """Let a number go. Raises NotFound."""
        yield from self._answer(change("DELETE", _path(number_id)))


def _path(number_id: str) -> str:
    return f"{PATH}/{quote(number_id, safe='')}"
