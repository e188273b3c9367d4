"""Dialect B: what an agent knows about itself, and its access tokens; also through the unchanged public client."""

import re
from typing import Any

import pytest
from oneshot import OneShotClient
from oneshot._errors import ToolError

from support.allowed import Signer, error_of
from support.house import House

ME = "/v1/agents/me"
TOKENS = f"{ME}/access-tokens"
DAY_US = 24 * 3600 * 1_000_000


def test_oneshot_python_makes_lists_uses_and_revokes_a_token(house: House) -> None:
    tenant = house.tenant()
    signer = Signer(house, tenant)
    client = OneShotClient(private_key=signer.private_key, base_url=house.base_url)
    made = client.create_access_token("cloud", expires_in_days=7)
    assert set(made) == {"id", "token", "token_prefix", "name", "created_at", "expires_at", "created_by"}
    assert re.fullmatch("oneshot_[0-9a-f]{64}", made["token"])
    assert made["token"].startswith(made["token_prefix"])
    assert (made["name"], made["created_by"]) == ("cloud", signer.address)
    assert made["expires_at"][:10] > made["created_at"][:10]
    [listed] = client.list_access_tokens()
    assert set(listed) == {
        "id", "token_prefix", "name", "source", "last_used_at", "created_at", "revoked_at", "expires_at", "created_by",
        "spent_today_usdc",
    }  # fmt: skip
    assert (listed["id"], listed["source"], listed["spent_today_usdc"]) == (made["id"], "api", "0.00")
    session = OneShotClient.create(access_token=made["token"], base_url=house.base_url)
    assert session.address == signer.address, "the token alone tells whose it is"
    assert session.sms_inbox()["count"] == 0
    house.wait(house.store._written_soon())
    assert client.list_access_tokens()[0]["last_used_at"] is not None
    client.revoke_access_token(made["id"])
    client.revoke_access_token(made["id"])
    assert client.list_access_tokens(active_only=True) == []
    assert client.list_access_tokens()[0]["revoked_at"] is not None
    unnamed = client.create_access_token()
    assert (unnamed["name"], unnamed["expires_at"]) == (None, None)
    with pytest.raises(ToolError) as refused:
        client.revoke_access_token("nonsense")
    assert refused.value.status_code == 404


def test_a_revoked_or_expired_token_resolves_nobody(house: House) -> None:
    tenant = house.tenant()
    signer = Signer(house, tenant)
    brief = house.wait(house.directory.create_access_token(signer.agent, "", DAY_US)).plaintext
    headers = {"Authorization": f"Bearer {brief}"}
    answer = house.http.get(ME, headers=headers)
    assert answer.json() == {
        "success": True,
        "data": {"id": signer.agent.id, "wallet_address": signer.address, "mode": "proof", "phone_numbers": []},
    }
    house.clock.offset_us += DAY_US
    assert error_of(house.http.get(ME, headers=headers)) == (401, "unauthorized")
    assert error_of(house.http.get(ME, headers={"Authorization": "Bearer oneshot_" + "0" * 64})) == (
        401,
        "unauthorized",
    )
    assert error_of(house.http.get(ME)) == (401, "unauthorized")


def test_an_agent_sees_itself_and_its_numbers_however_it_shows_who_it_is(house: House) -> None:
    tenant = house.tenant()
    open_ = house.http.get(ME, headers=tenant.agent_header).json()["data"]
    assert (open_["mode"], open_["phone_numbers"]) == ("open", [tenant.number.number])
    signer = Signer(house, tenant)
    assert house.http.get(ME, headers=signer.headers("read")).json()["data"]["wallet_address"] == signer.address
    token = house.wait(house.directory.create_access_token(signer.agent, "", None)).plaintext
    both = {"X-Agent-ID": signer.address, "Authorization": f"Bearer {token}"}
    assert house.http.get(ME, headers=both).status_code == 200
    another = {**both, "X-Agent-ID": "0x" + "12" * 20}
    assert error_of(house.http.get(ME, headers=another)) == (401, "unauthorized")


CALLS = [("POST", TOKENS, "write"), ("GET", TOKENS, "read"), ("DELETE", f"{TOKENS}/x", "write")]


@pytest.mark.parametrize(("method", "path", "scope"), CALLS)
def test_only_a_wallets_key_manages_tokens(house: House, method: str, path: str, scope: str) -> None:
    tenant = house.tenant()
    signer = Signer(house, tenant)
    call = house.http.request
    token = house.wait(house.directory.create_access_token(signer.agent, "", None)).plaintext
    by_token = {"Authorization": f"Bearer {token}"}
    assert error_of(call(method, path, headers={**by_token, "X-Agent-ID": signer.address})) == (403, "forbidden")
    assert error_of(call(method, path, headers=by_token)) == (403, "forbidden")
    assert error_of(call(method, path, headers={"Authorization": "Bearer oneshot_x"})) == (401, "unauthorized")
    assert error_of(call(method, path)) == (401, "unauthorized")
    assert error_of(call(method, path, headers={"X-Agent-ID": signer.address})) == (401, "invalid_proof")
    assert error_of(call(method, path, headers=tenant.agent_header)) == (401, "invalid_proof"), "not even an open agent"
    other_scope = signer.headers("read" if scope == "write" else "write")
    assert error_of(call(method, path, headers=other_scope)) == (401, "invalid_proof")
    assert call(method, path, headers=signer.headers(scope)).status_code in (200, 201, 404)


def test_another_agents_token_is_not_found(house: House) -> None:
    tenant = house.tenant()
    ours, theirs = Signer(house, tenant), Signer(house, tenant, "0x" + "5d" * 32)
    token = house.wait(house.directory.create_access_token(theirs.agent, "theirs", None))
    refused = house.http.delete(f"{TOKENS}/{token.id}", headers=ours.headers())
    assert error_of(refused) == (404, "not_found")
    assert house.http.get(TOKENS, headers=ours.headers("read")).json() == {"success": True, "data": {"tokens": []}}
    active = house.http.get(f"{TOKENS}?active=true", headers=theirs.headers("read")).json()["data"]["tokens"]
    assert [(each["id"], each["source"], each["created_by"]) for each in active] == [(token.id, "operator", None)]


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{", b'{"name": 7}', b'{"name": ""}', b'{"expires_in_days": 0}', b'{"expires_in_days": true}',
     b'{"expires_in_days": 36501}', b'{"name": "\\u0000"}'],
)  # fmt: skip
def test_a_token_that_cannot_be_made_says_why(house: House, body: Any) -> None:
    signer = Signer(house, house.tenant())
    answer = house.http.post(TOKENS, content=body, headers=signer.headers())
    assert error_of(answer) == (400, "invalid_request")


def test_odd_parameters_are_refused_and_a_huge_body_is_not_read(house: House) -> None:
    signer = Signer(house, house.tenant())
    assert error_of(house.http.get(f"{TOKENS}?active=maybe", headers=signer.headers("read"))) == (
        400,
        "invalid_request",
    )
    huge = house.http.post(TOKENS, content=b" " * (1 << 20), headers=signer.headers())
    assert error_of(huge) == (413, "payload_too_large")


def test_a_token_that_is_made_or_revoked_is_in_the_audit_log_with_its_agent(house: House) -> None:
    signer = Signer(house, house.tenant())
    made = house.http.post(TOKENS, json={"name": "cloud"}, headers=signer.headers()).json()["data"]
    for _ in range(2):
        house.http.delete(f"{TOKENS}/{made['id']}", headers=signer.headers())
    rows = house.wait(house.store.fetch("SELECT action, actor_kind, resource_id, payload FROM audit_log ORDER BY id"))
    mine = [row for row in rows if row[2] == made["id"]]
    assert [row[:2] for row in mine] == [("access_token.created", "agent"), ("access_token.revoked", "agent")]
    assert made["token"] not in str(rows)
