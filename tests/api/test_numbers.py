"""Phone numbers over HTTP: each documented status and code, and what becomes of messages when a number goes."""

from typing import Any
from uuid import UUID

import pytest

from roost.core.ids import FIRST_ID
from support.allowed import UNKNOWN_ID, allowed, assert_guarded, error_of
from support.house import House, Tenant
from support.payloads import bandwidth_inbound
from support.stored import stored_outbound

PATH = "/v1/phone-numbers"
SHAPE = [
    "id", "number", "number_type", "inbound_url", "status_url", "label", "campaign_id", "sms_enabled", "mms_enabled",
    "created_at", "updated_at",
]  # fmt: skip


def _new(tenant: Tenant, number: str = "+14155550123", **more: Any) -> dict[str, Any]:
    return {"number": number, "carrier_account_id": tenant.account.id, **more}


def test_a_number_is_registered_with_all_that_it_can_have_and_receives(house: House) -> None:
    tenant = house.tenant()
    auth = allowed(house, tenant)
    wanted = _new(
        tenant,
        label="support-line",
        agent=tenant.agent.wallet,
        inbound_url="https://example.com/in",
        status_url="https://example.com/status?x=1",
        segments_per_second=0.5,
    )
    answer = house.http.post(PATH, json=wanted, headers=auth)
    assert answer.status_code == 201
    assert list(answer.json()) == ["success", "data"]
    data = answer.json()["data"]
    assert list(data) == SHAPE
    assert (data["number"], data["number_type"], data["label"]) == ("+14155550123", "local", "support-line")
    assert (data["inbound_url"], data["status_url"]) == ("https://example.com/in", "https://example.com/status?x=1")
    assert (data["campaign_id"], data["sms_enabled"], data["mms_enabled"]) == (None, True, True)
    assert data["created_at"] == data["updated_at"]
    shown = house.http.get(f"{PATH}/{data['id']}", headers=auth).json()["data"]
    assert shown == data
    extras = {"include": "agent,carrier_account_id,segments_per_second"}
    for more in (
        house.http.get(f"{PATH}/{data['id']}", params=extras, headers=auth).json()["data"],
        house.http.get(PATH, params=extras, headers=auth).json()["data"][0],
    ):
        assert more == {
            **data,
            "agent": tenant.agent.wallet,
            "carrier_account_id": tenant.account.id,
            "segments_per_second": 0.5,
        }
    assert house.deliver(tenant, [bandwidth_inbound("1", "+14155550123")]).json()["stored"] == 1


@pytest.mark.parametrize(
    ("number", "more", "kind"),
    [("+18005550100", {}, "toll_free"), ("24680", {}, "short_code"), ("+14155550123", {}, "local"),
     ("+14155550123", {"number_type": "toll_free"}, "toll_free")],
)  # fmt: skip
def test_a_numbers_type_is_seen_unless_it_is_said(house: House, number: str, more: Any, kind: str) -> None:
    tenant = house.tenant()
    answer = house.http.post(PATH, json=_new(tenant, number, **more), headers=allowed(house, tenant))
    assert answer.json()["data"]["number_type"] == kind


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": "415 555 0123"}, "number"),
        ({"number": None}, "number"),
        ({"number": "+14155550123", "number_type": "short_code"}, "number"),
        ({"number_type": "satellite"}, "number_type"),
        ({"carrier_account_id": None}, "carrier_account_id"),
        ({"carrier_account_id": UNKNOWN_ID}, "carrier_account_id"),
        ({"carrier_account_id": "7"}, "carrier_account_id"),
        ({"agent": "0x" + "77" * 20}, "agent"),
        ({"label": 7}, "label"),
        ({"label": "x" * 201}, "label"),
        ({"inbound_url": "http://example.com"}, "inbound_url"),
        ({"inbound_url": "https://"}, "inbound_url"),
        ({"status_url": "https://user:word@example.com"}, "status_url"),
        ({"status_url": "https://example.com:x/"}, "status_url"),
        ({"segments_per_second": 0}, "segments_per_second"),
        ({"segments_per_second": True}, "segments_per_second"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_number_that_cannot_be_registered_says_why(house: House, changes: Any, field: str) -> None:
    tenant = house.tenant()
    answer = house.http.post(PATH, json={**_new(tenant), **changes}, headers=allowed(house, tenant))
    assert error_of(answer) == (422, "VALIDATION_FAILED")
    assert set(answer.json()["error"]["details"]) == {field}


def test_what_another_organization_has_cannot_be_named(house: House) -> None:
    tenant, stranger = house.tenant(), house.tenant()
    auth = allowed(house, tenant)
    for field, value in (("carrier_account_id", stranger.account.id), ("agent", stranger.agent.wallet)):
        answer = house.http.post(PATH, json={**_new(tenant), field: value}, headers=auth)
        assert set(answer.json()["error"]["details"]) == {field}
    taken = house.http.post(PATH, json=_new(tenant, stranger.number.number), headers=auth)
    assert error_of(taken) == (409, "CONFLICT")


def test_numbers_are_listed_newest_first_filtered_and_by_cursor(house: House) -> None:
    tenant, stranger = house.tenant(), house.tenant()
    auth = allowed(house, tenant)
    kinds = {
        "+18005550100": "Sales",
        "24680": "Codes_100%",
        "+14155550123": "support-line",
        "+14155550199": "Support 2",
    }
    for number, label in kinds.items():
        house.http.post(PATH, json=_new(tenant, number, label=label), headers=auth)

    def listed(**params: Any) -> list[str]:
        seen: list[str] = []
        cursor: Any = None
        while True:
            query = {**params, "limit": 2, **({"cursor": cursor} if cursor else {})}
            page = house.http.get(PATH, params=query, headers=auth).json()
            assert [list(item) for item in page["data"]] == [SHAPE] * len(page["data"])
            seen += [item["number"] for item in page["data"]]
            cursor = page["meta"]["next_cursor"]
            if cursor is None:
                return seen

    assert listed() == [*list(kinds)[::-1], tenant.number.number]
    assert listed(number_type="toll_free") == ["+18005550100"]
    assert listed(search="415555") == ["+14155550199", "+14155550123"]
    assert listed(search="+1800") == ["+18005550100"]
    assert listed(search="SUPPORT") == ["+14155550199", "+14155550123"]
    assert listed(search="100%") == ["24680"]
    assert listed(search="s_100") == ["24680"]
    assert listed(search="!") == listed(campaign_id=UNKNOWN_ID) == listed(search=stranger.number.number) == []
    default = house.http.get(PATH, headers=auth).json()
    assert default["meta"] == {"total": 0, "limit": 20, "offset": 0, "next_cursor": None}


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "number_type=x", "campaign_id=x", "search=", "cursor=x", "include=secrets", "order=asc"],
)
def test_a_wrong_parameter_of_the_list_is_named(house: House, query: str) -> None:
    answer = house.http.get(f"{PATH}?{query}", headers=allowed(house, house.tenant()))
    assert error_of(answer) == (422, "VALIDATION_FAILED")
    assert set(answer.json()["error"]["details"]) == {query.partition("=")[0]}


def test_a_number_is_changed_field_by_field(house: House) -> None:
    tenant = house.tenant()
    auth = allowed(house, tenant)
    path = f"{PATH}/{tenant.number.id}"
    first = house.http.get(path, headers=auth).json()["data"]
    steps = [
        ({"label": "front desk"}, {"label": "front desk"}),
        ({"inbound_url": "https://example.com/in", "label": None}, {"inbound_url": "https://example.com/in"}),
        ({"status_url": "https://example.com/s", "campaign_id": None}, {"status_url": "https://example.com/s"}),
        ({"inbound_url": "", "label": ""}, {"inbound_url": None, "label": ""}),
    ]
    expected = first
    for change, effect in steps:
        answer = house.http.patch(path, json=change, headers=auth)
        assert answer.status_code == 200
        data = answer.json()["data"]
        expected = {**expected, **effect, "updated_at": data["updated_at"]}
        assert data == expected == house.http.get(path, headers=auth).json()["data"]
    assert data["updated_at"] > first["updated_at"]
    assert house.http.patch(path, json={}, headers=auth).json()["data"] == data, "nothing changed, nothing updated"


@pytest.mark.parametrize(
    ("change", "status", "code", "says"),
    [
        ({"number": "+1"}, 400, "INVALID_INPUT", 'phone number: unsupported field "number": invalid input'),
        ({"label": "x", "agent": "0x"}, 400, "INVALID_INPUT", 'phone number: unsupported field "agent": invalid input'),
        ({"campaign_id": ""}, 422, "VALIDATION_FAILED", "campaign_id"),
        ({"campaign_id": UNKNOWN_ID}, 422, "VALIDATION_FAILED", "campaign_id"),
        ({"inbound_url": "http://example.com"}, 422, "VALIDATION_FAILED", "inbound_url"),
        ({"status_url": 7}, 422, "VALIDATION_FAILED", "status_url"),
        ({"label": "x" * 201}, 422, "VALIDATION_FAILED", "label"),
        ("label", 422, "VALIDATION_FAILED", "body"),
    ],
)
def test_a_change_that_cannot_be_made_says_why(house: House, change: Any, status: int, code: str, says: str) -> None:
    tenant = house.tenant()
    answer = house.http.patch(f"{PATH}/{tenant.number.id}", json=change, headers=allowed(house, tenant))
    assert error_of(answer) == (status, code)
    error = answer.json()["error"]
    assert (error["message"] == says) if status == 400 else (set(error["details"]) == {says})


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "", "numbers:write"),
        ("GET", "", "numbers:read"),
        ("GET", f"/{UNKNOWN_ID}", "numbers:read"),
        ("PATCH", f"/{UNKNOWN_ID}", "numbers:write"),
        ("DELETE", f"/{UNKNOWN_ID}", "numbers:write"),
    ],
)
def test_every_route_refuses_who_may_not_and_what_is_not_there(
    house: House, method: str, path: str, scope: str
) -> None:
    tenant, stranger = house.tenant(), house.tenant()
    assert_guarded(house, tenant, method, PATH + path, scope, stranger.number.id)
    assert house.wait(house.directory.number(stranger.number.number)) == stranger.number


def test_a_number_goes_its_messages_stay_and_what_was_queued_is_cancelled(house: House) -> None:
    tenant = house.tenant()
    auth = allowed(house, tenant)
    house.deliver(tenant, [bandwidth_inbound("1", tenant.number.number)])
    states = ["queued", "waiting", "held", "leased", "uncertain", None]
    ids = {stored_outbound(house, tenant, state): state for state in states}
    bystander = house.tenant()
    kept = stored_outbound(house, bystander, "queued")
    path = f"{PATH}/{tenant.number.id}"
    assert error_of(house.http.delete(f"{path}?return_to_carrier=true", headers=auth)) == (403, "FORBIDDEN")
    assert error_of(house.http.delete(f"{path}?force=true", headers=auth)) == (422, "VALIDATION_FAILED")
    answer = house.http.delete(f"{path}?return_to_carrier=false", headers=auth)
    assert (answer.status_code, answer.json()) == (200, {"success": True, "data": {"status": "released"}})
    assert error_of(house.http.delete(path, headers=auth)) == (404, "NOT_FOUND")
    rows = house.wait(
        house.store.fetch("SELECT id, status, error_code FROM outbound_messages WHERE id > $1", UUID(FIRST_ID))
    )
    found = {str(UUID(bytes=row[0]) if isinstance(row[0], bytes) else row[0]): row[1:] for row in rows}
    outcome = {state: found[message_id] for message_id, state in ids.items()}
    assert outcome == {
        "queued": ("failed", "CANCELED"),
        "waiting": ("failed", "CANCELED"),
        "held": ("failed", "CANCELED"),
        "leased": ("sending", None),
        "uncertain": ("sending", None),
        None: ("delivered", None),
    }
    assert found[kept] == ("queued", None)
    outbox = house.wait(house.store.fetch("SELECT state, withdrawn FROM outbox ORDER BY state"))
    assert [tuple(row) for row in outbox] == [("leased", "CANCELED"), ("queued", None), ("uncertain", None)]
    assert len(house.inbound(tenant)) == 1
    assert house.deliver(tenant, [bandwidth_inbound("2", tenant.number.number)]).json()["unrouted"] == 1
    again = house.http.post(PATH, json=_new(tenant, tenant.number.number), headers=auth)
    assert again.status_code == 201
