"""Webhook endpoints over HTTP: made, changed, tested and deleted, by whoever may."""

import asyncio
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from roost.core.addresses import networks
from roost.push.webhooks.poster import Poster
from support.allowed import UNKNOWN_ID, allowed, assert_guarded, error_of
from support.databases import Database
from support.house import House
from support.receiver import Receiver, Reply
from support.resolver import Resolver
from support.sweeping import DAY_US, sweep
from support.telling import CONTACT, OTHER, Telling

PATH = "/v1/webhooks"
TOLD = {"url": "https://example.com/hook", "events": ["message.received", "api_key.created"]}
KEYS = [
    "id", "org_id", "url", "events", "description", "active", "api_version", "created_at", "updated_at", "deleted_at",
]  # fmt: skip
DELIVERY_KEYS = [
    "id", "endpoint_id", "event_id", "event_type", "url", "attempt", "outcome", "response_status", "response_time_ms",
    "request_body_sha256", "request_body_bytes", "response_body_excerpt", "request_headers", "error", "occurred_at",
]  # fmt: skip


def test_an_endpoint_from_its_making_to_its_end(house: House) -> None:
    tenant = house.tenant()
    answer = house.http.post(PATH, json={**TOLD, "description": "ours"}, headers=tenant.auth)
    made = answer.json()
    assert (answer.status_code, list(made)) == (201, [*KEYS, "secret", "secret_displayed_once"])
    assert (made["url"], made["events"], made["description"]) == (*TOLD.values(), "ours")
    assert (made["active"], made["api_version"], made["deleted_at"]) == (True, "2026-04-01", None)
    shown = {name: made[name] for name in KEYS}
    assert house.http.get(f"{PATH}/{made['id']}", headers=tenant.auth).json() == shown
    listed = house.http.get(PATH, headers=tenant.auth).json()
    assert listed == {
        "success": True, "data": [shown], "meta": {"total": 0, "limit": 50, "offset": 0, "next_cursor": None},
    }  # fmt: skip
    change = {"url": "https://example.org/", "events": ["consent.changed"], "active": False}
    changed = house.http.patch(f"{PATH}/{made['id']}", json=change, headers=tenant.auth).json()
    assert changed == {**shown, **change, "updated_at": changed["updated_at"]}
    rotated = house.http.post(f"{PATH}/{made['id']}/rotate-secret", headers=tenant.auth).json()
    assert list(rotated) == [*KEYS, "secret", "secret_displayed_once", "previous_valid_until"]
    deleted = house.http.delete(f"{PATH}/{made['id']}", headers=tenant.auth)
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert error_of(house.http.get(f"{PATH}/{made['id']}", headers=tenant.auth)) == (404, "NOT_FOUND")
    assert house.http.get(PATH, headers=tenant.auth).json()["data"] == []
    log = house.http.get("/v1/audit-log?include=payload", headers=tenant.auth)
    actions = [each["action"] for each in log.json()["data"] if each["resource_type"] == "webhook"]
    assert actions == ["webhook.deleted", "webhook.secret_rotated", "webhook.updated", "webhook.created"]
    assert made["secret"] not in log.text and rotated["secret"] not in log.text


def test_a_secret_is_not_in_the_database_as_it_is(telling: Telling) -> None:
    made = telling.endpoint()
    rows = telling.house.wait(telling.house.store.fetch("SELECT secret FROM webhook_secrets"))
    assert made["secret"].encode() not in bytes(rows[0][0])


def test_who_sends_the_same_request_again_gets_the_same_endpoint_and_secret(house: House) -> None:
    tenant = house.tenant()
    headers = {**tenant.auth, "Idempotency-Key": "one"}
    first, second = (house.http.post(PATH, json=TOLD, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(house.http.get(PATH, headers=tenant.auth).json()["data"]) == 1
    path = f"{PATH}/{first.json()['id']}/rotate-secret"
    rotated = [house.http.post(path, headers=headers).json()["secret"] for _ in range(2)]
    assert rotated[0] == rotated[1] != first.json()["secret"]
    organizations = [house.http.post("/v1/webhook-secret/rotate", headers=headers).json() for _ in range(2)]
    assert organizations[0] == organizations[1]


def test_an_organization_has_fifty_endpoints_and_no_more(house: House) -> None:
    tenant = house.tenant()
    answers = [house.http.post(PATH, json=TOLD, headers=tenant.auth) for _ in range(51)]
    assert [answer.status_code for answer in answers] == [201] * 50 + [409]
    assert error_of(answers[-1]) == (409, "LIMIT_EXCEEDED")
    house.http.delete(f"{PATH}/{answers[0].json()['id']}", headers=tenant.auth)
    assert house.http.post(PATH, json=TOLD, headers=tenant.auth).status_code == 201
    assert house.http.post(PATH, json=TOLD, headers=house.tenant().auth).status_code == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            ("url", url)
            for url in (
                "", 7, "http://example.com/", "ftp://example.com/", "https://", "https://user:word@example.com/",
                "https://10.0.0.1/", "https://127.0.0.1/", "https://[::1]/", "http://localhost:3000/", "https://a b.com/",
                "https://169.254.169.254/latest", "https://example.com:25/", "https://exämple.com/", "x" * 3000,
            )
        ),
        *(
            ("events", events)
            for events in ([], "message.received", ["nope"], ["consent.changed"] * 2, [7], ["webhook.test"])
        ),
        ("description", "x" * 201),
        ("api_version", "2020-01-01"),
        ("nope", 1),
    ],
)  # fmt: skip
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_endpoint_that_cannot_be_says_why(house: House, field: str, value: Any) -> None:
    tenant = house.tenant()
    answer = house.http.post(PATH, json={**TOLD, field: value}, headers=tenant.auth)
    assert error_of(answer) == (422, "VALIDATION_FAILED")
    assert set(answer.json()["error"]["details"]) == {field}
    if field in ("url", "events", "description"):
        made = house.http.post(PATH, json=TOLD, headers=tenant.auth).json()
        answer = house.http.patch(f"{PATH}/{made['id']}", json={field: value}, headers=tenant.auth)
        assert error_of(answer) == (422, "VALIDATION_FAILED")


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "", "webhooks:write"),
        ("GET", "", "webhooks:read"),
        ("GET", f"/{UNKNOWN_ID}", "webhooks:read"),
        ("PATCH", f"/{UNKNOWN_ID}", "webhooks:write"),
        ("DELETE", f"/{UNKNOWN_ID}", "webhooks:write"),
        ("POST", f"/{UNKNOWN_ID}/rotate-secret", "webhooks:write"),
        ("POST", f"/{UNKNOWN_ID}/test", "webhooks:write"),
    ],
)
def test_every_route_refuses_who_may_not_and_what_is_not_there(
    house: House, method: str, path: str, scope: str
) -> None:
    tenant, stranger = house.tenant(), house.tenant()
    theirs = house.http.post(PATH, json=TOLD, headers=stranger.auth).json()
    assert_guarded(house, tenant, method, PATH + path, scope, theirs["id"])
    assert house.http.get(f"{PATH}/{theirs['id']}", headers=stranger.auth).json()["active"] is True


def test_the_log_is_the_organizations_own(telling: Telling) -> None:
    house, stranger = telling.house, telling.house.tenant()
    telling.endpoint()
    telling.arrives("hello")
    telling.tell()
    [entry] = telling.log()
    for method, path, scope in (
        ("GET", f"{PATH}/deliveries/{UNKNOWN_ID}", "webhooks:read"),
        ("POST", f"{PATH}/deliveries/{UNKNOWN_ID}/replay", "webhooks:write"),
    ):
        assert_guarded(house, stranger, method, path, scope, entry["id"])
    assert_guarded(house, stranger, "GET", f"{PATH}/deliveries", "webhooks:read", "")
    assert house.http.get(f"{PATH}/deliveries", headers=stranger.auth).json()["data"] == []
    assert error_of(house.http.post("/v1/webhook-secret/rotate", headers=allowed(house, stranger, "org:read"))) == (
        403, "FORBIDDEN",
    )  # fmt: skip


def test_the_log_tells_of_each_try_and_is_filtered_and_paged(telling: Telling) -> None:
    telling.endpoint("/one", events=["message.received"])
    other = telling.endpoint("/other")
    telling.receiver.answering = lambda post: Reply(200 if post.path == "/one" else 500, b"because\x00")
    telling.arrives("hello")
    telling.tell()
    one, failed = sorted(telling.log(), key=lambda each: str(each["outcome"]), reverse=True)
    post = next(each for each in telling.receiver.posts if each.path == "/one")
    assert list(one) == DELIVERY_KEYS
    assert (one["outcome"], one["attempt"], one["response_body_excerpt"]) == ("success", 1, "because\ufffd")
    assert one["event_id"] == post.id
    assert one["request_body_bytes"] == len(post.body)
    assert one["request_headers"].items() <= {
        "Content-Type": post.headers["content-type"], "User-Agent": post.headers["user-agent"],
        "webhook-id": post.id, "webhook-timestamp": post.headers["webhook-timestamp"],
    }.items()  # fmt: skip
    assert telling.house.http.get(f"{PATH}/deliveries/{one['id']}", headers=telling.tenant.auth).json() == one
    assert telling.log(endpoint_id=other["id"]) == telling.log(outcome="retry") == [failed]
    assert telling.log(http_status_min=500) == telling.log(http_status_min=499, http_status_max=599) == [failed]
    assert telling.log(event_type="message.received", since=one["occurred_at"]) == telling.log()
    assert telling.log(event_type="message.status") == telling.log(until="2020-01-01T00:00:00Z") == []
    answer = telling.house.http.get(f"{PATH}/deliveries?limit=1", headers=telling.tenant.auth).json()
    cursor = answer["meta"]["next_cursor"]
    assert answer["data"] + telling.log(limit=1, cursor=cursor) == telling.log()
    for query in ("http_status_min=500&http_status_max=400", "since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z"):
        refused = telling.house.http.get(f"{PATH}/deliveries?{query}", headers=telling.tenant.auth)
        assert error_of(refused) == (422, "VALIDATION_FAILED")


def test_a_test_says_what_became_of_it_and_is_not_tried_again(telling: Telling) -> None:
    house, tenant = telling.house, telling.tenant
    made = telling.endpoint()
    tested = house.http.post(f"{PATH}/{made['id']}/test", headers=tenant.auth).json()
    [post] = telling.receiver.posts
    assert post.event["type"] == "webhook.test"
    assert tested == {
        "event_id": post.id, "outcome": "success", "url": made["url"], "response_status": 200,
        "response_time_ms": tested["response_time_ms"], "response_body_excerpt": None, "error": None,
    }  # fmt: skip
    telling.receiver.answering = lambda post: Reply(how="hang up")
    failed = house.http.post(f"{PATH}/{made['id']}/test", headers=tenant.auth).json()
    assert (failed["outcome"], failed["response_status"], failed["error"]) == (
        "dead", None, "no answer: ServerDisconnectedError",
    )  # fmt: skip
    telling.tell()
    assert [each["event_type"] for each in telling.log()] == ["webhook.test"] * 2
    replay = house.http.post(f"{PATH}/deliveries/{telling.log()[0]['id']}/replay", headers=tenant.auth)
    assert error_of(replay) == (409, "CONFLICT")


def test_a_replay_waits_its_turn_and_an_event_that_is_gone_has_expired(telling: Telling) -> None:
    house, tenant = telling.house, telling.tenant
    telling.endpoint()
    telling.arrives("first")
    telling.tell()
    [entry] = telling.log()
    telling.receiver.answering = lambda post: Reply(500)
    telling.arrives("second")
    telling.tell()
    headers = {**tenant.auth, "Idempotency-Key": "again"}
    path = f"{PATH}/deliveries/{entry['id']}/replay"
    answers = [house.http.post(path, headers=headers).json() for _ in range(2)]
    assert answers[0] == answers[1]
    telling.tell()
    assert [post.text for post in telling.receiver.posts] == ["first", "second"]
    telling.receiver.answering = lambda post: Reply()
    telling.tell(later_us=3_000_000)
    assert [post.text for post in telling.receiver.posts] == ["first", "second", "second", "first"]
    assert telling.receiver.posts[-1].id == answers[0]["event_id"]
    house.clock.frozen_us = house.clock() + 31 * 24 * 3600 * 1_000_000
    assert error_of(house.http.post(path, headers=tenant.auth)) == (410, "EVENT_EXPIRED")


def test_the_log_is_swept_after_thirty_days_and_has_no_answers_about_who_was_erased(telling: Telling) -> None:
    house, tenant = telling.house, telling.tenant
    telling.endpoint()
    telling.receiver.answering = lambda post: Reply(200, post.body)
    telling.arrives("my secret")
    telling.arrives("of somebody else", OTHER)
    telling.tell()
    assert house.http.post(f"/v1/contacts/{quote(CONTACT)}/erase", headers=tenant.auth).status_code == 200
    kept = [each["response_body_excerpt"] for each in telling.log() if each["response_body_excerpt"]]
    assert len(kept) == 1 and "of somebody else" in kept[0]
    house.clock.frozen_us = house.clock() + 30 * DAY_US - DAY_US // 2
    assert "webhook_deliveries" not in sweep(house)
    house.clock.frozen_us = house.clock() + DAY_US
    assert sweep(house)["webhook_deliveries"] == 2


def test_replays_are_limited(database: Database, tmp_path: Path) -> None:
    house = House(database, tmp_path / "data", rate_limits="on", limit_replays="2/minute").start()
    tenant = house.tenant()
    path = f"{PATH}/deliveries/{UNKNOWN_ID}/replay"
    answers = [house.http.post(path, headers=tenant.auth).status_code for _ in range(3)]
    assert answers == [404, 404, 429]
    house.stop()


@pytest.mark.parametrize(
    "answer", [["10.0.0.1"], ["127.0.0.1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], ["192.168.0.1", "10.0.0.1"]]
)
def test_a_name_that_leads_to_a_private_address_is_not_dialled(answer: list[str]) -> None:
    with Receiver() as receiver:
        attempt = _posted(Poster(_now, (), resolver=Resolver(answer)), f"https://hooks.example.com:{receiver.port}/")
        assert (attempt.status, attempt.error) == (None, "the address is not public")
        literal = _posted(Poster(_now), receiver.url())
        assert (literal.status, literal.error) == (None, "the address is not public")
        assert receiver.posts == []


@pytest.mark.parametrize("url", ["ftp://example.com/", "https://example.com:22/", "http:///", "no url"])
def test_what_is_no_url_of_a_web_server_is_not_asked(url: str) -> None:
    attempt = _posted(Poster(_now), url)
    assert attempt.status is None
    assert (attempt.error or "").startswith("the URL cannot be used: ")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0", 0), ("-1", None), ("soon", None), ("Thu, 01 Jan 1970 00:01:00 GMT", 60), ("9" * 50, None)],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    with Receiver(lambda post: Reply(503, b"", (("Retry-After", header),))) as receiver:
        attempt = _posted(Poster(lambda: 0, networks("127.0.0.1/32")), receiver.url())
    assert attempt.retry_after == seconds


def _now() -> int:
    return time.time_ns() // 1000


def _posted(poster: Poster, url: str) -> Any:
    async def post() -> Any:
        try:
            return await poster.post(url, {}, b"{}")
        finally:
            await poster.close()

    return asyncio.run(post())
