"""What is Twilio's alone, and its library as an oracle, both ways."""

import asyncio
import hashlib
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from twilio.request_validator import RequestValidator

from carriers.cases import CONTACT
from carriers.cases.twilio import CASE, signed
from carriers.test_receiving import account_of, delivered, knock, request_of
from roost import config
from roost.carriers import twilio
from roost.carriers.contract import IntakeRequest, OutgoingText
from roost.carriers.outside import Outside
from roost.core.account import CarrierAccount
from roost.core.message import InboundEvent
from roost.server import now_us
from support.house import House
from support.twilio_api import ACCOUNT_SID, AUTH_TOKEN, TwilioApi

NUMBER = "+15551112222"
TEXT: dict[str, str] = CASE.text("SM1", NUMBER, body="")
URLS = [
    "https://roost.example.com/carriers/twilio/1",
    "https://roost.example.com:8443/carriers/twilio/1",
    "http://roost.example.com/carriers/twilio/1?a=b&c=d%20e",
    "https://user:pass@roost.example.com/x",
]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("port", ["as it is", "with", "without"])
def test_whatever_its_library_signs_is_believed(url: str, port: str) -> None:
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    name = host.rpartition(":")[0] if host.endswith(":8443") else host
    with_port = host if host.endswith(":8443") else f"{host}:{443 if scheme == 'https' else 80}"
    signed_url = {"as it is": url, "with": f"{scheme}://{with_port}/{path}", "without": f"{scheme}://{name}/{path}"}[
        port
    ]
    call = signed(TEXT, signed_url, AUTH_TOKEN)
    headers = {name.lower(): value for name, value in call.headers.items()}
    assert twilio.verify(IntakeRequest(headers, call.body, url), account_of(CASE))
    assert RequestValidator(AUTH_TOKEN).validate(url, TEXT, call.headers["X-Twilio-Signature"]) or "user:" in url


def test_fields_that_come_twice_are_signed_as_its_library_does() -> None:
    class Form(dict[str, list[str]]):
        def getall(self, name: str) -> list[str]:
            return self[name]

    body = b"b=2&a=&b=1&b=2&Body=%E2%82%AC"
    values = Form({"b": ["2", "1", "2"], "a": [""], "Body": ["\N{EURO SIGN}"]})
    signature = RequestValidator(AUTH_TOKEN).compute_signature(URLS[0], values)
    assert twilio.verify(IntakeRequest({"x-twilio-signature": signature}, body, URLS[0]), account_of(CASE))


def test_a_body_that_is_no_form_is_signed_by_its_hash() -> None:
    body = b'{"a": 1}'
    url = f"{URLS[0]}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    validator = RequestValidator(AUTH_TOKEN)
    signature = validator.compute_signature(url, {})
    assert validator.validate(url, body.decode(), signature)
    request = IntakeRequest({"x-twilio-signature": signature}, body, url)
    assert twilio.verify(request, account_of(CASE))
    assert not twilio.verify(request._replace(body=b'{"a": 2}'), account_of(CASE))


def test_the_newer_algorithm_is_used_where_it_is_named() -> None:
    signature = RequestValidator(AUTH_TOKEN).compute_signature(URLS[0], TEXT, "HMAC_SHA256")
    headers = {"x-twilio-signature": signature}
    request = IntakeRequest(headers, urlencode(TEXT).encode(), URLS[0])
    assert not twilio.verify(request, account_of(CASE))
    named = {**headers, "x-twilio-webhooks-signature-settings": "key=k1,algorithm=HMAC_SHA256"}
    assert twilio.verify(request._replace(headers=named), account_of(CASE))


def test_a_number_that_is_configured_for_get_delivers_as_well(house: House) -> None:
    tenant = house.tenant(carrier="twilio", number=NUMBER, secrets=CASE.SECRETS)
    payload = CASE.text("SM1", NUMBER, body="1+1 & \N{EURO SIGN}")
    call = signed(payload, house.base_url + tenant.webhook, AUTH_TOKEN, method="GET")
    for _ in range(2):
        assert knock(house, tenant.webhook, call).status_code == 204
    assert knock(house, tenant.webhook, call._replace(query=call.query + "&x=1")).status_code == 401
    [message] = house.inbound(tenant)
    assert (message["body"], message["bandwidth_message_id"]) == ("1+1 & \N{EURO SIGN}", "SM1")


@pytest.mark.parametrize(
    ("word", "kind"), [("STOP", "opt_out"), ("START", "opt_in"), ("HELP", "help"), ("OTHER", None)]
)
def test_a_keyword_of_its_own_counts_as_it_was_understood(word: str, kind: str | None) -> None:
    [event] = delivered(CASE, {**CASE.text("SM1", NUMBER, body="Verlassen"), "OptOutType": word})
    assert isinstance(event, InboundEvent)
    assert (event.understood.kind if event.understood else None) == kind


def test_an_opt_out_in_the_accounts_own_words_holds(house: House) -> None:
    tenant = house.tenant(carrier="twilio", number=NUMBER, secrets=CASE.SECRETS)
    payload = {**CASE.text("SM1", NUMBER, body="Verlassen"), "OptOutType": "STOP"}
    assert (
        knock(house, tenant.webhook, CASE.call(payload, house.base_url + tenant.webhook, tenant.account)).status_code
        == 204
    )
    assert house.inbound(tenant)[0]["opt_out"] == {"detected": True, "keyword": "STOP"}
    assert house.send(tenant, CONTACT).json()["error"]["code"] == "CONSENT_REQUIRED"
    assert house.outbound(tenant) == [], "Twilio has confirmed it"


def test_who_answers_a_stop() -> None:
    own = CarrierAccount("", "", "twilio", {"opt_out_replies": "off"})
    assert twilio.answers_opt_outs(NUMBER, account_of(CASE))
    assert not twilio.answers_opt_outs(NUMBER, own)
    assert twilio.answers_opt_outs("+18005551234", own), "the network does"


@pytest.fixture
def api() -> Iterator[TwilioApi]:
    listening = TwilioApi()
    with listening:
        yield listening


def reaching_out(tmp_path: Path, work: Any, **secrets: Any) -> Any:
    """What `work(outside, account)` returns, with where we are reached set."""

    async def run() -> Any:
        outside = Outside(config.load({}, data_dir=tmp_path, public_url="https://roost.example.com"), now_us)
        try:
            return await work(outside, CarrierAccount("a1", "o1", "twilio", {**CASE.SECRETS, **secrets}))
        finally:
            await outside.close()

    return asyncio.run(run())


async def nothing() -> None:
    """Nothing speaks against it."""


def test_it_is_asked_as_documented(tmp_path: Path, api: TwilioApi) -> None:
    text = OutgoingText("m1", NUMBER, CONTACT, "Hi \N{WAVING HAND SIGN} & all", ("https://a/1", "https://a/2"), False)
    secrets = {"api_url": api.host_url + "/", "messaging_service_sid": "MG1"}
    accepted = reaching_out(tmp_path, lambda outside, account: twilio.send(text, account, outside, nothing), **secrets)
    assert accepted.carrier_message_id == api.records[0]["sid"]
    assert api.posts == [
        {
            "To": CONTACT,
            "From": NUMBER,
            "Body": "Hi \N{WAVING HAND SIGN} & all",
            "MediaUrl": ["https://a/1", "https://a/2"],
            "MessagingServiceSid": "MG1",
            "StatusCallback": "https://roost.example.com/carriers/twilio/a1",
        }
    ]


def test_its_record_is_searched_for_the_very_same_text(tmp_path: Path, api: TwilioApi) -> None:
    now = now_us()

    def looked_up(body: str) -> Any:
        text = OutgoingText("m1", NUMBER, CONTACT, body, (), False)
        work = lambda outside, account: twilio.look_up(text, now, account, outside)  # noqa: E731
        return reaching_out(tmp_path, work, api_url=api.host_url)

    def record(sid: str, body: str, **changes: Any) -> dict[str, Any]:
        return api.record(sid, NUMBER, CONTACT, body, direction="outbound-api", **changes)

    old = formatdate(now / 1_000_000 - 3600)
    api.records += [
        record("SM1", "one"),
        record("SM2", "two"),
        record("SM3", "three", date_created=old),
        record("SM4", "two"),
    ]
    assert looked_up("one") == {"SM1"}
    assert looked_up("two") == {"SM2", "SM4"}, "each may be it"
    assert looked_up("three") == set(), "long before"
    assert looked_up("four") == set()


def test_what_was_missed_comes_page_by_page_as_its_callbacks_would_have_brought_it(
    tmp_path: Path, api: TwilioApi
) -> None:
    since = now_us() - 3_600_000_000
    old = formatdate(since / 1_000_000 - 60)
    api.received = [
        api.record("SM5", CONTACT, NUMBER, "newest"),
        api.record("SM4", NUMBER, CONTACT, "ours", direction="outbound-reply"),
        api.record("MM3", CONTACT, NUMBER, "look", num_media="2"),
        api.record("SM2", CONTACT, NUMBER, "1+1 \N{EURO SIGN}"),
        api.record("SM1", CONTACT, NUMBER, "before", date_created=old, date_sent=old),
    ]
    api.media = {"MM3": ["ME1", "ME2"]}

    async def read(outside: Outside, account: CarrierAccount) -> list[InboundEvent]:
        return [event async for page in twilio.backfill(account, since, outside) for event in page]  # type: ignore[misc]

    events = reaching_out(tmp_path, read, api_url=api.host_url)
    assert [(event.carrier_message_id, event.body) for event in events] == [
        ("SM5", "newest"), ("MM3", "look"), ("SM2", "1+1 \N{EURO SIGN}"),
    ]  # fmt: skip
    path = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/MM3/Media"
    assert events[1].media == (f"{path}/ME1", f"{path}/ME2")
    assert all(event.carrier_received_at is not None and event.carrier_received_at >= since for event in events)
    again = twilio.parse(request_of(signed(dict(parse_qsl(events[2].raw.decode())), URLS[0], AUTH_TOKEN)))[0]
    assert isinstance(again, InboundEvent)
    assert (again.carrier_message_id, again.body, again.to_numbers) == ("SM2", "1+1 \N{EURO SIGN}", (NUMBER,))


def test_check_says_where_a_number_delivers(tmp_path: Path, api: TwilioApi) -> None:
    def findings(**secrets: Any) -> list[tuple[bool, str]]:
        work = lambda outside, account: twilio.check(account, [NUMBER], "https://here", outside)  # noqa: E731
        return [tuple(each) for each in reaching_out(tmp_path, work, api_url=api.host_url, **secrets)]

    assert findings()[1] == (False, f"{NUMBER} is not a number of this Twilio account")
    api.numbers = [{"sid": "PN1", "sms_url": "https://elsewhere"}]
    assert findings()[1][0] is False
    api.numbers = [{"sid": "PN1", "sms_url": "https://here"}]
    assert [good for good, _ in findings()] == [True, True]
    assert [good for good, _ in findings(auth_token=["wrong"])] == [False]
