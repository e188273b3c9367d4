"""Endpoints are told what happens: in order, signed, and each of what it asked for."""

import base64
import hmac
from pathlib import Path

from standardwebhooks import Webhook

from roost.client import ConsentChanged, MessageReceived, MessageStatus, verify_webhook
from roost.core.webhooks import ACCOUNT
from support.allowed import allowed
from support.databases import Database
from support.house import House
from support.receiver import Posted, Receiver, Reply
from support.telling import CONTACT, HOUR_US, OTHER, SECOND_US, Telling, texts


def test_an_endpoint_is_told_of_a_text_that_came_once_and_signed_both_ways(telling: Telling) -> None:
    made = telling.endpoint()
    telling.arrives("hello")
    telling.tell()
    telling.tell()
    [post] = telling.receiver.posts
    message = telling.house.inbound(telling.tenant)[0]
    assert post.id == f"evt_{message['id']}"
    assert post.event["id"] == message["id"]
    assert message.items() <= post.event["data"].items()
    telling.house.clock.frozen_us = None
    assert Webhook(made["secret"]).verify(post.body, post.headers) == post.event
    event = verify_webhook(made["secret"], post.headers, post.body)
    assert isinstance(event, MessageReceived)
    assert event.data.body == "hello"
    assert_documented_signature(post, made["secret"])


def assert_documented_signature(post: Posted, secret: str) -> None:
    stamp, _, mac = post.headers["x-amcore-signature"].partition(",v1=")
    assert stamp == f"t={post.headers['webhook-timestamp']}"
    signed = stamp[2:].encode() + b"\n" + post.body
    assert mac == hmac.new(base64.b64decode(secret), signed, "sha256").hexdigest()


def delivered(telling: Telling) -> str:
    """The id of a text that a worker has sent, and loopback has delivered at once."""
    house = telling.house
    message_id = house.sent(telling.tenant, CONTACT)
    house.wait(house.worker.take_due())
    house.wait(house.worker.idle())
    return message_id


def test_an_endpoint_is_told_of_receipts_and_consent_too(telling: Telling) -> None:
    made = telling.endpoint()
    telling.arrives("hello")
    message_id = delivered(telling)
    telling.arrives("STOP")
    telling.tell()
    events = [verify_webhook(made["secret"], post.headers, post.body) for post in telling.receiver.posts]
    told = [event.data.status for event in events if isinstance(event, MessageStatus) and event.data.id == message_id]
    assert told == ["sending", "delivered"]
    changed = [(event.data.event, event.data.opted_in) for event in events if isinstance(event, ConsentChanged)]
    assert changed == [("opt_in", True), ("opt_out", False)]
    assert [event.id for event in events] == sorted(event.id for event in events), "one contact's are in order"
    assert texts(telling.receiver.posts) == ["hello", "STOP"]


def test_an_endpoint_is_told_only_what_it_asked_for_and_only_what_comes_from_then_on(telling: Telling) -> None:
    telling.arrives("before")
    telling.endpoint("/consent", events=["consent.changed"])
    telling.endpoint("/texts", events=["message.received", "wallet.balance_low"])
    telling.arrives("after")
    telling.arrives("STOP")
    telling.tell()
    paths = [(post.path, post.event["type"]) for post in telling.receiver.posts]
    assert sorted(paths) == [
        ("/consent", "consent.changed"), ("/texts", "message.received"), ("/texts", "message.received"),
    ]  # fmt: skip
    assert texts(telling.receiver.posts) == ["after", "STOP"]


def test_numbers_urls_are_told_of_their_own_numbers_and_signed_with_the_organizations_secret(telling: Telling) -> None:
    house, tenant, receiver = telling.house, telling.tenant, telling.receiver
    holder = (tenant.account.id, tenant.agent.id, "")
    assert house.wait(house.directory.add_number(tenant.org.org_id, "+15551230000", *holder))
    urls = {"inbound_url": receiver.url("/in"), "status_url": receiver.url("/status")}
    path = f"/v1/phone-numbers/{tenant.number.id}"
    assert house.http.patch(path, json=urls, headers=tenant.auth).json()["data"].items() >= urls.items()
    rotated = house.http.post("/v1/webhook-secret/rotate", headers=tenant.auth).json()
    telling.arrives("hello")
    other = {"id": "other", "from": CONTACT, "to": "+15551230000", "text": "to the other number"}
    assert house.deliver(tenant, other).status_code == 200
    delivered(telling)
    telling.tell()
    assert texts(receiver.posts) == ["hello"]
    assert {(post.path, post.event["type"]) for post in receiver.posts} == {
        ("/in", "message.received"), ("/status", "message.status"),
    }  # fmt: skip
    for post in receiver.posts:
        assert_documented_signature(post, rotated["webhook_secret"])
        verify_webhook(rotated["webhook_secret"], post.headers, post.body)
    assert {each["endpoint_id"] for each in telling.log()} == {tenant.number.id}
    assert house.http.patch(path, json=dict.fromkeys(urls, ""), headers=tenant.auth).status_code == 200
    before = len(receiver.posts)
    telling.arrives("nobody asks")
    telling.tell()
    assert len(receiver.posts) == before


def test_texts_of_one_thread_are_told_in_order_and_those_of_others_do_not_wait_for_them(telling: Telling) -> None:
    telling.endpoint()
    telling.receiver.answering = lambda post: Reply(500 if post.text == "first" else 200)
    for text in ("first", "second", "third"):
        telling.arrives(text)
        telling.arrives(f"{text} of another", OTHER)
    telling.tell()
    assert texts(telling.receiver.posts).count("first") == 1
    assert [text for text in texts(telling.receiver.posts) if "other" in text] == [
        "first of another", "second of another", "third of another",
    ]  # fmt: skip
    assert "second" not in texts(telling.receiver.posts)
    telling.receiver.answering = lambda post: Reply()
    telling.tell(later_us=3 * SECOND_US)
    assert [text for text in texts(telling.receiver.posts) if "other" not in text] == [
        "first", "first", "second", "third",
    ]  # fmt: skip
    ids = [post.id for post in telling.receiver.posts if post.text == "first"]
    assert len(ids) == 2 and len(set(ids)) == 1, "the same event has the same id"


def test_nobody_is_told_of_another_organizations_texts_nor_of_blocked_senders(telling: Telling) -> None:
    house = telling.house
    stranger = house.tenant(carrier="loopback")
    telling.endpoint()
    blocked = {"sender": OTHER}
    assert house.http.post("/v1/blocked-senders", json=blocked, headers=telling.tenant.auth).status_code == 201
    telling.arrives("not for us", tenant=stranger)
    telling.arrives("not wanted", OTHER)
    telling.arrives("wanted")
    telling.tell()
    assert texts(telling.receiver.posts) == ["wanted"]


def test_while_a_secret_is_replaced_both_sign(telling: Telling) -> None:
    house, tenant, receiver = telling.house, telling.tenant, telling.receiver
    made = telling.endpoint()
    rotated = house.http.post(f"/v1/webhooks/{made['id']}/rotate-secret", headers=tenant.auth).json()
    assert rotated["secret"] != made["secret"]
    telling.arrives("both")
    telling.tell()
    [post] = receiver.posts
    for secret in (made["secret"], rotated["secret"]):
        verify_webhook(secret, post.headers, post.body)
    assert_documented_signature(post, rotated["secret"])
    house.clock.frozen_us = house.clock() + 24 * HOUR_US + SECOND_US
    house.deliverer._teller._secrets._found.clear()  # what was looked up is believed for half a second
    telling.arrives("the new one alone")
    telling.tell()
    post = receiver.posts[-1]
    assert_documented_signature(post, rotated["secret"])
    assert len(post.headers["webhook-signature"].split(" ")) == 1


def test_a_running_server_tells_by_itself_as_soon_as_a_text_comes(
    database: Database, tmp_path: Path, receiver: Receiver
) -> None:
    house = House(database, tmp_path / "data", telling=True, allowed_networks="127.0.0.0/8").start()
    tenant = house.tenant(carrier="loopback")
    body = {"url": receiver.url(), "events": ["message.received"]}
    assert house.http.post("/v1/webhooks", json=body, headers=tenant.auth).status_code == 201
    for nth in range(3):
        text = {"id": str(nth), "from": CONTACT, "to": tenant.number.number, "text": str(nth)}
        assert house.deliver(tenant, text).status_code == 200
    assert texts(receiver.wait_for(3)) == ["0", "1", "2"]
    house.stop()
    assert len(receiver.posts) == 3


def test_an_endpoint_is_told_of_api_keys_and_of_double_opt_ins_and_a_stream_is_not(telling: Telling) -> None:
    house, tenant = telling.house, telling.tenant
    issued = {"label": "before anybody asked", "scopes": ["messages:read"]}
    auth = allowed(house, tenant)
    assert house.http.post("/v1/api-keys", json=issued, headers=auth).status_code == 201
    telling.endpoint(events=list(ACCOUNT))
    key = house.http.post("/v1/api-keys", json={**issued, "label": "new"}, headers=auth).json()
    rotated = house.http.post(f"/v1/api-keys/{key['id']}/rotate", headers=auth).json()
    assert house.http.delete(f"/v1/api-keys/{rotated['id']}", headers=auth).status_code == 200
    question = {
        "phone_number_id": tenant.number.id, "contact_number": CONTACT, "confirmation_text": "Reply YES.",
        "agreement_text": "I agree.",
    }  # fmt: skip
    asked = house.http.post("/v1/consent/double-opt-in", json=question, headers=auth).json()
    house.clock.frozen_us = house.clock() + 25 * HOUR_US
    again = house.http.post("/v1/consent/double-opt-in", json=question, headers=auth).json()
    telling.arrives("YES")
    telling.tell()
    told = {post.event["type"]: post.event["data"] for post in telling.receiver.posts}
    assert {kind: data["id"] for kind, data in told.items()} == {
        "api_key.created": key["id"], "api_key.rotated": key["id"], "api_key.revoked": rotated["id"],
        "consent_pending.expired": asked["consent_pending_id"], "consent_pending.confirmed": again["consent_pending_id"],
    }  # fmt: skip
    assert told["api_key.created"]["label"] == "new"
    assert told["api_key.rotated"]["new_id"] == rotated["id"]
    assert told["consent_pending.confirmed"]["contact_number"] == CONTACT
    assert len(telling.receiver.posts) == len(told)
    assert key["plaintext"] not in "".join(post.body.decode() for post in telling.receiver.posts)
    query = "?since=2020-01-01T00:00:00Z"
    with house.http.stream("GET", f"/v1/events{query}", headers=tenant.auth) as stream:
        lines = stream.iter_lines()
        kinds = [next(line for line in lines if line.startswith("event: ")) for _ in range(2)]
    assert kinds == ["event: consent.changed", "event: message.received"]
    [entry] = telling.log(event_type="api_key.revoked")
    replay = house.http.post(f"/v1/webhooks/deliveries/{entry['id']}/replay", headers=tenant.auth)
    assert replay.status_code == 202
    telling.tell()
    assert telling.receiver.posts[-1].event["data"]["id"] == rotated["id"]
