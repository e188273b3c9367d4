"""A medium is uploaded, sent by its id, and fetched from us by the carrier."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from roost.media.sweep import sweep_media
from support.allowed import allowed
from support.bandwidth_api import BandwidthApi
from support.copying import DAY_US
from support.credentials import SECRETS
from support.databases import Database
from support.house import House, Tenant
from support.media_server import JPEG, PNG
from support.outbound import CONTACT
from support.payloads import bandwidth_inbound

PATH = "/v1/messages/media-upload"
SIZE = len(PNG)
MINUTE_US = 60 * 1_000_000
UNKNOWN = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def api() -> Iterator[BandwidthApi]:
    with BandwidthApi() as listening:
        yield listening


@pytest.fixture
def house(database: Database, tmp_path: Path, api: BandwidthApi) -> Iterator[House]:
    running = House(database, tmp_path / "data", bandwidth_url=api.base_url, segments_per_second=0).start()
    yield running
    running.stop()


@pytest.fixture
def tenant(house: House) -> Tenant:
    made = house.tenant(secrets=SECRETS)
    assert house.deliver(made, [bandwidth_inbound("hello", made.number.number, sender=CONTACT)]).status_code == 200
    return made


def announce(house: House, tenant: Tenant, mime_type: Any = "image/png", byte_size: Any = SIZE, **headers: str) -> Any:
    body = {"mime_type": mime_type, "byte_size": byte_size}
    return house.http.post(PATH, json=body, headers={**tenant.auth, **headers})


def uploaded(house: House, tenant: Tenant, content: bytes = PNG, mime_type: str = "image/png") -> str:
    data = announce(house, tenant, mime_type, len(content)).json()["data"]
    assert house.http.put(data["upload_url"], content=content).status_code == 200
    media_id: str = data["media_id"]
    return media_id


def leave(house: House) -> None:
    """All that is queued is sent."""
    house.wait(house.worker.take_due())
    house.wait(house.worker.idle())


def test_an_upload_is_announced_as_documented(house: House, tenant: Tenant) -> None:
    answer = announce(house, tenant)
    assert answer.status_code == 201
    assert answer.json()["success"] is True
    data = answer.json()["data"]
    assert set(data) == {"media_id", "upload_url", "expires_at", "max_byte_size"}
    assert data["max_byte_size"] == 1048576
    assert data["upload_url"].startswith(f"{house.base_url}/media/uploads/")


@pytest.mark.parametrize("field", ["media", "media_id"])
def test_a_medium_that_was_uploaded_is_sent_and_the_carrier_fetches_it_from_us(
    house: House, tenant: Tenant, api: BandwidthApi, field: str
) -> None:
    media_id = uploaded(house, tenant)
    given = {"media": [media_id, "https://example.com/cat.gif"]} if field == "media" else {"media_id": media_id}
    message_id = house.sent(tenant, CONTACT, "", **given)
    leave(house)
    (post,) = api.wait_for_posts(1)
    assert post["media"][1:] == given.get("media", [0])[1:]
    fetched = httpx.get(post["media"][0])
    assert (fetched.content, fetched.headers["content-type"]) == (PNG, "image/png")
    (message,) = house.outbound(tenant)
    assert (message["id"], message["channel"]) == (message_id, "mms")
    assert house.http.get(message["media_urls"][0]).content == PNG
    thread = house.http.get(f"/v1/threads/{message['thread_id']}/messages", headers=tenant.auth).json()["data"]
    assert [each["media_urls"] for each in thread if each["direction"] == "outbound"] == [message["media_urls"]]


def test_one_upload_is_sent_with_many_messages_and_had_as_long_as_one_needs_it(
    house: House, tenant: Tenant, api: BandwidthApi
) -> None:
    house.clock.frozen_us = house.clock()
    media_id = uploaded(house, tenant)
    house.sent(tenant, CONTACT, "first", media_id=media_id)
    leave(house)
    house.clock.frozen_us += 6 * DAY_US
    house.sent(tenant, CONTACT, "second", media_id=media_id)
    leave(house)
    house.clock.frozen_us += 2 * DAY_US
    house.wait(sweep_media(house.store, house.objects))
    newest, oldest = house.outbound(tenant)
    assert house.http.get(newest["media_urls"][0]).content == PNG
    assert house.http.get(oldest["media_urls"][0]).status_code == 410
    assert house.send(tenant, CONTACT, "third", media_id=media_id).json()["error"]["details"].keys() == {"media"}
    house.clock.frozen_us += 6 * DAY_US
    house.wait(sweep_media(house.store, house.objects))
    assert house.wait(house.store.fetch("SELECT id FROM media_objects")) == []


def test_a_message_that_waits_long_still_has_its_picture_when_it_leaves(
    house: House, tenant: Tenant, api: BandwidthApi
) -> None:
    house.clock.frozen_us = house.clock()
    house.sent(tenant, CONTACT, "", media_id=uploaded(house, tenant))
    house.clock.frozen_us += 30 * DAY_US
    house.wait(sweep_media(house.store, house.objects))
    leave(house)
    (post,) = api.wait_for_posts(1)
    assert httpx.get(post["media"][0]).content == PNG
    house.wait(sweep_media(house.store, house.objects))
    assert httpx.get(post["media"][0]).content == PNG, "the carrier may fetch it later"
    house.clock.frozen_us += 3 * DAY_US
    house.wait(sweep_media(house.store, house.objects))
    assert httpx.get(post["media"][0]).status_code == 410


def test_a_url_is_good_once_for_the_announced_content_and_for_half_an_hour(house: House, tenant: Tenant) -> None:
    url = announce(house, tenant).json()["data"]["upload_url"]
    wrong_size, wrong_type = house.http.put(url, content=PNG + b"x"), house.http.put(url, content=JPEG[: len(PNG)])
    assert wrong_size.json()["error"]["details"].keys() == {"byte_size"}
    assert wrong_type.json()["error"]["details"].keys() == {"mime_type"}
    assert (wrong_size.status_code, wrong_type.status_code) == (422, 422)
    assert house.http.put(url, content=bytes((1 << 20) + 1)).status_code == 413
    assert house.http.put(url, content=PNG).status_code == 200
    assert house.http.put(url, content=PNG).status_code == 409
    late = announce(house, tenant).json()["data"]["upload_url"]
    house.clock.offset_us += 31 * MINUTE_US
    assert house.http.put(late, content=PNG).status_code == 410
    assert house.http.put(late[:-1] + ("A" if late[-1] != "A" else "B"), content=PNG).status_code == 404


def test_of_two_who_upload_at_once_one_wins_and_nothing_is_left_behind(house: House, tenant: Tenant) -> None:
    url = announce(house, tenant).json()["data"]["upload_url"]
    start, statuses = threading.Barrier(4), []

    def put() -> None:
        start.wait(30)
        statuses.append(httpx.put(url, content=PNG).status_code)

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(statuses) == [200, 409, 409, 409]
    house.clock.offset_us += 2 * 60 * MINUTE_US
    house.wait(sweep_media(house.store, house.objects))
    assert len([path for path in Path(house.config.media_url).rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"mime_type", "byte_size"}), ({"mime_type": "image/svg+xml", "byte_size": 5}, {"mime_type"}),
        ({"mime_type": "text/html", "byte_size": 5}, {"mime_type"}), ({"mime_type": 5, "byte_size": 5}, {"mime_type"}),
        ({"mime_type": "image/png", "byte_size": 0}, {"byte_size"}),
        ({"mime_type": "image/png", "byte_size": 1048577}, {"byte_size"}),
        ({"mime_type": "image/png", "byte_size": "5"}, {"byte_size"}),
        ({"mime_type": "image/png", "byte_size": True}, {"byte_size"}),
        ({"mime_type": "image/png", "byte_size": 5, "name": "x"}, {"name"}),
    ],
)  # fmt: skip
def test_what_cannot_be_uploaded_is_said_at_once(house: House, tenant: Tenant, body: Any, wrong: set[str]) -> None:
    answer = house.http.post(PATH, json=body, headers=tenant.auth)
    assert answer.status_code == 422
    assert answer.json()["error"]["details"].keys() == wrong


def test_an_upload_needs_a_key_that_may_send(house: House, tenant: Tenant) -> None:
    assert house.http.post(PATH, json={}).status_code == 401
    assert house.http.post(PATH, json={}, headers=allowed(house, tenant, "messages:read")).status_code == 403


def test_the_same_announcement_again_is_answered_the_same(house: House, tenant: Tenant) -> None:
    first = announce(house, tenant, **{"Idempotency-Key": "one"})
    again = announce(house, tenant, **{"Idempotency-Key": "one"})
    assert again.json() == first.json() and again.headers["idempotent-replayed"] == "true"


def test_what_is_not_there_to_be_sent_is_refused(house: House, tenant: Tenant) -> None:
    """Unknown, another organization's, and one that was announced and never uploaded: the same answer."""
    theirs = uploaded(house, house.tenant(secrets=SECRETS))
    awaited = announce(house, tenant).json()["data"]["media_id"]
    for media_id in (UNKNOWN, theirs, awaited):
        for given in ({"media": [media_id]}, {"media_id": media_id}):
            answer = house.send(tenant, CONTACT, "look", **given)
            assert answer.status_code == 422
            assert answer.json()["error"]["details"].keys() == {"media"}
    for given, field in (({"media_id": "no uuid"}, "media_id"), ({"media": ["no uuid"]}, "media"),
                         ({"media": ["https://example.com/a"] * 10, "media_id": UNKNOWN}, "media")):  # fmt: skip
        answer = house.send(tenant, CONTACT, "look", **given)
        assert answer.json()["error"]["details"].keys() == {field}
    assert house.outbound(tenant) == []


def test_erasing_a_contact_takes_the_picture_that_was_sent_to_it(
    house: House, tenant: Tenant, api: BandwidthApi
) -> None:
    house.sent(tenant, CONTACT, "", media_id=uploaded(house, tenant))
    (url,) = house.outbound(tenant)[0]["media_urls"]
    assert house.http.get(url).content == PNG
    path = f"/v1/contacts/{CONTACT.replace('+', '%2B')}/erase"
    assert house.http.post(path, headers=tenant.auth).status_code == 200
    assert house.http.get(url).status_code == 410


def test_an_upload_outlives_the_messages_that_it_was_sent_with(house: House, tenant: Tenant) -> None:
    media_id = uploaded(house, tenant)
    house.sent(tenant, CONTACT, "", media_id=media_id)
    assert house.http.post("/v1/contacts/%2B15554443333/erase", headers=tenant.auth).status_code == 200
    house.wait(sweep_media(house.store, house.objects))
    house.sent(tenant, CONTACT, "", media_id=media_id)
    (url,) = house.outbound(tenant, limit=1)[0]["media_urls"]
    assert house.http.get(url).content == PNG
