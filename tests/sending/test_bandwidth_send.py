"""What Bandwidth answers, and what a message comes to by it."""

import json
import socket
from email.utils import formatdate
from pathlib import Path
from typing import NamedTuple

import pytest

from roost.carriers import bandwidth, outside
from roost.carriers.contract import IntakeRequest
from roost.core.account import CarrierAccount
from roost.core.message import ReceiptEvent
from support.bandwidth_api import BandwidthApi, Reply
from support.credentials import APPLICATION_ID, SECRETS
from support.databases import Database
from support.house import House, Tenant
from support.outbound import CONTACT, is_settled, send, stand_of, until, wake
from support.payloads import bandwidth_status


def error(kind: str, description: str = "it says why") -> bytes:
    return json.dumps({"type": kind, "description": description}).encode()


class Case(NamedTuple):
    """A reply to the one try, and how the message stands after it: the outbox row's state, the status, the code."""

    name: str
    reply: Reply
    state: str | None
    status: str
    code: str | None = None


CASES = [
    Case("it is accepted", Reply(), None, "sent"),
    Case("200 with an id", Reply(200, b'{"id": "x-1"}'), None, "sent"),
    Case("a validation error", Reply(400, error("request-validation")), None, "failed", "request-validation"),
    Case("a refusal that says nothing", Reply(400, b""), None, "failed", "HTTP_400"),
    Case("a refusal that is no JSON", Reply(404, b"<html>"), None, "failed", "HTTP_404"),
    Case("a refusal without end", Reply(415, b"x" * 200_000), None, "failed", "HTTP_415"),
    Case("a long refusal", Reply(400, error("x" * 500, "y" * 5000)), None, "failed", "x" * 64),
    Case("a refusal with what no database keeps", Reply(400, error("a\x00b\ud800")), None, "failed", "a\ufffdb\ufffd"),
    Case("a wrong password", Reply(401, error("unauthorized")), None, "failed", "CARRIER_CREDENTIALS_REFUSED"),
    Case("a wrong account", Reply(403, error("forbidden")), None, "failed", "CARRIER_CREDENTIALS_REFUSED"),
    Case("a redirect", Reply(302, b"", {"Location": "http://127.0.0.1:1/"}), None, "failed", "HTTP_302"),
    Case("too many", Reply(429, error("max-message-queue-size-exceeded")), "waiting", "sending"),
    Case("too many, and until when", Reply(429, b"", {"Retry-After": "30"}), "waiting", "sending"),
    Case("nobody at home", Reply(503, b"", {"Retry-After": "soon"}), "waiting", "sending"),
    Case("an error inside", Reply(500, b"oops"), "uncertain", "sending"),
    Case("a bad gateway", Reply(502), "uncertain", "sending"),
    Case("a gateway that gave up", Reply(504), "uncertain", "sending"),
    Case("no answer", Reply(how="hang"), "uncertain", "sending"),
    Case("closed after it was read", Reply(how="abort"), "uncertain", "sending"),
    Case("closed before it was read", Reply(how="abort_unread", takes=False), "uncertain", "sending"),
    Case("half an answer", Reply(how="half"), "uncertain", "sending"),
    Case("an answer without end", Reply(202, b'{"id": "' + b"x" * 200_000 + b'"}'), "uncertain", "sending"),
    Case("an answer without an id", Reply(202, b'{"id": 7}'), "uncertain", "sending"),
    Case("an answer that is no JSON", Reply(202, b"[]"), "uncertain", "sending"),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_answer_has_its_outcome_and_is_tried_once(
    house: House, tenant: Tenant, api: BandwidthApi, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    if case.reply.how == "hang":
        monkeypatch.setattr(outside, "TOTAL_SECONDS", 0.2)
    api.script.extend([case.reply, Reply(500)])
    message_id = send(house, tenant)
    api.wait_for_posts(1)
    stand = until(house, tenant, message_id, lambda stand: stand.state == case.state)
    assert (stand.state, stand.status, stand.error_code) == (case.state, case.status, case.code)
    assert (stand.carrier_message_id is not None) == (case.status == "sent")
    assert (stand.sent_at is not None) == (case.status == "sent")
    assert stand.attempts in (None, 1 if case.state == "waiting" else 0)
    if case.state != "waiting":
        assert len(api.posts) == 1


def test_bandwidth_is_asked_as_documented(house: House, tenant: Tenant, api: BandwidthApi) -> None:
    plain = send(house, tenant, body="Hi \N{WAVING HAND SIGN}")
    api.wait_for_posts(1)
    until(house, tenant, plain, is_settled)
    picture = send(house, tenant, body="", rank=0, media=["https://example.com/a.jpg"])
    api.wait_for_posts(2)
    ours = {"applicationId": APPLICATION_ID, "to": [CONTACT], "from": tenant.number.number}
    assert api.posts == [
        {**ours, "tag": plain, "text": "Hi \N{WAVING HAND SIGN}"},
        {**ours, "tag": picture, "media": ["https://example.com/a.jpg"], "priority": "high"},
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"api_password": "old"}, "CARRIER_CREDENTIALS_REFUSED"), ({"account_id": "1"}, "CARRIER_CREDENTIALS_REFUSED")],
)
def test_a_wrong_credential_fails_the_message(house: House, changes: dict[str, str], code: str) -> None:
    tenant = house.tenant(secrets={**SECRETS, **changes})
    stand = until(house, tenant, send(house, tenant), is_settled)
    assert (stand.status, stand.error_code) == ("failed", code)


def test_an_account_that_only_receives_sends_nothing(house: House, api: BandwidthApi) -> None:
    tenant = house.tenant(secrets={})
    stand = until(house, tenant, send(house, tenant), is_settled)
    assert (stand.status, stand.error_code) == ("failed", "RECEIVE_ONLY")
    assert api.posts == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/api/v2", "https://127.0.0.1:{listening}/api/v2"])
def test_where_no_connection_comes_about_it_waits_to_be_tried_again(
    database: Database, tmp_path: Path, api: BandwidthApi, url: str
) -> None:
    """Nobody listens; or who listens does not speak TLS."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    listening = api.base_url.rpartition(":")[2].partition("/")[0]
    house = House(
        database, tmp_path / "data", working=True, bandwidth_url=url.format(port=port, listening=listening)
    ).start()
    try:
        tenant = house.tenant(secrets=SECRETS)
        message_id = send(house, tenant)
        stand = until(house, tenant, message_id, lambda stand: stand.state == "waiting")
        assert (stand.status, stand.sent_at) == ("sending", None)
        assert (stand.attempts or 0) >= 1
    finally:
        house.stop()
    assert api.posts == []


def test_a_retry_after_is_waited_for_in_seconds_and_as_a_date(house: House, tenant: Tenant, api: BandwidthApi) -> None:
    start = house.clock.frozen_us = house.clock() // 1_000_000 * 1_000_000
    date = formatdate(start / 1_000_000 + 90, usegmt=True)
    api.script.extend([Reply(429, b"", {"Retry-After": "30"}), Reply(503, b"", {"Retry-After": date})])
    message_id = send(house, tenant)
    api.wait_for_posts(1)
    stand = until(house, tenant, message_id, lambda stand: stand.state == "waiting")
    assert stand.due_at is not None
    assert 30 <= (stand.due_at - start) / 1_000_000 <= 31
    house.clock.frozen_us = stand.due_at
    api.wait_for_posts(2)
    stand = until(house, tenant, message_id, lambda stand: stand.attempts == 2)
    assert stand.due_at is not None
    assert 90 <= (stand.due_at - start) / 1_000_000 <= 91
    house.clock.frozen_us = stand.due_at
    api.wait_for_posts(3)
    assert until(house, tenant, message_id, is_settled).status == "sent"


def test_what_is_never_taken_fails_after_a_day(house: House, tenant: Tenant, api: BandwidthApi) -> None:
    start = house.clock.frozen_us = house.clock()
    api.script.extend([Reply(503)] * 100)
    message_id = send(house, tenant)
    while not is_settled(stand := stand_of(house, tenant, message_id)):
        if stand.state == "waiting" and stand.due_at is not None:
            house.clock.frozen_us = max(stand.due_at, house.clock.frozen_us)
            wake(house)
    assert (stand.status, stand.error_code) == ("failed", "HTTP_503")
    assert house.clock.frozen_us - start <= 24 * 3600 * 1_000_000
    assert len(api.posts) <= 32


OPTED_OUT = "destination-rejected-due-to-user-opt-out"


@pytest.mark.parametrize("body", [error(OPTED_OUT), b'{"type": "x", "errorCode": 4775}'])
def test_an_answer_that_means_opted_out_stops_all_to_that_contact(
    house: House, tenant: Tenant, api: BandwidthApi, body: bytes
) -> None:
    api.script.append(Reply(400, body, wait=True))
    first = send(house, tenant)
    api.wait_for_posts(1)
    second, other = send(house, tenant), send(house, tenant, to="+15550009999")
    api.wait_for_posts(2)
    api.release()
    assert until(house, tenant, first, is_settled).status == "failed"
    assert until(house, tenant, second, is_settled).error_code == "CONSENT_REQUIRED"
    assert until(house, tenant, other, is_settled).status == "sent"
    assert {post["tag"] for post in api.posts} == {first, other}


TOLL_FREE = [
    ("+18005551234", True),
    ("+18335551234", True),
    ("+18885551234", True),
    ("+18995551234", False),
    ("+15551112222", False),
    ("+448005551234", False),
    ("+1800555123", False),
    ("68849", False),
]


ACCOUNT = CarrierAccount("", "", "bandwidth", {})


@pytest.mark.parametrize(("number", "answered"), TOLL_FREE)
def test_the_network_answers_opt_outs_on_toll_free_numbers_only(number: str, answered: bool) -> None:
    assert bandwidth.answers_opt_outs(number, ACCOUNT) is answered


@pytest.mark.parametrize(
    ("word", "code", "event", "is_opted_out"),
    [
        ("message-failed", 4775, "failed", True),
        ("message-failed", "4775", "failed", True),
        ("message-failed", 4720, "failed", False),
        ("message-failed", 9902, "unconfirmed", False),
        ("message-delivered", None, "delivered", False),
    ],
)
def test_a_status_says_its_tag_and_what_its_code_means(
    word: str, code: int | str | None, event: str, is_opted_out: bool
) -> None:
    changes = {} if code is None else {"errorCode": code}
    payload = bandwidth_status(word, "m1", CONTACT, "+15550000001", **changes)
    [receipt] = bandwidth.parse(IntakeRequest({}, json.dumps([payload]).encode()))
    assert isinstance(receipt, ReceiptEvent)
    assert (receipt.event, receipt.tag, receipt.opted_out) == (event, "order-7421", is_opted_out)
