"""What arrived while we were away is asked for, and stored once."""

from collections.abc import Iterator
from typing import Any

import pytest

from carriers.cases import CONTACT
from carriers.cases.plivo import CASE as PLIVO
from carriers.cases.twilio import CASE as TWILIO
from carriers.test_receiving import post, rows
from roost.backfill import MARGIN_US, Filler, UnderWay
from roost.carriers.contract import SendFailed
from roost.store.backfills import LEASE_US, Backfills, ListedAccount
from support.house import House, Tenant
from support.plivo_api import PlivoApi
from support.twilio_api import TwilioApi

HOUR = 3_600_000_000


@pytest.fixture
def api() -> Iterator[TwilioApi]:
    listening = TwilioApi()
    with listening:
        yield listening


@pytest.fixture
def tenant(house: House, api: TwilioApi) -> Tenant:
    house.clock.frozen_us = house.clock() // 1_000_000 * 1_000_000
    api.clock = house.clock
    return house.tenant(carrier="twilio", secrets=TWILIO.secrets(api))


def listed(house: House, tenant: Tenant) -> ListedAccount:
    [account] = house.wait(Backfills(house.store).accounts(tenant.org.org_id))
    return account


def fill(house: House, tenant: Tenant, since: int | None = None) -> Any:
    return house.wait(Filler(house.store, house.outside).fill(listed(house, tenant), since))


def missed(house: House, api: TwilioApi, sid: str, to: str, body: str, *, later_us: int = 0) -> None:
    """A text that the carrier has and we have not."""
    assert house.clock.frozen_us is not None
    house.clock.frozen_us += later_us
    api.received.insert(0, api.record(sid, CONTACT, to, body))


def test_what_was_missed_is_stored_once_oldest_first_and_with_the_carriers_time(
    house: House, tenant: Tenant, api: TwilioApi
) -> None:
    number = tenant.number.number
    missed(house, api, "SM1", number, "delivered after all", later_us=HOUR)
    post(house, TWILIO, tenant.account, TWILIO.text("SM1", number, body="delivered after all"))
    for n in range(2, 6):
        missed(house, api, f"SM{n}", number, f"missed {n}", later_us=60_000_000)
    missed(house, api, "SM6", "+15559999999", "nobody's")
    assert tuple(fill(house, tenant)) == (4, 1, 1)
    bodies = [message["body"] for message in house.inbound(tenant)]
    assert bodies == ["missed 5", "missed 4", "missed 3", "missed 2", "delivered after all"]
    newest, oldest = house.inbound(tenant)[0], house.inbound(tenant)[-2]
    assert oldest["bandwidth_received_at"] < newest["bandwidth_received_at"]
    assert tuple(fill(house, tenant))[:2] == (0, 5), "the margin, again"
    assert post(house, TWILIO, tenant.account, TWILIO.text("SM3", number, body="missed 3")).status_code == 204
    assert len(house.inbound(tenant)) == 5, "its callback comes late"


def test_it_goes_on_from_what_was_read_last_and_not_from_what_came_last(
    house: House, tenant: Tenant, api: TwilioApi
) -> None:
    fill(house, tenant)
    missed(house, api, "SM1", tenant.number.number, "while the database was away", later_us=MARGIN_US)
    missed(house, api, "SM2", tenant.number.number, "came", later_us=2 * HOUR)
    post(house, TWILIO, tenant.account, TWILIO.text("SM2", tenant.number.number, body="came"))
    assert tuple(fill(house, tenant)) == (1, 1, 0)
    house.clock.frozen_us = house.clock() + 2 * MARGIN_US
    fill(house, tenant)
    house.clock.frozen_us += 2 * MARGIN_US
    assert tuple(fill(house, tenant)) == (0, 0, 0), "what is older than the margin is not read again"
    assert tuple(fill(house, tenant, since=house.clock() - 24 * HOUR)) == (0, 2, 0), "unless it is asked for"


def test_what_is_older_than_the_organization_keeps_stays_away(house: House, tenant: Tenant, api: TwilioApi) -> None:
    missed(house, api, "SM1", tenant.number.number, "long ago")
    assert house.clock.frozen_us is not None
    house.clock.frozen_us += 31 * 24 * HOUR
    missed(house, api, "SM2", tenant.number.number, "today")
    assert tuple(fill(house, tenant, since=0)) == (1, 0, 0)
    assert [message["body"] for message in house.inbound(tenant)] == ["today"]


def test_a_stop_that_was_missed_holds(house: House, tenant: Tenant, api: TwilioApi) -> None:
    missed(house, api, "SM1", tenant.number.number, "STOP", later_us=HOUR)
    fill(house, tenant)
    assert house.send(tenant, CONTACT).json()["error"]["code"] == "CONSENT_REQUIRED"


def test_one_at_a_time_and_who_dies_at_it_does_not_hold_it_for_ever(
    house: House, tenant: Tenant, api: TwilioApi
) -> None:
    missed(house, api, "SM1", tenant.number.number, "one")
    assert house.wait(Backfills(house.store).lease(listed(house, tenant))) is not None
    with pytest.raises(UnderWay):
        fill(house, tenant)
    assert house.clock.frozen_us is not None
    house.clock.frozen_us += LEASE_US + 1
    assert tuple(fill(house, tenant)) == (1, 0, 0)


def test_a_record_that_cannot_be_read_is_read_the_next_time_and_holds_up_nobody(
    house: House, tenant: Tenant, api: TwilioApi
) -> None:
    broken = house.tenant(carrier="twilio", secrets={**TWILIO.secrets(api), "auth_token": ["wrong"]})
    only_receives = house.tenant(carrier="twilio", secrets=TWILIO.RECEIVE_ONLY)
    house.tenant(carrier="bandwidth")
    missed(house, api, "SM1", tenant.number.number, "one")
    house.wait(Filler(house.store, house.outside).fill_all())
    assert [message["body"] for message in house.inbound(tenant)] == ["one"]
    with pytest.raises(SendFailed):
        fill(house, broken)
    assert fill(house, only_receives) is None
    counts = house.http.get("/metrics").text
    assert 'roost_backfilled_events_total{carrier="twilio",outcome="failed"}' in counts
    state = "SELECT leased_until FROM backfills WHERE org_id = $1"
    assert rows(house, broken, state) == [(0,)], "nobody is at it"


def test_who_wrote_is_told_where_the_record_has_no_texts(house: House) -> None:
    with PlivoApi() as api:
        assert isinstance(api, PlivoApi)
        tenant = house.tenant(carrier="plivo", secrets=PLIVO.secrets(api))
        api.received = [api.record("u1", "15554443333", "15551112222", "inbound", message_state="undelivered")]
        for _ in range(2):
            assert tuple(fill(house, tenant)) == (0, 0, 1)
        assert house.inbound(tenant) == []
        assert rows(house, tenant, "SELECT reason FROM unrouted_deliveries WHERE org_id = $1") == [("text_missed",)]
