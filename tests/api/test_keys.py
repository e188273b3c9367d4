"""API keys over HTTP: each documented status and code, and what a key may never do."""

import re
from typing import Any

import pytest

from roost.core.scopes import SCOPES
from support.allowed import UNKNOWN_ID, allowed, assert_guarded, error_of
from support.house import House

PATH = "/v1/api-keys"
WANTED = {"label": "worker", "scopes": ["messages:read", "messages:send"]}


def test_a_key_is_created_shown_once_and_works(house: House) -> None:
    tenant = house.tenant()
    auth = allowed(house, tenant)
    created = house.http.post(PATH, json=WANTED, headers=auth)
    assert created.status_code == 201
    body = created.json()
    assert list(body) == [
        "id", "org_id", "label", "prefix", "scopes", "created_at", "last_used_at", "revoked_at", "plaintext"
    ]  # fmt: skip
    assert (body["org_id"], body["label"], body["scopes"]) == (tenant.org.org_id, "worker", WANTED["scopes"])
    assert re.fullmatch("am_live_[a-z0-9]{34}", body["plaintext"])
    assert body["prefix"] == body["plaintext"][:12]
    plaintext = body.pop("plaintext")
    assert house.http.get(f"{PATH}/{body['id']}", headers=auth).json() == body
    mine = {"Authorization": f"Bearer {plaintext}"}
    assert house.http.get("/v1/inbound-messages", headers=mine).status_code == 200
    assert house.http.get(PATH, headers=mine).status_code == 403


def test_keys_are_listed_newest_first_by_cursor_with_or_without_the_revoked(house: House) -> None:
    tenant = house.tenant()
    auth = allowed(house, tenant)
    made = [house.http.post(PATH, json=WANTED | {"label": str(n)}, headers=auth).json()["id"] for n in range(5)]
    house.http.delete(f"{PATH}/{made[0]}", headers=auth)
    seen, cursor = [], None
    while True:
        page = house.http.get(PATH, params={"limit": 2, **({"cursor": cursor} if cursor else {})}, headers=auth).json()
        assert (page["success"], page["meta"]["limit"], page["meta"]["total"], page["meta"]["offset"]) == (
            True,
            2,
            0,
            0,
        )
        seen += [key["id"] for key in page["data"]]
        cursor = page["meta"]["next_cursor"]
        if cursor is None:
            break
    assert seen[:5] == made[::-1]
    assert len(seen) == 7, "beside these five: the tenant's first key, and this one"
    working = house.http.get(PATH, params={"include_revoked": "false"}, headers=auth).json()["data"]
    assert [key["id"] for key in working][:4] == made[:0:-1]
    assert all(key["revoked_at"] is None for key in working)
    assert all("plaintext" not in key for key in working)


def test_a_revoked_key_stays_listed_and_its_time_stands(house: House) -> None:
    tenant = house.tenant()
    auth = allowed(house, tenant)
    made = house.http.post(PATH, json=WANTED, headers=auth).json()
    times = []
    for _ in range(2):
        answer = house.http.delete(f"{PATH}/{made['id']}", headers=auth)
        assert (answer.status_code, answer.content) == (200, b"")
        times.append(house.http.get(f"{PATH}/{made['id']}", headers=auth).json()["revoked_at"])
    assert times[0] is not None
    assert times[0] == times[1]
    refused = house.http.get("/v1/inbound-messages", headers={"Authorization": f"Bearer {made['plaintext']}"})
    assert error_of(refused) == (401, "UNAUTHORIZED")


def test_a_rotated_key_dies_at_once_and_the_new_one_has_its_label_and_scopes(house: House) -> None:
    tenant = house.tenant()
    auth = allowed(house, tenant)
    old = house.http.post(PATH, json=WANTED, headers=auth).json()
    answer = house.http.post(f"{PATH}/{old['id']}/rotate", headers=auth)
    assert answer.status_code == 200
    new = answer.json()
    assert (new["label"], new["scopes"]) == (old["label"], old["scopes"])
    assert new["plaintext"] != old["plaintext"]
    assert house.http.get(f"{PATH}/{old['id']}", headers=auth).json()["revoked_at"] is not None
    for key, status in ((old, 401), (new, 200)):
        mine = {"Authorization": f"Bearer {key['plaintext']}"}
        assert house.http.get("/v1/inbound-messages", headers=mine).status_code == status
    assert error_of(house.http.post(f"{PATH}/{old['id']}/rotate", headers=auth)) == (409, "CONFLICT")


@pytest.mark.parametrize(
    ("body", "status", "code", "text"),
    [
        ({"label": "x", "scopes": ["messages:write"]}, 400, "INVALID_INPUT",
         'api key: unknown scope "messages:write": UNKNOWN_SCOPE: invalid input'),
        ({"label": "x", "scopes": []}, 400, "INVALID_INPUT",
         "api key: at least one scope is required: EMPTY_SCOPES: invalid input"),
        ({"label": "x"}, 400, "INVALID_INPUT", "api key: at least one scope is required: EMPTY_SCOPES: invalid input"),
        ({"label": "x", "scopes": ["org:read", "org:read"]}, 400, "INVALID_INPUT",
         'api key: duplicate scope "org:read": DUPLICATE_SCOPE: invalid input'),
        ({"scopes": ["org:read"]}, 422, "VALIDATION_FAILED", "label"),
        ({"label": "", "scopes": ["org:read"]}, 422, "VALIDATION_FAILED", "label"),
        ({"label": "x" * 201, "scopes": ["org:read"]}, 422, "VALIDATION_FAILED", "label"),
        ({"label": "a\x00b", "scopes": ["org:read"]}, 422, "VALIDATION_FAILED", "label"),
        ({"label": "x", "scopes": "org:read"}, 422, "VALIDATION_FAILED", "scopes"),
        ({"label": "x", "scopes": [1]}, 422, "VALIDATION_FAILED", "scopes"),
        ({"label": "x", "scopes": ["org:read"], "admin": True}, 422, "VALIDATION_FAILED", "admin"),
        (["no object"], 422, "VALIDATION_FAILED", "body"),
    ],
)  # fmt: skip
def test_a_key_that_cannot_be_made_says_why(house: House, body: Any, status: int, code: str, text: str) -> None:
    answer = house.http.post(PATH, json=body, headers=allowed(house, house.tenant()))
    assert error_of(answer) == (status, code)
    error = answer.json()["error"]
    assert (error["message"] == text) if code == "INVALID_INPUT" else (set(error["details"]) == {text})


def test_nobody_gives_scopes_that_they_do_not_have(house: House) -> None:
    tenant = house.tenant()
    auth = allowed(house, tenant, "apikeys:write", "messages:read")
    for scopes, status in ((["messages:read"], 201), (["messages:read", "org:read"], 403)):
        answer = house.http.post(PATH, json={"label": "x", "scopes": scopes}, headers=auth)
        assert answer.status_code == status
    assert error_of(answer) == (403, "FORBIDDEN")
    stronger = house.wait(house.directory.create_api_key(tenant.org.org_id, "strong", list(SCOPES), None))
    assert error_of(house.http.post(f"{PATH}/{stronger.id}/rotate", headers=auth)) == (403, "FORBIDDEN")
    mine = {"Authorization": f"Bearer {stronger.plaintext}"}
    assert house.http.get(PATH, headers=mine).status_code == 200, "it was not revoked"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "", "apikeys:write"),
        ("GET", "", "apikeys:read"),
        ("GET", f"/{UNKNOWN_ID}", "apikeys:read"),
        ("DELETE", f"/{UNKNOWN_ID}", "apikeys:write"),
        ("POST", f"/{UNKNOWN_ID}/rotate", "apikeys:write"),
    ],
)
def test_every_route_refuses_who_may_not_and_what_is_not_there(
    house: House, method: str, path: str, scope: str
) -> None:
    tenant, stranger = house.tenant(), house.tenant()
    theirs = house.wait(house.directory.create_api_key(stranger.org.org_id, "theirs", ["org:read"], None))
    assert_guarded(house, tenant, method, PATH + path, scope, theirs.id, WANTED)
    assert house.wait(house.directory.stored_api_key(stranger.org.org_id, theirs.id)).revoked_at is None


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "cursor=x", "include_revoked=maybe", "labels=x", "offset=1"]
)
def test_a_wrong_parameter_of_the_list_is_named(house: House, query: str) -> None:
    answer = house.http.get(f"{PATH}?{query}", headers=allowed(house, house.tenant()))
    assert error_of(answer) == (422, "VALIDATION_FAILED")
    assert set(answer.json()["error"]["details"]) == {query.partition("=")[0]}


def test_a_cursor_is_good_for_its_own_list_and_organization_only(house: House) -> None:
    tenant, stranger = house.tenant(), house.tenant()
    auth = allowed(house, tenant)
    cursor = house.http.get(PATH, params={"limit": 1}, headers=auth).json()["meta"]["next_cursor"]
    assert house.http.get(PATH, params={"cursor": cursor}, headers=auth).status_code == 200
    for path, headers, more in (
        (PATH, allowed(house, stranger), {}),
        (PATH, auth, {"include_revoked": "false"}),
        ("/v1/audit-log", auth, {}),
        ("/v1/inbound-messages", auth, {}),
    ):
        answer = house.http.get(path, params={"cursor": cursor, **more}, headers=headers)
        assert set(answer.json()["error"]["details"]) == {"cursor"}, path


def test_when_a_key_was_last_used_is_kept_to_the_minute(house: House) -> None:
    tenant = house.tenant()
    auth = allowed(house, tenant, "apikeys:read")

    def last_used() -> Any:
        house.wait(house.store._written_soon())  # what nobody waits for is waited for here
        [mine] = [k for k in house.http.get(PATH, headers=auth).json()["data"] if k["scopes"] == ["apikeys:read"]]
        return mine["last_used_at"]

    now = house.clock()
    house.clock.frozen_us = now
    house.http.get(PATH, headers=auth)
    first = last_used()
    assert first is not None
    house.clock.frozen_us = now + 59_000_000
    key = house.wait(house.directory.api_key(auth["Authorization"].partition(" ")[2]))
    house.wait(_note(house, key))
    assert last_used() == first
    house.clock.frozen_us = now + 61_000_000
    house.wait(_note(house, key))
    assert last_used() > first


async def _note(house: House, key: Any) -> None:
    house.directory.note_use("api_key", key.org_id, key.id, key.last_used_at)
