"""Fetching from servers that are slow, broken, endless, or after something."""

import asyncio
import base64
import gzip
from collections.abc import Iterator

import pytest
from aiohttp.abc import AbstractResolver

from roost.core.addresses import networks
from roost.media.fetch import Fetcher, FetchFailed
from support.media_server import JPEG, PNG, MediaServer, Reply
from support.resolver import Resolver

HERE = networks("127.0.0.0/8")
CAP = 10 * 1024 * 1024
USER = ("api-user", "api-password")
AUTHORIZATION = "Basic " + base64.b64encode(b"api-user:api-password").decode()


@pytest.fixture
def server() -> Iterator[MediaServer]:
    with MediaServer() as listening:
        yield listening


def fetch(
    url: str,
    *,
    own: str | None = None,
    cap: int = CAP,
    seconds: float = 30,
    resolver: AbstractResolver | None = None,
    allowed: str = "127.0.0.0/8",
) -> bytes:
    """The content; `own` is how the URLs begin that get the credential."""

    async def run() -> bytes:
        fetcher = Fetcher(cap, networks(allowed), total_seconds=seconds, resolver=resolver)
        try:
            return await fetcher.fetch(url, lambda each: USER if own and each.startswith(own) else None)
        finally:
            await fetcher.close()

    with asyncio.Runner() as runner:
        return runner.run(run())


def why_not(url: str, **options: object) -> str:
    with pytest.raises(FetchFailed) as failed:
        fetch(url, **options)  # type: ignore[arg-type]
    return failed.value.reason


def test_a_picture_of_ten_megabytes_is_had_whole(server: MediaServer) -> None:
    picture = JPEG + bytes(CAP - len(JPEG))
    assert fetch(server.has("/big", picture)) == picture


def test_one_byte_more_is_too_large_whatever_its_length_is_said_to_be(server: MediaServer) -> None:
    assert why_not(server.has("/said", bytes(CAP + 1))) == "too_large"
    assert why_not(server.has("/lied", Reply(b"x", said_length=1 << 50))) == "too_large", "not even begun"


def test_an_endless_body_is_left_at_the_cap(server: MediaServer) -> None:
    assert why_not(server.has("/endless", Reply(how="endless")), cap=1 << 20) == "too_large"
    assert server.sent_bytes < 16 << 20


def test_zero_bytes_are_no_medium(server: MediaServer) -> None:
    assert why_not(server.has("/empty", b"")) == "empty"


def test_a_zip_bomb_stays_packed(server: MediaServer) -> None:
    bomb = gzip.compress(bytes(50 << 20))
    assert fetch(server.has("/bomb", Reply(bomb, headers=(("Content-Encoding", "gzip"),)))) == bomb
    assert server.asked[0].headers["accept-encoding"] == "identity"


def test_a_server_that_drips_has_so_long_in_all_and_no_longer(server: MediaServer) -> None:
    assert why_not(server.has("/drip", Reply(PNG, how="drip")), seconds=0.2) == "too_slow"


def test_a_server_that_never_answers_is_not_waited_for(server: MediaServer) -> None:
    assert why_not(server.has("/held", Reply(PNG, how="held")), seconds=0.2) == "too_slow"


def test_a_server_that_closes_half_way_broke_off(server: MediaServer) -> None:
    assert why_not(server.has("/half", Reply(PNG * 100, how="half"))) == "broken_off"


def test_a_length_that_is_wrong_is_found_out(server: MediaServer) -> None:
    assert why_not(server.has("/short", Reply(PNG, said_length=len(PNG) + 1))) == "broken_off"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (404, "not_found"), (410, "not_found"), (401, "refused"), (403, "refused"), (400, "refused"), (429, "carrier_failed"),
        (500, "carrier_failed"), (503, "carrier_failed"), (204, "carrier_failed"),
        (206, "carrier_failed"), (304, "carrier_failed"),
    ],
)  # fmt: skip
def test_a_status_says_why(server: MediaServer, status: int, reason: str) -> None:
    assert why_not(server.has("/x", Reply(b"" if status in (204, 304) else b"x", status))) == reason


def test_a_server_may_say_how_long_to_wait(server: MediaServer) -> None:
    with pytest.raises(FetchFailed) as failed:
        fetch(server.has("/busy", Reply(b"", 503, (("Retry-After", "30"),))))
    assert failed.value.retry_after == 30


def test_the_credential_goes_to_the_carriers_own_host_alone(server: MediaServer) -> None:
    url = server.has("/1", PNG)
    fetch(url, own=server.base_url)
    fetch(url, own="https://carrier.example")
    assert [asked.headers.get("authorization") for asked in server.asked] == [AUTHORIZATION, None]


def test_a_redirect_within_an_origin_keeps_the_credential(server: MediaServer) -> None:
    server.has("/2", PNG)
    assert fetch(server.has("/1", Reply(b"", 302, (("Location", "/2"),))), own=server.base_url) == PNG
    assert [asked.headers.get("authorization") for asked in server.asked] == [AUTHORIZATION] * 2


def test_a_redirect_that_crosses_origins_drops_the_credential_and_it_stays_dropped(server: MediaServer) -> None:
    """Also where the other origin leads back, and where the credential's owner would have given it there, too."""
    with MediaServer() as other:
        server.has("/3", PNG)
        other.has("/2", Reply(b"", 307, (("Location", server.base_url + "/3"),)))
        url = server.has("/1", Reply(b"", 302, (("Location", other.base_url + "/2"),)))
        assert fetch(url, own="http://127.0.0.1:") == PNG
        assert [asked.headers.get("authorization") for asked in server.asked] == [AUTHORIZATION, None]
        assert [asked.headers.get("authorization") for asked in other.asked] == [None]


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/meta-data", "http://[fd00:ec2::254]/", "http://10.0.0.1/"]
)
def test_a_redirect_to_a_metadata_address_leads_nowhere(server: MediaServer, target: str) -> None:
    assert why_not(server.has("/1", Reply(b"", 302, (("Location", target),))), own=server.base_url) == "refused_address"


def test_a_redirect_to_a_name_of_a_private_address_leads_nowhere(server: MediaServer) -> None:
    url = server.has("/1", Reply(b"", 302, (("Location", "http://metadata.example/"),)))
    assert why_not(url, resolver=Resolver(["169.254.169.254"])) == "refused_address"


@pytest.mark.parametrize(
    "location", [None, "", "file:///etc/passwd", "http://example.com:22/", "http://u:p@example.com/"]
)
def test_a_redirect_to_no_web_server_leads_nowhere(server: MediaServer, location: str | None) -> None:
    headers = () if location is None else (("Location", location),)
    assert why_not(server.has("/1", Reply(b"", 302, headers))) == "redirects"


def test_redirects_are_followed_five_times_and_not_in_circles(server: MediaServer) -> None:
    for nth in range(5):
        server.has(f"/{nth}", Reply(b"", 302, (("Location", f"/{nth + 1}"),)))
    server.has("/5", PNG)
    assert fetch(server.base_url + "/0") == PNG
    assert why_not(server.has("/round", Reply(b"", 302, (("Location", "/round"),)))) == "redirects"
    assert len(server.asked) == 6 + 6


def test_the_guard_is_there_unless_the_operator_allows_more(server: MediaServer) -> None:
    assert why_not(server.has("/1", PNG), allowed="") == "refused_address"
    assert server.asked == []


@pytest.mark.parametrize(
    "url", ["", "no url", "ftp://example.com/a", "http://example.com:25/", "http://u:p@example.com/"]
)
def test_what_is_no_url_is_not_fetched(url: str) -> None:
    assert why_not(url) == "bad_url"


def test_what_a_url_holds_itself_nobody_is_asked_for() -> None:
    encoded = base64.b64encode(PNG).decode()
    assert fetch(f"data:image/png;base64,{encoded}", allowed="") == PNG
    assert fetch("data:text/plain,a%20%C3%A9", allowed="") == "a \u00e9".encode()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("data:", "bad_url"),
        ("data:image/png;base64", "bad_url"),
        ("data:image/png;base64,%%%", "bad_url"),
        ("data:image/png;base64,\u00e9", "bad_url"),
        ("data:,", "empty"),
        (f"data:,{'x' * (CAP + 1)}", "too_large"),
    ],
)
def test_what_a_url_holds_itself_may_be_nothing_or_too_much(url: str, reason: str) -> None:
    assert why_not(url) == reason


def test_a_server_that_is_not_there_is_unreachable() -> None:
    assert why_not("http://127.0.0.1:1234/nobody") == "unreachable"


def test_a_server_that_speaks_no_http_is_unreachable(server: MediaServer) -> None:
    assert why_not(server.has("/1", Reply(b"x", headers=(("Content-Length", "many"),)))) in (
        "unreachable",
        "broken_off",
    )
