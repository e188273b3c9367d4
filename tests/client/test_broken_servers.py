"""A server that answers late, half, broken, or not at all."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from roost.client import (
    ApiError,
    BrokenAnswer,
    ConnectionFailed,
    Invalid,
    RateLimited,
    Retry,
    RoostError,
    ServerError,
    TimedOut,
)
from support.callers import Caller
from support.misbehaving import (
    Behaviour,
    Misbehaving,
    babbles,
    breaks_off,
    hangs_up,
    resets,
    says,
    says_nothing,
    streams,
)

Connect = Callable[..., Caller]
MESSAGE = {
    "id": "01a2012b-128a-718c-9974-bf98b4b21e1f", "from": "+15551112222", "to": "+15554443333", "text": "hello", "channel": "sms",
    "priority": "default", "status": "queued", "tag": None, "created_at": "2026-11-22T02:52:09.738396Z",
}  # fmt: skip
ONE = says(200, json.dumps({"success": True, "data": MESSAGE}))
ACCEPTED = says(202, json.dumps({"success": True, "data": MESSAGE}))
LIMITED = says(
    429,
    '{"success":false,"error":{"code":"RATE_LIMITED","message":"rate limited","request_id":"01J"}}',
    Retry_After="0",
)


@pytest.fixture
def get(connect: Connect) -> Callable[..., Any]:
    """Gets a message from a server that answers so."""

    def got(server: Misbehaving, **options: Any) -> Any:
        return connect(server.base_url, api_key="am_live_x", **options).call(lambda client: client.messages.get("7"))

    return got


PASSING = [
    LIMITED,
    says(503, "<html>", Retry_After="0"),
    says(502),
    says(500),
    hangs_up,
    resets,
    babbles,
    breaks_off(b'{"su', 4000),
]


@pytest.mark.parametrize("trouble", PASSING)
def test_trouble_that_passes_is_not_noticed(get: Callable[..., Any], trouble: Behaviour) -> None:
    with Misbehaving(trouble, trouble, ONE) as server:
        assert get(server).text == "hello"
        assert [asked.target for asked in server.asked] == ["/v1/messages/7"] * 3


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [(LIMITED, RateLimited), (says(503), ServerError), (hangs_up, ConnectionFailed), (babbles, ConnectionFailed)],
)
def test_trouble_that_does_not_pass_is_told(
    get: Callable[..., Any], trouble: Behaviour, kind: type[RoostError]
) -> None:
    with Misbehaving(*[trouble] * 5) as server, pytest.raises(kind) as told:
        get(server)
    assert len(server.asked) == 5
    assert told.value.status == (429 if kind is RateLimited else 503 if kind is ServerError else None)


def test_nobody_there_is_told(get: Callable[..., Any]) -> None:
    with Misbehaving() as server:
        pass
    with pytest.raises(ConnectionFailed):
        get(server)


def test_a_server_that_does_not_answer_in_time_is_given_up(get: Callable[..., Any]) -> None:
    done = threading.Event()
    with Misbehaving(*[says_nothing(done)] * 2) as server:
        with pytest.raises(TimedOut):
            get(server, timeout=0.05, retry=Retry(times=1, first=0.0))
        done.set()
    assert len(server.asked) == 2


def test_an_answer_that_never_ends_is_given_up(get: Callable[..., Any]) -> None:
    """Something comes all the time, so that no single wait is too long."""
    done = threading.Event()

    def drips(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not done.wait(0.01):
            connection.sendall(b" ")

    with Misbehaving(drips) as server:
        with pytest.raises(TimedOut):
            get(server, timeout=0.1, retry=Retry(times=0))
        done.set()


BROKEN = [
    b"", b"null", b"[]", b"<html>hello</html>",
    b'{"success":true}', b'{"success":true,"data":{}}', b'{"success":true,"data":null}',
    b"\xff", b"[" * 100_000, json.dumps({"success": True, "data": {**MESSAGE, "status": "lost"}}).encode(),
    json.dumps({"success": True, "data": {**MESSAGE, "created_at": "yesterday"}}).encode(),
]  # fmt: skip


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: repr(body[:40]))
def test_an_answer_that_is_not_what_is_documented_is_an_error_of_its_own(get: Callable[..., Any], body: bytes) -> None:
    with Misbehaving(says(200, body)) as server, pytest.raises(BrokenAnswer) as told:
        get(server)
    assert "hello" not in str(told.value), "and no message's text is in it"


def test_a_redirect_is_no_answer_and_the_key_does_not_go_elsewhere(get: Callable[..., Any]) -> None:
    with Misbehaving(ONE) as elsewhere, Misbehaving(says(302, Location=f"{elsewhere.base_url}/")) as server:
        with pytest.raises(RoostError):
            get(server)
        assert elsewhere.asked == []


def test_a_field_of_a_newer_server_is_ignored(get: Callable[..., Any]) -> None:
    with Misbehaving(
        says(200, json.dumps({"success": True, "data": {**MESSAGE, "mood": "good"}, "more": 1}))
    ) as server:
        assert get(server).status == "queued"


def test_a_send_is_repeated_with_the_same_key_and_another_send_has_another(connect: Connect) -> None:
    with Misbehaving(hangs_up, says(503), ACCEPTED, ACCEPTED, ACCEPTED) as server:
        caller = connect(server.base_url, api_key="am_live_x")
        for key in (None, None, "order-7421"):
            caller.call(
                lambda client, key=key: client.messages.send(
                    "+15554443333", "hello", from_number="+15551112222", idempotency_key=key
                )
            )
        keys = [asked.headers["idempotency-key"] for asked in server.asked]
        assert keys[0] == keys[1] == keys[2]
        assert len({*keys[2:]}) == 3
        assert keys[4] == "order-7421"
        assert json.loads(server.asked[0].body) == {"from": "+15551112222", "to": "+15554443333", "text": "hello"}
        assert server.asked[0].headers["authorization"] == "Bearer am_live_x"


def test_a_refusal_has_everything_that_the_server_said(get: Callable[..., Any]) -> None:
    said = {
        "code": "VALIDATION_FAILED",
        "message": "validation failed",
        "request_id": "01J",
        "details": {"to": "must be E.164"},
    }
    with (
        Misbehaving(says(422, json.dumps({"success": False, "error": said}))) as server,
        pytest.raises(Invalid) as told,
    ):
        get(server)
    error = told.value
    assert isinstance(error, ApiError)
    assert (error.status, error.code, error.message, error.request_id) == (
        422,
        "VALIDATION_FAILED",
        "validation failed",
        "01J",
    )
    assert error.details == {"to": "must be E.164"}
    assert str(error) == "validation failed: to must be E.164"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"base_url": "ftp://x"}, "base_url"), ({"base_url": "127.0.0.1:8080"}, "base_url"),
    ({"base_url": "http://u:p@x"}, "base_url"),
    ({"api_key": "am_live_x\nX-Evil: 1"}, "api_key"), ({"token": "a b"}, "token"), ({"wallet_key": "0x12"}, "wallet_key"),
    ({"wallet_key": "4c" * 32, "agent": "0x" + "00" * 20}, "another wallet"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_what_can_be_no_address_and_no_credential_is_refused_at_once(
    connect: Connect, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(RoostError, match=said) as told:
        connect(**{"base_url": "http://127.0.0.1:9", **options})
    assert "evil" not in str(told.value).lower()


def test_a_call_without_its_credential_says_so(connect: Connect) -> None:
    caller = connect("http://127.0.0.1:9")
    with pytest.raises(RoostError, match="api_key"):
        caller.call(lambda client: client.messages.get("7"))
    with pytest.raises(RoostError, match="agent"):
        caller.call(lambda client: client.agent.inbox())


def test_a_client_that_is_closed_says_so(connect: Connect) -> None:
    with Misbehaving() as server:
        caller = connect(server.base_url, api_key="am_live_x")
        caller.call(lambda client: client.aclose()) if caller._runner else caller.client.close()
        for ask in (lambda client: client.messages.get("7"), lambda client: client.inbound.wait()):
            with pytest.raises(RoostError, match="closed"):
                caller.call(ask)
        with pytest.raises(RoostError, match="closed"):
            ids(caller, 1)


# --- The stream.

RECEIVED = {
    "id": "01a2012b-128a-718c-9974-bf98b4b21e1f", "org_id": "o", "phone_number_id": "p", "from": "+15554443333",
    "to": "+15551112222", "body": "hi", "channel": "sms", "media_urls": [], "segment_count": 1,
    "opt_out": {"detected": False, "keyword": None},
    "bandwidth_message_id": "bw-1", "bandwidth_received_at": "2026-11-22T02:52:03Z", "received_at": "2026-11-22T02:52:09.738396Z",
}  # fmt: skip


def frame(event_id: str, kind: str = "message.received", data: Any = RECEIVED) -> bytes:
    """As the server writes an event."""
    body = {"id": event_id, "type": kind, "created_at": "2026-11-22T02:52:09.738396Z", "data": data}
    return f"id: {event_id}\nevent: {kind}\ndata: {json.dumps(body)}\n\n".encode()


def ids(caller: Caller, count: int, **options: Any) -> list[str]:
    return [event.id for event in caller.take(lambda client: client.stream(**options), count)]


def test_a_stream_goes_on_where_it_broke_off_over_however_many_connections(connect: Connect) -> None:
    behaviours = (
        streams(b": hello\n\n", frame("1"), frame("2")[:40]), says(503, Retry_After="0"), hangs_up, resets, babbles,
        streams(frame("2"), frame("3") + frame("4")[:-1]), says(429, Retry_After="0"), streams(), streams(frame("4")),
    )  # fmt: skip
    with Misbehaving(*behaviours) as server:
        assert ids(connect(server.base_url, api_key="am_live_x"), 4) == ["1", "2", "3", "4"]
        since = [asked.headers.get("last-event-id") for asked in server.asked]
        assert since == [None, "1", "1", "1", "1", "1", "3", "3", "3"]
        assert {asked.headers["accept"] for asked in server.asked} == {"text/event-stream"}


def test_a_stream_begins_where_one_says(connect: Connect) -> None:
    with Misbehaving(streams(frame("8"))) as server:
        assert ids(connect(server.base_url, api_key="am_live_x"), 1, last_event_id="7") == ["8"]
        assert server.asked[0].headers["last-event-id"] == "7"


def test_events_are_given_as_they_come(connect: Connect) -> None:
    """The second is sent only once the first was given."""
    more = threading.Event()
    with Misbehaving(streams(frame("1"), more, frame("2"))) as server:
        caller = connect(server.base_url, api_key="am_live_x")
        given = []

        def note(event_id: str) -> None:
            given.append(event_id)
            more.set()

        if caller._runner is None:
            for event in caller.client.stream():
                note(event.id)
                if len(given) == 2:
                    break
        else:

            async def follow() -> None:
                async for event in caller.client.stream():
                    note(event.id)
                    if len(given) == 2:
                        break

            caller._runner.run(follow())
    assert given == ["1", "2"]


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (says(401, '{"success":false,"error":{"code":"UNAUTHORIZED","message":"no","request_id":"1"}}'), ApiError),
        (says(404), ApiError),
        (says(200, "{}"), BrokenAnswer),
        (streams(b"data: {}\n\n"), BrokenAnswer),
        (streams(b"data: <html>\n\n"), BrokenAnswer),
        (streams(frame("1", data={})), BrokenAnswer),
    ],
)
def test_a_stream_that_will_never_be_one_is_an_error(
    connect: Connect, behaviour: Behaviour, kind: type[RoostError]
) -> None:
    with Misbehaving(behaviour) as server, pytest.raises(kind):
        ids(connect(server.base_url, api_key="am_live_x"), 1)


def test_an_event_of_a_type_that_is_not_known_is_given_as_it_is(connect: Connect) -> None:
    with Misbehaving(streams(frame("1", "number.moved", {"number": "+15551112222"}))) as server:
        [event] = connect(server.base_url, api_key="am_live_x").take(lambda client: client.stream(), 1)
    assert (event.type, event.data) == ("number.moved", {"number": "+15551112222"})


def test_a_connection_that_has_fallen_silent_is_given_up_and_its_place_kept(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roost.client.stream.SILENCE_SECONDS", 0.2)
    silence = threading.Event()
    with Misbehaving(streams(frame("1"), silence), streams(frame("2"))) as server:
        assert ids(connect(server.base_url, api_key="am_live_x"), 2) == ["1", "2"]
        silence.set()
        assert [asked.headers.get("last-event-id") for asked in server.asked] == [None, "1"]
