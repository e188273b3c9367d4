"""Media are copied from the carrier, once each, and shown under our own URLs from the first moment on."""

import asyncio
import hashlib
from functools import partial
from pathlib import Path

import pytest

from roost.media.copier import Copier
from roost.media.fetch import Fetcher
from roost.media.sweep import sweep_media
from roost.store.media import LEASE_US, lease_media, settle_not_had, settle_stored
from roost.store.media_objects import Content
from roost.sweeper import Sweeper
from support.copying import CONTACT, DAY_US, Copying
from support.databases import Database
from support.house import House
from support.media_server import JPEG, PNG, MediaServer, Reply

MINUTE_US = 60 * 1_000_000


def test_a_picture_is_shown_at_once_had_once_it_is_copied_and_the_same_ever_after(copying: Copying) -> None:
    urls = copying.arrives(copying.server.has("/1.png", PNG), copying.server.has("/2.jpg", JPEG))
    pending = copying.get(urls[0])
    assert pending.status_code == 503 and pending.headers["retry-after"] == "2"
    copying.copy()
    assert [copying.get(url).content for url in urls] == [PNG, JPEG]
    assert tuple(copying.house.inbound(copying.tenant)[0]["media_urls"]) == urls
    assert "127.0.0.1:" + str(copying.server.port) not in str(copying.house.inbound(copying.tenant)), (
        "not the carrier's"
    )


def test_a_text_without_media_shows_none_in_each_dialects_own_way(copying: Copying) -> None:
    house, tenant = copying.house, copying.tenant
    house.deliver(tenant, {"id": "t", "from": CONTACT, "to": tenant.number.number, "text": "hello"})
    assert house.inbound(tenant)[0]["media_urls"] == []
    inbox = house.http.get("/v1/tools/sms/inbox", headers=tenant.agent_header).json()["messages"][0]
    assert (inbox["num_media"], inbox["media_urls"]) == (0, None)
    assert copying.rows("SELECT * FROM media") == []


def test_the_copier_that_is_woken_copies_by_itself(database: Database, tmp_path: Path, server: MediaServer) -> None:
    house = House(database, tmp_path / "data", copying=True, allowed_networks="127.0.0.0/8").start()
    try:
        copying = Copying(house, server)
        (url,) = copying.arrives(server.has("/1.png", PNG))
        server.wait_for(1)
        house.wait(house.copier.idle())
        assert copying.get(url).content == PNG
    finally:
        house.stop()


def test_a_medium_that_the_carrier_has_not_yet_is_asked_for_again(copying: Copying) -> None:
    (url,) = copying.arrives(copying.server.has("/1.png", Reply(b"", 404), Reply(b"", 404), Reply(PNG)))
    copying.copy()
    assert copying.get(url).status_code == 503
    copying.copy(later_us=MINUTE_US)
    copying.copy(later_us=MINUTE_US)
    assert copying.get(url).content == PNG
    assert len(copying.server.asked) == 3


def test_one_that_never_comes_is_failed_and_says_why_and_the_message_is_there(copying: Copying) -> None:
    (url,) = copying.arrives(copying.server.has("/1.png", Reply(b"", 404)))
    for _ in range(8):
        copying.copy(later_us=20 * MINUTE_US)
    failed = copying.get(url)
    assert failed.status_code == 404
    assert failed.json()["error"]["message"] == "the medium cannot be had: the carrier has it no longer, or never had"
    assert len(copying.server.asked) == 7
    assert copying.house.inbound(copying.tenant)[0]["media_urls"] == [url]


@pytest.mark.parametrize(
    ("path", "reply", "why"),
    [
        ("/big", Reply(bytes((1 << 20) + 1)), "it is larger than this server takes"),
        ("/endless", Reply(how="endless"), "it is larger than this server takes"),
        (
            "/meta",
            Reply(b"", 302, (("Location", "http://169.254.169.254/"),)),
            "it is at an address that is not public",
        ),
    ],
)
def test_what_does_not_get_better_fails_at_once(copying: Copying, path: str, reply: Reply, why: str) -> None:
    (url,) = copying.arrives(copying.server.has(path, reply))
    copying.copy()
    assert why in copying.get(url).json()["error"]["message"]
    assert copying.get(url).status_code == 404


def test_a_medium_at_no_url_fails_and_the_message_is_there(copying: Copying) -> None:
    urls = copying.arrives("not a url", "file:///etc/passwd", "http://10.0.0.1/a.png")
    copying.copy()
    assert [copying.get(url).status_code for url in urls] == [404] * len(urls)


@pytest.mark.parametrize("how", ["half", "whole"])
def test_what_broke_off_is_fetched_again(copying: Copying, how: str) -> None:
    broken = Reply(PNG, how="half") if how == "half" else Reply(PNG, said_length=len(PNG) + 1)
    (url,) = copying.arrives(copying.server.has("/1.png", broken, Reply(PNG)))
    copying.copy()
    assert copying.get(url).status_code == 503
    copying.copy(later_us=MINUTE_US)
    assert copying.get(url).content == PNG


def test_a_crash_amid_a_fetch_fetches_once_more_and_stores_once(copying: Copying) -> None:
    """The process that had it is gone: its object was written, and nobody was told."""
    house, org_id = copying.house, copying.tenant.org.org_id
    (url,) = copying.arrives(copying.server.has("/1.png", PNG))
    (lost,) = house.wait(lease_media(house.store, org_id, 9))
    house.wait(house.objects.put(org_id, lost.lease, PNG))
    copying.copy(later_us=LEASE_US - MINUTE_US)
    assert copying.get(url).status_code == 503, "it is its owner's still"
    copying.copy(later_us=2 * MINUTE_US)
    assert copying.get(url).content == PNG
    assert len(copying.server.asked) == 1
    content = Content(hashlib.sha256(PNG).digest(), "image/png", len(PNG))
    assert not house.wait(settle_stored(house.store, lost, content)), "who comes too late changes nothing"
    assert not house.wait(settle_not_had(house.store, lost, "unreachable", None))
    house.clock.offset_us += 2 * 60 * MINUTE_US
    house.wait(sweep_media(house.store, house.objects))
    assert copying.get(url).content == PNG
    assert len(copying.files()) == 1, "what the crash left is removed"


def test_several_processes_fetch_each_medium_once(copying: Copying) -> None:
    house = copying.house
    for nth in range(6):
        copying.arrives(copying.server.has(f"/{nth}.png", PNG + bytes([nth])))

    async def together() -> None:
        others = [Copier(house.store, house.objects, Fetcher(1 << 20, house.config.allowed_networks)) for _ in range(3)]
        while any([await _take(other) for other in others]):
            pass
        for other in others:
            await other.stop()

    async def _take(copier: Copier) -> bool:
        await copier.take_due()
        busy = bool(copier._in_flight)
        await copier.idle()
        return busy

    house.wait(together())
    assert sorted(asked.path for asked in copying.server.asked) == [f"/{nth}.png" for nth in range(6)]
    assert {state for (state,) in copying.rows("SELECT state FROM media")} == {"stored"}


def test_two_that_fetch_at_the_same_time_never_take_the_same(copying: Copying) -> None:
    house, org_id = copying.house, copying.tenant.org.org_id
    copying.arrives(*(copying.server.has(f"/{nth}", PNG) for nth in range(8)))

    async def together() -> list[int]:
        found = await asyncio.gather(*(lease_media(house.store, org_id, 3) for _ in range(4)))
        return sorted(leased.nth for batch in found for leased in batch)

    assert house.wait(together()) == list(range(8))


def test_the_same_bytes_are_kept_once_within_an_organization_and_apart_between_two(copying: Copying) -> None:
    other = copying.house.tenant(carrier="loopback")
    first = copying.arrives(copying.server.has("/a", PNG), copying.server.has("/b", PNG))
    second = copying.arrives(copying.server.has("/c", PNG))
    theirs = copying.arrives(copying.server.has("/d", PNG), tenant=other)
    copying.copy()
    copying.copy()
    house = copying.house
    house.wait(sweep_media(house.store, house.objects))
    assert len(copying.files()) == 2
    assert all(copying.get(url).content == PNG for url in (*first, *second, *theirs))


def test_content_goes_with_the_last_who_refers_to_it(copying: Copying) -> None:
    house = copying.house
    (first,) = copying.arrives(copying.server.has("/a", PNG))
    (second,) = copying.arrives(copying.server.has("/b", PNG), sender="+15557770000")
    copying.copy()
    copying.copy()
    for contact, gone, files in ((CONTACT, first, 1), ("+15557770000", second, 0)):
        path = f"/v1/contacts/{contact.replace('+', '%2B')}/erase"
        assert house.http.post(path, headers=copying.tenant.auth).status_code == 200
        assert copying.get(gone).status_code == 410
        house.wait(sweep_media(house.store, house.objects))
        assert len(copying.files()) == files
        assert copying.get(second).status_code == (200 if files else 410)
    assert copying.rows("SELECT id FROM media_objects") == []


def test_what_is_erased_while_it_is_fetched_is_not_kept(copying: Copying) -> None:
    house = copying.house
    (url,) = copying.arrives(copying.server.has("/a", Reply(PNG, how="held")))
    house.wait(house.copier.take_due())
    copying.server.wait_for(1)
    assert house.http.post("/v1/contacts/%2B15554443333/erase", headers=copying.tenant.auth).status_code == 200
    copying.server.release()
    house.wait(house.copier.idle())
    house.wait(sweep_media(house.store, house.objects))
    assert copying.get(url).status_code == 410
    assert copying.files() == []


def test_media_run_out_after_seven_days_and_are_removed(copying: Copying) -> None:
    house = copying.house
    house.clock.frozen_us = house.clock()
    (url,) = copying.arrives(copying.server.has("/a", PNG))
    copying.copy()
    house.clock.frozen_us += 7 * DAY_US - MINUTE_US
    house.wait(sweep_media(house.store, house.objects))
    assert copying.get(url).content == PNG
    house.clock.frozen_us += 2 * MINUTE_US
    assert copying.get(url).status_code == 410, "before any sweep, too"
    house.wait(sweep_media(house.store, house.objects))
    assert copying.get(url).status_code == 410
    assert copying.files() == []
    assert copying.rows("SELECT nth FROM media") == []
    assert copying.house.inbound(copying.tenant)[0]["media_urls"] == [url]


def test_a_store_that_cannot_be_written_to_is_tried_again(copying: Copying) -> None:
    folder = Path(copying.house.config.media_url)
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("no folder")
    (url,) = copying.arrives(copying.server.has("/a", PNG))
    copying.copy()
    assert copying.get(url).status_code == 503
    folder.unlink()
    copying.copy(later_us=MINUTE_US)
    assert copying.get(url).content == PNG


def test_a_hundred_media_of_a_message_are_copied_and_no_more(copying: Copying) -> None:
    house, tenant = copying.house, copying.tenant
    media = [copying.server.base_url + "/x"] * 130
    house.deliver(tenant, {"id": "many", "from": CONTACT, "to": tenant.number.number, "text": "", "media": media})
    assert len(house.inbound(tenant)[0]["media_urls"]) == 100
    assert len(copying.rows("SELECT nth FROM media")) == 100


def test_the_sweeper_of_the_house_sweeps_media_too(copying: Copying) -> None:
    house = copying.house
    house.clock.frozen_us = house.clock()
    copying.arrives(copying.server.has("/a", PNG))
    copying.copy()
    house.clock.frozen_us += 8 * DAY_US
    swept = house.wait(Sweeper(house.store, rest=0, besides=partial(sweep_media, house.store, house.objects)).sweep())
    assert swept is not None
    assert copying.files() == []
