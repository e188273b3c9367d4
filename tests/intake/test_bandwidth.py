"""What Bandwidth delivers, posted to the real URL."""

from support.house import House
from support.payloads import bandwidth_inbound


def test_a_text_comes_back_as_it_was_delivered(house: House) -> None:
    tenant = house.tenant(number="+15551112222")
    answer = house.deliver(tenant, [bandwidth_inbound("bw-1700000001-def", "+15551112222", text="STOP")])
    assert answer.status_code == 200
    [message] = house.inbound(tenant)
    assert message == {
        "id": answer.json()["ids"][0],
        "org_id": tenant.org.org_id,
        "phone_number_id": tenant.number.id,
        "from": "+15554443333",
        "to": "+15551112222",
        "body": "STOP",
        "channel": "sms",
        "media_urls": [],
        "segment_count": 1,
        "opt_out": {"detected": True, "keyword": "STOP"},
        "bandwidth_message_id": "bw-1700000001-def",
        "bandwidth_received_at": "2026-04-26T12:01:00Z",
        "received_at": message["received_at"],
    }
