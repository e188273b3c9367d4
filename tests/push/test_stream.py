"""The live stream: what it brings, to whom, and how it ends."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from roost.core.ids import FIRST_ID
from roost.push import stream as streaming
from support.agents import hear
from support.allowed import Signer, allowed, but
from support.by_byte import raw_answer
from support.databases import Database
from support.house import House, Tenant
from support.outbound import is_settled, until
from support.sse import Ended, Refused, Sse
from support.wire import NoAnswer

CONTACT, OTHER = "+15554443333", "+15550001234"
#: One text of a carrier may be as long as that.
LONG = "x" * 200_000


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    """It sends: by loopback, at once."""
    running = House(
        database, tmp_path / "data", working=True, segments_per_second=0, max_streams=4, max_streams_per_org=3
    ).start()
    yield running
    running.stop()


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(carrier="loopback")


def follow(house: House, headers: Any, **options: Any) -> Sse:
    return Sse(house.base_url, headers, **options)


def texts(events: list[dict[str, Any]]) -> list[str]:
    return [event["data"].get("body") or event["data"].get("status") or event["data"]["event"] for event in events]


def test_it_begins_now_and_brings_what_happens_in_order(house: House, tenant: Tenant) -> None:
    hear(house, tenant, CONTACT, "before")
    with follow(house, tenant.auth) as stream:
        hear(house, tenant, CONTACT, "hello")
        message_id = house.sent(tenant, CONTACT)
        until(house, tenant, message_id, is_settled)
        hear(house, tenant, CONTACT, "STOP")
        events = [stream.next() for _ in range(7)]
    assert [event["id"] for event in events] == sorted({event["id"] for event in events})
    found = [event for event in events if event["type"] != "message.status"]
    assert texts(found) == ["hello", "opt_in", "STOP", "opt_out"]
    statuses = [event["data"]["status"] for event in events if event["data"]["id"] == message_id]
    assert statuses == ["sending", "delivered"]
    inbox = house.inbound(tenant, include="agent_id,otp,related_outbound_id,suspected,thread_id")
    assert [event["data"] for event in events if event["type"] == "message.received"] == inbox[1::-1]


def test_it_resumes_from_the_last_id_by_header_or_by_parameter(house: House, tenant: Tenant) -> None:
    with follow(house, tenant.auth) as stream:
        opened_at = stream.last_id
        for text in ("one", "two", "three", "four"):
            hear(house, tenant, CONTACT, text)
        first = stream.next()
        assert stream.last_id == first["id"]
    expected = ["two", "three", "four"]
    for how in ({"last_id": first["id"]}, {"after": first["id"]}, {"last_id": first["id"], "after": FIRST_ID}):
        with follow(house, tenant.auth, **how) as stream:
            assert texts(stream.take(len(expected))) == expected
            hear(house, tenant, CONTACT, f"live {len(expected)}")
            expected.append(f"live {len(expected)}")
            assert texts([stream.next()]) == expected[-1:]
    with follow(house, tenant.auth, last_id=opened_at) as stream:
        assert texts(stream.take(2)) == ["one", "two"], "nothing has come, and still it is known from where to resume"


def test_since_is_inclusive_as_in_the_list(house: House, tenant: Tenant) -> None:
    for text in ("one", "two", "three"):
        hear(house, tenant, CONTACT, text)
    second = house.inbound(tenant)[1]
    with follow(house, tenant.auth, since=second["received_at"]) as stream:
        assert texts(stream.take(2)) == ["two", "three"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"types": "message.received"}, ["hello", "STOP", "hi"]),
        ({"types": "consent.changed,message.status"}, ["opt_out", "sending", "delivered"]),
        ({"types": "message.received", "from": OTHER}, ["hi"]),
        ({"types": "message.received", "from": " 15550001234"}, ["hi"]),
        ({"types": "message.received", "to": "{number}"}, ["hello", "STOP", "hi"]),
        ({"types": "message.received", "phone_number_id": "{number_id}"}, ["hello", "STOP", "hi"]),
        ({"opt_out": "true"}, ["STOP"]),
        ({"opt_out": "false", "channel": "sms"}, ["hello", "hi"]),
        ({"channel": "mms"}, []),
        ({"to": CONTACT}, ["sending", "delivered"]),
    ],
)
def test_filters_are_those_of_the_list_live_and_resumed(
    house: House, tenant: Tenant, params: dict[str, str], expected: list[str]
) -> None:
    names = {"number": tenant.number.number, "number_id": tenant.number.id}
    params = {name: value.format_map(names) for name, value in params.items()}
    with follow(house, tenant.auth, **params) as live:
        for contact, text in ((CONTACT, "hello"), (CONTACT, "STOP"), (OTHER, "hi")):
            hear(house, tenant, contact, text)
        [reply] = house.outbound(tenant)
        until(house, tenant, reply["id"], is_settled)
        hear(house, tenant, OTHER, "STOP")  # which each of them has
        assert sorted(texts(live.take(len(expected)))) == sorted(expected)
    with follow(house, tenant.auth, after=FIRST_ID, **params) as resumed:
        assert sorted(texts(resumed.take(len(expected)))) == sorted(expected)


def test_a_blocked_senders_text_never_comes(house: House, tenant: Tenant) -> None:
    assert house.http.post("/v1/blocked-senders", json={"sender": CONTACT}, headers=tenant.auth).status_code == 201
    with follow(house, tenant.auth) as live:
        hear(house, tenant, CONTACT, "spam")
        hear(house, tenant, OTHER, "ham")
        assert texts([live.next()]) == ["ham"]
    with follow(house, tenant.auth, after=FIRST_ID) as resumed:
        assert texts([resumed.next()]) == ["ham"]


def test_changes_of_consent_need_their_own_scope(house: House, tenant: Tenant) -> None:
    reader = allowed(house, tenant, "messages:read")
    with follow(house, reader) as stream:
        hear(house, tenant, CONTACT, "STOP")
        assert {event["type"] for event in stream.take(3)} == {"message.received", "message.status"}
    with pytest.raises(Refused) as refused:
        follow(house, reader, types="consent.changed")
    assert refused.value.status == 403


def test_an_agent_follows_its_own_messages_alone(house: House, tenant: Tenant) -> None:
    signer = Signer(house, tenant)
    holder = (tenant.account.id, signer.agent.id, "")
    number = house.wait(house.directory.add_number(tenant.org.org_id, "+15551230000", *holder))
    assert number is not None
    with follow(house, signer.headers("read")) as mine, follow(house, tenant.agent_header) as theirs:
        hear(house, tenant, CONTACT, "for them")
        hear(house, tenant, CONTACT, "STOP", number.number)
        first = mine.next()
        assert (first["data"]["body"], first["data"]["agent_id"]) == ("STOP", signer.agent.id)
        assert texts(mine.take(2)) == ["sending", "delivered"], "the answer to it"
        assert texts(theirs.take(1)) == ["for them"]
    token = house.http.post("/v1/agents/me/access-tokens", json={}, headers=signer.headers()).json()["data"]["token"]
    by_token = {"X-Agent-ID": signer.address, "Authorization": f"Bearer {token}"}
    with follow(house, by_token, after=FIRST_ID) as resumed:
        assert texts(resumed.take(3)) == ["STOP", "sending", "delivered"]


REFUSALS: list[tuple[str, dict[str, str], dict[str, str], int, str]] = [
    ("nobody", {}, {}, 401, "UNAUTHORIZED"),
    ("an agent without a proof", {"X-Agent-ID": "0x" + "ab" * 20}, {}, 401, "UNAUTHORIZED"),
    ("no address", {"X-Agent-ID": "me"}, {}, 401, "UNAUTHORIZED"),
    ("a scope is missing", {"unscoped": "1"}, {}, 403, "FORBIDDEN"),
    ("an agent has no consent", {"agent": "1"}, {"types": "consent.changed"}, 403, "FORBIDDEN"),
    ("no such type", {"key": "1"}, {"types": "message.sent"}, 422, "VALIDATION_FAILED"),
    ("misspelt", {"key": "1"}, {"form": CONTACT}, 422, "VALIDATION_FAILED"),
    ("no id", {"key": "1"}, {"after": "7"}, 422, "VALIDATION_FAILED"),
    ("no id to resume from", {"key": "1", "Last-Event-ID": "7"}, {}, 422, "VALIDATION_FAILED"),
]


@pytest.mark.parametrize(
    ("headers", "params", "status", "code"), [each[1:] for each in REFUSALS], ids=[r[0] for r in REFUSALS]
)
def test_what_is_refused(
    house: House, tenant: Tenant, headers: dict[str, str], params: dict[str, str], status: int, code: str
) -> None:
    who = {
        "key": tenant.auth, "agent": tenant.agent_header, "unscoped": allowed(house, tenant, *but("messages:read")),
    }  # fmt: skip
    sent = {name: value for name, value in headers.items() if name not in who}
    for name in headers.keys() & who.keys():
        sent |= who[name]
    with pytest.raises(Refused) as refused:
        follow(house, sent, **params)
    body = json.loads(refused.value.body)
    assert (refused.value.status, body["error"]["code"]) == (status, code)
    assert body["error"]["request_id"] == refused.value.headers["X-Request-Id"]


def test_http_1_0_is_told_what_it_needs(house: House, tenant: Tenant) -> None:
    head = f"GET /v1/events HTTP/1.0\r\nAuthorization: Bearer {tenant.key}\r\n\r\n"
    assert b"HTTP_VERSION_NOT_SUPPORTED" in raw_answer(house.base_url, head.encode())


def test_there_is_room_for_so_many_streams(house: House, tenant: Tenant) -> None:
    other = house.tenant(carrier="loopback")
    mine = [follow(house, tenant.auth) for _ in range(3)]
    with pytest.raises(Refused) as refused:
        follow(house, tenant.auth)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "5")
    with follow(house, other.auth):
        with pytest.raises(Refused) as refused:
            follow(house, other.auth)
        assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "5")
    mine.pop().close()
    _until_open(house, 2)
    mine.append(follow(house, tenant.auth))
    for stream in mine:
        stream.close()


def test_a_revoked_key_a_revoked_token_and_a_closed_agent_end_their_streams(house: House, tenant: Tenant) -> None:
    signer = Signer(house, tenant)
    made = house.http.post("/v1/agents/me/access-tokens", json={}, headers=signer.headers()).json()["data"]
    key = house.wait(house.directory.create_api_key(tenant.org.org_id, "x", ["messages:read"], None))
    ends = {
        "key": (
            {"Authorization": f"Bearer {key.plaintext}"},
            house.directory.revoke_api_key(tenant.org.org_id, key.id),
        ),
        "token": (
            {"X-Agent-ID": signer.address, "Authorization": f"Bearer {made['token']}"},
            house.directory.revoke_access_token(tenant.org.org_id, signer.agent.id, made["id"]),
        ),
        "agent": (tenant.agent_header, house.directory.open_agent(tenant.agent, open_=False)),
    }
    with follow(house, tenant.auth) as unharmed:
        for headers, end in ends.values():
            stream = follow(house, headers)
            house.wait(end)
            stream.within(1.0)
            with pytest.raises(Ended):
                stream.next()
        hear(house, tenant, CONTACT, "goes on")
        assert texts([unharmed.next()]) == ["goes on"]


def test_a_key_that_runs_out_ends_its_stream(house: House, tenant: Tenant) -> None:
    key = house.wait(house.directory.create_api_key(tenant.org.org_id, "x", ["messages:read"], 3_600_000_000))
    with follow(house, {"Authorization": f"Bearer {key.plaintext}"}) as stream:
        house.clock.offset_us += 3_600_000_001
        with pytest.raises(Ended):
            stream.next()


def test_who_does_not_read_is_cut_off_and_resumes_without_a_gap(house: House, tenant: Tenant) -> None:
    sent = []
    with follow(house, tenant.auth, small=True) as slow, follow(house, tenant.auth) as quick:
        while _open_streams(house) == 2:
            sent.append(f"{len(sent)} {LONG}")
            hear(house, tenant, CONTACT, sent[-1])
            assert texts([quick.next()]) == [sent[-1]], "nobody waits for who does not read"
            assert len(sent) < 200, "it is kept for the one who does not read without a bound"
        found = []
        with pytest.raises((NoAnswer, Ended)):
            while True:
                found += texts([slow.next()])
        resumed_from = slow.last_id
    assert found == sent[: len(found)]
    assert len(found) < len(sent)
    with follow(house, tenant.auth, last_id=resumed_from) as resumed:
        assert texts(resumed.take(len(sent) - len(found))) == sent[len(found) :]


def test_a_stream_that_is_stopped_ends_properly_and_resumes_elsewhere(house: House, tenant: Tenant) -> None:
    stream = follow(house, tenant.auth)
    hear(house, tenant, CONTACT, "one")
    assert texts([stream.next()]) == ["one"]
    house.wait(_called(house.push.stop))
    with pytest.raises(Ended):
        stream.next()
    with pytest.raises(Refused) as refused:
        follow(house, tenant.auth, last_id=stream.last_id)
    assert refused.value.status == 503


def test_silence_is_filled_with_comments(database: Database, tmp_path: Path) -> None:
    house = House(database, tmp_path / "quiet", stream_heartbeat=1).start()
    tenant = house.tenant(carrier="loopback")
    with follow(house, tenant.auth) as stream:
        assert stream.answer.readline() == b":\n"
        hear(house, tenant, CONTACT, "hello")
        assert texts([stream.next()]) == ["hello"]
    house.stop()


def test_who_goes_away_is_forgotten(house: House, tenant: Tenant) -> None:
    follow(house, tenant.auth).close()
    _until_open(house, 0)
    page = house.http.get("/metrics").text
    assert 'roost_stream_ends_total{reason="client"}' in page
    assert "roost_streams 0.0" in page


def test_who_went_away_leaves_nothing_that_is_ended_later(
    house: House, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "_LAST_SECONDS", 0)
    failures: list[Any] = []
    house.wait(_called(lambda: asyncio.get_running_loop().set_exception_handler(lambda _, why: failures.append(why))))
    follow(house, tenant.auth).close()
    _until_open(house, 0)
    house.wait(_called(lambda: None))
    assert failures == []


async def _called(work: Any) -> None:
    work()


def _open_streams(house: House) -> int:
    page = house.http.get("/metrics").text
    return int(float(page.partition("\nroost_streams ")[2].partition("\n")[0]))


def _until_open(house: House, count: int) -> None:
    while _open_streams(house) != count:
        pass
