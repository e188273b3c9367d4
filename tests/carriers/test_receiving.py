"""What every carrier delivers, posted to the real URL, and what is refused: one suite, and a file in `cases` for each."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from carriers.cases import CASES, CONTACT, Call, CarrierCase
from roost.carriers.contract import IntakeRequest
from roost.carriers.registry import CARRIERS
from roost.core.account import CarrierAccount
from roost.core.message import InboundEvent, ReceiptEvent, UnknownEvent, draft
from roost.server import now_us
from support.credentials import BASIC
from support.house import House, Tenant

NUMBER, URL = "+15551112222", "https://roost.example.com/carriers/x/y"
PICTURES = ("https://api.example.com/media/1", "https://api.example.com/media/2")
WHOLE = {name: case for name, case in CASES.items() if case.PICTURES}
every_carrier = pytest.mark.parametrize("case", WHOLE.values(), ids=WHOLE)
every_credential = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
#: Changes to a text, and what is kept then; where only a part of it is sure, that it has the replacement character.
ODD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a sender's name": ({"sender": "SUPPORT"}, {"from_number": "SUPPORT"}),
    "a short code": ({"sender": "68849"}, {"from_number": "68849"}),
    "no text": ({"body": None}, {"body": ""}),
    "an empty text": ({"body": ""}, {"body": ""}),
    "an emoji": ({"body": "\N{WAVING HAND SIGN}"}, {"body": "\N{WAVING HAND SIGN}"}),
    "a plus, a percent and an ampersand": ({"body": "1+1 = 100%41 & more;"}, {"body": "1+1 = 100%41 & more;"}),
    "lines": ({"body": "one\r\ntwo\n"}, {"body": "one\r\ntwo\n"}),
    "a NUL": ({"body": "a\x00b"}, {"body": "a\ufffdb"}),
    "a lone surrogate": ({"body": "a\ud83d"}, {}),
    "markup": ({"body": "<script>'; DROP TABLE numbers;--"}, {"channel": "sms"}),
    "a time that is none": ({"time": "yesterday"}, {"carrier_received_at": None}),
    "no time": ({"time": None}, {"carrier_received_at": None}),
}


def account_of(case: CarrierCase, secrets: Any = None) -> CarrierAccount:
    return CarrierAccount(
        "a", "o", case.NAME, {"basic": [list(BASIC)], **(case.SECRETS if secrets is None else secrets)}
    )


def request_of(call: Call, url: str = URL) -> IntakeRequest:
    headers = {name.lower(): value for name, value in call.headers.items()}
    return IntakeRequest(headers, call.body, call.at(url), call.method)


def delivered(case: CarrierCase, payload: Any) -> list[Any]:
    return CARRIERS[case.NAME].parse(request_of(case.call(payload, URL, account_of(case))))


def test_every_carrier_goes_through_this_suite() -> None:
    assert set(CASES) == set(CARRIERS)


@every_carrier
def test_an_odd_text_is_a_text(case: CarrierCase) -> None:
    for name, (changes, expected) in ODD.items():
        [event] = delivered(case, case.text("m1", NUMBER, **changes))
        assert isinstance(event, InboundEvent), name
        kept = draft(event)
        assert not isinstance(kept, UnknownEvent), name
        if "time" in changes and case.NAME == "bandwidth":
            continue  # the callback has a second time, of its own
        assert {key: getattr(kept, key) for key in expected} == expected, name
        kept.body.encode()  # nothing that no database keeps
        if not expected:
            assert kept.body.startswith("a\ufffd"), name


@every_carrier
def test_each_of_its_words_is_one_of_ours(case: CarrierCase) -> None:
    for word, ours in case.STATUSES.items():
        [receipt] = delivered(case, case.status(word, "m1", CONTACT, NUMBER))
        assert isinstance(receipt, ReceiptEvent), word
        assert (receipt.event, receipt.carrier_message_id, receipt.recipient) == (ours, "m1", CONTACT)
        assert not receipt.opted_out
    if case.OPTED_OUT_STATUS is not None:
        word, code = case.OPTED_OUT_STATUS
        [receipt] = delivered(case, case.status(word, "m1", CONTACT, NUMBER, code))
        assert (receipt.error_code, receipt.opted_out) == (code, True)
        assert code in CARRIERS[case.NAME].OPTED_OUT_CODES


@every_credential
def test_whatever_comes_is_an_event(case: CarrierCase) -> None:
    module = CARRIERS[case.NAME]
    bodies = [b"", b"[]", b"{}", b"null", b"\xff\xfe\x00", b"[" * 100_000, b"a=b&" * 5000, b"=&=;%%%zz", b"\x00=\x00"]
    good = case.call(case.text("m1", NUMBER), URL, account_of(case))
    for body in [*bodies, good.body[: len(good.body) // 2]]:
        events = module.parse(request_of(good._replace(body=body)))
        assert events, body[:20]
        for event in events:
            assert isinstance(event, UnknownEvent | InboundEvent | ReceiptEvent)
        module.verify(request_of(good._replace(body=body)), account_of(case), now_us())


@every_credential
def test_a_credential_with_one_bit_changed_is_none(case: CarrierCase) -> None:
    module, account = CARRIERS[case.NAME], account_of(case)
    now = now_us()
    good = case.call(case.text("m1", NUMBER), URL, account)
    request = request_of(good)
    assert module.verify(request, account, now)
    for name, value in request.headers.items():
        if name == "content-type":
            continue
        for index in range(len(value)):
            changed = {**request.headers, name: value[:index] + chr(ord(value[index]) ^ 1) + value[index + 1 :]}
            refused = not module.verify(request._replace(headers=changed), account, now)
            assert refused or _says_nothing(value, index), (name, index)
    if case.SIGNS_BODY:
        for index in range(len(good.body)):
            body = bytearray(good.body)
            body[index] ^= 1
            changed_body = request._replace(body=bytes(body))
            assert not module.verify(changed_body, account, now), index


def _says_nothing(value: str, index: int) -> bool:
    """The last characters of base64 have bits that mean nothing, and what surrounds it need not be there."""
    return index >= len(value.rstrip("=")) - 1 or value[index] in " ="


@every_credential
def test_without_a_secret_nothing_is_believed(case: CarrierCase) -> None:
    call = case.call(case.text("m1", NUMBER), URL, account_of(case))
    nothing: list[dict[str, Any]] = [{}, {name: [] for name in case.SECRETS}, dict.fromkeys(case.SECRETS, "")]
    for secrets in nothing:
        bare = CarrierAccount("a", "o", case.NAME, {**secrets, "basic": []})
        assert not CARRIERS[case.NAME].verify(request_of(call), bare, now_us())


@every_carrier
def test_its_media_credential_goes_to_its_own_hosts_alone(case: CarrierCase) -> None:
    module = CARRIERS[case.NAME]
    strangers = [
        *case.FOREIGN_MEDIA, "https://example.com/a.jpg", "http://127.0.0.1/a.jpg", "", "nonsense", "https://[::1/",
        *(url.replace("https://", "http://") for url in case.OWN_MEDIA),
        *(url.replace("https://", "https://example.com/") for url in case.OWN_MEDIA),
    ]  # fmt: skip
    assert [module.media_auth(url, account_of(case)) for url in strangers] == [None] * len(strangers)
    for url in case.OWN_MEDIA:
        assert module.media_auth(url, account_of(case)) is not None
        assert module.media_auth(url, account_of(case, case.RECEIVE_ONLY)) is None


def post(house: House, case: CarrierCase, account: CarrierAccount, payload: Any) -> httpx.Response:
    """Deliver it as the carrier does."""
    path = f"/carriers/{case.NAME}/{account.id}"
    return knock(house, path, case.call(payload, house.base_url + path, account))


def knock(house: House, path: str, call: Call) -> httpx.Response:
    return house.http.request(call.method, call.at(path), content=call.body, headers=dict(call.headers))


@every_carrier
def test_what_it_delivers_is_kept_once(house: House, case: CarrierCase) -> None:
    tenant = house.tenant(carrier=case.NAME, number=NUMBER, secrets=case.SECRETS)
    group = case.group("m3", NUMBER, ("+15558880000", NUMBER))
    statuses = [case.status(word, "out-1", CONTACT, NUMBER) for word in case.STATUSES]
    payloads = [
        case.text("m1", NUMBER), case.text("m2", NUMBER, body="two", media=PICTURES), *([group] if group else []),
        case.text("m4", "+15559999999"), case.UNKNOWN, *statuses,
    ]  # fmt: skip
    for payload in payloads * 2:
        answer = post(house, case, tenant.account, payload)
        assert answer.status_code == case.ANSWER, answer.text
        assert bool(answer.content) == (case.ANSWER == 200)
    messages = {each["bandwidth_message_id"]: each for each in house.inbound(tenant, include="recipients")}
    assert list(messages) == (["m3"] if group else []) + ["m2", "m1"]
    plain, picture = messages["m1"], messages["m2"]
    assert (plain["from"], plain["to"], plain["channel"]) == (CONTACT, NUMBER, "sms")
    assert (plain["body"], plain["media_urls"]) == ("Hey, check this out!", [])
    assert plain["bandwidth_received_at"] == (case.RECEIVED_AT or plain["received_at"])
    assert (picture["channel"], picture["body"]) == ("mms", "two")
    assert house.shows(tenant, picture, len(PICTURES))
    if group:
        assert set(messages["m3"]["recipients"]) >= {"+15558880000", NUMBER}
    assert rows(house, tenant, "SELECT event FROM delivery_receipts WHERE org_id = $1") == sorted(
        {(ours,) for ours in case.STATUSES.values()}
    )
    unrouted = "SELECT reason, to_number FROM unrouted_deliveries WHERE org_id = $1"
    [nobodys, unknown] = rows(house, tenant, unrouted + " ORDER BY to_number")
    assert {nobodys[0], unknown[0]} == {"unknown_number", "unknown_event"}


def rows(house: House, tenant: Tenant, sql: str) -> list[tuple[Any, ...]]:
    found = house.wait(house.store.fetch(sql, UUID(tenant.org.org_id)))
    return sorted((tuple(row) for row in found), key=str)


@every_credential
def test_without_a_good_credential_nothing_is_stored(house: House, case: CarrierCase) -> None:
    tenant = house.tenant(carrier=case.NAME, number=NUMBER, secrets=case.SECRETS)
    stranger = house.tenant(carrier=case.NAME, secrets=case.SECRETS)
    payload, url = case.text("m1", NUMBER), house.base_url + tenant.webhook
    for name, call in case.forged(payload, url, tenant.account).items():
        answer = knock(house, tenant.webhook, call)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED"), name
    good = case.call(payload, url, tenant.account)
    assert knock(house, "/carriers/" + case.NAME + "/01900000-0000-7000-8000-000000000000", good).status_code == 401
    assert knock(house, tenant.webhook, good._replace(method="PUT")).status_code == 405
    if case.SIGNS_URL:  # the same secret, and still it is signed for another's URL
        assert knock(house, stranger.webhook, good).status_code == 401
    assert house.inbound(tenant) == []
    assert rows(house, tenant, "SELECT reason FROM unrouted_deliveries WHERE org_id = $1") == []


@every_credential
def test_a_renewed_credential_and_the_old_one_are_good(house: House, case: CarrierCase) -> None:
    tenant = house.tenant(carrier=case.NAME, number=NUMBER, secrets=case.ROTATED)
    assert post(house, case, tenant.account, case.text("m1", NUMBER)).status_code == case.ANSWER
    assert len(house.inbound(tenant)) == 1
