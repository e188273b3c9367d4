"""The shapes of phone numbers on the wire (dialect A)."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from roost.api.listing import ListMeta
from roost.api.push_urls import MAX_URL

NumberType = Literal["local", "toll_free", "short_code"]
MAX_LABEL, MAX_PACE = 200, 1000


class NewNumber(msgspec.Struct, forbid_unknown_fields=True):
    """A number that a carrier account has already. `agent` is the wallet of the agent that holds it from now on."""

    number: str
    carrier_account_id: str
    label: Annotated[str, msgspec.Meta(max_length=MAX_LABEL)] | None = None
    agent: str | None = None
    number_type: NumberType | None = None
    inbound_url: Annotated[str, msgspec.Meta(max_length=MAX_URL)] | None = None
    status_url: Annotated[str, msgspec.Meta(max_length=MAX_URL)] | None = None
    segments_per_second: Annotated[float, msgspec.Meta(gt=0, le=MAX_PACE)] | None = None


class NumberChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out or null stays as it is; "" clears."""

    label: Annotated[str, msgspec.Meta(max_length=MAX_LABEL)] | None = None
    inbound_url: Annotated[str, msgspec.Meta(max_length=MAX_URL)] | None = None
    status_url: Annotated[str, msgspec.Meta(max_length=MAX_URL)] | None = None
    campaign_id: str | None = None


class NumberBody(msgspec.Struct):
    """A number. `campaign_id` is always null: campaigns are registered at the carrier. The last three come by `include`."""

    id: str
    number: str
    number_type: NumberType
    inbound_url: str | None
    status_url: str | None
    label: str
    campaign_id: None
    sms_enabled: bool
    mms_enabled: bool
    created_at: str
    updated_at: str
    agent: str | UnsetType | None = UNSET
    carrier_account_id: str | UnsetType = UNSET
    segments_per_second: float | UnsetType | None = UNSET


class NumberList(msgspec.Struct):
    success: Literal[True]
    data: list[NumberBody]
    meta: ListMeta


class NumberOne(msgspec.Struct):
    success: Literal[True]
    data: NumberBody


class Released(msgspec.Struct):
    status: Literal["released"]


class NumberReleased(msgspec.Struct):
    success: Literal[True]
    data: Released
