"""How a text leaves through SMS Gateway for Android, and what its answers come to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from android_sms_gateway import domain

from roost.carriers import android
from roost.core.account import CarrierAccount
from support.android import PASSWORD, SECRETS, USER, deliver, status
from support.databases import Database
from support.house import House, Tenant
from support.outbound import CONTACT, is_settled, send, until
from support.scripted_api import Asked, Said, ScriptedApi

ACCOUNT = CarrierAccount("", "", "android", SECRETS)


def phone(asked: Asked) -> Said:
    """As documented: 202 with the message's state."""
    if asked.method == "GET":
        return Said(404)
    state = {"id": asked.fields["id"], "deviceId": "d", "state": "Pending", "isHashed": False, "isEncrypted": False}
    return Said(202, {**state, "recipients": [{"phoneNumber": CONTACT, "state": "Pending"}], "states": {}})


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with ScriptedApi(phone) as listening:
        yield listening


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    running = House(database, tmp_path / "data", working=True, segments_per_second=0).start()
    yield running
    running.stop()


@pytest.fixture
def tenant(house: House, api: ScriptedApi) -> Tenant:
    return house.tenant(carrier="android", secrets={**SECRETS, "api_url": api.base_url + "/"})


def test_a_text_is_sent_as_documented_and_its_receipts_move_it_on(
    house: House, tenant: Tenant, api: ScriptedApi
) -> None:
    message_id = send(house, tenant, body="Hi \N{WAVING HAND SIGN}", rank=0)
    [asked] = api.wait_for(1)
    assert asked.path == "/messages"
    assert asked.headers["Authorization"].startswith("Basic ")
    message = domain.Message(
        id=message_id,
        text_message=domain.TextMessage("Hi \N{WAVING HAND SIGN}"),
        phone_numbers=[CONTACT],
        priority=domain.MessagePriority.BYPASS_THRESHOLD,
    )
    assert {"isEncrypted": False, **asked.fields} == message.asdict(), "as the app's own client writes it"
    stand = until(house, tenant, message_id, is_settled)
    assert (stand.status, stand.carrier_message_id) == ("sent", message_id)
    for word in ("sms:sent", "sms:delivered"):
        assert deliver(house, tenant, status(word, message_id, CONTACT, tenant.number.number)).json()["receipts"] == 1
    assert until(house, tenant, message_id, lambda stand: stand.status == "delivered").delivered_at == 1787462190000000


def test_a_failure_says_why(house: House, tenant: Tenant, api: ScriptedApi) -> None:
    message_id = send(house, tenant)
    api.wait_for(1)
    until(house, tenant, message_id, is_settled)
    reason = "Send result: RESULT_ERROR_LIMIT_EXCEEDED"
    deliver(house, tenant, status("sms:failed", message_id, CONTACT, tenant.number.number, reason=reason))
    [message] = house.outbound(tenant)
    assert (message["status"], message["error"]["description"]) == ("failed", reason)


#: A reply to the one try; the outbox row's state, the message's status and its code after it.
ANSWERS: list[tuple[str, Said, str | None, str, str | None]] = [
    ("a validation error", Said(400, {"message": "Invalid phone number"}), None, "failed", "HTTP_400"),
    ("a refusal that is no JSON", Said(404, b"<html>"), None, "failed", "HTTP_404"),
    ("a wrong password", Said(401), None, "failed", "CARRIER_CREDENTIALS_REFUSED"),
    ("too many", Said(429, b"", {"Retry-After": "30"}), "waiting", "sending", None),
    ("nobody at home", Said(503), "waiting", "sending", None),
    ("an error inside", Said(500, {"message": "oops"}), "uncertain", "sending", None),
    ("no answer", Said(None), "uncertain", "sending", None),
]


@pytest.mark.parametrize("case", ANSWERS, ids=[each[0] for each in ANSWERS])
def test_every_answer_has_its_outcome(house: House, tenant: Tenant, api: ScriptedApi, case: tuple[Any, ...]) -> None:
    _, reply, state, message_status, code = case
    api.script.append(reply)
    message_id = send(house, tenant)
    api.wait_for(1)
    stand = until(house, tenant, message_id, lambda stand: stand.state == state)
    assert (stand.status, stand.error_code) == (message_status, code)


def test_what_was_perhaps_sent_is_found_by_its_id(house: House, tenant: Tenant, api: ScriptedApi) -> None:
    """409: the app has a message of that id already."""
    api.script.extend([Said(409), Said(200, {"id": "x", "state": "Sent"})])
    message_id = send(house, tenant)
    api.wait_for(1)
    until(house, tenant, message_id, lambda stand: stand.state == "uncertain")
    house.clock.offset_us += 3600 * 1_000_000
    house.wait(house.worker.take_due())
    stand = until(house, tenant, message_id, is_settled)
    assert (stand.status, stand.carrier_message_id) == ("sent", message_id)
    [asked] = api.wait_for(1, "GET")
    assert asked.path == f"/messages/{message_id}"


def test_the_sim_that_has_the_number_sends(house: House, api: ScriptedApi) -> None:
    number = "+15557778888"
    secrets = {**SECRETS, "api_url": api.base_url, "sims": f"+15550000000, {number}"}
    tenant = house.tenant(carrier="android", number=number, secrets=secrets)
    send(house, tenant)
    assert api.wait_for(1)[0].fields["simNumber"] == 2


def test_a_picture_is_refused(house: House, tenant: Tenant, api: ScriptedApi) -> None:
    stand = until(house, tenant, send(house, tenant, media=["https://example.com/a.jpg"]), is_settled)
    assert (stand.status, stand.error_code) == ("failed", "MEDIA_NOT_SUPPORTED")
    assert api.asked == []


HOOK = "https://roost.example.com/carriers/android/1"


def hooks(*words: str) -> list[dict[str, str]]:
    return [{"id": word, "url": f"{HOOK}?number=%2B1", "event": word, "source": "Local"} for word in words]


FOUND: list[tuple[str, Said, list[bool]]] = [
    ("all is well", Said(200, hooks(*android.WANTED)), [True] * 5),
    ("nothing is registered", Said(200, []), [False] * 5),
    ("another's alone", Said(200, [{"event": "sms:received", "url": "https://example.com/"}]), [False] * 5),
    ("texts alone", Said(200, hooks("sms:received")), [True, False, False, False, False]),
    ("a wrong password", Said(401), [False]),
    ("another server", Said(200, b"<html>"), [False]),
    ("a broken one", Said(500), [False]),
]


@pytest.mark.parametrize(("reply", "good"), [each[1:] for each in FOUND], ids=[each[0] for each in FOUND])
def test_the_set_up_is_looked_at(house: House, api: ScriptedApi, reply: Said, good: list[bool]) -> None:
    api.script.append(reply)
    account = ACCOUNT._replace(secrets={**SECRETS, "api_url": api.base_url})
    found = house.wait(android.check(account, ["+15550000000"], HOOK, house.outside))
    assert [finding.good for finding in found] == good
    [asked] = api.asked
    assert (asked.method, asked.path) == ("GET", "/webhooks")


def test_an_account_without_the_apps_credential_only_receives(house: House) -> None:
    account = ACCOUNT._replace(secrets={"signing_key": ["k"], "api_user": USER})
    assert not android.can_send(account)
    assert android.can_send(account._replace(secrets={"api_user": USER, "api_password": PASSWORD}))
    [finding] = house.wait(android.check(account, [], HOOK, house.outside))
    assert finding.good
    assert android.media_auth("https://api.sms-gate.app/x", ACCOUNT) is None
    assert not android.answers_opt_outs("+15550000000", ACCOUNT)
