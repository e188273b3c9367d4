"""Idempotency keys: one success, however often it is asked for and whatever breaks in between."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from roost.api.idempotency import Attempt, Idempotency
from roost.errors import Refusal
from roost.store.idempotency import TAKE_OVER_US, WINDOW_US, Claim, IdempotencyKeys
from support.allowed import Signer, allowed, error_of
from support.house import House, Tenant

PATH = "/v1/api-keys"
BODY = {"label": "worker", "scopes": ["messages:read"]}
TOKENS = "/v1/agents/me/access-tokens"
RESOURCE = "01900000-0000-7000-8000-000000000001"


def _post(house: House, auth: dict[str, str], key: str, body: Any = BODY, path: str = PATH) -> httpx.Response:
    return house.http.post(path, json=body, headers={**auth, "Idempotency-Key": key})


def _labels(house: House, auth: dict[str, str]) -> list[str]:
    return [key["label"] for key in house.http.get(PATH, headers=auth).json()["data"]]


def test_a_request_sent_again_gets_its_first_success_again(house: House) -> None:
    tenant = house.tenant()
    auth = allowed(house, tenant)
    first = _post(house, auth, "order-7421")
    again = _post(house, auth, "order-7421")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    assert _labels(house, auth).count("worker") == 1
    assert _post(house, auth, "order-7422").json()["id"] != first.json()["id"]


def test_thirty_two_at_once_make_one(house: House) -> None:
    auth = allowed(house, house.tenant())
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: _post(house, auth, "race"), range(32)))
    made = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in made}) == 1
    for answer in answers:
        if answer.status_code != 201:
            assert error_of(answer) == (409, "CONFLICT")
            assert answer.headers["retry-after"] == "1"
    assert _labels(house, auth).count("worker") == 1
    assert _post(house, auth, "race").content == made[0].content


def test_another_request_with_the_key_is_refused_and_makes_nothing(house: House) -> None:
    auth = allowed(house, house.tenant())
    made = _post(house, auth, "k").json()
    other_body = _post(house, auth, "k", BODY | {"label": "other"})
    assert error_of(other_body) == (422, "VALIDATION_FAILED")
    assert set(other_body.json()["error"]["details"]) == {"idempotency_key"}
    assert "other" not in _labels(house, auth)
    second = _post(house, auth, "k2").json()
    rotated = _post(house, auth, "r", {}, f"{PATH}/{made['id']}/rotate")
    assert rotated.status_code == 200, "another route has keys of its own"
    other_path = _post(house, auth, "r", {}, f"{PATH}/{second['id']}/rotate")
    assert error_of(other_path) == (422, "VALIDATION_FAILED")
    assert _post(house, auth, "r", {}, f"{PATH}/{made['id']}/rotate").content == rotated.content


def test_another_organization_has_keys_of_its_own(house: House) -> None:
    auths = [allowed(house, house.tenant()) for _ in range(2)]
    answers = [_post(house, auth, "same").json() for auth in auths]
    assert len({answer["plaintext"] for answer in answers}) == 2
    assert len({answer["org_id"] for answer in answers}) == 2


def test_what_the_caller_may_do_is_asked_before_the_key(house: House) -> None:
    """Otherwise a weaker key could fetch the secret of a stronger one."""
    tenant = house.tenant()
    wanted = {"label": "strong", "scopes": ["org:read"]}
    assert _post(house, allowed(house, tenant), "k", wanted).status_code == 201
    weaker = allowed(house, tenant, "apikeys:write", "messages:read")
    assert error_of(_post(house, weaker, "k", wanted)) == (403, "FORBIDDEN")


def test_a_refusal_is_not_kept(house: House) -> None:
    tenant, other = house.tenant(), house.tenant()
    auth = allowed(house, tenant)
    body = {"number": other.number.number, "carrier_account_id": tenant.account.id}
    for _ in range(2):
        refused = _post(house, auth, "k", body, "/v1/phone-numbers")
        assert error_of(refused) == (409, "CONFLICT")
        assert "retry-after" not in refused.headers
    house.wait(house.directory.remove_number(other.org.org_id, other.number.id))
    assert _post(house, auth, "k", body, "/v1/phone-numbers").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\xe9", "a\tb"])
def test_a_key_must_be_1_to_255_printable_ascii_characters(house: House, key: str) -> None:
    auth = allowed(house, house.tenant())
    answer = house.http.post(PATH, json=BODY, headers={**auth, "Idempotency-Key": key.encode("latin-1")})
    assert error_of(answer) == (422, "VALIDATION_FAILED")
    assert set(answer.json()["error"]["details"]) == {"idempotency_key"}
    assert _post(house, auth, "x" * 255).status_code == 201


def _claim(house: House, tenant: Tenant, key: str) -> Claim:
    """What is left when a process dies after it claimed the key: the row of a request that never ends."""
    raw = httpx.Request("POST", "http://h", json=BODY).content
    body_hash = hashlib.sha256(PATH.encode() + b"\0" + raw).digest()
    claim = house.wait(IdempotencyKeys(house.store).claim(tenant.org.org_id, f"POST {PATH}", key, body_hash))
    assert isinstance(claim, Claim)
    return claim


def test_a_request_that_never_finished_is_taken_over_after_a_minute(house: House) -> None:
    tenant = house.tenant()
    auth = allowed(house, tenant)
    started = house.clock()
    house.clock.frozen_us = started
    _claim(house, tenant, "k")
    for passed, status in ((0, 409), (TAKE_OVER_US, 409), (TAKE_OVER_US + 1, 201)):
        house.clock.frozen_us = started + passed
        assert _post(house, auth, "k").status_code == status, passed
    assert _labels(house, auth).count("worker") == 1


def test_a_key_is_forgotten_after_a_day(house: House) -> None:
    auth = allowed(house, house.tenant())
    started = house.clock()
    house.clock.frozen_us = started
    first = _post(house, auth, "k")
    house.clock.frozen_us = started + WINDOW_US
    assert _post(house, auth, "k").content == first.content
    house.clock.frozen_us = started + WINDOW_US + 1
    assert _post(house, auth, "k").json()["id"] != first.json()["id"]


def test_the_kept_answer_is_encrypted(house: House) -> None:
    auth = allowed(house, house.tenant())
    made = _post(house, auth, "k").json()
    [(response,)] = house.wait(house.store.fetch("SELECT response FROM idempotency_keys"))
    assert made["plaintext"].encode() not in bytes(response)
    assert made["id"].encode() not in bytes(response)


def _request() -> Request:
    scope = {
        "type": "http", "method": "POST", "path": "/v1/messages", "roost.route": "/v1/messages",
        "headers": [(b"idempotency-key", b"k")],
    }  # fmt: skip
    return Request(scope)


def test_a_resource_whose_maker_died_is_answered_with_and_not_made_again(house: House) -> None:
    tenant = house.tenant()
    idempotency = Idempotency(house.store)

    async def dies(attempt: Attempt) -> Response:
        await house.store.transact(lambda transaction: attempt.made(transaction, RESOURCE))
        raise RuntimeError("the process is gone")

    async def never(_: Attempt) -> Response:
        raise AssertionError("it was made already")

    async def rebuild(resource_id: str) -> Response:
        return Response(resource_id.encode(), 202)

    started = house.clock()
    house.clock.frozen_us = started
    with pytest.raises(RuntimeError):
        house.wait(idempotency.once(_request(), tenant.org.org_id, b"{}", dies))
    with pytest.raises(Refusal) as running:
        house.wait(idempotency.once(_request(), tenant.org.org_id, b"{}", never, rebuild=rebuild))
    assert running.value.status == 409
    house.clock.frozen_us = started + TAKE_OVER_US + 1
    for _ in range(2):
        answer = house.wait(idempotency.once(_request(), tenant.org.org_id, b"{}", never, rebuild=rebuild))
        assert (answer.status_code, bytes(answer.body)) == (202, RESOURCE.encode())


def test_a_defect_gives_the_key_back_when_nothing_was_made(house: House) -> None:
    tenant = house.tenant()
    idempotency = Idempotency(house.store)

    async def breaks(_: Attempt) -> Response:
        raise RuntimeError

    async def works(_: Attempt) -> Response:
        return Response(b"{}", 202)

    with pytest.raises(RuntimeError):
        house.wait(idempotency.once(_request(), tenant.org.org_id, b"{}", breaks))
    assert house.wait(idempotency.once(_request(), tenant.org.org_id, b"{}", works)).status_code == 202


@pytest.mark.parametrize("way", ["made", "answer"])
def test_one_who_was_overtaken_makes_nothing(house: House, way: str) -> None:
    """It slept for longer than a minute, in which another one did the work."""
    tenant = house.tenant()
    org_id = tenant.org.org_id
    idempotency = Idempotency(house.store)
    made: list[str] = []

    async def quick(attempt: Attempt) -> Response:
        made.append("quick")
        return Response(b"quick", 202)

    async def slow(attempt: Attempt) -> Response:
        house.clock.offset_us += TAKE_OVER_US + 1_000_000
        assert (await idempotency.once(_request(), org_id, b"{}", quick)).body == b"quick"

        async def write(transaction: Any) -> None:
            await transaction.fetch("UPDATE organizations SET name = 'made twice'")
            if way == "made":
                await attempt.made(transaction, RESOURCE)
            else:
                await attempt.answer(transaction, Response(b"slow", 202))

        await house.store.transact(write)
        return Response(b"slow", 202)

    with pytest.raises(Refusal) as refused:
        house.wait(idempotency.once(_request(), org_id, b"{}", slow))
    assert refused.value.status == 409
    assert made == ["quick"]
    assert house.wait(house.directory.organization(org_id)).name == tenant.org.name
    assert house.wait(idempotency.once(_request(), org_id, b"{}", slow)).body == b"quick"


def test_dialect_b_keeps_agents_apart_and_answers_in_its_own_words(house: House) -> None:
    tenant = house.tenant()
    agents = [Signer(house, tenant), Signer(house, tenant, "0x" + "5d" * 32)]
    key = {"Idempotency-Key": "same"}

    def create(agent: Signer, body: Any, headers: dict[str, str] = key) -> httpx.Response:
        return house.http.post(TOKENS, json=body, headers=agent.headers(**headers))

    made = [create(agent, {"name": "cloud"}) for agent in agents]
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json()["data"]["token"] != made[1].json()["data"]["token"]
    assert create(agents[0], {"name": "cloud"}).content == made[0].content
    assert error_of(create(agents[0], {"name": "other"})) == (422, "idempotency_key_reused")
    assert error_of(create(agents[0], {}, {"Idempotency-Key": "x" * 256})) == (400, "invalid_request")
    raw = httpx.Request("POST", "http://h", json={}).content
    route = f"POST {TOKENS} {agents[0].agent.id}"
    body_hash = hashlib.sha256(TOKENS.encode() + b"\0" + raw).digest()
    house.wait(IdempotencyKeys(house.store).claim(tenant.org.org_id, route, "busy", body_hash))
    busy = create(agents[0], {}, {"Idempotency-Key": "busy"})
    assert error_of(busy) == (409, "conflict")
    assert busy.headers["retry-after"] == "1"
