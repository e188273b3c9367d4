"""What every carrier's API may answer, and what a message comes to by it: one suite, and a file in `cases` for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from carriers.cases import CONTACT, CarrierCase
from carriers.test_receiving import WHOLE, every_carrier, post, rows
from roost.carriers import outside
from support.carrier_api import CarrierApi, Reply
from support.databases import Database
from support.house import House, Tenant
from support.outbound import is_settled, send, stand_of, until, wake

SENDING = {name: case for name, case in WHOLE.items() if case.API is not None}
every_sender = pytest.mark.parametrize("case", SENDING.values(), ids=SENDING)
SECOND = 1_000_000
#: None of these says whether the text was taken.
UNSURE = {
    "an error inside": Reply(500, b"oops"),
    "a bad gateway": Reply(502),
    "a gateway that gave up": Reply(504),
    "no answer": Reply(how="hang"),
    "closed after it was read": Reply(how="abort"),
    "closed before it was read": Reply(how="abort_unread", takes=False),
    "half an answer": Reply(how="half"),
    "an answer without end": Reply(body=b'{"id": "' + b"x" * 200_000 + b'"}'),
    "an answer that is no JSON": Reply(body=b"<html>"),
    "an answer that is no object": Reply(body=b"[]"),
    "an answer that says nothing": Reply(body=b"{}"),
}


@pytest.fixture
def api(case: CarrierCase) -> Iterator[CarrierApi]:
    assert case.API is not None
    with case.API() as listening:
        yield listening


@pytest.fixture
def house(database: Database, tmp_path: Path, case: CarrierCase, api: CarrierApi) -> Iterator[House]:
    """Its clock stands still, so that nothing is tried twice unless a test moves it."""
    options = {"segments_per_second": 0, "public_url": "https://roost.example.com", **case.house_options(api)}
    running = House(database, tmp_path / "data", working=True, **options).start()
    api.clock = running.clock
    running.clock.frozen_us = running.clock() // SECOND * SECOND
    yield running
    api.release()
    running.stop()


def sender(house: House, case: CarrierCase, api: CarrierApi, **changes: str) -> Tenant:
    return house.tenant(carrier=case.NAME, secrets={**case.secrets(api), **changes})


@every_sender
def test_each_answer_has_its_outcome_and_is_tried_once(
    house: House, case: CarrierCase, api: CarrierApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "TOTAL_SECONDS", 1.0)
    tenant = sender(house, case, api)
    unsure = {**UNSURE, **{name: Reply(body=body) for name, body in case.UNREADABLE.items()}}
    expected = {
        "accepted": (Reply(), (None, "sent", None)),
        **{name: (reply, (None, "failed", code)) for name, (reply, code) in case.REFUSALS.items()},
        "a wrong credential": (Reply(401, b"{}"), (None, "failed", "CARRIER_CREDENTIALS_REFUSED")),
        "a redirect": (Reply(302, b"", {"Location": "http://127.0.0.1:1/"}), (None, "failed", "HTTP_302")),
        **{name: (reply, ("uncertain", "sending", None)) for name, reply in unsure.items()},
    }
    ids = {}
    for number, (name, (reply, stand)) in enumerate(expected.items(), start=1):
        api.script.append(reply)
        ids[name] = send(house, tenant, to=f"+1555900{number:04}")
        reached = until(house, tenant, ids[name], lambda now, state=stand[0]: now.state == state)  # type: ignore[misc]
        assert (reached.state, reached.status, reached.error_code) == stand, name
        assert (reached.carrier_message_id is not None) == (reached.status == "sent"), name
    assert len(api.posts) == len(expected), "each was tried once"
    wake(house)
    last = send(house, tenant, to=CONTACT)
    assert until(house, tenant, last, is_settled).status == "sent"
    assert len(api.posts) == len(expected) + 1, "what was perhaps sent is not sent again"


@every_sender
def test_who_asks_too_often_waits_as_long_as_the_carrier_asks_for(
    house: House, case: CarrierCase, api: CarrierApi
) -> None:
    tenant = sender(house, case, api)
    api.script.append(Reply(429, b"{}", {"Retry-After": "30"}))
    message_id = send(house, tenant)
    stand = until(house, tenant, message_id, lambda stand: stand.state == "waiting")
    assert stand.due_at is not None
    assert 30 * SECOND <= stand.due_at - house.clock() <= 31 * SECOND
    house.clock.frozen_us = stand.due_at
    wake(house)
    assert until(house, tenant, message_id, is_settled).status == "sent"
    assert len(api.posts) == 2


@every_sender
def test_what_was_perhaps_sent_is_found_in_the_carriers_record_and_not_sent_again(
    house: House, case: CarrierCase, api: CarrierApi
) -> None:
    tenant = sender(house, case, api)
    known = send(house, tenant, body="hello")
    until(house, tenant, known, is_settled)
    api.script += [Reply(500, takes=True), Reply(500, takes=False)]
    taken, lost = (send(house, tenant, to=to, body="hello") for to in (CONTACT, "+15559990000"))
    for message_id in (taken, lost):
        until(house, tenant, message_id, lambda stand: stand.state == "uncertain")
    if not case.LOOKS_UP:
        return
    due = stand_of(house, tenant, taken).due_at
    assert due is not None
    house.clock.frozen_us = due
    wake(house)
    # Which of the two sends came first is not told: one of both contacts' messages was taken.
    found = until(house, tenant, _of_record(house, tenant, api, (taken, lost)), is_settled)
    assert (found.status, found.carrier_message_id) == ("sent", api.records[-1]["id"])
    assert len(api.posts) == 3


def _of_record(house: House, tenant: Tenant, api: CarrierApi, ids: tuple[str, str]) -> str:
    """Which of both is the one on the record."""
    to = {each["id"]: each["to"] for each in house.outbound(tenant)}
    record = repr(api.records[-1])
    [found] = [message_id for message_id in ids if to[message_id].removeprefix("+") in record]
    return found


@every_sender
def test_a_contact_that_told_the_carrier_to_stop_is_left_alone(
    house: House, case: CarrierCase, api: CarrierApi
) -> None:
    tenant = sender(house, case, api)
    said = []
    if case.OPTED_OUT is not None:
        api.script.append(case.OPTED_OUT)
        said.append(send(house, tenant))
        assert until(house, tenant, said[0], is_settled).status == "failed"
    if case.OPTED_OUT_STATUS is not None:
        other = send(house, tenant, to="+15557770000")
        until(house, tenant, other, is_settled)
        word, code = case.OPTED_OUT_STATUS
        payload = case.status(word, api.records[-1]["id"], "+15557770000", tenant.number.number, code)
        assert post(house, case, tenant.account, payload).status_code == case.ANSWER
        assert stand_of(house, tenant, other).error_code == code
    consents = rows(house, tenant, "SELECT contact_number, state, source FROM consents WHERE org_id = $1")
    contacts = ([CONTACT] if case.OPTED_OUT else []) + (["+15557770000"] if case.OPTED_OUT_STATUS else [])
    assert consents == [(contact, "opted_out", "carrier") for contact in contacts]
    for contact in contacts:
        later = send(house, tenant, to=contact)
        assert until(house, tenant, later, is_settled).error_code == "CONSENT_REQUIRED"


@every_sender
def test_a_receipt_moves_the_message_that_it_is_about(house: House, case: CarrierCase, api: CarrierApi) -> None:
    tenant = sender(house, case, api)
    words = {ours: word for word, ours in case.STATUSES.items()}
    for ours, status in (("delivered", "delivered"), ("failed", "failed")):
        message_id = send(house, tenant)
        until(house, tenant, message_id, is_settled)
        payload = case.status(words[ours], api.records[-1]["id"], CONTACT, tenant.number.number)
        for _ in range(2):
            assert post(house, case, tenant.account, payload).status_code == case.ANSWER
        assert stand_of(house, tenant, message_id).status == status


@every_carrier
def test_an_account_that_only_receives_sends_nothing(database: Database, tmp_path: Path, case: CarrierCase) -> None:
    if case.API is None:
        return
    with case.API() as api:
        running = House(database, tmp_path / "data", working=True, **case.house_options(api)).start()
        try:
            url = {"api_url": api.host_url} if "api_url" in case.secrets(api) else {}
            tenant = running.tenant(carrier=case.NAME, secrets={**case.RECEIVE_ONLY, **url})
            stand = until(running, tenant, send(running, tenant), is_settled)
            assert (stand.status, stand.error_code) == ("failed", "RECEIVE_ONLY")
            assert api.posts == []
        finally:
            running.stop()
