"""Loopback sends: it arrives at once, nowhere."""

from support.house import House
from support.outbound import is_settled, send, until


def test_what_is_sent_is_delivered_at_once(house: House) -> None:
    tenant = house.tenant(carrier="loopback")
    message_id = send(house, tenant)
    stand = until(house, tenant, message_id, is_settled)
    assert (stand.status, stand.carrier_message_id) == ("delivered", f"loopback-{message_id}")
    assert stand.sent_at is not None
    assert stand.delivered_at is not None
