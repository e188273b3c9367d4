"""Delivery receipts: whatever order they come in, a status never moves back."""

import itertools
from typing import Any
from uuid import UUID

import pytest

from roost.core.delivery import Progress, after_receipts, next_attempt, next_look_up
from roost.core.message import ReceiptEvent
from roost.core.outbound import advanced
from support.bandwidth_api import BandwidthApi
from support.house import House, Tenant
from support.outbound import CONTACT, is_settled, send, stand_of, tell, until

EVENTS = ("sending", "sent", "delivered", "failed", "read", "unconfirmed")
RANK = {"queued": 0, "sending": 1, "sent": 2, "delivered": 3, "failed": 3}


def receipt(event: str) -> ReceiptEvent:
    return ReceiptEvent("m1", CONTACT, event, b"", "4720" if event == "failed" else None, carrier_time=5)


def test_in_every_order_a_status_only_moves_forward_and_the_first_final_one_stays() -> None:
    for count in range(1, len(EVENTS) + 1):
        for order in itertools.permutations(EVENTS, count):
            progress, seen = Progress("queued"), []
            for event in order:
                progress = after_receipts(progress, [receipt(event)], now=9)
                seen.append(progress.status)
            ranks = [RANK[status] for status in seen]
            assert ranks == sorted(ranks), order
            finals = [advanced("sent", event) for event in order if advanced("sent", event) != "sent"]
            assert seen[-1] == (finals[0] if finals else "sent"), order
            assert (progress.error_code == "4720") == (progress.status == "failed"), order
            assert (progress.delivered_at is not None) == (progress.status == "delivered"), order
            assert (progress.carrier_message_id, progress.sent_at) == ("m1", 5)
            again = after_receipts(progress, [receipt(event) for event in order], now=11)
            assert again == progress, "a replay changes nothing"


@pytest.mark.parametrize("order", list(itertools.permutations(["message-sent", "message-delivered", "message-failed"])))
@pytest.mark.parametrize("together", [True, False])
def test_stored_receipts_in_every_order_leave_the_first_final_status(
    house: House, tenant: Tenant, api: BandwidthApi, order: tuple[str, ...], together: bool
) -> None:
    message_id = send(house, tenant)
    until(house, tenant, message_id, is_settled)
    payloads = [api.status(event, api.records[0]) for event in order]
    for batch in [payloads] if together else [[payload] for payload in payloads]:
        tell(house, tenant, *batch)
        tell(house, tenant, *batch)  # a replay
    final = next(event for event in order if event != "message-sent")
    assert stand_of(house, tenant, message_id).status == final.removeprefix("message-")


def queued(house: House, tenant: Tenant) -> str:
    """A message that an operator is to release, so that no worker is at it."""
    return send(house, tenant, state="held")


def test_a_receipt_by_tag_teaches_the_carriers_id_and_the_rest_of_the_batch_is_found_by_it(
    house: House, tenant: Tenant, api: BandwidthApi
) -> None:
    message_id = queued(house, tenant)
    record = {"id": "bw-9", "to": [CONTACT], "from": tenant.number.number, "tag": message_id}
    without_tag = api.status("message-delivered", record)
    del without_tag["message"]["tag"]
    tell(house, tenant, api.status("message-sending", record), without_tag)
    assert stand_of(house, tenant, message_id)[:5] == (None, None, None, "delivered", "bw-9")


def test_a_receipt_of_another_account_or_another_try_changes_nothing(
    house: House, tenant: Tenant, api: BandwidthApi
) -> None:
    message_id = send(house, tenant)
    until(house, tenant, message_id, is_settled)
    stranger = house.tenant()
    record = api.records[0]
    tell(house, stranger, api.status("message-failed", record))
    tell(house, stranger, api.status("message-failed", {**record, "id": "bw-77"}))
    tell(house, tenant, api.status("message-failed", {**record, "id": "bw-77"}))  # the tag of one that has an id
    tell(house, tenant, api.status("message-failed", {**record, "id": "", "tag": "no uuid"}))
    assert stand_of(house, tenant, message_id).status == "sent"


def test_no_delivery_receipt_in_time_is_no_failure(house: House, tenant: Tenant, api: BandwidthApi) -> None:
    message_id = queued(house, tenant)
    record = {"id": "bw-9", "to": [CONTACT], "from": tenant.number.number, "tag": message_id}
    tell(house, tenant, api.status("message-failed", record, errorCode=9902))
    stand = stand_of(house, tenant, message_id)
    assert (stand.state, stand.status, stand.error_code) == (None, "sent", None)


def test_a_code_that_means_opted_out_flips_consent_once(house: House, tenant: Tenant, api: BandwidthApi) -> None:
    message_id = send(house, tenant)
    until(house, tenant, message_id, is_settled)
    failed = api.status("message-failed", api.records[0], errorCode=4775)
    tell(house, tenant, failed)
    tell(house, tenant, failed)
    assert stand_of(house, tenant, message_id)[3:6] == ("failed", "bw-000001", "4775")
    org_id = UUID(tenant.org.org_id)
    consents: list[Any] = house.wait(house.store.fetch("SELECT state, source FROM consents WHERE org_id = $1", org_id))
    events = house.wait(house.store.fetch("SELECT event, source FROM consent_events WHERE org_id = $1", org_id))
    assert [tuple(row) for row in consents] == [("opted_out", "carrier")]
    assert [tuple(row) for row in events] == [("opt_out", "carrier")]
    later = send(house, tenant)
    assert until(house, tenant, later, is_settled).error_code == "CONSENT_REQUIRED"


SECOND = 1_000_000


@pytest.mark.parametrize(
    ("attempts", "retry_after", "earliest", "latest"),
    [(1, None, 0, 1), (2, None, 0, 2), (5, None, 0, 16), (20, None, 0, 3600), (1, 30.0, 30, 31), (1, 1e9, 3600, 3601)],
)
def test_backoff_is_exponential_with_full_jitter_and_waits_for_what_was_asked(
    attempts: int, retry_after: float | None, earliest: int, latest: int
) -> None:
    assert next_attempt(attempts, 0, 0, retry_after, 0.0) == earliest * SECOND
    assert next_attempt(attempts, 0, 0, retry_after, 1.0) == latest * SECOND


def test_trying_ends_by_number_and_by_age() -> None:
    assert next_attempt(32, 0, 0, None, 0.5) is None
    assert next_attempt(1, 0, 24 * 3600 * SECOND, None, 0.0) == 24 * 3600 * SECOND
    assert next_attempt(1, 0, 24 * 3600 * SECOND, None, 0.5) is None


def test_looking_up_becomes_rarer_and_ends() -> None:
    now, times = 60 * SECOND, []
    while len(times) < 30 and (now := next_look_up(0, now)) < 10**16:
        times.append(now // SECOND)
    assert times == [120, 240, 480, 960, 1920, 3840, 7680, 15360, 30720, 61440, 122880]
