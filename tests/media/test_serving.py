"""Media are served under signed URLs, and nothing of what strangers send ever runs."""

import pytest

from roost.core.ids import uuid7
from roost.core.media_urls import URL_KEY, MediaUrls
from support.copying import Copying
from support.media_server import JPEG, PNG, Reply

HTML = b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PICTURE = JPEG * 40


@pytest.fixture
def url(copying: Copying) -> str:
    (shown,) = copying.arrives(copying.server.has("/1.jpg", Reply(PICTURE, headers=(("Content-Type", "text/html"),))))
    copying.copy()
    return shown


@pytest.mark.parametrize(
    ("content", "said", "kind", "disposition"),
    [
        (PNG, "text/html", "image/png", 'inline; filename="medium-1.png"'),
        (HTML, "image/jpeg", "application/octet-stream", 'attachment; filename="medium-1.bin"'),
        (SVG, "image/svg+xml", "application/octet-stream", 'attachment; filename="medium-1.bin"'),
        (b'<?xml version="1.0"?><a/>', "image/png", "application/octet-stream", 'attachment; filename="medium-1.bin"'),
        (b"%PDF-1.7\n", "image/png", "application/pdf", 'attachment; filename="medium-1.pdf"'),
        (b"BEGIN:VCARD\r\nEND:VCARD\r\n", "text/x-vcard", "text/vcard", 'attachment; filename="medium-1.vcf"'),
        (b"PK\x03\x04" + bytes(100), "image/gif", "application/octet-stream", 'attachment; filename="medium-1.bin"'),
        (b"hello", "text/plain", "application/octet-stream", 'attachment; filename="medium-1.bin"'),
    ],
)
def test_the_type_is_what_the_bytes_say_and_what_could_run_is_an_attachment(
    copying: Copying, content: bytes, said: str, kind: str, disposition: str
) -> None:
    reply = Reply(content, headers=(("Content-Type", said), ("Content-Disposition", "inline; filename=x.html")))
    (shown,) = copying.arrives(copying.server.has("/x", reply))
    copying.copy()
    answer = copying.get(shown)
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"] == disposition
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"


def test_head_says_the_same_without_the_content(copying: Copying, url: str) -> None:
    got, head = copying.get(url), copying.house.http.head(url)
    assert head.status_code == 200 and head.content == b""
    assert int(head.headers["content-length"]) == len(PICTURE)
    apart = ("x-request-id", "date")
    assert {k: v for k, v in head.headers.items() if k not in apart} == {
        k: v for k, v in got.headers.items() if k not in apart
    }


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=100-", 100, len(PICTURE) - 1),
        ("bytes=-5", len(PICTURE) - 5, None),
    ],
)
def test_a_range_is_answered_with_that_part(
    copying: Copying, url: str, wanted: str, first: int, last: int | None
) -> None:
    last = len(PICTURE) - 1 if last is None else last
    answer = copying.get(url, headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.content == PICTURE[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(PICTURE)}"
    assert int(answer.headers["content-length"]) == last - first + 1


def test_a_range_that_cannot_be_had_is_said_so(copying: Copying, url: str) -> None:
    answer = copying.get(url, headers={"Range": f"bytes={len(PICTURE)}-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(PICTURE)}"


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "items=0-1", "bytes=9-3"])
def test_a_range_that_is_not_understood_is_ignored(copying: Copying, url: str, wanted: str) -> None:
    assert copying.get(url, headers={"Range": wanted}).content == PICTURE


def test_a_range_of_other_content_is_not_given(copying: Copying, url: str) -> None:
    etag = copying.get(url).headers["etag"]
    for condition, status in (
        (etag, 206),
        ('"other"', 200),
        (f"W/{etag}", 200),
        ("Wed, 25 Nov 2026 00:00:00 GMT", 200),
    ):
        answer = copying.get(url, headers={"Range": "bytes=0-3", "If-Range": condition})
        assert answer.status_code == status, condition


def test_what_is_there_already_is_not_sent_again(copying: Copying, url: str) -> None:
    etag = copying.get(url).headers["etag"]
    for header in (etag, f'"x", W/{etag}', "*"):
        answer = copying.get(url, headers={"If-None-Match": header})
        assert (answer.status_code, answer.content) == (304, b"") and answer.headers["etag"] == etag
    assert copying.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_url_that_was_tampered_with_leads_nowhere(copying: Copying, url: str) -> None:
    base, _, token = url.rpartition("/")
    for changed in (
        token[:-1],
        token + "A",
        "B" + token[1:],
        token[::-1],
        token.lower(),
        "x",
        "..%2f..%2fetc%2fpasswd",
        "%00",
    ):
        answer = copying.get(f"{base}/{changed}")
        assert answer.status_code == 404, changed
        assert answer.json()["error"]["code"] == "NOT_FOUND"
    for path in (
        "/media/",
        "/media/../secret.key",
        "/media//etc/passwd",
        f"/media/{token}/x",
        f"/media/uploads/{token}",
    ):
        assert copying.house.http.get(path).status_code in (404, 405), path


def test_a_url_that_another_installation_made_leads_nowhere(copying: Copying, url: str) -> None:
    tenant, message = copying.tenant, copying.newest_id()
    foreign = MediaUrls(copying.house.base_url, b"x" * 32).of(tenant.org.org_id, str(message), ["a"])
    assert copying.get(foreign[0]).status_code == 404
    assert copying.get(url).status_code == 200


def test_a_url_names_one_medium_of_one_organization(copying: Copying, url: str) -> None:
    """Even if somebody had the key: a message is found in its own organization alone."""
    house, other = copying.house, copying.house.tenant(carrier="loopback")
    urls = MediaUrls(house.base_url, house.store.vault.derive(URL_KEY))
    mine, theirs = copying.tenant.org.org_id, other.org.org_id
    message = str(copying.newest_id())
    assert copying.get(urls.of(mine, message, ["a"])[0]).status_code == 200
    assert copying.get(urls.of(theirs, message, ["a"])[0]).status_code == 410
    assert copying.get(urls.of(mine, message, ["a", "b"])[1]).status_code == 410
    assert copying.get(urls.of(mine, uuid7(house.clock(), 1), ["a"])[0]).status_code == 410


def test_content_that_is_not_where_it_should_be_is_said_so(copying: Copying, url: str) -> None:
    for path in copying.files():
        path.unlink()
    answer = copying.get(url)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "its content is not where this server keeps media"
