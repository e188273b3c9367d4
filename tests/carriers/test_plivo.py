"""What is Plivo's alone, and its library as an oracle, both ways."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from plivo.utils import validate_signature, validate_v3_signature
from plivo.utils.signature_v3 import construct_get_url, construct_post_url, encode, get_signature_v3, sha256, sign

from carriers.cases import CONTACT
from carriers.cases.plivo import CASE, NONCE, signed
from carriers.test_receiving import account_of, delivered
from roost import config
from roost.carriers import plivo
from roost.carriers.contract import IntakeRequest, OutgoingText
from roost.carriers.outside import Outside
from roost.core.account import CarrierAccount
from roost.core.message import InboundEvent, UnknownEvent
from roost.server import now_us
from support.plivo_api import AUTH_TOKEN, PlivoApi

NUMBER = "+15551112222"
URL = "https://roost.example.com/carriers/plivo/1"
URLS = [URL, URL + "?a=b&c=d%20e&a=a", "https://roost.example.com:8443/x?", "http://127.0.0.1/"]
TEXT: dict[str, str] = CASE.text("u1", NUMBER, body="1+1 \N{EURO SIGN}")


def v3(signature: str, nonce: str = NONCE) -> dict[str, str]:
    return {"x-plivo-signature-v3": signature, "x-plivo-signature-v3-nonce": nonce}


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("payload", [TEXT, {}, {"b": "2", "a": ""}])
def test_version_3_of_a_post_is_as_its_library_signs_it(url: str, payload: dict[str, str]) -> None:
    signature = get_signature_v3(
        AUTH_TOKEN.encode(), construct_post_url(url, payload).decode(), NONCE.encode()
    ).decode()
    assert validate_v3_signature("POST", url, NONCE, AUTH_TOKEN, signature, payload)
    request = IntakeRequest(v3(signature), urlencode(payload).encode(), url)
    assert plivo.verify(request, account_of(CASE))
    assert plivo.verify(request._replace(headers=v3(f"AAAA,{signature}")), account_of(CASE))
    assert not plivo.verify(request._replace(headers=v3(signature, "1")), account_of(CASE))


def test_version_3_of_a_get_covers_the_query() -> None:
    url = f"{URL}?{urlencode({**TEXT, 'Text': '1+1 & more'})}"  # the library reads no other than ASCII there
    signature = get_signature_v3(AUTH_TOKEN.encode(), construct_get_url(url, {}).decode(), NONCE.encode()).decode()
    assert validate_v3_signature("GET", url, NONCE, AUTH_TOKEN, signature)
    request = IntakeRequest(v3(signature), b"", url, "GET")
    assert plivo.verify(request, account_of(CASE))
    assert not plivo.verify(request._replace(url=url + "x"), account_of(CASE))
    [event] = plivo.parse(request)
    assert isinstance(event, InboundEvent)
    assert event.body == "1+1 & more"


@pytest.mark.parametrize("which", ["x-plivo-signature-v2", "x-plivo-signature-ma-v2"])
@pytest.mark.parametrize("url", URLS)
def test_version_2_is_as_its_library_signs_it(which: str, url: str) -> None:
    bare = url.partition("?")[0]
    signature = encode(sign(AUTH_TOKEN.encode(), (bare + NONCE).encode(), sha256).digest()).strip().decode()
    assert validate_signature(url, NONCE, signature, AUTH_TOKEN)
    good = IntakeRequest({which: signature, "x-plivo-signature-v2-nonce": NONCE}, urlencode(TEXT).encode(), url)
    assert plivo.verify(good, account_of(CASE))
    assert not plivo.verify(good._replace(headers={which: signature}), account_of(CASE))
    assert not plivo.verify(good._replace(url=bare + "y"), account_of(CASE))
    assert not plivo.verify(good._replace(headers={**good.headers, **v3("AAAA")}), account_of(CASE)), (
        "a wrong V3 beside it"
    )
    assert not plivo.verify(good, CarrierAccount("", "", "plivo", {"auth_token": ["x"]}))


def test_what_our_cases_sign_its_library_believes() -> None:
    call = signed(TEXT, URL, AUTH_TOKEN)
    assert validate_v3_signature("POST", URL, NONCE, AUTH_TOKEN, call.headers["X-Plivo-Signature-V3"], TEXT)


def test_pictures_are_numbered_from_0_or_from_1_and_their_text_is_the_body() -> None:
    for first in (0, 1):
        payload = {"From": "15554443333", "To": "15551112222", "Type": "mms", "Body": "look", "MessageUUID": "u1"}
        payload |= {f"Media{first + n}": f"https://a/{n}" for n in range(11)} | {"MediaCount": "11"}
        [event] = delivered(CASE, payload)
        assert isinstance(event, InboundEvent)
        assert (event.body, event.is_mms) == ("look", True)
        assert event.media == tuple(f"https://a/{n}" for n in range(11))


NUMBERS = [
    ("15554443333", CONTACT),
    (CONTACT, CONTACT),
    (" 15554443333", CONTACT),
    ("68849", "68849"),
    ("SUPPORT", "SUPPORT"),
]


@pytest.mark.parametrize(("said", "sender"), NUMBERS)
def test_numbers_are_with_a_plus_here_and_without_one_there(said: str, sender: str) -> None:
    [event] = delivered(CASE, {**TEXT, "From": said})
    assert isinstance(event, InboundEvent)
    assert event.from_number == sender


@pytest.mark.parametrize(("intent", "kind"), [("optout", "opt_out"), ("optin", "opt_in"), ("help", "help"), ("", None)])
def test_a_keyword_counts_as_it_was_understood(intent: str, kind: str | None) -> None:
    [event] = delivered(CASE, {**TEXT, "MessageIntent": intent})
    assert isinstance(event, InboundEvent)
    assert (event.understood.kind if event.understood else None) == kind


@pytest.fixture
def api() -> Iterator[PlivoApi]:
    listening = PlivoApi()
    with listening:
        yield listening


def reaching_out(tmp_path: Path, api: PlivoApi, work: Any, **secrets: Any) -> Any:
    async def run() -> Any:
        outside = Outside(config.load({}, data_dir=tmp_path, public_url="https://roost.example.com"), now_us)
        values = {**CASE.SECRETS, "api_url": api.host_url, **secrets}
        try:
            return await work(outside, CarrierAccount("a1", "o1", "plivo", values))
        finally:
            await outside.close()

    return asyncio.run(run())


async def nothing() -> None:
    """Nothing speaks against it."""


def test_it_is_asked_as_documented(tmp_path: Path, api: PlivoApi) -> None:
    text = OutgoingText("m1", NUMBER, CONTACT, "Hi", ("https://a/1",), False)
    reaching_out(tmp_path, api, lambda outside, account: plivo.send(text, account, outside, nothing))
    callback = "https://roost.example.com/carriers/plivo/a1"
    assert api.posts == [
        {
            "src": "15551112222", "dst": "15554443333", "text": "Hi", "type": "mms", "media_urls": ["https://a/1"],
            "url": callback, "method": "POST",
        }
    ]  # fmt: skip


def test_what_it_gave_up_delivering_is_told_to_an_operator_and_is_no_empty_message(
    tmp_path: Path, api: PlivoApi
) -> None:
    undelivered = [
        api.record(f"u{n}", "15554443333", "15551112222", "inbound", message_state="undelivered") for n in range(41)
    ]
    api.received = [
        *undelivered,
        api.record("x1", "15554443333", "15551112222", "inbound", message_state="delivered"),
        api.record("x2", "15551112222", "15554443333", message_state="undelivered"),
        api.record("x3", "1", "2", "inbound", message_state="undelivered", message_time="2020-01-01 00:00:00+00:00"),
    ]

    async def read(outside: Outside, account: CarrierAccount) -> list[Any]:
        since = now_us() - 3_600_000_000
        return [event async for page in plivo.backfill(account, since, outside) for event in page]

    events = reaching_out(tmp_path, api, read)
    assert all(isinstance(event, UnknownEvent) and event.reason == "text_missed" for event in events)
    assert [json.loads(event.raw)["message_uuid"] for event in events] == [f"u{n}" for n in range(41)]
    assert isinstance(plivo.parse(IntakeRequest({}, events[0].raw))[0], UnknownEvent)


def test_check_says_where_a_number_delivers(tmp_path: Path, api: PlivoApi) -> None:
    def findings(**secrets: Any) -> list[bool]:
        work = lambda outside, account: plivo.check(account, [NUMBER], "https://here", outside)  # noqa: E731
        return [finding.good for finding in reaching_out(tmp_path, api, work, **secrets)]

    assert findings() == [True, False]
    api.message_url = "https://here"
    assert findings() == [True, True]
    assert findings(auth_token=["wrong"]) == [False]
