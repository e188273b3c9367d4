"""The carrier without a telephone network."""

from typing import Any

import pytest

from support.house import House

TEXT: dict[str, Any] = {"id": "1", "from": "+15554443333", "to": "+15551112222", "text": "Hello"}


@pytest.mark.parametrize("payload", [TEXT, [TEXT], {**TEXT, "to": ["+15551112222"]}])
def test_one_text_may_stand_alone_or_in_a_list(house: House, payload: Any) -> None:
    tenant = house.tenant(carrier="loopback", number="+15551112222")
    assert house.deliver(tenant, payload).json()["stored"] == 1
    [message] = house.inbound(tenant)
    assert (message["from"], message["body"], message["bandwidth_message_id"]) == ("+15554443333", "Hello", "1")


def test_texts_without_an_id_are_told_apart_by_their_bytes(house: House) -> None:
    tenant = house.tenant(carrier="loopback", number="+15551112222")
    anonymous = {name: value for name, value in TEXT.items() if name != "id"}
    for text, duplicates in (("one", 0), ("two", 0), ("one", 1)):
        assert house.deliver(tenant, {**anonymous, "text": text}).json()["duplicates"] == duplicates
    assert [message["body"] for message in house.inbound(tenant)] == ["two", "one"]


@pytest.mark.parametrize("payload", [{}, {"from": "+1"}, {"to": None}, "hello", None])
def test_what_is_no_text_is_kept_as_unrouted(house: House, payload: Any) -> None:
    tenant = house.tenant(carrier="loopback")
    assert house.deliver(tenant, payload).json()["unrouted"] == 1
