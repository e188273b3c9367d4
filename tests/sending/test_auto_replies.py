"""Auto-replies on their way: sent at once, and told where they cannot be sent."""

from typing import Any

from support.bandwidth_api import BandwidthApi
from support.house import House, Tenant
from support.outbound import CONTACT, is_settled, until
from support.payloads import bandwidth_inbound


def stop(house: House, tenant: Tenant) -> dict[str, Any]:
    """The contact says STOP; the confirmation as the API shows it, once nothing more becomes of it."""
    answer = house.deliver(tenant, [bandwidth_inbound("stop-1", tenant.number.number, text="STOP", sender=CONTACT)])
    assert answer.json()["stored"] == 1
    [confirmation] = house.outbound(tenant)
    until(house, tenant, confirmation["id"], is_settled)
    [settled] = house.outbound(tenant)
    return settled


def test_a_stop_is_confirmed_to_who_said_it(house: House, tenant: Tenant, api: BandwidthApi) -> None:
    confirmation = stop(house, tenant)
    assert (confirmation["status"], confirmation["to"]) == ("sent", CONTACT)
    assert [post["to"] for post in api.posts] == [[CONTACT]]


def test_what_a_receiving_account_cannot_answer_is_told(house: House, api: BandwidthApi) -> None:
    confirmation = stop(house, house.tenant(secrets={}))
    assert (confirmation["status"], confirmation["error"]["code"]) == ("failed", "RECEIVE_ONLY")
    assert api.posts == []
