"""Workers that share an inbox through the client."""

from collections.abc import Callable

from support.agents import hear
from support.callers import Caller
from support.house import House

CONTACT = "+15554443333"


def test_workers_claim_acknowledge_and_give_back(house: House, connect: Callable[..., Caller]) -> None:
    tenant = house.tenant(carrier="loopback")
    roost = connect(house.base_url, api_key=tenant.key)
    for text in ("one", "two", "three"):
        hear(house, tenant, CONTACT, text)
    claimed = roost.call(lambda client: client.inbound.claim(limit=2, include=["otp"]))
    assert [message.body for message in claimed.messages] == ["one", "two"]
    assert claimed.leased_until.tzinfo is not None
    one, two = claimed.messages
    [acked] = roost.call(lambda client: client.inbound.ack(claimed, one))
    assert (acked.id, acked.status, acked.reason) == (one.id, "acked", None)
    [released] = roost.call(lambda client: client.inbound.release(claimed, two.id))
    assert released.status == "released"
    other = roost.call(lambda client: client.inbound.claim(to_number=tenant.number.number, lease_seconds=5))
    assert [message.body for message in other.messages] == ["two", "three"]
    late = roost.call(lambda client: client.inbound.ack(claimed, two))
    assert [(each.status, each.reason) for each in late] == [("refused", "outdated")]
    assert {each.status for each in roost.call(lambda client: client.inbound.ack(other))} == {"acked"}
    nothing = roost.call(lambda client: client.inbound.claim(wait=1))
    assert (nothing.messages, nothing.fence, nothing.leased_until) == ((), None, None)
    assert roost.call(lambda client: client.inbound.ack(nothing)) == []
