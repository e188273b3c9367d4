"""Media in a bucket, over the wire of S3, with a real server at the other end."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.media.sweep import sweep_media
from support import bucket as buckets
from support.bucket import Bucket
from support.copying import CONTACT, Copying
from support.databases import Database
from support.house import House
from support.media_server import JPEG, PNG, MediaServer

MINUTE_US = 60 * 1_000_000


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    with Bucket(tmp_path / "bucket") as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def copying(database: Database, tmp_path: Path, server: MediaServer, bucket: Bucket) -> Iterator[Copying]:
    house = House(database, tmp_path / "data", allowed_networks="127.0.0.0/8", media_url=bucket.url).start()
    yield Copying(house, server)
    house.stop()


def test_media_in_a_bucket_are_kept_served_shared_and_removed(copying: Copying, bucket: Bucket) -> None:
    house, picture = copying.house, JPEG + bytes(range(256)) * 4096 * 8  # of eight megabytes: in several parts
    urls = copying.arrives(*(copying.server.has(f"/{nth}", picture) for nth in range(2)), copying.server.has("/p", PNG))
    copying.copy()
    assert [copying.get(url).content for url in urls] == [picture, picture, PNG]
    part = copying.get(urls[0], headers={"Range": "bytes=5000000-5000009"})
    assert (part.status_code, part.content) == (206, picture[5000000:5000010])
    house.wait(sweep_media(house.store, house.objects))
    if buckets.VARIABLE not in os.environ:
        assert len(bucket.objects()) == 2
        assert all(name.startswith(f"roost/{copying.tenant.org.org_id}/") for name in bucket.objects())
    path = f"/v1/contacts/{CONTACT.replace('+', '%2B')}/erase"
    assert house.http.post(path, headers=copying.tenant.auth).status_code == 200
    house.wait(sweep_media(house.store, house.objects))
    assert [copying.get(url).status_code for url in urls] == [410] * 3
    assert copying.rows("SELECT id FROM media_objects") == []
    if buckets.VARIABLE not in os.environ:
        assert bucket.objects() == []


@pytest.mark.skipif(buckets.VARIABLE in os.environ, reason="the server is not ours to stop")
def test_a_bucket_that_is_away_is_waited_for_and_what_was_had_is_had_again(copying: Copying, bucket: Bucket) -> None:
    (first,) = copying.arrives(copying.server.has("/1", PNG))
    copying.copy()
    bucket.stop()
    (second,) = copying.arrives(copying.server.has("/2", JPEG))
    copying.copy()
    away = copying.get(first)
    assert (away.status_code, copying.get(second).status_code) == (503, 503)
    assert away.json()["error"]["message"] == "the place where media are kept cannot be reached now"
    bucket.start()
    copying.copy(later_us=MINUTE_US)
    assert (copying.get(first).content, copying.get(second).content) == (PNG, JPEG)
